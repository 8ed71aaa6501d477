// Suspicion: what one detector holds against one subject because of one event.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"

namespace keyvigil {

// Values are hashed into alert ids: do not renumber.
enum class SubjectKind : std::uint8_t { kCaller = 0, kClientApp = 1, kVault = 2, kAddress = 3 };

// Stable codes for the statements in an alert's evidence; each has one sentence in alert/reasons.cpp.
enum class ReasonCode : std::uint8_t {
  kAddressOnTorList = 0,
  kAddressOnSuspiciousList = 1,
};

struct Suspicion {
  SubjectKind subject = SubjectKind::kCaller;
  ReasonCode reason = ReasonCode::kAddressOnTorList;
  double p = 0;  // 0 for what is certain by rule: no calibration, no budget
};

// Up to three: caller, client application of a user, vault.
class Suspicions {
 public:
  static constexpr std::size_t kLimit = 3;
  void add(const Suspicion& suspicion) {
    CHECK(size_ < kLimit);
    items_[size_++] = suspicion;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const Suspicion* begin() const { return items_.data(); }
  [[nodiscard]] const Suspicion* end() const { return items_.data() + size_; }

 private:
  std::array<Suspicion, kLimit> items_{};
  std::size_t size_ = 0;
};

}  // namespace keyvigil
