#include "alert/stix_bundle.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "alert/access_summary.h"
#include "alert/alert_words.h"
#include "alert/printable.h"
#include "alert/product.h"
#include "alert/uuid.h"
#include "catalogue/attack_knowledge.h"

namespace keyvigil {
namespace {

// 00abedb4-aa42-466c-9c01-fed23315a9b7: STIX 2.1 section 2.9.
constexpr UuidBytes kObservables = {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
                                    0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7};
// 6b1f2c9e-0c5a-4d0b-9c57-3f1d2a7e8b40: ours, for everything that STIX leaves to the producer.
constexpr UuidBytes kOurs = {0x6b, 0x1f, 0x2c, 0x9e, 0x0c, 0x5a, 0x4d, 0x0b,
                             0x9c, 0x57, 0x3f, 0x1d, 0x2a, 0x7e, 0x8b, 0x40};
constexpr std::string_view kSpecification = "2.1";
// Objects that are the same in all bundles were "created" once.
constexpr std::string_view kBeginning = "2026-01-01T00:00:00.000Z";
constexpr std::uint64_t kCountLimit = 999'999'999;
constexpr std::size_t kIndicatorsLimit = 20;

std::string our_id(std::string_view type, std::string_view name) {
  return fmt::format("{}--{}", type, uuid_of_name(kOurs, fmt::format("{}:{}", type, name)));
}

Json object_of(std::string_view type, std::string_view name, std::string_view created, std::string_view modified) {
  return {{"type", type},
          {"spec_version", kSpecification},
          {"id", our_id(type, name)},
          {"created", created},
          {"modified", modified}};
}

// `identifying` holds valid UTF-8 and is ordered by key: dumped, it is its own canonical form (RFC 8785).
Json observable_of(std::string_view type, const Json& identifying) {
  Json object{{"type", type},
              {"spec_version", kSpecification},
              {"id", fmt::format("{}--{}", type, uuid_of_name(kObservables, identifying.dump()))}};
  object.update(identifying);
  return object;
}

class Bundle {
 public:
  Bundle(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing)
      : alert_(alert),
        rendering_(rendering),
        standing_(standing),
        summary_(access_summary(alert)),
        created_(to_iso_milliseconds(alert.generated)),
        modified_(to_iso_milliseconds(std::max(alert.generated, alert.last_event))) {}

  Json take() {
    producer_ = add_identity("producer", kVendorName, "organization");
    const std::string vault = summary_.vault_id.empty() ? summary_.vault_name : summary_.vault_id;
    vault_ = add_identity(vault, fmt::format("{} (Azure Key Vault)", summary_.vault_name), "system");
    add_observed();
    std::vector<std::string> patterns = add_attack_patterns();
    std::vector<std::string> sighted =
        !catalogue_row(alert_.type).learned() ? add_indicators(patterns) : std::vector<std::string>();
    if (sighted.empty()) { sighted = std::move(patterns); }
    for (const std::string& id : sighted) { add_sighting(id); }
    return {{"type", "bundle"}, {"id", our_id("bundle", delivery_key(alert_))}, {"objects", std::move(objects_)}};
  }

 private:
  std::string add(Json object) {
    std::string id = object.at("id").get<std::string>();
    objects_.push_back(std::move(object));
    return id;
  }

  std::string add_identity(std::string_view key, std::string_view name, std::string_view kind) {
    Json identity = object_of("identity", key, kBeginning, kBeginning);
    identity["name"] = name;
    identity["identity_class"] = kind;
    return add(std::move(identity));
  }

  static bool is_v6(std::string_view address) { return address.find(':') != std::string_view::npos; }

  // Addresses and the caller, and that they were observed; nothing where neither is known.
  void add_observed() {
    Json references = Json::array();
    for (const std::string& address : summary_.addresses) {
      const Json value{{"value", address}};
      references.push_back(add(observable_of(is_v6(address) ? "ipv6-addr" : "ipv4-addr", value)));
    }
    Json account = Json::object();
    if (!summary_.user_name.empty()) { account["account_login"] = summary_.user_name; }
    if (!summary_.caller_id.empty()) { account["user_id"] = summary_.caller_id; }
    if (!account.empty()) { references.push_back(add(observable_of("user-account", account))); }
    if (references.empty()) { return; }
    Json observed = object_of("observed-data", alert_.id, created_, modified_);
    observed["created_by_ref"] = producer_;
    observed["first_observed"] = to_iso_milliseconds(alert_.first_event);
    observed["last_observed"] = to_iso_milliseconds(std::max(alert_.first_event, alert_.last_suspicious));
    observed["number_observed"] = std::clamp<std::uint64_t>(alert_.suspicious_events, 1, kCountLimit);
    observed["object_refs"] = std::move(references);
    observed_ = add(std::move(observed));
  }

