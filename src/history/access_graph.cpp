#include "history/access_graph.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/prefetch.h"
#include "base/snapshot.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kHoursPerDay = 24;

// Hours since 1970 fit for 200,000 years; what lies outside is no date that a record can carry.
std::int32_t bounded_hour(EventTime at) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(at.hour(), INT32_MIN, INT32_MAX));
}

std::int64_t day_of(std::int64_t hour) {
  return hour >= 0 ? hour / kHoursPerDay : -((-hour + kHoursPerDay - 1) / kHoursPerDay);
}

// Whether an ascending list contains the item; moves `place` to where it stands or would. REQUIRES: not before `place`.
// Steps double, so that neither list is walked in vain.
template <typename Item>
bool contains_from(const std::vector<Item>& items, std::size_t& place, const Item& wanted) {
  std::size_t reach = 1;
  while (place + reach < items.size() && items[place + reach] < wanted) {
    place += reach;
    reach *= 2;
  }
  const auto first = items.begin() + static_cast<std::ptrdiff_t>(place);
  const auto last = items.begin() + static_cast<std::ptrdiff_t>(std::min(place + reach + 1, items.size()));
  place = static_cast<std::size_t>(std::lower_bound(first, last, wanted) - items.begin());
  return place < items.size() && items[place] == wanted;
}

bool visited_later(const GraphLink& left, const GraphLink& right) {
  return std::tuple(-left.last.ticks, left.key) < std::tuple(-right.last.ticks, right.key);
}

}  // namespace

AccessGraph::AccessGraph(const AccessGraphLimits& limits)
    : limits_(limits), callers_(limits.callers), vaults_(limits.vaults) {}

bool AccessGraph::is_same_vault(const Edge& edge) const {
  return tenancy_of(edge.vault) == edge.vault_tenancy;
}

EdgeFacts AccessGraph::edge(const TableKey& caller, const TableKey& vault, EventTime at) const {
  const auto caller_slot = callers_.find(caller);
  const auto vault_slot = vaults_.find(vault);
  if (!caller_slot || !vault_slot) { return {}; }
  const std::vector<Edge>& edges = caller_records_[*caller_slot].edges;
  const auto found = std::ranges::lower_bound(edges, *vault_slot, {}, &Edge::vault);
  if (found == edges.end() || found->vault != *vault_slot || !is_same_vault(*found)) { return {}; }
  const std::int64_t idle_hours = std::max<std::int64_t>(0, at.hour() - found->last_hour);
  if (idle_hours >= kForgottenHours) { return {}; }
  return {.touch = idle_hours >= kDormantHours ? EdgeFacts::Touch::kDormant : EdgeFacts::Touch::kKnown,
          .hours_since_last = idle_hours,
          .visit_days = found->visit_days,
          .confirmed = found->confirmed};
}

bool AccessGraph::is_hub(const TableKey& caller) const {
  const auto slot = callers_.find(caller);
  return slot && caller_records_[*slot].hub;
}

std::vector<std::string_view> AccessGraph::vaults_of(const TableKey& caller, const TableKey& aside,
                                                     EventTime at) const {
  std::vector<std::string_view> ids;
  const auto slot = callers_.find(caller);
  if (!slot) { return ids; }
  const auto vault = vaults_.find(aside);
  for (const Edge* edge : edges_to_walk(caller_records_[*slot], vault.value_or(UINT32_MAX), at.hour())) {
    ids.push_back(vaults_.key(edge->vault));
  }
  return ids;
}

std::uint64_t AccessGraph::callers_of(const TableKey& vault) const {
  const auto slot = vaults_.find(vault);
  return slot ? vault_records_[*slot].members.size() : 0;
}

GraphLink AccessGraph::link(std::string_view key, const Edge& edge) {
  return {key, EventTime{edge.first_hour * EventTime::kTicksPerHour},
          EventTime{edge.last_hour * EventTime::kTicksPerHour}, edge.visit_days, edge.confirmed};
}

std::vector<GraphLink> AccessGraph::links_of_caller(const TableKey& caller, EventTime at) const {
  std::vector<GraphLink> links;
  const auto slot = callers_.find(caller);
  if (!slot) { return links; }
  for (const Edge& edge : caller_records_[*slot].edges) {
    if (!is_same_vault(edge) || at.hour() - edge.last_hour >= kForgottenHours) { continue; }
    links.push_back(link(vaults_.key(edge.vault), edge));
  }
  std::ranges::sort(links, visited_later);
  return links;
}

