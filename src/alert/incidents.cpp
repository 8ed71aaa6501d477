#include "alert/incidents.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>

#include "alert/uuid.h"
#include "base/hash.h"
#include "base/ip_address.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 3> kLinkNames = {"caller", "vault", "network"};

std::string global_network_of(const std::string& text) {
  const auto address = parse_ip_address(text);
  return address && is_global(*address) ? to_string(network_of(*address)) : std::string();
}

// Which of the members are one, by union and find.
class Groups {
 public:
  explicit Groups(std::size_t members) : parents_(members) { std::iota(parents_.begin(), parents_.end(), 0U); }

  [[nodiscard]] std::size_t find(std::size_t member) {
    while (parents_[member] != member) { member = parents_[member] = parents_[parents_[member]]; }
    return member;
  }
  void join(std::size_t left, std::size_t right) { parents_[find(right)] = find(left); }

 private:
  std::vector<std::size_t> parents_;
};

// What two alerts may share, and one alert that has it.
struct Trait {
  IncidentLink link = IncidentLink::kCaller;
  std::string_view value;
  EventTime start;
  EventTime end;
  std::size_t member = 0;

  [[nodiscard]] auto key() const { return std::tuple(link, value, start, end, member); }
};

std::int64_t reach_ticks(IncidentLink link) {
  return link == IncidentLink::kCaller ? Incidents::kCallerTicks : Incidents::kPlaceTicks;
}

struct Joint {
  IncidentLink link;
  std::size_t member;
};

// Joins neighbours in time that share a trait; says by what.
std::vector<Joint> join_neighbours(std::vector<Trait>& traits, Groups& groups) {
  std::ranges::sort(traits, {}, &Trait::key);
  std::vector<Joint> joints;
  for (std::size_t i = 1; i < traits.size(); ++i) {
    Trait& before = traits[i - 1];
    Trait& trait = traits[i];
    if (before.link != trait.link || before.value != trait.value) { continue; }
    const EventTime reached = before.end;
    // Whatever lasts longest reaches what follows.
    if (trait.start <= reached || trait.start.is_within(reach_ticks(trait.link) + 1, reached.ticks)) {
      groups.join(before.member, trait.member);
      joints.push_back({trait.link, trait.member});
      trait.end = std::max(trait.end, reached);
    }
  }
  return joints;
}

}  // namespace

void Incidents::add(const Alert& alert) {
  const std::string name = alert_name(alert);
  if (members_.size() >= kAlerts && !members_.contains(name)) {
    ++left_out_;
    return;
  }
  Member& member = members_[name];
  member = {.start = alert.first_event,
            .end = alert.last_suspicious,
            .type = alert.type,
            .severity = severity_of(alert),
            .caller = alert.subject == SubjectKind::kVault ? std::string() : alert.caller.key,
            .vaults = {alert.vaults.items.begin(), alert.vaults.items.end()},
            .networks = {},
            .credential_reads = alert.credential_reads};
  for (const std::string& address : alert.addresses.items) {
    if (std::string network = global_network_of(address); !network.empty()) {
      member.networks.insert(std::move(network));
    }
  }
}

std::vector<Incident> Incidents::group() const {
  std::vector<const std::pair<const std::string, Member>*> members;
  for (const auto& item : members_) { members.push_back(&item); }
  std::ranges::sort(members, {}, [](const auto* item) { return std::tuple(item->second.start, item->first); });

  std::vector<Trait> traits;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i]->second;
    const auto add = [&](IncidentLink link, std::string_view value) {
      traits.push_back({link, value, member.start, member.end, i});
    };
    if (!member.caller.empty()) { add(IncidentLink::kCaller, member.caller); }
    for (const std::string& vault : member.vaults) { add(IncidentLink::kVault, vault); }
    for (const std::string& network : member.networks) { add(IncidentLink::kNetwork, network); }
  }
  Groups groups(members.size());
  const std::vector<Joint> joints = join_neighbours(traits, groups);

  std::map<std::size_t, Incident> by_group;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& [name, member] = *members[i];
    Incident& incident = by_group[groups.find(i)];
    if (incident.alerts.empty()) {
      HashInput input;
      input.add(std::string_view("incident"));
      input.add(std::string_view(name));
      incident.id = to_guid(hash128(input.bytes()));
      incident.start = member.start;
      incident.end = member.end;
    }
    incident.alerts.push_back(name);
    incident.alert_types.emplace(catalogue_row(member.type).code);
    incident.end = std::max(incident.end, member.end);
    incident.severity = std::max(incident.severity, member.severity);
    incident.credential_reads += member.credential_reads;
    if (!member.caller.empty()) { incident.callers.insert(member.caller); }
    incident.vaults.insert(member.vaults.begin(), member.vaults.end());
    incident.networks.insert(member.networks.begin(), member.networks.end());
  }
  for (const Joint& joint : joints) { by_group[groups.find(joint.member)].links.insert(joint.link); }

  std::vector<Incident> incidents;
  for (auto& [group, incident] : by_group) {
    if (incident.alerts.size() > 1) { incidents.push_back(std::move(incident)); }
  }
  std::ranges::sort(incidents, {}, [](const Incident& incident) { return std::tuple(incident.start, incident.id); });
  return incidents;
}

Json incident_json(const Incident& incident) {
  Json links = Json::array();
  for (const IncidentLink link : incident.links) { links.push_back(kLinkNames[static_cast<std::size_t>(link)]); }
  return Json{{"id", incident.id},
              {"startTimeUtc", to_iso_milliseconds(incident.start)},
              {"endTimeUtc", to_iso_milliseconds(incident.end)},
              {"severity", to_string(incident.severity)},
              {"linkedBy", std::move(links)},
              {"alertTypes", incident.alert_types},
              {"alerts", incident.alerts},
              {"callers", incident.callers},
              {"vaults", incident.vaults},
              {"networks", incident.networks},
              {"credentialReads", incident.credential_reads}};
}

}  // namespace keyvigil
