#include "command/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace keyvigil {
namespace {

constexpr auto kRedrawAfter = std::chrono::milliseconds(200);
constexpr std::size_t kBarColumns = 24;

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarColumns));
  return std::string(std::min(full, kBarColumns), '#') + std::string(kBarColumns - std::min(full, kBarColumns), '.');
}

std::string left(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

Progress::Progress(std::uint64_t total_bytes, bool shown)
    : total_bytes_(total_bytes), shown_(shown), begun_(std::chrono::steady_clock::now()), drawn_at_(begun_) {}

Progress::~Progress() {
  clear();
}

void Progress::update(std::uint64_t done_bytes, std::uint64_t records) {
  if (!shown_) { return; }
  const auto now = std::chrono::steady_clock::now();
  if (now - drawn_at_ < kRedrawAfter) { return; }
  drawn_at_ = now;
  drawn_ = true;
  const double seconds = std::max(0.001, std::chrono::duration<double>(now - begun_).count());
  const double speed = static_cast<double>(done_bytes) / seconds;
  std::string line = fmt::format("{:.1f} MB, {:.0f} events/s", static_cast<double>(done_bytes) / 1e6,
                                 static_cast<double>(records) / seconds);
  if (total_bytes_ > 0) {
    const double share = std::min(1.0, static_cast<double>(done_bytes) / static_cast<double>(total_bytes_));
    const double rest = static_cast<double>(total_bytes_) * (1 - share) / std::max(1.0, speed);
    line = fmt::format("[{}] {:3.0f} %  {} of {:.1f} MB, ETA {}", bar(share), share * 100, line,
                       static_cast<double>(total_bytes_) / 1e6, left(rest));
  }
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
}

void Progress::clear() {
  if (!drawn_) { return; }
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace keyvigil
