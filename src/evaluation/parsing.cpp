#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/ascii.h"
#include "base/bounded_json.h"
#include "evaluation/evaluation.h"

namespace keyvigil::evaluation {
namespace {

using nlohmann::json;

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json list_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : json::array();
}

std::vector<std::string> texts_at(const json& object, const char* key) {
  std::vector<std::string> texts;
  for (const json& item : list_at(object, key)) {
    if (item.is_string()) { texts.push_back(item.get<std::string>()); }
  }
  return texts;
}

std::string last_segment(const std::string& resource_id) {
  return lower_case(resource_id.substr(resource_id.rfind('/') + 1));
}

}  // namespace

Result<CampaignLabel> parse_label(std::string_view line) {
  const json object = parse_bounded_json(line);
  const auto campaign = object.is_object() ? object.find("campaign") : object.end();
  const std::string kind = object.is_object() ? text_at(object, "kind") : std::string();
  if (!object.is_object() || campaign == object.end() || !campaign->is_number_unsigned() ||
      (kind != "attack" && kind != "benign")) {
    return fail(ErrorKind::kInput, "expected a campaign with campaign, kind (attack or benign) and records");
  }
  CampaignLabel label;
  label.campaign = campaign->get<std::uint64_t>();
  label.benign = kind == "benign";
  label.name = text_at(object, "name");
  label.strength = text_at(object, "strength");
  label.caller_class = text_at(object, "callerClass");
  label.caller = text_at(object, "caller");
  label.vaults = texts_at(object, "vaults");
  label.expected = texts_at(object, "expected");
  for (const json& item : list_at(object, "records")) {
    const auto time = parse_iso_time(text_at(item, "time"));
    if (!time) { return fail(ErrorKind::kInput, "a record of the campaign has no ISO time"); }
    const auto status = item.find("status");
    label.records.push_back({*time, text_at(item, "correlationId"), text_at(item, "operation"),
                             status != item.end() && status->is_number_integer() ? status->get<int>() : 0});
  }
  if (label.records.empty()) { return fail(ErrorKind::kInput, "the campaign has no records"); }
  std::stable_sort(label.records.begin(), label.records.end(),
                   [](const LabelledRecord& left, const LabelledRecord& right) { return left.time < right.time; });
  return label;
}

Result<RaisedAlert> parse_alert(std::string_view line) {
  const json object = parse_bounded_json(line);
  const auto found = object.is_object() ? object.find("properties") : object.end();
  if (!object.is_object() || found == object.end() || !found->is_object()) {
    return fail(ErrorKind::kInput, "expected an alert as `keyvigil detect --format jsonl` writes it");
  }
  const json& properties = *found;
  RaisedAlert alert;
  alert.type = text_at(properties, "alertType");
  const auto fired = parse_iso_time(text_at(properties, "timeGeneratedUtc"));
  if (!fired) { return fail(ErrorKind::kInput, "the alert has no timeGeneratedUtc"); }
  alert.fired = *fired;
  if (const auto extended = properties.find("extendedProperties"); extended != properties.end()) {
    alert.caller = text_at(*extended, "attacker Object ID");
  }
  for (const json& entity : list_at(properties, "entities")) {
    const std::string vault = text_at(entity, "resourceId");
    if (!vault.empty()) { alert.vault = last_segment(vault); }
  }
  if (const auto evidence = properties.find("supportingEvidence"); evidence != properties.end()) {
    for (const json& record : list_at(*evidence, "records")) {
      const auto time = parse_iso_time(text_at(record, "time"));
      if (time) { alert.records.emplace_back(*time, text_at(record, "correlationId")); }
    }
  }
  return alert;
}

}  // namespace keyvigil::evaluation
