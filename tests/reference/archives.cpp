#include "reference/archives.h"

#include <avro.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"

namespace keyvigil {
namespace {

std::string fresh_path(const std::string& kind) {
  static int count = 0;
  const std::string name = "keyvigil-" + kind + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  return (std::filesystem::temp_directory_path() / name).string();
}

std::string take_file(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  std::filesystem::remove(path);
  return bytes.str();
}

// The schema of Event Hubs Capture: Azure Event Hubs, "Exploring captured Avro files".
constexpr const char* kCaptureSchema = R"({"type":"record","name":"EventData",
  "namespace":"Microsoft.ServiceBus.Messaging","fields":[
  {"name":"SequenceNumber","type":"long"},{"name":"Offset","type":"string"},{"name":"EnqueuedTimeUtc","type":"string"},
  {"name":"SystemProperties","type":{"type":"map","values":["long","double","string","bytes"]}},
  {"name":"Properties","type":{"type":"map","values":["long","double","string","bytes","null"]}},
  {"name":"Body","type":["null","bytes"]}]})";

void set_event(avro_value_t& event, long number, const std::string& body) {
  avro_value_t field;
  avro_value_t branch;
  avro_value_get_by_name(&event, "SequenceNumber", &field, nullptr);
  avro_value_set_long(&field, number);
  avro_value_get_by_name(&event, "Offset", &field, nullptr);
  avro_value_set_string(&field, std::to_string(number * 100).c_str());
  avro_value_get_by_name(&event, "EnqueuedTimeUtc", &field, nullptr);
  avro_value_set_string(&field, "9/28/2026 10:44:00 AM");
  avro_value_get_by_name(&event, "SystemProperties", &field, nullptr);
  int is_new = 0;
  avro_value_t entry;
  avro_value_add(&field, "x-opt-sequence-number", &entry, nullptr, &is_new);
  avro_value_set_branch(&entry, 0, &branch);
  avro_value_set_long(&branch, number);
  avro_value_get_by_name(&event, "Body", &field, nullptr);
  avro_value_set_branch(&field, body.empty() ? 0 : 1, &branch);
  if (body.empty()) {
    avro_value_set_null(&branch);
  } else {
    avro_value_set_bytes(&branch, const_cast<char*>(body.data()), body.size());
  }
}

}  // namespace

std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries) {
  const std::string path = fresh_path("zip");
  int error = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  CHECK(archive != nullptr);
  for (const auto& [name, content] : entries) {
    if (name.ends_with('/')) {
      CHECK(zip_dir_add(archive, name.c_str(), ZIP_FL_ENC_UTF_8) >= 0);
      continue;
    }
    zip_source_t* const source = zip_source_buffer(archive, content.data(), content.size(), 0);
    CHECK(zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8) >= 0);
  }
  CHECK(zip_close(archive) == 0);
  return take_file(path);
}

std::string capture_of(const std::vector<std::string>& bodies, const std::string& codec) {
  const std::string path = fresh_path("capture");
  avro_schema_t schema = nullptr;
  CHECK(avro_schema_from_json_length(kCaptureSchema, std::string(kCaptureSchema).size(), &schema) == 0);
  avro_file_writer_t writer = nullptr;
  std::size_t block_bytes = std::size_t{64} << 10;  // libavro wants every event to fit one
  for (const std::string& body : bodies) block_bytes = std::max(block_bytes, 2 * body.size());
  CHECK(avro_file_writer_create_with_codec(path.c_str(), schema, &writer, codec.c_str(), block_bytes) == 0);
  avro_value_iface_t* const kind = avro_generic_class_from_schema(schema);
  long number = 0;
  for (const std::string& body : bodies) {
    avro_value_t event;
    avro_generic_value_new(kind, &event);
    set_event(event, ++number, body);
    CHECK(avro_file_writer_append_value(writer, &event) == 0);
    avro_value_decref(&event);
  }
  CHECK(avro_file_writer_close(writer) == 0);
  avro_value_iface_decref(kind);
  avro_schema_decref(schema);
  return take_file(path);
}

}  // namespace keyvigil
