#include "event/vault_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/ascii.h"

namespace keyvigil {
namespace {

constexpr std::string_view kProvider = "/providers/microsoft.keyvault/";

std::size_t find_without_case(std::string_view text, std::string_view lower_case_part) {
  const auto at = std::search(text.begin(), text.end(), lower_case_part.begin(), lower_case_part.end(),
                              [](char a, char b) { return lower_case(a) == b; });
  return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
}

std::string_view host_of(std::string_view uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos) { return {}; }
  const std::string_view rest = uri.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?#:"));
}

std::string id_by_name(std::string_view kind, std::string_view name) {
  return fmt::format("{}{}/{}", kProvider, kind, name);
}

bool is_name(std::string_view name) {
  constexpr std::size_t kLongestName = 64;
  const auto fits = [](char c) {
    const char lower = lower_case(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, fits);
}

struct HostRow {
  std::string_view domain;  // behind the vault's name, in any cloud
  std::string_view kind;
};
constexpr auto kHosts = std::to_array<HostRow>({{".vault.", "vaults"}, {".managedhsm.", "managedhsms"}});

std::string id_by_host(std::string_view uri) {
  const std::string_view host = host_of(uri);
  for (const HostRow& row : kHosts) {
    const std::size_t at = find_without_case(host, row.domain);
    if (at != std::string_view::npos && is_name(host.substr(0, at))) {
      return id_by_name(row.kind, host.substr(0, at));
    }
  }
  return {};
}

std::string id_by_columns(const RecordFields& fields, std::string_view kind) {
  return fmt::format("/subscriptions/{}/resourcegroups/{}{}{}/{}", fields.get(Field::kSubscription),
                     fields.get(Field::kResourceGroup), kProvider, kind, fields.get(Field::kResource));
}

std::string id_by_uris(const RecordFields& fields) {
  const std::array<std::string_view, 3> uris = {fields.get(Field::kId), fields.get(Field::kRequestUri),
                                                fields.get(Field::kOuterUri)};
  for (const std::string_view uri : uris) {
    const std::string_view path = uri.substr(0, uri.find_first_of("?#"));
    const std::size_t start = find_without_case(path, "/subscriptions/");
    if (start == std::string_view::npos) { continue; }
    if (const std::string_view vault = vault_part(path.substr(start)); !vault.empty()) { return std::string(vault); }
  }
  for (const std::string_view uri : uris) {
    if (std::string id = id_by_host(uri); !id.empty()) { return id; }
  }
  return {};
}

std::string made_id(const RecordFields& fields) {
  const std::string_view kind =
      equal_without_case(fields.get(Field::kResourceType), "MANAGEDHSMS") ? "managedhsms" : "vaults";
  const bool has_name = fields.has(Field::kResource);
  if (has_name && fields.has(Field::kSubscription) && fields.has(Field::kResourceGroup)) {
    return id_by_columns(fields, kind);
  }
  if (std::string by_uri = id_by_uris(fields); !by_uri.empty()) { return by_uri; }
  return has_name && is_name(fields.get(Field::kResource)) ? id_by_name(kind, fields.get(Field::kResource))
                                                           : std::string();
}

}  // namespace

std::string_view vault_part(std::string_view path) {
  const std::size_t provider = find_without_case(path, kProvider);
  if (provider == std::string_view::npos) { return {}; }
  const std::size_t kind = provider + kProvider.size();
  const std::size_t name = path.find('/', kind);
  if (name == std::string_view::npos || name + 1 >= path.size()) { return {}; }
  const std::string_view type = path.substr(kind, name - kind);
  if (!equal_without_case(type, "vaults") && !equal_without_case(type, "managedhsms")) { return {}; }
  return path.substr(0, path.find('/', name + 1));
}

bool is_of_other_service(std::string_view resource_id) {
  if (resource_id.empty()) { return false; }
  // Nearly every record is of a vault, and its id in one of two spellings.
  constexpr std::array<std::string_view, 2> kUsual = {"/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS",
                                                      "/providers/microsoft.keyvault/vaults"};
  const void* last = memrchr(resource_id.data(), '/', resource_id.size());
  const auto size = last == nullptr ? 0 : static_cast<const char*>(last) - resource_id.data();
  const std::string_view path = resource_id.substr(0, static_cast<std::size_t>(size));
  if (path.ends_with(kUsual[0]) || path.ends_with(kUsual[1])) { return false; }
  const bool names_a_provider = find_without_case(resource_id, "/providers/") != std::string_view::npos;
  return names_a_provider && find_without_case(resource_id, kProvider) == std::string_view::npos;
}

std::string_view vault_id_of(const RecordFields& fields, std::string& made) {
  std::string_view id = fields.first_of(Field::kResourceId, Field::kResourceIdLower);
  while (id.size() > 1 && id.back() == '/') { id.remove_suffix(1); }
  if (!id.empty()) { return id; }
  made = made_id(fields);
  return made;
}

}  // namespace keyvigil
