// Tor Project's Onionoo, document "details": relays with their addresses and flags. Traffic of Tor's users comes from
// exits alone: from their own addresses, and from those that exit_addresses adds.
#include <algorithm>

#include "intel/json_feeds.h"
#include "intel/json_members.h"
#include "intel/list_readers.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

bool is_relay(const Json& relay) {
  return !text_of(relay, "fingerprint").empty() &&
         (member(relay, "or_addresses") != nullptr || member(relay, "exit_addresses") != nullptr);
}

bool is_exit(const Json& relay) {
  const Json& flags = array_of(relay, "flags");
  return std::any_of(flags.begin(), flags.end(), [](const Json& flag) { return flag == "Exit"; });
}

void take_addresses(const Json& addresses, const Json& relay, std::uint64_t ordinal, ListBuilder& builder) {
  for (const Json& item : addresses) {
    const std::string text = scalar_text(&item);
    builder.take(text, Candidate{ordinal, text, text_of(relay, "fingerprint")});
  }
}

}  // namespace

bool read_onionoo(const Json& document, ListBuilder& builder) {
  const Json& relays = array_of(document, "relays");
  const Json* first = first_object(relays);
  if (first == nullptr || !is_relay(*first)) { return false; }
  builder.list().format = ListFormat::kOnionoo;
  builder.list().name = "Tor relays by Onionoo";
  builder.list().date = read_list_date(text_of(document, "relays_published"));
  std::uint64_t ordinal = 0;
  for (const Json& relay : relays) {
    ++ordinal;
    const Json& exits = array_of(relay, "exit_addresses");
    if (!is_exit(relay) && exits.empty()) {
      builder.refuse(ordinal, ListRefusal::kNotForDetection, text_of(relay, "fingerprint"));
      continue;
    }
    if (is_exit(relay)) { take_addresses(array_of(relay, "or_addresses"), relay, ordinal, builder); }
    take_addresses(exits, relay, ordinal, builder);
  }
  if (builder.list().role != ListRole::kTor) { builder.warn("a list of Tor exits; name it with --tor"); }
  return true;
}

}  // namespace keyvigil
