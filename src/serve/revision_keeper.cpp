#include "serve/revision_keeper.h"

#include <algorithm>
#include <map>
#include <utility>

namespace keyvigil {
namespace {

constexpr std::size_t kKeptAtOnce = 500;

// What an alert was at first (of the past, dismissed by a rule) holds for its later revisions too.
struct Standing {
  bool backfilled = false;
  std::string rule;
  bool is_new = false;
};

}  // namespace

void RevisionKeeper::send_to(std::vector<std::string> outputs, std::vector<std::string> of_backfill) {
  const std::lock_guard lock(mutex_);
  outputs_ = std::move(outputs);
  outputs_of_backfill_ = std::move(of_backfill);
}

Result<void> RevisionKeeper::keep(std::vector<LiveRevision>& revisions, EventTime now) {
  while (!revisions.empty()) {
    if (auto kept = keep_some(revisions, std::min(revisions.size(), kKeptAtOnce), now); !kept) { return kept; }
  }
  return {};
}

Result<void> RevisionKeeper::keep_some(std::vector<LiveRevision>& revisions, std::size_t count, EventTime now) {
  auto rules = store_->all_rules();
  if (!rules) { return tl::unexpected(rules.error()); }
  std::map<std::string, Standing> standings;
  std::vector<RaisedRevision> settled;
  for (std::size_t i = 0; i < count; ++i) {
    const LiveRevision& revision = revisions[i];
    const Alert& alert = revision.alert;
    auto known = standings.find(alert.id);
    if (known == standings.end()) {
      auto stored = store_->alert(alert.id);
      if (!stored) { return tl::unexpected(stored.error()); }
      Standing standing{revision.from_backfill, {}, !*stored};
      if (*stored) {
        standing.backfilled = (*stored)->backfilled;
        standing.rule = (*stored)->dismissed_by_rule;
      } else {
        const auto rule = std::ranges::find_if(
            *rules, [&](const SuppressionRule& one) { return suppresses(one, alert, rendering_); });
        if (rule != rules->end()) { standing.rule = rule->name; }
      }
      known = standings.emplace(alert.id, std::move(standing)).first;
    }
    RaisedRevision& raised = settled.emplace_back();
    raised.alert = alert;
    raised.backfilled = known->second.backfilled;
    raised.dismissed_by_rule = known->second.rule;
    if (raised.dismissed_by_rule.empty()) {
      const std::lock_guard lock(mutex_);
      raised.outputs = raised.backfilled ? outputs_of_backfill_ : outputs_;
    }
  }
  if (auto stored = store_->add_revisions(settled, now); !stored) { return stored; }
  for (const RaisedRevision& raised : settled) {
    const bool first = std::exchange(standings.at(raised.alert.id).is_new, false);
    if (first && raised_) { raised_(raised.alert, raised.backfilled); }
  }
  revisions.erase(revisions.begin(), revisions.begin() + static_cast<std::ptrdiff_t>(count));
  return {};
}

}  // namespace keyvigil