std::vector<GraphLink> AccessGraph::links_of_vault(const TableKey& vault) const {
  std::vector<GraphLink> links;
  const auto slot = vaults_.find(vault);
  if (!slot) { return links; }
  for (const Member& member : vault_records_[*slot].members) {
    const std::vector<Edge>& edges = caller_records_[member.caller].edges;
    const auto found = std::ranges::lower_bound(edges, *slot, {}, &Edge::vault);
    if (found == edges.end() || found->vault != *slot) { continue; }
    links.push_back(link(callers_.key(member.caller), *found));
  }
  std::ranges::sort(links, visited_later);
  return links;
}

std::vector<const AccessGraph::Edge*> AccessGraph::edges_to_walk(const Caller& caller, std::uint32_t aside,
                                                                 std::int64_t hour) const {
  std::vector<const Edge*> edges;
  for (const Edge& edge : caller.edges) {
    const bool live = hour - edge.last_hour < kDormantHours;
    if (live && edge.confirmed && edge.vault != aside && is_same_vault(edge)) { edges.push_back(&edge); }
  }
  const auto earlier = [this](const Edge* left, const Edge* right) {
    return std::tuple(-std::int64_t{left->last_hour}, vaults_.key_hash(left->vault), left->vault) <
           std::tuple(-std::int64_t{right->last_hour}, vaults_.key_hash(right->vault), right->vault);
  };
  std::ranges::sort(edges, earlier);
  if (edges.size() > kVaultsWalked) { edges.resize(kVaultsWalked); }
  return edges;
}

AccessGraph::Step AccessGraph::step(std::uint32_t caller, const Vault& from, const Vault* to) const {
  Step step;
  double reached = 0;
  std::size_t place = 0;  // in to->members: both are in order
  const std::size_t peers = std::min(from.members.size(), kPeersWalked);
  for (std::size_t i = 0; i < peers; ++i) {
    const Member& peer = from.members[i];
    if (peer.caller == caller) { continue; }
    ++step.sharing;
    if (to == nullptr || !contains_from(to->members, place, peer)) { continue; }
    ++step.sharing_and_using;
    reached += 1.0 / caller_records_[peer.caller].degree;
  }
  if (step.sharing > 0) { step.probability = reached / step.sharing; }
  return step;
}

WalkFacts AccessGraph::walk(const TableKey& caller, const TableKey& vault, EventTime at) const {
  WalkFacts facts;
  const auto caller_slot = callers_.find(caller);
  if (!caller_slot) { return facts; }
  const auto vault_slot = vaults_.find(vault);
  const Vault* target = vault_slot ? &vault_records_[*vault_slot] : nullptr;
  const auto edges = edges_to_walk(caller_records_[*caller_slot], vault_slot.value_or(UINT32_MAX), at.hour());
  facts.vaults = static_cast<std::uint32_t>(edges.size());
  Step nearest;
  const Edge* nearest_edge = nullptr;
  double sum = 0;
  for (const Edge* edge : edges) {
    const Step taken = step(*caller_slot, vault_records_[edge->vault], target);
    sum += taken.probability;
    const bool nearer = std::tuple(taken.probability, taken.sharing) > std::tuple(nearest.probability, nearest.sharing);
    if (nearest_edge != nullptr && !nearer) { continue; }
    nearest = taken;
    nearest_edge = edge;
  }
  if (nearest_edge == nullptr) { return facts; }
  facts.probability = sum / facts.vaults;
  facts.nearest_vault = vaults_.key(nearest_edge->vault);
  facts.sharing = nearest.sharing;
  facts.sharing_and_using = nearest.sharing_and_using;
  return facts;
}

void AccessGraph::prefetch_edges(const SlotHint& caller) const {
  if (caller.slot >= caller_records_.size()) { return; }
  const std::vector<Edge>& edges = caller_records_[caller.slot].edges;
  constexpr std::size_t kMostBytes = 256;
  prefetch_bytes(edges.data(), std::min(kMostBytes, edges.size() * sizeof(Edge)));
}

