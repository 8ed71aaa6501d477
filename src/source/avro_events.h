// AvroEvents: the bodies of the events in a file of Event Hubs Capture, an Avro object container (Avro 1.11,
// "Object Container Files"), codecs null, deflate, snappy and zstandard.
//
// Of each record only the field Body is read, the others are stepped over by their schema. Nothing that the file says
// of itself is believed: lengths, counts, nesting and expansion are bounded, and damage ends the events with a
// sentence. One block is held (docs/decisions/0018).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "source/expansion_limit.h"
#include "source/utf8_reader.h"

namespace keyvigil {

// True where `head` begins with the magic bytes of an Avro object container.
[[nodiscard]] bool is_avro(std::string_view head);

struct AvroLimits {
  std::uint64_t header_bytes = std::uint64_t{1} << 20;
  std::uint64_t block_bytes = std::uint64_t{64} << 20;  // stored, and decompressed
  ExpansionLimit expansion;
};

class AvroEvents {
 public:
  // `name`: of the input, for sentences.
  AvroEvents(ReadBytes read, std::string name, const AvroLimits& limits = {});
  ~AvroEvents();
  AvroEvents(AvroEvents&&) noexcept;
  AvroEvents& operator=(AvroEvents&&) noexcept;

  // The next body that is not empty, valid until the next call; nothing: there are no more, or damage(). An error means
  // that the bytes could not be read.
  [[nodiscard]] Result<std::optional<std::string_view>> next();

  [[nodiscard]] const std::optional<std::string>& damage() const;
  [[nodiscard]] std::uint64_t empty_bodies() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keyvigil
