// DocumentStream: the records of a JSON document that is too large to be taken whole, in pieces that stand alone.
//
// A piece is a JSON array of records as they stood in the document; what framing refused is a text in it that says why,
// so that it is counted where the piece is decoded. Tables have no such pieces: they are no document for this.
// Nothing longer than one record and one batch is held. Threads: one owner.
#pragma once

#include <cstdint>
#include <string>

#include "source/followed_item.h"
#include "source/framer.h"

namespace keyvigil {

class DocumentStream {
 public:
  // Of the item as it was listed; records that begin before `from_byte` are left out. `read` must outlive the stream.
  DocumentStream(const ReadItem& read, FollowedItem item, std::uint64_t from_byte);
  DocumentStream(const DocumentStream&) = delete;
  DocumentStream& operator=(const DocumentStream&) = delete;

  struct Piece {
    std::string bytes;          // empty: no record is left, and it is the last
    std::uint64_t to_byte = 0;  // what begins before it was given
    bool is_last = false;
    bool is_table = false;  // nothing of it can be given
  };
  // About `most` bytes. After a failure the stream is of no use any more.
  [[nodiscard]] tl::expected<Piece, ReadFailure> next(std::size_t most);

  [[nodiscard]] const FollowedItem& item() const { return item_; }

  // Whether it may be such a document, by its first bytes.
  [[nodiscard]] static bool begins(std::string_view head);

 private:
  [[nodiscard]] Result<std::size_t> read_on(char* to, std::size_t room);
  void add(Piece& piece) const;

  const ReadItem* read_;
  FollowedItem item_;
  std::uint64_t from_byte_;
  std::uint64_t read_to_ = 0;
  ReadFailure failure_;
  Framer framer_;
  RawBatch batch_;
};

}  // namespace keyvigil
