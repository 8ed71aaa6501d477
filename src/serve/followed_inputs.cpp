#include "serve/followed_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace keyvigil {

FollowedInputs::FollowedInputs(Store& store, LiveLoop& loop, ClockDoubt& clock, std::function<EventTime()> now,
                               Tell tell)
    : store_(&store), loop_(&loop), clock_(&clock), now_(std::move(now)), tell_(std::move(tell)) {}

FollowerDoors FollowedInputs::doors() const {
  FollowerDoors doors;
  doors.append = [this](std::span<const JournalEntry> entries, std::span<const InputPosition> positions) {
    return loop_->append(entries, positions);
  };
  doors.positions = [this](const std::string& name) { return store_->positions(name); };
  doors.forget = [this](const std::string& name, std::span<const std::string> items) {
    return store_->forget_positions(name, items);
  };
  doors.report = [this](const std::string& name, InputReport report) { loop_->report_input(name, std::move(report)); };
  doors.tell = tell_;
  doors.now = now_;
  doors.clock = clock_;
  return doors;
}

Result<std::vector<FollowedInputs::Wanted>> FollowedInputs::prepare(const std::vector<InputConfig>& configs) const {
  std::vector<Wanted> wanted;
  for (const InputConfig& config : configs) {
    auto input = followed_input(config);
    if (!input) { return tl::unexpected(input.error()); }
    const std::string name = input->name();
    if (std::ranges::any_of(wanted, [&](const Wanted& other) { return other.input.name() == name; })) {
      return fail(
          ErrorKind::kUsage,
          fmt::format("serve.inputs: expected each folder, and each container and prefix, once, found {} twice", name));
    }
    Wanted& one = wanted.emplace_back(Wanted{*std::move(input), nullptr});
    const bool goes_on =
        std::ranges::any_of(followers_, [&](const auto& follower) { return follower->input() == one.input; });
    if (goes_on) { continue; }
    auto follower = InputFollower::open(one.input, doors());
    if (!follower) { return tl::unexpected(follower.error()); }
    one.follower = *std::move(follower);
  }
  return wanted;
}

Result<void> FollowedInputs::change(std::vector<Wanted> wanted, InputChanges& changes) {
  std::set<std::string> names;
  for (const Wanted& one : wanted) { names.insert(one.input.name()); }
  std::set<std::string> before;
  for (const auto& follower : followers_) {
    before.insert(follower->name());
    if (!names.contains(follower->name())) { changes.stopped.push_back(follower->name()); }
  }
  // Those that end or start again are stopped first: never do two follow one input.
  std::erase_if(followers_, [&](const auto& follower) {
    return std::ranges::none_of(wanted,
                                [&](const Wanted& one) { return !one.follower && one.input == follower->input(); });
  });
  loop_->follow_only(names);
  auto put_away = put_away_others(names);
  for (Wanted& one : wanted) {
    if (!one.follower) { continue; }
    const std::string name = one.input.name();
    (before.contains(name) ? changes.restarted : changes.started).push_back(name);
    followers_.push_back(std::move(one.follower));
    followers_.back()->start();
  }
  return put_away;
}

// Inputs of earlier configurations, also of those that an earlier run had.
Result<void> FollowedInputs::put_away_others(const std::set<std::string>& names) {
  auto known = store_->inputs_with_positions();
  if (!known) { return tl::unexpected(known.error()); }
  for (const std::string& name : *known) {
    if (names.contains(name)) { continue; }
    auto since = store_->position(name, std::string(kNoLongerFollowed));
    if (!since) { return tl::unexpected(since.error()); }
    const auto put_away_at = *since ? parse_iso_time((*since)->mark) : std::nullopt;
    const std::int64_t kept_ticks = kKeptDays * EventTime::kTicksPerDay;
    Result<void> done;
    if (!put_away_at) {
      done = put_away(name);
    } else if (now_().ticks - put_away_at->ticks > kept_ticks) {
      done = store_->forget_positions(name);
    }
    if (!done) { return done; }
  }
  return {};
}

Result<void> FollowedInputs::put_away(const std::string& name) {
  JournalEntry entry;
  entry.kind = JournalKind::kRemoved;
  entry.input = name;
  entry.received_ticks = now_().ticks;
  const InputPosition since{name, std::string(kNoLongerFollowed), 0, to_iso_milliseconds(now_())};
  auto appended = loop_->append({&entry, 1}, {&since, 1});
  return appended ? Result<void>() : tl::unexpected(appended.error());
}

}  // namespace keyvigil
