#include "source/avro_schema.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/bounded_json.h"

namespace keyvigil {

namespace {

using Json = nlohmann::json;

constexpr int kSchemaDepth = 32;
constexpr int kValueDepth = 64;
constexpr std::size_t kTypesLimit = 4096;

constexpr std::array<std::pair<std::string_view, AvroKind>, 8> kPlainKinds{{{"null", AvroKind::kNull},
                                                                            {"boolean", AvroKind::kBoolean},
                                                                            {"int", AvroKind::kNumber},
                                                                            {"long", AvroKind::kNumber},
                                                                            {"float", AvroKind::kFloat},
                                                                            {"double", AvroKind::kDouble},
                                                                            {"bytes", AvroKind::kBytes},
                                                                            {"string", AvroKind::kBytes}}};

class SchemaReader {
 public:
  [[nodiscard]] std::optional<std::size_t> read(const Json& node, int depth) {
    if (depth > kSchemaDepth || schema.types.size() >= kTypesLimit) return std::nullopt;
    if (node.is_string()) return read_name(node.get<std::string>());
    if (node.is_array()) return read_union(node, depth);
    if (!node.is_object()) return std::nullopt;
    const auto type = node.find("type");
    if (type == node.end()) return std::nullopt;
    if (!type->is_string()) return read(*type, depth + 1);
    const std::string kind = type->get<std::string>();
    if (kind == "record" || kind == "error") return read_record(node, depth);
    if (kind == "array") return read_holder(AvroKind::kArray, node, "items", depth);
    if (kind == "map") return read_holder(AvroKind::kMap, node, "values", depth);
    if (kind == "enum") return add(AvroKind::kNumber, node);
    if (kind == "fixed") return read_fixed(node);
    return read_name(kind);
  }

  AvroSchema schema;

 private:
  std::size_t add(AvroKind kind, const Json& node) {
    schema.types.emplace_back();
    schema.types.back().kind = kind;
    const std::size_t place = schema.types.size() - 1;
    const auto name = node.is_object() ? node.find("name") : node.end();
    if (node.is_object() && name != node.end() && name->is_string()) {
      const auto full = name->get<std::string>();
      named_[full] = place;
      const auto space = node.find("namespace");
      if (space != node.end() && space->is_string()) named_[space->get<std::string>() + "." + full] = place;
    }
    return place;
  }

  [[nodiscard]] std::optional<std::size_t> read_name(const std::string& name) {
    const auto plain = std::ranges::find(kPlainKinds, name, &std::pair<std::string_view, AvroKind>::first);
    if (plain != kPlainKinds.end()) return add(plain->second, Json());
    const auto known = named_.find(name);
    return known == named_.end() ? std::nullopt : std::optional(known->second);
  }

  [[nodiscard]] std::optional<std::size_t> read_union(const Json& node, int depth) {
    const std::size_t place = add(AvroKind::kUnion, Json());
    for (const Json& branch : node) {
      const auto part = read(branch, depth + 1);
      if (!part) return std::nullopt;
      schema.types[place].parts.push_back(*part);
    }
    return place;
  }

  [[nodiscard]] std::optional<std::size_t> read_record(const Json& node, int depth) {
    const std::size_t place = add(AvroKind::kRecord, node);
    const auto fields = node.find("fields");
    if (fields == node.end() || !fields->is_array()) return std::nullopt;
    for (const Json& field : *fields) {
      if (!field.is_object() || !field.contains("name") || !field["name"].is_string() || !field.contains("type")) {
        return std::nullopt;
      }
      const auto part = read(field["type"], depth + 1);
      if (!part) return std::nullopt;
      schema.types[place].parts.push_back(*part);
      schema.types[place].field_names.push_back(field["name"].get<std::string>());
    }
    return place;
  }

  [[nodiscard]] std::optional<std::size_t> read_holder(AvroKind kind, const Json& node, const char* of, int depth) {
    const std::size_t place = add(kind, Json());
    const auto held = node.find(of);
    const auto part = held == node.end() ? std::nullopt : read(*held, depth + 1);
    if (!part) return std::nullopt;
    schema.types[place].parts.push_back(*part);
    return place;
  }

