// What a Follower looks at: the items of a folder or a container, and how their bytes are had.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"

namespace keyvigil {

struct FollowedItem {
  std::string name;
  std::uint64_t size_bytes = 0;
  std::string mark;                     // another one: it is no longer the same item
  std::optional<EventTime> not_before;  // the hour in its path
};

struct FollowedList {
  std::vector<FollowedItem> items;
  std::uint64_t not_listed = 0;  // what is there and could not be listed, such as a folder of somebody else
  std::string not_listed_first;  // a sentence about the first of these
};

// Why bytes of an item could not be had.
struct ReadFailure {
  enum class Kind : std::uint8_t {
    kGone,    // it was deleted or replaced since it was listed, which is no error
    kItem,    // this one cannot be read; others can
    kAccess,  // nothing is known of the item: the network, the server, a secret
    kHeld,    // as kItem, and it is asked again within a minute
  };
  Kind kind = Kind::kItem;
  std::string why;  // without the item's name
};
using FollowedBytes = tl::expected<std::string, ReadFailure>;

// Bytes [from, from + most) of the item, fewer only at its end.
using ReadItem = std::function<FollowedBytes(const FollowedItem& item, std::uint64_t from, std::size_t most)>;

// Both may fail for a while, and are asked again.
struct FollowAccess {
  std::function<Result<FollowedList>()> list;
  ReadItem read;
};

}  // namespace keyvigil
