// FollowedInput: a folder or a blob container in which logs go on appearing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/event_time.h"
#include "source/blob_container.h"

namespace keyvigil {

struct FollowedInput {
  std::string folder;              // or else
  BlobContainerOptions container;  // with its secrets
  std::optional<EventTime> from;
  std::int64_t poll_seconds = 10;  // 1..3600

  // "folder/<path>" or "container/<URL without query>", and "/<prefix>" where there is one.
  [[nodiscard]] std::string name() const;
  friend bool operator==(const FollowedInput&, const FollowedInput&) = default;
};

// Whether an input of this name is followed, and does not come by HTTP.
[[nodiscard]] bool is_followed_input(std::string_view name);

}  // namespace keyvigil
