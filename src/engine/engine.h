// Engine: observe, decide, learn; one event at a time, in the order of engine/order.h. One estate, one thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/decision.h"
#include "engine/timeliness.h"
#include "event/access_event.h"
#include "history/recent_operations.h"
#include "intel/address_book.h"

namespace keyvigil {

class Engine {
 public:
  // The book must outlive the engine and what it decides.
  explicit Engine(const AddressBook& book) : book_(&book) {}

  // `out` is reused. An event beyond the late horizon is decided by the threat lists and teaches nothing.
  void decide(const AccessEvent& event, Timeliness timeliness, Decision& out);

  [[nodiscard]] const RecentOperations& recent_operations() const { return recent_operations_; }

  [[nodiscard]] std::string save() const { return recent_operations_.save(); }
  [[nodiscard]] Result<void> load(std::string_view bytes) { return recent_operations_.load(bytes); }

 private:
  const AddressBook* book_;
  RecentOperations recent_operations_;
};

}  // namespace keyvigil
