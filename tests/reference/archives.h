// Archives as others write them: zip by libzip, Event Hubs Capture by libavro, which KeyVigil does not read with.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace keyvigil {

// Names and contents, in this order. A name that ends in a slash is a folder.
[[nodiscard]] std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries);

// An Avro file with one event for each body; an empty one is null. `codec`: null, deflate, snappy.
[[nodiscard]] std::string capture_of(const std::vector<std::string>& bodies, const std::string& codec);

}  // namespace keyvigil
