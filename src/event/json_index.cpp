#include "event/json_index.h"

#include <simdjson.h>

#include <algorithm>
#include <vector>

#include "event/decode.h"

namespace keyvigil {

static_assert(kRecordPadding >= simdjson::SIMDJSON_PADDING);

// Which brackets are open: one bit each, the innermost lowest; beyond 64 in a text of its own, which real records never
// need.
class BracketStack {
 public:
  [[nodiscard]] bool empty() const { return depth_ == 0; }
  void open(bool object) {
    if (depth_ >= kBits) { deep_ += (bits_ >> (kBits - 1)) != 0 ? '{' : '['; }
    bits_ = bits_ << 1 | (object ? 1U : 0U);
    ++depth_;
  }
  [[nodiscard]] bool close(bool object) {
    if (depth_ == 0 || ((bits_ & 1) != 0) != object) { return false; }
    bits_ >>= 1;
    if (!deep_.empty()) {
      bits_ |= std::uint64_t{deep_.back() == '{'} << (kBits - 1);
      deep_.pop_back();
    }
    --depth_;
    return true;
  }

 private:
  static constexpr std::size_t kBits = 64;
  std::uint64_t bits_ = 0;
  std::size_t depth_ = 0;
  std::string deep_;
};

bool JsonCursor::skip_container() {
  if (peek() != '{' && peek() != '[') { return false; }
  BracketStack brackets;
  do {
    const char bracket = peek();
    switch (bracket) {
      case '{':
      case '[':
        brackets.open(bracket == '{');
        break;
      case '}':
      case ']':
        if (!brackets.close(bracket == '}')) { return false; }
        break;
      case '\0':
        return false;
      default:
        break;
    }
    ++at_;
  } while (!brackets.empty());
  return true;
}

struct JsonIndex::State {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  std::vector<std::uint8_t> unescaped;
  std::size_t unescaped_used = 0;
  std::size_t text_size = 0;
};

JsonIndex::JsonIndex() : state_(std::make_unique<State>()) {}
JsonIndex::~JsonIndex() = default;
JsonIndex::JsonIndex(JsonIndex&&) noexcept = default;
JsonIndex& JsonIndex::operator=(JsonIndex&&) noexcept = default;

const char* JsonIndex::build(std::string_view text, JsonCursor& cursor) {
  constexpr std::size_t kLeastCapacity = std::size_t{16} * 1024;
  constexpr std::size_t kDepth = 1;  // only simdjson's second stage, which is not used, keeps a stack
  State& state = *state_;
  if (state.stage == nullptr || state.stage->capacity() < text.size()) {
    const std::size_t capacity = std::max(kLeastCapacity, text.size() * 2);
    const auto error =
        simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, kDepth, state.stage);
    if (error != simdjson::SUCCESS) {
      state.stage.reset();
      return simdjson::error_message(error);
    }
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto error = state.stage->stage1(bytes, text.size(), simdjson::stage1_mode::regular);
  if (error != simdjson::SUCCESS) { return simdjson::error_message(error); }
  state.text_size = text.size();
  state.unescaped_used = 0;
  cursor = JsonCursor(text.data(), state.stage->structural_indexes.get(), state.stage->n_structural_indexes);
  return nullptr;
}

bool JsonIndex::unescape(std::string_view token, std::string_view& text) {
  State& state = *state_;
  // Unescaping never lengthens a text, and no byte of the document is unescaped twice: the buffer never grows while
  // views point into it.
  const std::size_t needed = 2 * state.text_size + kRecordPadding;
  if (state.unescaped_used == 0 && state.unescaped.size() < needed) { state.unescaped.resize(needed); }
  if (state.unescaped_used + token.size() + kRecordPadding > state.unescaped.size()) { return false; }
  std::uint8_t* begin = state.unescaped.data() + state.unescaped_used;
  const auto* source = reinterpret_cast<const std::uint8_t*>(token.data()) + 1;
  const std::uint8_t* end = state.stage->parse_string(source, begin);
  if (end == nullptr) { return false; }
  text = {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
  state.unescaped_used += text.size();
  return true;
}

bool is_json_scalar(std::string_view token) {
  if (token == "true" || token == "false" || token == "null") { return true; }
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < token.size() && token[at] >= '0' && token[at] <= '9') { ++at; }
    return at > begin;
  };
  const auto take = [&](char first, char second) {
    if (at == token.size() || (token[at] != first && token[at] != second)) { return false; }
    ++at;
    return true;
  };
  take('-', '-');
  if (!take('0', '0') && !digits()) { return false; }
  if (take('.', '.') && !digits()) { return false; }
  if (take('e', 'E')) {
    take('+', '-');
    if (!digits()) { return false; }
  }
  return at == token.size();
}

}  // namespace keyvigil