void AccessGraph::learn(const TableKey& caller, const TableKey& vault, EventTime at, bool confirmed) {
  CHECK(!caller.text.empty() && !vault.text.empty());
  const std::int32_t hour = bounded_hour(at);
  const std::uint32_t caller_slot = admit_caller(caller, day_of(hour));
  const std::uint32_t vault_slot = admit_vault(vault, day_of(hour));
  Caller& record = caller_records_[caller_slot];
  const auto found = std::ranges::lower_bound(record.edges, vault_slot, {}, &Edge::vault);
  if (found == record.edges.end() || found->vault != vault_slot) {
    add_edge(caller_slot, Edge{.vault = vault_slot,
                               .vault_tenancy = tenancy_of(vault_slot),
                               .first_hour = hour,
                               .last_hour = hour,
                               .visit_days = 1,
                               .confirmed = confirmed});
    touch(caller_slot);
    return;
  }
  if (!is_same_vault(*found) || hour - std::int64_t{found->last_hour} >= kForgottenHours) {
    leave(caller_slot, *found);
    *found = Edge{.vault = vault_slot,
                  .vault_tenancy = tenancy_of(vault_slot),
                  .first_hour = hour,
                  .last_hour = hour,
                  .visit_days = 1,
                  .confirmed = confirmed};
    touch(caller_slot);
    return;
  }
  if (day_of(hour) > day_of(found->last_hour)) {
    ++found->visit_days;
    touch(caller_slot);
  }
  found->first_hour = std::min(found->first_hour, hour);
  found->last_hour = std::max(found->last_hour, hour);
  const bool proven = hour - std::int64_t{found->first_hour} >= kConfirmedHours;
  if (!found->confirmed && confirmed && proven) {
    found->confirmed = true;
    touch(caller_slot);
  }
}

void AccessGraph::touch(std::uint32_t caller) {
  if (std::exchange(caller_records_[caller].touched, true)) { return; }
  touched_.push_back(caller);
}

void AccessGraph::add_edge(std::uint32_t slot, const Edge& edge) {
  Caller& caller = caller_records_[slot];
  const bool full = caller.edges.size() >= kEdgesPerCaller || statistics_.edges >= limits_.edges;
  if (full && caller.edges.empty()) {
    ++statistics_.edges_left_out;
    return;
  }
  if (full) {
    const auto idlest = std::ranges::min_element(caller.edges, {}, [this](const Edge& candidate) {
      return std::tuple(candidate.last_hour, vaults_.key_hash(candidate.vault), candidate.vault);
    });
    leave(slot, *idlest);
    caller.edges.erase(idlest);
    --statistics_.edges;
    ++statistics_.edges_replaced;
  }
  caller.edges.insert(std::ranges::lower_bound(caller.edges, edge.vault, {}, &Edge::vault), edge);
  ++statistics_.edges;
}

std::uint32_t AccessGraph::admit_caller(const TableKey& key, std::int64_t day) {
  const SettledTable::Admission admission = callers_.admit(key, day);
  if (admission.evicted) { forget_caller(*admission.evicted); }
  if (admission.slot == caller_records_.size()) { caller_records_.emplace_back(); }
  return admission.slot;
}

std::uint32_t AccessGraph::admit_vault(const TableKey& key, std::int64_t day) {
  const SettledTable::Admission admission = vaults_.admit(key, day);
  if (admission.evicted) { forget_vault(*admission.evicted); }
  if (admission.slot == vault_records_.size()) { vault_records_.emplace_back(); }
  return admission.slot;
}

void AccessGraph::forget_caller(std::uint32_t slot) {
  Caller& caller = caller_records_[slot];
  for (Edge& edge : caller.edges) { leave(slot, edge); }
  statistics_.edges -= caller.edges.size();
  caller = Caller{.edges = {}, .degree = 0, .hub = false, .touched = caller.touched};
}

// Edges to it stay with their callers until those are published next; the tenancy says that they mean nothing.
void AccessGraph::forget_vault(std::uint32_t slot) {
  Vault& vault = vault_records_[slot];
  vault.members.clear();
  ++vault.tenancy;
}

void AccessGraph::join(std::uint32_t caller, Edge& edge) {
  edge.published = true;
  std::vector<Member>& members = vault_records_[edge.vault].members;
  const Member member{callers_.key_hash(caller), caller};
  const auto place = std::ranges::lower_bound(members, member);
  if (place != members.end() && *place == member) { return; }
  members.insert(place, member);
  if (members.size() > kMembersPerVault) { members.pop_back(); }
}

void AccessGraph::leave(std::uint32_t caller, Edge& edge) {
  if (!edge.published || !is_same_vault(edge)) { return; }
  edge.published = false;
  std::erase_if(vault_records_[edge.vault].members, [caller](const Member& member) { return member.caller == caller; });
}

