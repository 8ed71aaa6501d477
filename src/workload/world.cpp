#include "workload/world_state.h"

#include <array>

namespace keyvigil::workload {
namespace {

constexpr std::array<std::string_view, 5> kSizeNames = {"small", "medium", "large", "bench", "huge"};

}  // namespace

const std::array<std::string_view, 5>& world_size_names() {
  return kSizeNames;
}

std::optional<WorldOptions> world_of_size(std::string_view name) {
  WorldOptions options;
  if (name == "small") {
    options.size = {10, 20, 15};
    options.days = 14;
    options.events = 20'000;
  } else if (name == "medium") {
    options.size = {80, 160, 120};
    options.days = 45;
    options.events = 400'000;
  } else if (name == "large") {
    options.size = {2'000, 4'000, 3'000};
    options.days = 45;
    options.events = 2'500'000;
  } else if (name == "bench") {
    options.size = {2'000, 4'000, 3'000};
    options.events = 900'000;
  } else if (name == "huge") {
    options.size = {50'000, 100'000, 75'000};
    options.days = 45;
    options.events = 25'000'000;
  } else {
    return std::nullopt;
  }
  return options;
}

std::string tor_list_text() {
  std::string out = "# Simulated Tor exit addresses (documentation block 203.0.113.0/24), made by keyvigil simulate\n";
  for (std::uint32_t i = 0; i < kTorCount; ++i) { out += address_text(kTorBase + i) + "\n"; }
  return out;
}

std::string suspicious_list_text() {
  std::string out =
      "# Simulated suspicious addresses (documentation block 198.51.100.0/24), made by keyvigil simulate\n";
  out += address_text(kSuspiciousBlock) + "/26\n";
  for (std::uint32_t i = 0; i < kSuspiciousSingleCount; ++i) { out += address_text(kSuspiciousSingles + i) + "\n"; }
  return out;
}

std::string service_tags_text() {
  return R"({"changeNumber":1,"cloud":"Public","values":[{"name":"AzureCloud","id":"AzureCloud","properties":)"
         R"({"changeNumber":1,"region":"","platform":"Azure","systemService":"","addressPrefixes":)"
         R"(["20.32.0.0/12","20.192.0.0/16"]}}]})"
         "\n";
}

World::State::State(const WorldOptions& given)
    : options(given),
      population(make_population(given.seed, given.size)),
      end{given.start.ticks + given.days * EventTime::kTicksPerDay},
      random(mix64(given.seed ^ 0x6B766967696CULL)) {
  set_rates();
  set_inventory_rate();
  schedule_population();
  schedule_campaigns();
}

void World::State::take(const Turn& turn) {
  if (turn.actor >= first_campaign()) {
    take_campaign(turn.actor - first_campaign(), turn.time);
  } else if (turn.actor >= first_service()) {
    take_service(turn.actor - first_service(), turn.time);
  } else if (turn.actor >= first_user()) {
    take_user(turn.actor - first_user(), turn.time);
  } else {
    take_app(turn.actor, turn.time);
  }
}

World::World(const WorldOptions& options) : state_(std::make_unique<State>(options)) {}
World::~World() = default;
World::World(World&&) noexcept = default;
World& World::operator=(World&&) noexcept = default;

const Population& World::population() const {
  return state_->population;
}

bool World::next(Activity& activity) {
  State& state = *state_;
  // Whatever a turn plans lies at or after the turn: the earliest plan is due once no earlier turn is left.
  while (!state.turns.empty() && (state.planned.empty() || state.turns.top().time <= state.planned.top().time)) {
    const Turn turn = state.turns.top();
    state.turns.pop();
    state.take(turn);
  }
  if (state.planned.empty()) { return false; }
  state.spell(state.planned.top(), activity);
  state.planned.pop();
  return true;
}

}  // namespace keyvigil::workload
