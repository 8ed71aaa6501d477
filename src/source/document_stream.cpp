#include "source/document_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace keyvigil {

DocumentStream::DocumentStream(const ReadItem& read, FollowedItem item, std::uint64_t from_byte)
    : read_(&read),
      item_(std::move(item)),
      from_byte_(from_byte),
      framer_([this](char* to, std::size_t room) { return read_on(to, room); }, FramingOptions{}) {}

bool DocumentStream::begins(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) { head.remove_prefix(3); }
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (head[first] == '{' || head[first] == '[');
}

Result<std::size_t> DocumentStream::read_on(char* to, std::size_t room) {
  const std::size_t most = std::min<std::uint64_t>(room, item_.size_bytes - read_to_);
  if (most == 0) { return std::size_t{0}; }
  auto bytes = (*read_)(item_, read_to_, most);
  if (!bytes) {
    failure_ = bytes.error();
    return fail(ErrorKind::kInputOutput, failure_.why);
  }
  const std::size_t size = std::min(bytes->size(), most);
  std::copy_n(bytes->begin(), size, to);
  read_to_ += size;
  return size;
}

void DocumentStream::add(Piece& piece) const {
  const auto put = [&](std::uint64_t byte, std::string_view element) {
    if (byte < from_byte_) { return; }
    piece.bytes += piece.bytes.empty() ? "[" : ",\n";
    piece.bytes += element;
    piece.to_byte = std::max(piece.to_byte, byte + 1);
  };
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  for (const FramingRefusal& refusal : batch_.refused) {
    put(refusal.byte, nlohmann::json(refusal.message).dump(-1, ' ', false, kReplace));
  }
  for (const RawRecord& record : batch_.records) { put(record.byte, batch_.view(record)); }
}

tl::expected<DocumentStream::Piece, ReadFailure> DocumentStream::next(std::size_t most) {
  Piece piece;
  piece.to_byte = from_byte_;
  const std::uint64_t begun_at = read_to_;
  const auto is_enough = [&] {
    return !piece.bytes.empty() && (piece.bytes.size() >= most || read_to_ - begun_at >= most);
  };
  while (!piece.is_last && !is_enough()) {
    auto more = framer_.next(batch_);
    if (!more) { return tl::unexpected(failure_); }
    piece.is_table = *more && !batch_.records.empty() && batch_.form != RecordForm::kJson;
    if (piece.is_table) { return piece; }
    piece.is_last = !*more;
    if (*more) { add(piece); }
  }
  from_byte_ = piece.to_byte;
  if (!piece.bytes.empty()) { piece.bytes += "]\n"; }
  return piece;
}

}  // namespace keyvigil
