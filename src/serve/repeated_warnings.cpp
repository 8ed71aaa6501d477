#include "serve/repeated_warnings.h"

#include <fmt/format.h>

namespace keyvigil {

std::optional<std::string> RepeatedWarnings::admit(const std::string& text, EventTime now) {
  const std::lock_guard lock(mutex_);
  const auto rests = [&](const Known& known) {
    return now >= known.logged && now.ticks - known.logged.ticks < kRestTicks;
  };
  const auto found = known_.find(text);
  if (found != known_.end()) {
    Known& known = found->second;
    if (rests(known)) {
      ++known.since;
      ++left_out_;
      return std::nullopt;
    }
    const std::uint64_t left_out = known.since;
    known = {now, 0};
    return left_out == 0 ? text : fmt::format("{} (and {} times more since it was said last)", text, left_out);
  }
  if (known_.size() >= kMostTexts) {
    std::erase_if(known_, [&](const auto& one) { return !rests(one.second); });
  }
  if (known_.size() >= kMostTexts) {
    ++left_out_;
    return std::nullopt;
  }
  known_[text] = {now, 0};
  return text;
}

std::uint64_t RepeatedWarnings::left_out() const {
  const std::lock_guard lock(mutex_);
  return left_out_;
}

}  // namespace keyvigil
