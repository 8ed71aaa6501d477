#include "source/followed_input.h"

namespace keyvigil {
namespace {

constexpr std::string_view kFolder = "folder/";
constexpr std::string_view kContainer = "container/";

}  // namespace

std::string FollowedInput::name() const {
  if (!folder.empty()) { return std::string(kFolder) + folder; }
  std::string name = std::string(kContainer) + container.url.substr(0, container.url.find('?'));
  if (!container.prefix.empty()) { name += "/" + container.prefix; }
  return name;
}

bool is_followed_input(std::string_view name) {
  return name.starts_with(kFolder) || name.starts_with(kContainer);
}

}  // namespace keyvigil
