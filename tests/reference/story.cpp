#include "reference/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hash.h"
#include "catalogue/catalogue.h"
#include "engine/engine.h"
#include "event/access_scope.h"
#include "intel/address_book.h"
#include "intel/threat_list.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

constexpr int kDays = 30;
constexpr std::array<std::string_view, 6> kTeams = {"red", "blue", "green", "black", "white", "grey"};
constexpr std::string_view kPortal = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
constexpr std::string_view kResourceGraph = "509e4652-da8d-478d-a730-e9d4a1996ca4";
constexpr std::string_view kOffice = "192.0.2.10";
constexpr std::string_view kCloud = "20.40.1.7";

std::int64_t start_ticks() {
  return parse_iso_time("2026-03-02T00:00:00Z").value().ticks;
}

struct Operations {
  std::string name;
  int count = 1;
  int first = 0;  // object
};

// One line's worth of requests.
struct Act {
  std::string caller;
  std::vector<Operations> operations;
  std::string vault;
  std::string address;
  std::string client;
  bool denied = false;
  int pace_seconds = 1;
};

std::string guid_of(std::string_view name) {
  return to_guid(hash128(name));
}

AccessEvent event_of(const Act& act, std::string_view operation, int object, EventTime at) {
  EventBuilder builder;
  const bool app = act.caller.starts_with("app:");
  const bool service = act.caller == "resource-graph";
  if (app || service) {
    builder.app(service ? std::string(kResourceGraph) : guid_of(act.caller));
    builder.set(TextField::kObjectId, guid_of("object of " + act.caller));
  } else {
    builder.user(act.caller);
    builder.set(TextField::kObjectId, guid_of(act.caller)).set(TextField::kCallerKey, guid_of(act.caller));
    builder.set(TextField::kAppId, act.client.empty() ? std::string(kPortal) : guid_of("client " + act.client));
  }
  builder.vault(act.vault).operation(operation).at(at);
  const std::string team = act.vault.substr(0, act.vault.find('-'));
  builder.set(TextField::kVaultId, "/subscriptions/11111111-2222-4333-8444-555555555555/resourcegroups/rg-" + team +
                                       "-prod/providers/microsoft.keyvault/vaults/" + act.vault);
  builder.from(act.address.empty() ? (app || service ? kCloud : kOffice) : std::string_view(act.address));
  builder.status(act.denied ? 403 : 200);
  if (operation.starts_with("Secret") && !operation.starts_with("SecretList")) {
    builder.object("secrets/s" + std::to_string(object));
  } else if (operation.starts_with("Key") && operation != "KeyList") {
    builder.object("keys/k" + std::to_string(object));
  }
  builder.set(TextField::kCorrelationId, guid_of(fmt::format("{}{}{}{}", act.caller, operation, object, at.ticks)));
  AccessEvent event = builder.build();
  if (service) { event.caller_kind = CallerKind::kFirstParty; }
  if (operation == "VaultPut" || operation == "AccessPolicyMerge" || is_of_activity_log(event)) {
    event.policy_marks = kPolicyMarkAdded;
  }
  return event;
}

// Returns the time after the last request.
EventTime perform(const Act& act, EventTime at, bool told, std::vector<StoryEvent>& events) {
  for (const Operations& one : act.operations) {
    for (int i = 0; i < one.count; ++i) {
      events.push_back({event_of(act, one.name, one.first + i, at), told});
      at.ticks += act.pace_seconds * EventTime::kTicksPerSecond;
    }
  }
  return at;
}

EventTime time_of(int day, double hour) {
  return EventTime{start_ticks() + day * EventTime::kTicksPerDay +
                   static_cast<std::int64_t>(hour * static_cast<double>(EventTime::kTicksPerHour))};
}

