// text_inside: the records that a collector put inside an object of its own, as an object or as JSON text: message,
// event.original (Filebeat, Logstash), _raw (Splunk, Cribl), event (Splunk's HTTP collector), _source (Elasticsearch),
// body (OpenTelemetry) and their kin.
//
// Only asked where an object is no record itself. Looks a few levels deep, at members with these names alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keyvigil {

// JSON in which a framer finds the records; nothing where `object` holds none. An object that is an answer to a query
// or an envelope in another capitalisation is its own text.
[[nodiscard]] std::optional<std::string> text_inside(std::string_view object);

}  // namespace keyvigil