  std::vector<std::string> add_attack_patterns() {
    std::vector<std::string> ids;
    for (const AttackTechnique& technique : techniques_of(catalogue_row(alert_.type))) {
      Json pattern = object_of("attack-pattern", technique.id, kBeginning, kBeginning);
      pattern["name"] = technique.is_sub_technique() ? technique.sub_name : technique.name;
      pattern["external_references"] = Json::array({{{"source_name", "mitre-attack"}, {"external_id", technique.id}}});
      ids.push_back(add(std::move(pattern)));
    }
    return ids;
  }

  std::vector<std::string> add_indicators(const std::vector<std::string>& patterns) {
    const bool tor = alert_.type == AlertType::kTORAccess;
    std::vector<std::string> ids;
    for (const std::string& address : summary_.addresses) {
      if (ids.size() == kIndicatorsLimit) { break; }
      Json indicator = object_of("indicator", fmt::format("{}:{}", alert_.id, address), created_, modified_);
      indicator["created_by_ref"] = producer_;
      indicator["name"] = fmt::format("{} {}", tor ? "Tor exit node" : "Address on a threat list:", address);
      indicator["indicator_types"] = {tor ? "anonymization" : "malicious-activity"};
      // Addresses are printed by our own code: no quote can be in one.
      indicator["pattern"] = fmt::format("[{}:value = '{}']", is_v6(address) ? "ipv6-addr" : "ipv4-addr", address);
      indicator["pattern_type"] = "stix";
      indicator["valid_from"] = to_iso_milliseconds(alert_.first_event);
      const std::string id = add(std::move(indicator));
      Json indicates = object_of("relationship", fmt::format("{}:{}", id, patterns.front()), created_, modified_);
      indicates["created_by_ref"] = producer_;
      indicates["relationship_type"] = "indicates";
      indicates["source_ref"] = id;
      indicates["target_ref"] = patterns.front();
      add(std::move(indicates));
      ids.push_back(id);
    }
    return ids;
  }

  // STIX confidence is 0 to 100; the words of its appendix A stand at 15, 50 and 85.
  [[nodiscard]] int confidence_number() const {
    constexpr std::array<int, 4> kNumbers = {15, 15, 50, 85};
    return kNumbers[static_cast<std::size_t>(confidence(alert_))];
  }

  void add_sighting(const std::string& sighted) {
    Json sighting = object_of("sighting", fmt::format("{}:{}", alert_.id, sighted), created_, modified_);
    sighting["created_by_ref"] = producer_;
    if (standing_.status == AlertStatus::kDismissed) { sighting["revoked"] = true; }
    sighting["confidence"] = confidence_number();
    sighting["labels"] = {alert_code(alert_, standing_), to_string(severity_of(alert_))};
    sighting["description"] = fmt::format("{}. {}", alert_title(alert_, standing_), summary_.reason);
    sighting["first_seen"] = to_iso_milliseconds(alert_.first_event);
    sighting["last_seen"] = to_iso_milliseconds(std::max(alert_.first_event, alert_.last_suspicious));
    sighting["count"] = std::min(alert_.suspicious_events, kCountLimit);
    sighting["sighting_of_ref"] = sighted;
    if (!observed_.empty()) { sighting["observed_data_refs"] = {observed_}; }
    sighting["where_sighted_refs"] = {vault_};
    Json reference{{"source_name", kProductShortName}, {"external_id", alert_name(alert_)}};
    const std::string link = alert_uri(alert_, rendering_);
    if (link.starts_with("http")) { reference["url"] = link; }
    sighting["external_references"] =
        Json::array({std::move(reference)});  // clang takes one in braces for the thing itself
    add(std::move(sighting));
  }

  const Alert& alert_;
  const AlertRendering& rendering_;
  const AlertStanding& standing_;
  AccessSummary summary_;
  std::string created_;
  std::string modified_;
  std::string producer_;
  std::string vault_;
  std::string observed_;  // id; empty: nothing was
  Json objects_ = Json::array();
};

}  // namespace

Json stix_bundle(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  return Bundle(alert, rendering, standing).take();
}

}  // namespace keyvigil