// People read a few secrets of their own vault a day and list it now and then; once, early on, each looks into a
// second vault of the team. One application polls, one lists and loads everything at every start.
void add_days(std::vector<StoryEvent>& events) {
  for (std::size_t t = 0; t < kTeams.size(); ++t) {
    const std::string team(kTeams[t]);
    const std::array<std::string, 3> vaults = {team + "-app", team + "-data", team + "-ops"};
    const std::array<std::string, 3> people = {team + "-ann", team + "-ben", team + "-cat"};
    for (int day = 0; day < kDays; ++day) {
      for (std::size_t i = 0; i < people.size(); ++i) {
        const double hour = 9.0 + static_cast<double>(i) + 0.1 * static_cast<double>(t);
        const int reads = 1 + (day + static_cast<int>(i)) % 3;
        (void)perform({people[i], {{"SecretGet", reads}}, vaults[i], {}, {}, false, 40}, time_of(day, hour), false,
                      events);
        if ((day + static_cast<int>(i)) % 3 == 0) {
          (void)perform({people[i], {{"SecretList", 1}, {"SecretGet", 1 + day % 2}}, vaults[i], {}, {}, false, 20},
                        time_of(day, hour + 4), false, events);
        }
        if (day >= 4 + static_cast<int>(t)) {
          if (day == 4 + static_cast<int>(t) + static_cast<int>(i)) {
            (void)perform({people[i], {{"SecretGet", 1}}, vaults[(i + 1) % 3], {}, {}, false, 1},
                          time_of(day, hour + 2), false, events);
          }
        }
      }
      for (int hour = 0; hour < 24; ++hour) {
        (void)perform({"app:" + team + "-web", {{"SecretGet", 2}}, vaults[0], {}, {}, false, 1},
                      time_of(day, hour + 0.3), false, events);
      }
      (void)perform({"app:" + team + "-job", {{"SecretList", 1}, {"SecretGet", 6}}, vaults[1], {}, {}, false, 1},
                    time_of(day, 2.5), false, events);
    }
  }
}

