// The section `outputs` of the configuration file: where `serve` sends alerts.
#pragma once

#include <string>
#include <vector>

#include "config/config_reader.h"
#include "sink/output_options.h"

namespace keyvigil {

// A list; names are unique. What an output of its kind needs and does not have, or has and does not use, is refused.
void read_output_config(ConfigReader& reader, const YAML::Node& node, std::vector<OutputOptions>& out);

}  // namespace keyvigil
