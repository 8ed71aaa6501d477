// Estate: vaults that are judged together. The one loop of the program: events come in by inputs, are put into their
// order, decided, and joined to alerts; `detect` and `serve` differ only in where events come from and who receives.
//
// Everything is a function of the calls and their order: it knows no clock but the events'. Threads: one owner.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alert/repeats.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "engine/engine.h"
#include "engine/order.h"
#include "estate/estate_sections.h"
#include "intel/address_book.h"

namespace keyvigil {

struct EstateOptions {
  OrderOptions order;
  EngineOptions engine;
  InputNames input_names;                 // for the provenance of evidence; may be empty
  bool tell_open = false;                 // hand out each revision of an alert, not only what closes
  std::optional<EventTime> report_from;   // events outside teach, and raise nothing
  std::optional<EventTime> report_until;  // exclusive
};

// An event after it was decided. All is valid during the call.
struct DecidedEvent {
  const AccessEvent& event;
  const Decision& decision;
  bool reported = false;                // within report_from and report_until
  std::span<const AlertType> opened{};  // types of the alerts that it raised for the first time
};

// Who receives what comes of deciding, in its order.
struct EstateReceiver {
  std::function<void(const DecidedEvent&)> decided;
  // `cause`: the event at which it was revised or closed; null: none, time passed or the input ended. An error stops
  // the deciding, and the estate is of no use afterwards.
  std::function<Result<void>(Alert&& alert, const AccessEvent* cause)> revised;
};

class Estate {
 public:
  // The book must outlive the estate, or the next remake().
  Estate(const AddressBook& book, EstateOptions options);

  // Other options, other lists: what was learned stays. Of `order` only the lateness may differ.
  [[nodiscard]] Result<void> remake(const AddressBook& book, EstateOptions options);

  // ---- what comes in: see Order ----
  [[nodiscard]] InputId open_input(std::optional<EventTime> not_before) { return order_->open_input(not_before); }
  void idle_input(InputId id) { order_->idle_input(id); }
  void close_input(InputId id) { order_->close_input(id); }
  [[nodiscard]] std::optional<InputId> most_behind() { return order_->most_behind(); }
  // Never Arrival::kFailed: that is an error.
  [[nodiscard]] Result<Arrival> push(InputId id, AccessEvent&& event);
  [[nodiscard]] bool make_room() { return order_->make_room(); }
  // Time has moved to `to` though nothing came.
  void advance(EventTime to);

  // ---- deciding ----
  // What is final.
  [[nodiscard]] Result<void> decide_ready(const EstateReceiver& receiver);
  // The inputs have ended: all that waits. Alerts stay open.
  [[nodiscard]] Result<void> decide_rest(const EstateReceiver& receiver);
  // The inputs have ended, and later ones go on from there: the youngest events wait for those.
  [[nodiscard]] Result<void> decide_all_but_youngest(const EstateReceiver& receiver);
  // Closes every alert.
  [[nodiscard]] Result<void> close_alerts(const EstateReceiver& receiver);

  // Into a fresh estate. ErrorKind::kNoRoom: what waits in order could not go to disk; try again with a fresh one.
  // Its parts save themselves.
  [[nodiscard]] Result<void> load(const EstateSections& sections);
  // All of them, under their names.
  [[nodiscard]] Result<Checkpoint> save() const;

  [[nodiscard]] const Order& order() const { return *order_; }
  [[nodiscard]] const Engine& engine() const { return *engine_; }
  [[nodiscard]] const Repeats& repeats() const { return repeats_; }

 private:
  // Events in their order, so that the engine knows what comes next.
  struct Ready {
    AccessEvent event;
    Timeliness timeliness = Timeliness::kInTime;
  };

  [[nodiscard]] Result<void> decide(const Ready& ready, const EstateReceiver& receiver);
  [[nodiscard]] Result<void> hand_out(std::vector<Alert>& alerts, const AccessEvent* cause,
                                      const EstateReceiver& receiver) const;
  [[nodiscard]] bool is_reported(EventTime time) const;

  EstateOptions options_;
  const AddressBook* book_;
  std::optional<Order> order_;
  std::optional<Engine> engine_;
  Repeats repeats_;
  std::optional<EventTime> advanced_to_;  // since the last decide_ready()

  std::array<Ready, Engine::kFarAhead + 1> ready_;  // a ring; empty between calls
  Decision decision_;
  std::vector<Alert> closed_;
  std::vector<Alert> revised_;
};

}  // namespace keyvigil
