// RevisionKeeper: alerts on their way from the loop that decides into the store, with what is to go out.
//
// They do not wait for a checkpoint. After a crash they are decided again, by the checkpoint before them and the
// journal behind it, and the store keeps each (id, revision) once: docs/decisions/0022. Threads: send_to() from any;
// keep() from one.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "alert/alert_rendering.h"
#include "base/event_time.h"
#include "base/result.h"
#include "serve/live_estate.h"
#include "store/store.h"

namespace keyvigil {

class RevisionKeeper {
 public:
  using Raised = std::function<void(const Alert& alert, bool backfilled)>;  // may be empty

  RevisionKeeper(Store& store, AlertRendering rendering, Raised raised)
      : store_(&store), rendering_(std::move(rendering)), raised_(std::move(raised)) {}

  // Every alert goes to these; alerts of the past to `of_backfill` only.
  void send_to(std::vector<std::string> outputs, std::vector<std::string> of_backfill);

  // Stores them and takes them out of the list, in transactions of some hundred; those that could not be stored stay.
  // Tells of each alert that is new, once it is stored.
  [[nodiscard]] Result<void> keep(std::vector<LiveRevision>& revisions, EventTime now);

 private:
  [[nodiscard]] Result<void> keep_some(std::vector<LiveRevision>& revisions, std::size_t count, EventTime now);

  Store* store_;
  AlertRendering rendering_;
  Raised raised_;

  std::mutex mutex_;  // of what follows
  std::vector<std::string> outputs_;
  std::vector<std::string> outputs_of_backfill_;
};

}  // namespace keyvigil