void AccessGraph::close_hour(std::int64_t hour) {
  for (const std::uint32_t caller : touched_) {
    caller_records_[caller].touched = false;
    if (callers_.is_in_use(caller)) { publish(caller, hour); }
  }
  touched_.clear();
  if (day_of(hour) > swept_day_) { forget_idle(hour); }
  closed_edges_ = statistics_.edges;
  closed_vaults_ = vaults_.size();
}

void AccessGraph::publish(std::uint32_t slot, std::int64_t hour) {
  Caller& caller = caller_records_[slot];
  statistics_.edges -= std::erase_if(caller.edges, [&](Edge& edge) {
    const bool forgotten = !is_same_vault(edge) || hour - edge.last_hour >= kForgottenHours;
    if (forgotten) { leave(slot, edge); }
    return forgotten;
  });
  caller.degree = 0;
  std::size_t settled_edges = 0;
  for (const Edge& edge : caller.edges) {
    if (!edge.confirmed) { continue; }
    ++caller.degree;
    if (hour - edge.first_hour >= kHubEdgeHours) { ++settled_edges; }
  }
  caller.hub = settled_edges > kHubEdges;
  for (Edge& edge : caller.edges) {
    const bool belongs = edge.confirmed && !caller.hub && hour - edge.last_hour < kDormantHours;
    if (belongs && !edge.published) { join(slot, edge); }
    if (!belongs) { leave(slot, edge); }
  }
}

// Once a day: who has been away for long is nobody's peer, and at last is forgotten.
void AccessGraph::forget_idle(std::int64_t hour) {
  const std::int64_t day = day_of(hour);
  swept_day_ = day;
  for (const std::uint32_t caller : callers_.last_seen_before(day - kDormantHours / kHoursPerDay)) {
    publish(caller, hour);
  }
  for (const std::uint32_t caller : callers_.last_seen_before(day - kForgottenHours / kHoursPerDay)) {
    forget_caller(caller);
    callers_.remove(caller);
  }
  for (const std::uint32_t vault : vaults_.last_seen_before(day - kForgottenHours / kHoursPerDay)) {
    forget_vault(vault);
    vaults_.remove(vault);
  }
}

void AccessGraph::save(SnapshotWriter& writer) const {
  callers_.save(writer);
  vaults_.save(writer);
  writer.write(caller_records_);
  writer.write(vault_records_);
  writer.write(touched_);
  writer.write(swept_day_);
  writer.write(closed_edges_);
  writer.write(closed_vaults_);
  writer.write(statistics_);
}

Result<void> AccessGraph::load(std::string_view bytes) {
  clear();
  SnapshotReader reader(bytes);
  const bool whole = callers_.load(reader) && vaults_.load(reader) && reader.read(caller_records_) &&
                     reader.read(vault_records_) && reader.read(touched_) && reader.read(swept_day_) &&
                     reader.read(closed_edges_) && reader.read(closed_vaults_) && reader.read(statistics_) &&
                     reader.at_end() && is_sound();
  if (whole) { return {}; }
  clear();
  return fail(
      ErrorKind::kInput,
      "state of callers and vaults: expected what was saved, found damaged bytes; start without --state or from "
      "an older copy of the file");
}

bool AccessGraph::is_sound() const {
  if (caller_records_.size() != callers_.slot_count() || vault_records_.size() != vaults_.slot_count()) {
    return false;
  }
  std::uint64_t edges = 0;
  for (const Caller& caller : caller_records_) {
    edges += caller.edges.size();
    const bool ordered =
        std::ranges::adjacent_find(caller.edges, std::ranges::greater_equal{}, &Edge::vault) == caller.edges.end();
    const bool in_range = caller.edges.empty() || caller.edges.back().vault < vault_records_.size();
    if (!ordered || !in_range || caller.edges.size() > kEdgesPerCaller) { return false; }
  }
  for (const Vault& vault : vault_records_) {
    const bool ordered = std::ranges::adjacent_find(vault.members, std::ranges::greater_equal{}) == vault.members.end();
    if (!ordered || vault.members.size() > kMembersPerVault) { return false; }
    for (const Member& member : vault.members) {
      const bool known = callers_.is_in_use(member.caller) && caller_records_[member.caller].degree > 0;
      if (!known || callers_.key_hash(member.caller) != member.hash) { return false; }
    }
  }
  const auto is_touched = [this](std::uint32_t caller) {
    return caller < caller_records_.size() && caller_records_[caller].touched;
  };
  return edges == statistics_.edges && std::ranges::all_of(touched_, is_touched);
}

void AccessGraph::clear() {
  *this = AccessGraph(limits_);
}

}  // namespace keyvigil
