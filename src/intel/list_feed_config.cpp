#include "intel/list_feed_config.h"

namespace keyvigil {

std::string list_name(const ListFeedConfig& config) {
  return config.url.substr(0, config.url.find('?'));
}

}  // namespace keyvigil
