// Service: the parts of `keyvigil serve`, started in their order and stopped in the reverse one.
//
// Threads: one owner, who calls start(), then look() from time to time, then stop(); the parts have threads of their
// own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "alert/alert_rendering.h"
#include "api/access.h"
#include "api/http_server.h"
#include "api/ingest.h"
#include "api/live_view.h"
#include "api/router.h"
#include "base/result.h"
#include "config/config.h"
#include "config/config_changes.h"
#include "serve/clock_doubt.h"
#include "serve/followed_inputs.h"
#include "serve/ingest_door.h"
#include "serve/list_feeds.h"
#include "serve/live_loop.h"
#include "serve/outbox_dispatcher.h"
#include "serve/repeated_warnings.h"
#include "serve/service_log.h"
#include "serve/service_metrics.h"
#include "serve/service_watch.h"
#include "store/store.h"

namespace keyvigil {

struct ServiceOptions {
  Config config;  // paths in it are final
  bool dev = false;
  std::string state;
  std::string temporary_folder = "/tmp";
  CommitHook on_commit;  // for tests: of the store
  unsigned threads = 1;  // for decoding
};

// What a person needs to begin.
struct ServiceGreeting {
  std::string url;
  std::string authority_path;  // empty: the certificate is the operator's own
  std::string how_to_trust;
  std::string token_path;  // empty: the tokens are the operator's own
};

class Service {
 public:
  Service(ServiceOptions options, ServiceLog& log);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Listens when it returns.
  [[nodiscard]] Result<ServiceGreeting> start();
  // Whether the deciding loop still runs; where it does not, stop() says why.
  [[nodiscard]] bool is_running() const { return !loop_ended_; }
  // Looks for problems, and logs those that are new or over.
  [[nodiscard]] std::vector<OutputFigures> output_figures() const;
  void look();
  // Takes over a configuration that was read again, or else nothing of it; logs, audits and counts either, and logs
  // which keys need a restart. An error of `config`: it could not be read.
  void reload(const Result<Config>& config);
  // Takes nothing more in, decides what is journalled, saves. The first failure of a part, also an earlier one.
  [[nodiscard]] Result<void> stop();

 private:
  [[nodiscard]] Result<void> open_store_and_loop();
  // In a thread of its own. `open_again`, where there is one, until there is room to open the loop.
  [[nodiscard]] Result<void> run_loop(std::function<Result<void>()> open_again);
  [[nodiscard]] Result<void> prepare_access(ServiceGreeting& greeting);
  [[nodiscard]] Result<void> prepare_dev(ServiceGreeting& greeting);
  [[nodiscard]] Result<void> listen(ServiceGreeting& greeting);
  [[nodiscard]] Result<void> open_feeds();
  // Lists with the book that is made of them.
  struct UsableLists {
    ListArchive archive;
    AddressBook book;
  };
  // Those of the configuration and those that were fetched.
  [[nodiscard]] static Result<UsableLists> all_lists(const Config& config, const std::vector<FetchedList>& fetched);
  [[nodiscard]] Result<void> put_in_force(const std::vector<FetchedList>& fetched, const std::string& fresh);
  [[nodiscard]] Result<void> hold_back_doubtful(const AddressBook& book, const std::string& fresh);
  [[nodiscard]] Result<void> follow_inputs();
  void tell_inputs(const InputChanges& changes, const Result<void>& changed);
  [[nodiscard]] OutputLog output_log() const;
  void bury_orphans();
  void take_back_orphans();
  void add_routes();

  // A configuration that holds, with everything that can be refused of it made.
  struct Reload {
    Config config;  // with the running values of what needs a restart
    ConfigChanges changes;
    std::vector<ListFeedConfig> feeds;
    ListArchive lists;
    AccessOptions access;
    std::vector<FollowedInputs::Wanted> inputs;
  };
  [[nodiscard]] Result<Reload> prepare(const Config& config) const;
  [[nodiscard]] Result<ConfigChanges> take_over(const Result<Config>& config);
  void put_in_force(Reload reload);
  void tell_reload(const Result<ConfigChanges>& changes);
  [[nodiscard]] AccessOptions all_access(const ServeConfig& serve) const;
  [[nodiscard]] StoreOptions store_options() const;
  [[nodiscard]] IngestLimits ingest_limits() const;
  [[nodiscard]] WatchLimits watch_limits() const;
  [[nodiscard]] std::size_t body_limit_bytes() const;
  [[nodiscard]] HttpResponse metrics(const HttpRequest& request);
  [[nodiscard]] HttpResponse metrics_of(const std::set<std::string>& subscriptions);
  void warn_seldom(const std::string& text);
  [[nodiscard]] HttpResponse readiness();
  [[nodiscard]] Result<LiveFigures> figures();
  void add_what_the_loop_does_not_know(LiveFigures& figures) const;

  ServiceOptions options_;
  ServiceLog* log_;
  EventTime started_;
  AlertRendering rendering_;

  std::unique_ptr<Store> store_;
  std::optional<LiveLoop> loop_;
  ClockDoubt clock_doubt_;
  std::optional<IngestDoor> door_;
  LiveView live_;  // the loop's, with the problems
  Ingest ingest_;
  ForgetInput forget_input_;
  std::vector<TokenGrant> own_tokens_;  // beside those of the configuration: of --dev
  std::optional<Access> access_;
  Router router_;
  RepeatedWarnings repeated_;
  std::optional<TlsFiles> tls_;
  std::optional<HttpServer> server_;
  std::atomic<bool> started_all_ = false;  // until then requests may come, but see no part that starts after the server

  std::unique_ptr<ListFeeds> feeds_;  // reads options_.config: stopped while that changes
  std::optional<FollowedInputs> inputs_;

  std::thread loop_thread_;
  std::atomic<bool> loop_ended_ = false;
  Result<void> loop_result_;  // once loop_thread_ is joined

  mutable std::mutex outputs_mutex_;  // of what follows; options_.config.outputs too
  std::unique_ptr<OutboxDispatcher> dispatcher_;

  std::optional<ServiceWatch> watch_;
  std::mutex problems_mutex_;
  std::vector<ServiceProblem> problems_;  // at the last look()
  ReloadFigures reloads_;
  std::uint64_t orphaned_revisions_ = 0;
  LiveFigures last_figures_;  // for when the loop is busy
};

// Wall clock.
[[nodiscard]] EventTime wall_clock();

}  // namespace keyvigil
