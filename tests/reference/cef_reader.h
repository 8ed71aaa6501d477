// A reader of CEF lines, written from the format's description alone: the twin of alert/cef.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyvigil {

struct CefLine {
  std::vector<std::string> header;  // version, vendor, product, version, signature, name, severity
  std::map<std::string, std::string> extension;
};

// Nothing where the line is not CEF.
[[nodiscard]] std::optional<CefLine> read_cef(std::string_view line);

}  // namespace keyvigil