class StoryReader {
 public:
  Result<Story> read(std::string_view text) {
    add_days(story_.events);
    now_ = time_of(kDays, 10);
    int number = 0;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++number;
      if (!read_line(text.substr(0, end))) {
        return fail(ErrorKind::kInput,
                    fmt::format("line {}: expected {}, found '{}'", number, wanted_, text.substr(0, end)));
      }
      text.remove_prefix(std::min(text.size(), end + 1));
    }
    if (story_.expected.empty() && story_.never.empty() && !story_.silent) {
      return fail(ErrorKind::kInput, "expected a line that begins with expect, never or silent; found none");
    }
    std::ranges::stable_sort(story_.events, {}, [](const StoryEvent& one) { return one.event.time.ticks; });
    return std::move(story_);
  }

 private:
  static std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words(1);
    for (const char c : line) {
      if (c == ' ' || c == ',' || c == '\t') {
        if (!words.back().empty()) { words.emplace_back(); }
      } else {
        words.back() += c;
      }
    }
    if (words.back().empty()) { words.pop_back(); }
    return words;
  }
  static bool read_number(const std::string& word, int& number) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return error == std::errc() && end == word.data() + word.size();
  }

  // "5": the first five; "6-8".
  static bool read_objects(const std::string& word, Operations& made) {
    const std::size_t dash = word.find('-');
    if (dash == std::string::npos) { return read_number(word, made.count); }
    int first = 0;
    int last = 0;
    if (!read_number(word.substr(0, dash), first) || !read_number(word.substr(dash + 1), last)) { return false; }
    made.first = first - 1;
    made.count = last - first + 1;
    return first >= 1 && last >= first;
  }

  bool read_line(std::string_view line) {
    words_ = words_of(line);
    at_ = 0;
    if (words_.empty() || words_[0].starts_with("#")) { return true; }
    const std::string verb = next();
    if (verb == "given") { return read_given(); }
    if (verb == "event") { return read_event(); }
    if (verb == "expect") { return read_codes(story_.expected); }
    if (verb == "never") { return read_codes(story_.never); }
    if (verb == "silent") { return story_.silent = true; }
    wanted_ = "given, event, expect, never, silent or #";
    return false;
  }

  std::string next() { return at_ < words_.size() ? words_[at_++] : std::string(); }
  [[nodiscard]] bool at_end() const { return at_ == words_.size(); }

  bool read_codes(std::set<std::string>& codes) {
    wanted_ = "codes of alerts";
    if (at_end()) { return false; }
    while (!at_end()) {
      const std::string code = next();
      const bool known = std::ranges::any_of(catalogue(), [&](const CatalogueRow& row) { return row.code == code; });
      if (!known) { return false; }
      codes.insert(code);
    }
    return true;
  }

  bool read_act(Act& act) {
    wanted_ = "CALLER OPERATIONS on VAULT";
    act.caller = next();
    std::string word = next();
    while (!word.empty() && word != "on") {
      const std::size_t colon = word.find(':');
      Operations& made = act.operations.emplace_back();
      made.name = word.substr(0, colon);
      if (colon != std::string::npos && !read_objects(word.substr(colon + 1), made)) { return false; }
      word = next();
    }
    act.vault = next();
    return !act.vault.empty() && !act.operations.empty();
  }
  bool read_more(const std::string& word, Act& act) {
    wanted_ = "denied, from ADDRESS, via CLIENT or pace SECONDS";
    if (word == "denied") { return act.denied = true; }
    if (word == "from") { return !(act.address = next()).empty(); }
    if (word == "via") { return !(act.client = next()).empty(); }
    return word == "pace" && read_number(next(), act.pace_seconds);
  }

  bool read_given() {
    Act act;
    int every_days = 1;
    int times = 1;
    if (!read_act(act)) { return false; }
    while (!at_end()) {
      const std::string word = next();
      int number = 0;
      if (word == "every") {
        if (!read_number(next(), every_days) || next() != "days") { return false; }
      } else if (read_number(word, number)) {
        times = number;
        if (next() != "times" || next() != "a" || next() != "day") { return false; }
      } else if (!read_more(word, act)) {
        return false;
      }
    }
    for (int day = every_days - 1; day < kDays; day += every_days) {
      for (int i = 0; i < times; ++i) {
        (void)perform(act, time_of(day, 8 + 12.0 * i / times + 0.01 * static_cast<double>(givens_)), false,
                      story_.events);
      }
    }
    ++givens_;
    return true;
  }

  bool read_event() {
    Act act;
    if (!read_act(act)) { return false; }
    now_.ticks += EventTime::kTicksPerSecond;
    while (!at_end()) {
      const std::string word = next();
      if (word != "after") {
        if (!read_more(word, act)) { return false; }
        continue;
      }
      wanted_ = "after N seconds, minutes, hours or days";
      int number = 0;
      if (!read_number(next(), number)) { return false; }
      const std::string unit = next();
      if (unit == "seconds") {
        now_.ticks += number * EventTime::kTicksPerSecond;
      } else if (unit == "minutes") {
        now_.ticks += number * EventTime::kTicksPerMinute;
      } else if (unit == "hours") {
        now_.ticks += number * EventTime::kTicksPerHour;
      } else if (unit == "days") {
        now_.ticks += number * EventTime::kTicksPerDay;
      } else {
        return false;
      }
    }
    now_ = perform(act, now_, true, story_.events);
    return true;
  }

  Story story_;
  std::vector<std::string> words_;
  std::size_t at_ = 0;
  EventTime now_;
  int givens_ = 0;
  std::string wanted_;
};

AddressBook lists() {
  const auto list = [](ListRole role, std::string_view prefix) {
    ThreatList made;
    made.name = prefix;
    made.role = role;
    made.entries.push_back({});
    made.entries.back().prefix = parse_ip_prefix(prefix).value();
    return made;
  };
  return AddressBook({list(ListRole::kTor, "203.0.113.0/25"), list(ListRole::kSuspicious, "198.51.100.0/25"),
                      list(ListRole::kServiceTags, "20.40.0.0/16")});
}

}  // namespace

Result<Story> parse_story(std::string_view text) {
  return StoryReader().read(text);
}

std::set<std::string> tell(const Story& story, std::string_view without) {
  const AddressBook book = lists();
  Engine engine(book);
  Decision decision;
  std::set<std::string> fired;
  for (const StoryEvent& one : story.events) {
    engine.decide(one.event, Timeliness::kInTime, decision);
    if (!one.told) { continue; }
    for (const Finding& finding : decision.findings) {
      const std::string_view code = catalogue_row(finding.type).code;
      if (code != without) { fired.emplace(code); }
    }
  }
  return fired;
}

}  // namespace keyvigil
