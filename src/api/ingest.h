// Ingest: the door for bytes of records. A route decides who may send and how much; what is behind the door journals.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "api/principal.h"
#include "base/result.h"
#include "store/stored_alert.h"

namespace keyvigil {

struct IngestAnswer {
  enum class Outcome : std::uint8_t {
    kStored,     // durable: may be acknowledged
    kBusy,       // try again after retry_after_seconds
    kFailed,     // not the sender's fault (the disk, the clock); nothing was stored; try again
    kMalformed,  // no form that KeyVigil reads
    kForeign,    // records of a subscription that the principal may not send for; nothing was stored
    kTooLarge,   // after decompression
  };
  Outcome outcome = Outcome::kStored;
  std::uint64_t records = 0;  // in the body
  std::uint64_t refused = 0;  // of these: could not be used
  std::map<std::string, std::uint64_t> refused_by_cause;
  std::string first_refusal;  // a sentence
  int retry_after_seconds = 0;
  std::string message;  // for all but kStored
};

// `input`: "ingest/<rule>/<stream>" or "logs". `body`: plain, gzip or zstd. Any thread; returns when durable.
using Ingest = std::function<IngestAnswer(const std::string& input, std::string_view body, const Principal& principal)>;

// Forgets an input, "ingest/<rule>/<stream>", with its counts; false: there is none. Any thread; durable on return.
using ForgetInput = std::function<Result<bool>(const std::string& input, const AuditLine& audit)>;

}  // namespace keyvigil
