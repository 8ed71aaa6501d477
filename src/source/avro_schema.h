// AvroSchema: what an Avro file says its records look like, as far as is needed to step over a record's fields.
//
// Source: Avro 1.11 specification, "Schema Declaration" and "Binary Encoding".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyvigil {

enum class AvroKind : std::uint8_t {
  kNull,
  kBoolean,
  kNumber,  // int, long and enum: one variable-length number
  kFloat,
  kDouble,
  kBytes,  // and string
  kFixed,
  kArray,
  kMap,
  kUnion,
  kRecord,
};

struct AvroType {
  AvroKind kind = AvroKind::kNull;
  std::uint64_t size = 0;                // of kFixed
  std::vector<std::size_t> parts;        // of what it holds: places in AvroSchema::types
  std::vector<std::string> field_names;  // of kRecord
};

struct AvroSchema {
  std::vector<AvroType> types;
  std::size_t root = 0;
};

// Nothing where it is no schema, or nested deeper or wider than any of Event Hubs.
[[nodiscard]] std::optional<AvroSchema> read_avro_schema(std::string_view json);

// Steps through one block of encoded values. Every step says whether it fitted; after a misfit nothing more does.
class AvroCursor {
 public:
  explicit AvroCursor(std::string_view bytes) : rest_(bytes), steps_left_(kStepsPerByte * (bytes.size() + 1)) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool number(std::int64_t& value);
  [[nodiscard]] bool bytes(std::string_view& value);
  [[nodiscard]] bool skip(const AvroSchema& schema, std::size_t type, int depth = 0);
  // The text or bytes that the value holds, through unions; empty where it holds neither.
  [[nodiscard]] bool text(const AvroSchema& schema, std::size_t type, std::string_view& value);

 private:
  [[nodiscard]] bool pass(std::uint64_t size);
  [[nodiscard]] bool skip_blocks(const AvroSchema& schema, const AvroType& type, int depth);
  [[nodiscard]] bool choose(const AvroType& type, std::size_t& chosen);

  // Values without bytes may be repeated without end: real ones are not.
  static constexpr std::uint64_t kStepsPerByte = 4;
  std::string_view rest_;
  std::uint64_t steps_left_;
};

}  // namespace keyvigil