  [[nodiscard]] std::optional<std::size_t> read_fixed(const Json& node) {
    const auto size = node.find("size");
    if (size == node.end() || !size->is_number_unsigned()) return std::nullopt;
    const std::size_t place = add(AvroKind::kFixed, node);
    schema.types[place].size = size->get<std::uint64_t>();
    return place;
  }

  std::map<std::string, std::size_t> named_;
};

}  // namespace

std::optional<AvroSchema> read_avro_schema(std::string_view json) {
  const Json node = parse_bounded_json(json);
  if (node.is_discarded()) return std::nullopt;
  SchemaReader reader;
  const auto root = reader.read(node, 0);
  if (!root) return std::nullopt;
  reader.schema.root = *root;
  return std::move(reader.schema);
}

bool AvroCursor::number(std::int64_t& value) {
  std::uint64_t bits = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return false;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    bits |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) != 0) continue;
    value = static_cast<std::int64_t>(bits >> 1 ^ (~(bits & 1) + 1));
    return true;
  }
  return false;
}

bool AvroCursor::pass(std::uint64_t size) {
  if (size > rest_.size()) return false;
  rest_.remove_prefix(size);
  return true;
}

bool AvroCursor::bytes(std::string_view& value) {
  std::int64_t size = 0;
  if (!number(size) || size < 0 || static_cast<std::uint64_t>(size) > rest_.size()) return false;
  value = rest_.substr(0, static_cast<std::size_t>(size));
  return pass(value.size());
}

bool AvroCursor::choose(const AvroType& type, std::size_t& chosen) {
  std::int64_t branch = 0;
  if (!number(branch) || branch < 0 || static_cast<std::uint64_t>(branch) >= type.parts.size()) return false;
  chosen = type.parts[static_cast<std::size_t>(branch)];
  return true;
}

// Counts below zero are followed by the size of their block.
bool AvroCursor::skip_blocks(const AvroSchema& schema, const AvroType& type, int depth) {
  std::string_view key;
  while (true) {
    std::int64_t count = 0;
    if (!number(count)) return false;
    if (count == 0) return true;
    if (count < 0) {
      std::int64_t size = 0;
      if (!number(size) || size < 0 || !pass(static_cast<std::uint64_t>(size))) return false;
      continue;
    }
    for (; count > 0; --count) {
      if (type.kind == AvroKind::kMap && !bytes(key)) return false;
      if (!skip(schema, type.parts.front(), depth + 1)) return false;
    }
  }
}

bool AvroCursor::skip(const AvroSchema& schema, std::size_t type, int depth) {
  if (depth > kValueDepth || steps_left_ == 0) return false;
  --steps_left_;
  const AvroType& here = schema.types[type];
  std::int64_t number_here = 0;
  std::string_view bytes_here;
  std::size_t chosen = 0;
  switch (here.kind) {
    case AvroKind::kNull:
      return true;
    case AvroKind::kBoolean:
      return pass(1);
    case AvroKind::kNumber:
      return number(number_here);
    case AvroKind::kFloat:
      return pass(4);
    case AvroKind::kDouble:
      return pass(8);
    case AvroKind::kBytes:
      return bytes(bytes_here);
    case AvroKind::kFixed:
      return pass(here.size);
    case AvroKind::kArray:
    case AvroKind::kMap:
      return skip_blocks(schema, here, depth);
    case AvroKind::kUnion:
      return choose(here, chosen) && skip(schema, chosen, depth + 1);
    case AvroKind::kRecord:
      return std::ranges::all_of(here.parts, [&](std::size_t part) { return skip(schema, part, depth + 1); });
  }
  return false;
}

bool AvroCursor::text(const AvroSchema& schema, std::size_t type, std::string_view& value) {
  value = {};
  std::size_t chosen = type;
  if (schema.types[type].kind == AvroKind::kUnion && !choose(schema.types[type], chosen)) return false;
  return schema.types[chosen].kind == AvroKind::kBytes ? bytes(value) : skip(schema, chosen);
}

}  // namespace keyvigil
