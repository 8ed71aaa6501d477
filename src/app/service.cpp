#include "app/service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <utility>

#include "api/arm_routes.h"
#include "api/graph_alerts.h"
#include "api/v1_ingest.h"
#include "api/v1_routes.h"
#include "app/config_changes.h"
#include "app/host_name.h"
#include "app/service_metrics.h"
#include "base/check.h"
#include "base/file_descriptor.h"
#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::size_t kTokenFileBytes = 4096;

// "127.0.0.1:8443", "[::1]:8443".
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

Result<Endpoint> parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const auto misfit = [&] {
    return fail(ErrorKind::kUsage,
                fmt::format("listen: expected ADDRESS:PORT such as 127.0.0.1:8443 or [::1]:8443, found '{}'", text));
  };
  if (colon == std::string::npos || colon + 1 == text.size()) { return misfit(); }
  Endpoint endpoint;
  endpoint.address = text.substr(0, colon);
  if (endpoint.address.starts_with('[') && endpoint.address.ends_with(']')) {
    endpoint.address = endpoint.address.substr(1, endpoint.address.size() - 2);
  }
  std::uint32_t port = 0;
  for (const char digit : text.substr(colon + 1)) {
    if (digit < '0' || digit > '9') { return misfit(); }
    port = port * 10 + static_cast<std::uint32_t>(digit - '0');
    if (port > UINT16_MAX) { return misfit(); }
  }
  endpoint.port = static_cast<std::uint16_t>(port);
  return endpoint;
}

std::string to_text(const Endpoint& endpoint) {
  const bool six = endpoint.address.find(':') != std::string::npos;
  return six ? fmt::format("[{}]:{}", endpoint.address, endpoint.port)
             : fmt::format("{}:{}", endpoint.address, endpoint.port);
}

// Of the outputs that are to get a kind of alert at all; the rest of their filters is asked when an alert goes out.
template <typename Wanted>
std::vector<std::string> output_names(const std::vector<OutputOptions>& outputs, Wanted wanted) {
  std::vector<std::string> names;
  for (const OutputOptions& output : outputs) {
    if (std::invoke(wanted, output.filter)) { names.push_back(output.name); }
  }
  return names;
}

bool takes_new(const OutputFilter&) {
  return true;
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// The token of --dev: made by the first start, kept where only its owner reads it.
Result<std::string> dev_token(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) {
    auto text = read_whole_file(path, kTokenFileBytes);
    if (!text) { return text; }
    while (!text->empty() && text->back() <= ' ') { text->pop_back(); }
    return text;
  }
  const NewToken made = new_token();
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  const std::string line = made.token + "\n";
  if (!file.valid() || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("--dev: expected to write a token to {}, which failed; check the folder", path));
  }
  return made.token;
}

HttpResponse text_response(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("content-type", "text/plain; version=0.0.4; charset=utf-8");
  response.body = std::move(body);
  return response;
}

}  // namespace

