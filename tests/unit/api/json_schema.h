// A value against a JSON Schema, as far as docs/openapi.yaml uses it. A keyword that is not known here is a fault, so
// that nothing goes unchecked.
#pragma once

#include <regex>
#include <set>
#include <string>
#include <string_view>

#include <yaml-cpp/yaml.h>

#include "alert/alert_document.h"
#include "base/event_time.h"

namespace keyvigil {

// YAML 1.2 core schema, as far as it is needed: quoted scalars are texts.
inline Json json_of(const YAML::Node& node) {
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& pair : node) { object[pair.first.as<std::string>()] = json_of(pair.second); }
    return object;
  }
  if (node.IsSequence()) {
    Json array = Json::array();
    for (const auto& item : node) { array.push_back(json_of(item)); }
    return array;
  }
  if (!node.IsScalar()) { return nullptr; }
  const std::string text = node.Scalar();
  if (node.Tag() == "!") { return text; }
  const Json plain = Json::parse(text, nullptr, false);
  return plain.is_number() || plain.is_boolean() || plain.is_null() ? plain : Json(text);
}

class Schema {
 public:
  explicit Schema(const Json& document) : document_(&document) {}

  // Follows "#/a/b".
  [[nodiscard]] const Json& resolved(const Json& node) const {
    if (!node.is_object() || !node.contains("$ref")) { return node; }
    const std::string reference = node.at("$ref").get<std::string>();
    return resolved(document_->at(Json::json_pointer(reference.substr(1))));
  }

  // The first fault, with its place; empty: none.
  [[nodiscard]] std::string fault(const Json& schema_or_reference, const Json& value, const std::string& place) const {
    const Json& schema = resolved(schema_or_reference);
    static const std::set<std::string> kKnown = {
        "type",    "required", "properties", "additionalProperties", "items",   "enum",    "minimum", "maximum",
        "pattern", "format",   "allOf",      "description",          "default", "examples"};
    for (const auto& [keyword, unused] : schema.items()) {
      if (!kKnown.contains(keyword)) { return place + ": the schema's keyword " + keyword + " is not checked"; }
    }
    for (const Json& part : schema.value("allOf", Json::array())) {
      if (std::string found = fault(part, value, place); !found.empty()) { return found; }
    }
    if (schema.contains("type") && !is_of_type(schema.at("type").get<std::string>(), value)) {
      return place + ": expected " + schema.at("type").get<std::string>() + ", found " + value.dump();
    }
    if (value.is_object()) { return object_fault(schema, value, place); }
    if (value.is_array() && schema.contains("items")) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        std::string found = fault(schema.at("items"), value[i], place + "[" + std::to_string(i) + "]");
        if (!found.empty()) { return found; }
      }
    }
    return scalar_fault(schema, value, place);
  }

 private:
  static bool is_of_type(std::string_view type, const Json& value) {
    if (type == "object") { return value.is_object(); }
    if (type == "array") { return value.is_array(); }
    if (type == "string") { return value.is_string(); }
    if (type == "integer") { return value.is_number_integer(); }
    if (type == "number") { return value.is_number(); }
    return type == "boolean" && value.is_boolean();
  }

  [[nodiscard]] std::string object_fault(const Json& schema, const Json& value, const std::string& place) const {
    for (const Json& name : schema.value("required", Json::array())) {
      if (!value.contains(name.get<std::string>())) { return place + ": no " + name.get<std::string>(); }
    }
    const Json properties = schema.value("properties", Json::object());
    const Json others = schema.value("additionalProperties", Json());
    for (const auto& [name, member] : value.items()) {
      std::string found;
      if (properties.contains(name)) {
        found = fault(properties.at(name), member, place + "." + name);
      } else if (others.is_boolean() && !others.get<bool>()) {
        found = place + ": " + name + " is not documented";
      } else if (others.is_object()) {
        found = fault(others, member, place + "." + name);
      }
      if (!found.empty()) { return found; }
    }
    return {};
  }

  static std::string scalar_fault(const Json& schema, const Json& value, const std::string& place) {
    if (schema.contains("enum")) {
      const Json& values = schema.at("enum");
      if (std::find(values.begin(), values.end(), value) == values.end()) { return place + ": not one of the values"; }
    }
    if (value.is_number()) {
      if (schema.contains("minimum") && value < schema.at("minimum")) { return place + ": below the minimum"; }
      if (schema.contains("maximum") && value > schema.at("maximum")) { return place + ": above the maximum"; }
    }
    if (!value.is_string()) { return {}; }
    const std::string text = value.get<std::string>();
    if (schema.contains("pattern") && !std::regex_search(text, std::regex(schema.at("pattern").get<std::string>()))) {
      return place + ": does not fit the pattern";
    }
    if (schema.value("format", "") == "date-time" && !parse_iso_time(text)) { return place + ": no time"; }
    return {};
  }

  const Json* document_;
};

}  // namespace keyvigil
