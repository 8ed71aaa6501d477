// JsonIndex: where the structure of one JSON text stands, and a cursor to walk it.
//
// simdjson's first stage (run-time dispatched SIMD) validates UTF-8, finds every bracket, colon, comma and the start of
// every string and scalar, and refuses unclosed strings and control characters in strings. The cursor then walks these
// places once, forwards, and checks the grammar wherever it looks. Every step says whether it fitted; after a misfit
// the cursor stays harmless, unlike simdjson 3.0.1's own on-demand iterators, which must never be touched again
// (docs/decisions/0005).
//
//   {"time":"2024-..","properties":{"id":"https:.."}}
//   ^^     ^^        ^^            ^^^   ^         ^^   <- places
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace keyvigil {

class JsonCursor {
 public:
  JsonCursor() = default;
  JsonCursor(const char* text, const std::uint32_t* places, std::size_t count)
      : text_(text), at_(places), end_(places + count) {}

  // The character at the current place; '\0' at the end.
  [[nodiscard]] char peek() const { return at_ < end_ ? text_[*at_] : '\0'; }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  void step() { ++at_; }
  [[nodiscard]] bool take(char expected) {
    if (peek() != expected) { return false; }
    ++at_;
    return true;
  }

  // A name and its colon stand here.
  [[nodiscard]] bool at_name() const { return places_left() >= 2 && *ahead(0) == '"' && *ahead(1) == ':'; }
  // For a member as nearly all are: how many places are left, and what stands `ahead` places further on.
  [[nodiscard]] std::size_t places_left() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] const char* ahead(std::size_t places) const { return text_ + at_[places]; }
  void step_over(std::size_t places) { at_ += places; }

  // The bytes from the current place to the next one, without blanks at the end: a whole string with its quotes, or a
  // scalar. There is always a next place: the caller of a value stands inside a container.
  [[nodiscard]] std::string_view token() const {
    const char* begin = text_ + at_[0];
    const char* end = text_ + at_[1];
    while (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t') { --end; }
    return {begin, static_cast<std::size_t>(end - begin)};
  }

  // Passes over one value of any kind. False where brackets do not pair up before the text ends.
  [[nodiscard]] bool skip_value() {
    if (!is_scalar_start(peek())) { return skip_container(); }
    ++at_;
    return true;
  }
  [[nodiscard]] static bool is_scalar_start(char c) {
    return c != '\0' && c != '{' && c != '}' && c != '[' && c != ']' && c != ',' && c != ':';
  }

 private:
  [[nodiscard]] bool skip_container();

  const char* text_ = nullptr;
  const std::uint32_t* at_ = nullptr;
  const std::uint32_t* end_ = nullptr;
};

class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();
  JsonIndex(JsonIndex&&) noexcept;
  JsonIndex& operator=(JsonIndex&&) noexcept;

  // REQUIRES: kRecordPadding readable bytes after `text`, which stays where it is while the cursor is used.
  // Null message: fine, and `cursor` stands at the first place. Otherwise what is wrong, in simdjson's words.
  [[nodiscard]] const char* build(std::string_view text, JsonCursor& cursor);

  // The text of a string token (quotes included) that holds escapes; lives until the next build(). False: bad escape.
  [[nodiscard]] bool unescape(std::string_view token, std::string_view& text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// RFC 8259 section 6, and true, false, null.
[[nodiscard]] bool is_json_scalar(std::string_view token);

}  // namespace keyvigil
