// Story: a text that anybody can write about what happens in an estate, and which alerts must come of it.
//
//   # A stranger to the vault lists its secrets and reads them all.
//   given   blue-ann SecretGet:2 on blue-app, 3 times a day
//   event   blue-ann SecretList, SecretGet:9 on red-data from 198.51.100.9
//   expect  KV_ListGetAnomaly
//
// Words are separated by blanks. The estate has six teams (red, blue, green, black, white, grey) with three vaults
// (red-app, red-data, red-ops), three people (red-ann, red-ben, red-cat) and two applications (red-web, red-job) each,
// who work for 30 days as tests/reference/story.cpp says. `given` adds to these days, `event` happens from day 30 on,
// at 10:00, one after the other.
//
//   given CALLER OPERATIONS on VAULT [every N days | N times a day] [MORE]
//   event CALLER OPERATIONS on VAULT [after N seconds|minutes|hours|days] [MORE]
//   CALLER: a person's name; app:NAME; resource-graph (Microsoft's own)
//   OPERATIONS: SecretList, SecretGet:5 (the first five objects), SecretGet:6-8 (the sixth to the eighth)
//   MORE: denied, from ADDRESS, via CLIENT, pace SECONDS
//   expect KV_TYPE ...   fires at one of the events     never KV_TYPE ...  does not     silent   nothing fires
//   at all lists: 203.0.113.0/25 is a Tor list, 198.51.100.0/25 a suspicious one, 20.40.0.0/16 belongs to Microsoft.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/access_event.h"

namespace keyvigil {

struct StoryEvent {
  AccessEvent event;
  bool told = false;  // by an `event` line, as opposed to the days before
};

struct Story {
  std::vector<StoryEvent> events;  // in order
  std::set<std::string> expected;  // alert codes
  std::set<std::string> never;
  bool silent = false;
};

// The error names the line.
[[nodiscard]] Result<Story> parse_story(std::string_view text);

// Codes of the alerts that fire at the told events. `without`: an alert type whose detector is switched off.
[[nodiscard]] std::set<std::string> tell(const Story& story, std::string_view without = {});

}  // namespace keyvigil