EventTime wall_clock() {
  using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, EventTime::kTicksPerSecond>>;
  return EventTime{std::chrono::duration_cast<Ticks>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

Service::Service(ServiceOptions options, ServiceLog& log)
    : options_(std::move(options)), log_(&log), started_(wall_clock()), rendering_(options_.config.rendering) {}

Service::~Service() {
  static_cast<void>(stop());
}

// ---- starting ----

Result<ServiceGreeting> Service::start() {
  ServiceGreeting greeting;
  if (auto opened = open_store_and_loop(); !opened) { return tl::unexpected(opened.error()); }
  if (auto prepared = prepare_access(greeting); !prepared) { return tl::unexpected(prepared.error()); }
  add_routes();
  if (auto listening = listen(greeting); !listening) { return tl::unexpected(listening.error()); }
  if (auto following = follow_inputs(); !following) { return tl::unexpected(following.error()); }
  feeds_->start();
  dispatcher_ = dispatcher();
  started_all_ = true;
  return greeting;
}

Result<void> Service::open_store_and_loop() {
  const ServeConfig& serve = options_.config.serve;
  StoreOptions store_options;
  store_options.journal_limit_bytes = static_cast<std::uint64_t>(serve.journal_limit_mebibytes) * kMebibyte;
  store_options.alert_retention_days = serve.alert_retention_days;
  store_options.audit_retention_days = serve.audit_retention_days;
  store_options.events.retention_days = serve.event_retention_days;
  store_options.events.bytes = static_cast<std::uint64_t>(serve.event_limit_mebibytes) * kMebibyte;
  store_options.on_commit = options_.on_commit;
  auto store = Store::open(serve.store, store_options);
  if (!store) { return tl::unexpected(store.error()); }
  store_ = *std::move(store);

  std::optional<Checkpoint> state;
  if (!options_.state.empty()) {
    auto read = read_checkpoint(options_.state);
    if (!read) { return tl::unexpected(read.error()); }
    state = *std::move(read);
  }
  if (auto opened = open_feeds(); !opened) { return opened; }
  fetched_ = feeds_->kept();
  auto lists = all_lists(options_.config, fetched_);
  if (!lists) { return tl::unexpected(lists.error()); }

  LiveOptions live;
  live.threads = options_.threads;
  live.temporary_folder = options_.temporary_folder;
  live.idle_seconds = serve.idle_seconds;
  live.checkpoint_seconds = serve.checkpoint_seconds;
  live.keep_events = serve.event_retention_days > 0;
  live.rendering = rendering_;
  live.outputs = output_names(options_.config.outputs, takes_new);
  live.outputs_of_backfill = output_names(options_.config.outputs, &OutputFilter::backfilled);
  LiveReports reports;
  reports.now = wall_clock;
  reports.warn = [this](const std::string& text) { log_->warn(text); };
  reports.raised = [this](const Alert& alert, bool backfilled) {
    log_->info("alert raised", {{"alert", alert.id},
                                {"type", std::string(catalogue()[static_cast<std::size_t>(alert.type)].code)},
                                {"vault", alert.vault_name},
                                {"event_time", to_iso_milliseconds(alert.generated)},
                                {"backfilled", backfilled ? "true" : "false"}});
  };
  loop_.emplace(*store_, std::move(live), std::move(reports));
  if (auto opened = loop_->open(state, live_settings(options_.config), *lists); !opened) { return opened; }
  IngestLimits limits;
  limits.plain_bytes = static_cast<std::uint64_t>(serve.decompressed_limit_mebibytes) * kMebibyte;
  limits.waiting_bytes = static_cast<std::uint64_t>(serve.journal_limit_mebibytes) * kMebibyte / 4;
  door_.emplace(*loop_, limits, wall_clock);
  watch_.emplace(WatchLimits{serve.silent_minutes, serve.lag_seconds}, started_);
  loop_thread_ = std::thread([this] {
    loop_result_ = loop_->run();
    loop_ended_ = true;
  });
  return {};
}

// ---- lists and inputs ----

Result<void> Service::open_feeds() {
  std::vector<ListFeedConfig> configs;
  for (const FeedConfig& feed : options_.config.lists.feeds) {
    auto config = list_feed(feed);
    if (!config) { return tl::unexpected(config.error()); }
    configs.push_back(*std::move(config));
  }
  ListFeedDoors doors;
  doors.put_in_force = [this](const std::vector<FetchedList>& lists, const std::string& fresh) {
    return put_in_force(lists, fresh);
  };
  doors.tell = [this](const std::string& text) { log_->info(text); };
  doors.now = wall_clock;
  auto feeds = ListFeeds::open(std::move(configs), options_.config.serve.store + ".lists", std::move(doors));
  if (!feeds) { return tl::unexpected(feeds.error()); }
  feeds_ = *std::move(feeds);
  return {};
}

Result<ListArchive> Service::all_lists(const Config& config, const std::vector<FetchedList>& fetched) {
  auto lists = read_lists(config.lists);
  if (!lists) { return lists; }
  for (const FetchedList& list : fetched) { lists->files.push_back({list.role, list.name, list.content}); }
  // Lists that cannot be used are refused now, not in the loop.
  if (auto book = address_book(*lists); !book) { return tl::unexpected(book.error()); }
  return lists;
}

Result<void> Service::put_in_force(const std::vector<FetchedList>& fetched, const std::string& fresh) {
  const std::lock_guard lock(lists_mutex_);
  auto lists = all_lists(options_.config, fetched);
  if (!lists) { return tl::unexpected(lists.error()); }
  if (auto plausible = hold_back_doubtful(*lists, fresh); !plausible) { return plausible; }
  auto changed = loop_->change(live_settings(options_.config), *lists);
  if (!changed) { return tl::unexpected(changed.error()); }
  fetched_ = fetched;
  // It is in force, whatever becomes of the line.
  if (auto kept = store_->audit({wall_clock(), "feed", "", "lists.change", fresh, "done"}); !kept) {
    log_->warn(kept.error().message);
  }
  return {};
}

// A list from elsewhere that would make a fifth of the callers suspicious is more likely wrong than right.
Result<void> Service::hold_back_doubtful(const ListArchive& lists, const std::string& fresh) {
  auto callers = loop_->callers();
  auto book = address_book(lists);
  if (!callers) { return tl::unexpected(callers.error()); }
  if (!book) { return tl::unexpected(book.error()); }
  for (const CallerAddresses& of_estate : *callers) {
    for (const ListReach& reach : of_estate.reach_of(*book)) {
      if (!reach.is_doubtful() || reach.list != fresh) { continue; }
      return fail(ErrorKind::kLimit,
                  fmt::format("list {} matches {} of {} callers of the last week and is held back; if it is right, "
                              "download it and name the file under `lists`",
                              reach.list, reach.matched, reach.callers));
    }
  }
  return {};
}

Result<void> Service::follow_inputs() {
  for (const InputConfig& config : options_.config.serve.inputs) {
    auto input = followed_input(config);
    if (!input) { return tl::unexpected(input.error()); }
    FollowerDoors doors;
    doors.append = [this](std::span<const JournalEntry> entries, std::span<const InputPosition> positions) {
      return loop_->append(entries, positions);
    };
    doors.positions = [this](const std::string& name) { return store_->positions(name); };
    doors.report = [this](const std::string& name, const std::string& failure) { loop_->report_input(name, failure); };
    doors.now = wall_clock;
    auto follower = InputFollower::open(*std::move(input), std::move(doors));
    if (!follower) { return tl::unexpected(follower.error()); }
    followers_.push_back(*std::move(follower));
    followers_.back()->start();
  }
  return {};
}

std::unique_ptr<OutboxDispatcher> Service::dispatcher() const {
  const OutputLog log = [this](const OutputNotice& notice) {
    const ServiceLog::Members members = {{"output", notice.output}};
    switch (notice.kind) {
      case OutputNotice::Kind::kAway:
        return log_->warn(notice.text, members);
      case OutputNotice::Kind::kBack:
        return log_->info(notice.text, members);
      case OutputNotice::Kind::kDeadLetter:
        return log_->error(notice.text, members);
    }
  };
  auto dispatcher = std::make_unique<OutboxDispatcher>(outbox_of(*store_), options_.config.outputs, rendering_,
                                                       host_name(), wall_clock, log);
  dispatcher->start();
  return dispatcher;
}

// Those that stay begin anew, what is in the outbox stays there.
void Service::reload_outputs(const std::vector<OutputOptions>& outputs) {
  const std::lock_guard lock(outputs_mutex_);
  if (outputs == options_.config.outputs) { return; }
  dispatcher_->stop();
  options_.config.outputs = outputs;
  loop_->send_to(output_names(outputs, takes_new), output_names(outputs, &OutputFilter::backfilled));
  dispatcher_ = dispatcher();
  log_->info("outputs changed");
}

// ---- access ----

Result<void> Service::prepare_access(ServiceGreeting& greeting) {
  const ServeConfig& serve = options_.config.serve;
  access_options_ = access_options(serve.access);
  tls_ = serve.tls;
  if (options_.dev) {
    if (auto prepared = prepare_dev(greeting); !prepared) { return prepared; }
  }
  if (access_options_.tokens.empty() && access_options_.issuers.empty()) {
    return fail(ErrorKind::kUsage,
                "expected somebody who may ask: serve.tokens (make one with `keyvigil token new`) or serve.issuers in "
                "the configuration, or --dev to try it on this machine");
  }
  auto access = Access::make(std::move(access_options_));
  if (!access) { return tl::unexpected(access.error()); }
  access_.emplace(*std::move(access));
  if (auto fetched = access_->fetch_keys(wall_clock()); !fetched) { log_->warn(fetched.error().message); }
  return {};
}

Result<void> Service::prepare_dev(ServiceGreeting& greeting) {
  const std::filesystem::path store(options_.config.serve.store);
  const std::string folder = (store.parent_path() / "keyvigil-dev").lexically_normal().string();
  auto authority = local_authority(folder, host_name().empty() ? "localhost" : host_name(), wall_clock());
  if (!authority) { return tl::unexpected(authority.error()); }
  if (!tls_) { tls_ = authority->server; }
  greeting.authority_path = authority->authority_path;
  greeting.how_to_trust = authority->how_to_trust;
  greeting.token_path = folder + "/token";
  auto token = dev_token(greeting.token_path);
  if (!token) { return tl::unexpected(token.error()); }
  TokenGrant grant;
  grant.name = "dev";
  constexpr std::string_view kSalt = "6b6579766967696c2d6465762d746f6b";  // the token itself is random
  grant.hash = token_hash(*token, kSalt);
  grant.roles = {Role::kReader, Role::kOperator, Role::kIngest};
  own_tokens_.push_back(grant);
  access_options_.tokens.push_back(std::move(grant));
  return {};
}

Result<void> Service::listen(ServiceGreeting& greeting) {
  auto endpoint = parse_endpoint(options_.config.serve.listen);
  if (!endpoint) { return tl::unexpected(endpoint.error()); }
  HttpServerOptions options;
  options.address = endpoint->address;
  options.port = endpoint->port;
  options.tls = tls_;
  options.public_url = options_.config.serve.public_url;
  HttpServerParts parts;
  parts.now = wall_clock;
  parts.audit = [this](const AuditLine& line) {
    if (auto kept = store_->audit(line); !kept) { log_->warn(kept.error().message); }
  };
  parts.report = [this](const std::string& text) { log_->warn(text); };
  auto server = HttpServer::start(options, router_, *access_, std::move(parts));
  if (!server) { return tl::unexpected(server.error()); }
  server_.emplace(*std::move(server));
  endpoint->port = server_->port();
  greeting.url = (tls_ ? "https://" : "http://") + to_text(*endpoint);
  return {};
}

void Service::add_routes() {
  live_ = loop_->view();
  live_.figures = [this] { return figures(); };
  ingest_ = [this](const std::string& input, std::string_view body, const Principal& principal) {
    return door_->take(input, body, principal);
  };
  router_.add("GET", "/healthz", std::nullopt, [this](const HttpRequest&) {
    return is_running() ? text_response(200, "ok\n") : text_response(503, "the deciding loop has ended\n");
  });
  router_.add("GET", "/readyz", std::nullopt, [this](const HttpRequest&) { return readiness(); });
  router_.add("GET", "/metrics", Role::kReader, [this](const HttpRequest&) { return metrics(); });
  const std::size_t body_bytes = static_cast<std::size_t>(options_.config.serve.body_limit_mebibytes) * kMebibyte;
  add_ingest_routes(router_, {ingest_, body_bytes});
  const Report report = [this](const std::string& text) { log_->warn(text); };
  const auto sample_outputs = [this] {
    const std::lock_guard lock(outputs_mutex_);
    return output_names(options_.config.outputs, &OutputFilter::simulated);
  };
  add_arm_routes(router_, {*store_, rendering_, sample_outputs, report});
  add_v1_routes(router_, {*store_, rendering_, live_, report});
  add_graph_routes(router_, {*store_, rendering_, report});
}

// ---- running ----

Result<LiveFigures> Service::figures() {
  auto figures = loop_->view().figures();
  const std::lock_guard lock(problems_mutex_);
  if (figures) {
    figures->lists = feeds_->health();
    figures->problems = problems_;
    last_figures_ = *figures;
  }
  return figures;
}

HttpResponse Service::metrics() {
  ServiceFigures all;
  all.journal_waiting_bytes = loop_->waiting_bytes();  // before the rest: what no longer waits is in the rest
  if (auto live = figures()) {
    all.live = *std::move(live);
  } else {
    const std::lock_guard lock(problems_mutex_);
    all.live = last_figures_;
  }
  auto store = store_->figures();
  if (!store) { return text_response(503, store.error().message + "\n"); }
  all.store = *store;
  if (started_all_) {
    all.http = server_->figures();
    const std::lock_guard lock(outputs_mutex_);
    all.outputs = dispatcher_->figures();
  }
  all.resident_bytes = resident_bytes();
  all.started = started_;
  all.now = wall_clock();
  return text_response(200, metrics_text(all));
}

HttpResponse Service::readiness() {
  if (!is_running()) { return text_response(503, "the deciding loop has ended\n"); }
  const std::lock_guard lock(problems_mutex_);
  const auto store = std::ranges::find(problems_, "store", &ServiceProblem::kind);
  return store == problems_.end() ? text_response(200, "ready\n") : text_response(503, "the store cannot be written\n");
}

void Service::look() {
  auto live = loop_->view().figures();
  auto store = store_->figures();
  if (!live || !store) { return; }
  live->lists = feeds_->health();
  std::vector<ServiceProblem> now = watch_->look(*live, *store, wall_clock());
  const std::lock_guard lock(problems_mutex_);
  const auto same = [](const ServiceProblem& left, const ServiceProblem& right) {
    return left.kind == right.kind && left.about == right.about;
  };
  for (const ServiceProblem& problem : now) {
    if (std::ranges::any_of(problems_, [&](const ServiceProblem& known) { return same(known, problem); })) { continue; }
    log_->warn(problem.text, {{"problem", problem.kind}, {"about", problem.about}});
  }
  for (const ServiceProblem& problem : problems_) {
    if (std::ranges::any_of(now, [&](const ServiceProblem& known) { return same(known, problem); })) { continue; }
    log_->info("over: " + problem.text, {{"problem", problem.kind}, {"about", problem.about}});
  }
  problems_ = std::move(now);
}

Result<void> Service::reload(const Config& config) {
  const std::lock_guard lock(lists_mutex_);
  auto lists = all_lists(config, fetched_);
  if (!lists) { return tl::unexpected(lists.error()); }
  if (auto replaced = replace_tokens(config.serve.access.tokens); !replaced) { return replaced; }
  auto changed = loop_->change(live_settings(config), *lists);
  if (!changed) { return tl::unexpected(changed.error()); }
  log_->info(*changed > 0 ? "settings or lists changed" : "settings and lists are as before");
  reload_outputs(config.outputs);
  for (const std::string& key : keys_that_need_a_restart(options_.config, config)) {
    log_->warn("a changed key needs a restart", {{"key", key}});
  }
  {
    const std::lock_guard outputs_lock(outputs_mutex_);
    options_.config = without_restart(options_.config, config);
  }
  return tls_ ? server_->reload_certificate() : Result<void>();
}

// A service that nobody may ask any more is a mistake.
Result<void> Service::replace_tokens(std::vector<TokenGrant> tokens) {
  const bool changed = tokens != options_.config.serve.access.tokens;
  tokens.insert(tokens.end(), own_tokens_.begin(), own_tokens_.end());
  if (tokens.empty() && options_.config.serve.access.issuers.empty()) {
    return fail(ErrorKind::kUsage, "expected somebody who may ask in serve.tokens, found nobody");
  }
  auto replaced = access_->replace_tokens(tokens);
  if (replaced && changed) { log_->info("tokens changed"); }
  return replaced;
}

// ---- stopping ----

Result<void> Service::stop() {
  if (feeds_) { feeds_->stop(); }
  followers_.clear();
  if (server_) {
    server_->stop();
    server_.reset();
  }
  if (loop_thread_.joinable()) {
    loop_->stop();
    loop_thread_.join();
  }
  if (dispatcher_) { dispatcher_->stop(); }  // what is left in the outbox goes out after the next start
  return loop_result_;
}

}  // namespace keyvigil
