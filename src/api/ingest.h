// Ingest: the door for bytes of records. A route decides who may send and how much; what is behind the door journals.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "api/principal.h"

namespace keyvigil {

struct IngestAnswer {
  enum class Outcome : std::uint8_t {
    kStored,     // durable: may be acknowledged
    kBusy,       // try again after retry_after_seconds
    kFailed,     // the disk refused; nothing was stored
    kMalformed,  // no form that KeyVigil reads
    kForeign,    // records of a subscription that the principal may not send for; nothing was stored
    kTooLarge,   // after decompression
  };
  Outcome outcome = Outcome::kStored;
  std::uint64_t records = 0;
  int retry_after_seconds = 0;
  std::string message;  // for all but kStored
};

// `input`: "ingest/<rule>/<stream>" or "logs". `body`: plain, gzip or zstd. Any thread; returns when durable.
using Ingest = std::function<IngestAnswer(const std::string& input, std::string_view body, const Principal& principal)>;

}  // namespace keyvigil
