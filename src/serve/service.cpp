#include "serve/service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
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
#include "base/check.h"
#include "base/file_descriptor.h"
#include "serve/host_name.h"
#include "serve/service_secrets.h"
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

// A service that nobody may ask is a mistake.
Result<Access> usable_access(AccessOptions options) {
  if (options.tokens.empty() && options.issuers.empty()) {
    return fail(ErrorKind::kUsage,
                "expected somebody who may ask: serve.tokens (make one with `keyvigil token new`) or serve.issuers in "
                "the configuration, or --dev to try it on this machine");
  }
  return Access::make(std::move(options));
}

Result<std::vector<ListFeedConfig>> list_feeds(const std::vector<FeedConfig>& feeds) {
  std::vector<ListFeedConfig> configs;
  for (const FeedConfig& feed : feeds) {
    auto config = list_feed(feed);
    if (!config) { return tl::unexpected(config.error()); }
    configs.push_back(*std::move(config));
  }
  return configs;
}

constexpr std::string_view kConfigurationProblem = "configuration";

ServiceProblem not_reloaded(const std::string& why) {
  return {std::string(kConfigurationProblem), "", "not reloaded, the configuration before stays in force: " + why};
}

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
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
  if (auto there = check_secrets(options_.config); !there) { return tl::unexpected(there.error()); }
  if (auto opened = open_store_and_loop(); !opened) { return tl::unexpected(opened.error()); }
  if (auto prepared = prepare_access(greeting); !prepared) { return tl::unexpected(prepared.error()); }
  add_routes();
  if (auto listening = listen(greeting); !listening) { return tl::unexpected(listening.error()); }
  if (auto following = follow_inputs(); !following) { return tl::unexpected(following.error()); }
  feeds_->start();
  dispatcher_ = std::make_unique<OutboxDispatcher>(outbox_of(*store_), options_.config.outputs, rendering_, host_name(),
                                                   wall_clock, output_log());
  dispatcher_->start();
  bury_orphans();
  started_all_ = true;
  return greeting;
}

StoreOptions Service::store_options() const {
  const ServeConfig& serve = options_.config.serve;
  StoreOptions store_options;
  store_options.journal_limit_bytes = static_cast<std::uint64_t>(serve.journal_limit_mebibytes) * kMebibyte;
  store_options.alert_retention_days = serve.alert_retention_days;
  store_options.audit_retention_days = serve.audit_retention_days;
  store_options.events.retention_days = serve.event_retention_days;
  store_options.events.bytes = static_cast<std::uint64_t>(serve.event_limit_mebibytes) * kMebibyte;
  store_options.on_commit = options_.on_commit;
  return store_options;
}

IngestLimits Service::ingest_limits() const {
  const ServeConfig& serve = options_.config.serve;
  IngestLimits limits;
  limits.plain_bytes = static_cast<std::uint64_t>(serve.decompressed_limit_mebibytes) * kMebibyte;
  limits.waiting_bytes = static_cast<std::uint64_t>(serve.journal_limit_mebibytes) * kMebibyte / 4;
  return limits;
}

std::size_t Service::body_limit_bytes() const {
  return static_cast<std::size_t>(options_.config.serve.body_limit_mebibytes) * kMebibyte;
}

WatchLimits Service::watch_limits() const {
  return {options_.config.serve.silent_minutes, options_.config.serve.lag_seconds};
}

Result<void> Service::open_store_and_loop() {
  const ServeConfig& serve = options_.config.serve;
  auto store = Store::open(serve.store, store_options());
  if (!store && store.error().kind == ErrorKind::kNoRoom) {
    return fail(
        ErrorKind::kNoRoom,
        fmt::format("expected room to open the store '{}', found the disk full; free some space and start again",
                    serve.store));
  }
  if (!store) { return tl::unexpected(store.error()); }
  store_ = *std::move(store);
  take_back_orphans();

  std::optional<Checkpoint> state;
  if (!options_.state.empty()) {
    auto read = read_checkpoint(options_.state);
    if (!read) { return tl::unexpected(read.error()); }
    state = *std::move(read);
  }
  if (auto opened = open_feeds(); !opened) { return opened; }
  auto lists = all_lists(options_.config, feeds_->kept());
  if (!lists) { return tl::unexpected(lists.error()); }

  LiveOptions live;
  live.threads = options_.threads;
  live.waiting_room.folder = options_.temporary_folder;
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
  // What there is no room for now is no reason to keep anybody from reading: it is tried again.
  auto opened = loop_->open(state, live_settings(options_.config), lists->archive);
  if (!opened && opened.error().kind != ErrorKind::kNoRoom) { return opened; }
  door_.emplace(*loop_, clock_doubt_, ingest_limits(), wall_clock);
  watch_.emplace(watch_limits(), started_);
  std::function<Result<void>()> open_again;
  if (!opened) {
    open_again = [this, state = std::move(state), lists = std::move(lists->archive)] {
      return loop_->open(state, live_settings(options_.config), lists);
    };
  }
  loop_thread_ = std::thread([this, open_again = std::move(open_again)]() mutable {
    loop_result_ = run_loop(std::exchange(open_again, nullptr));
    loop_ended_ = true;
  });
  return {};
}

Result<void> Service::run_loop(std::function<Result<void>()> open_again) {
  while (open_again) {
    if (!loop_->wait_for_room()) { return {}; }  // nothing was begun
    auto opened = open_again();
    if (!opened && opened.error().kind != ErrorKind::kNoRoom) { return opened; }
    if (opened) { open_again = nullptr; }
  }
  return loop_->run();
}

// ---- lists and inputs ----

Result<void> Service::open_feeds() {
  auto configs = list_feeds(options_.config.lists.feeds);
  if (!configs) { return tl::unexpected(configs.error()); }
  ListFeedDoors doors;
  doors.put_in_force = [this](const std::vector<FetchedList>& lists, const std::string& fresh) {
    return put_in_force(lists, fresh);
  };
  doors.tell = [this](const std::string& text) { log_->info(text); };
  doors.now = wall_clock;
  auto feeds = ListFeeds::open(*std::move(configs), options_.config.serve.store + ".lists", std::move(doors));
  if (!feeds) { return tl::unexpected(feeds.error()); }
  feeds_ = *std::move(feeds);
  return {};
}

Result<Service::UsableLists> Service::all_lists(const Config& config, const std::vector<FetchedList>& fetched) {
  auto lists = read_lists(config.lists);
  if (!lists) { return tl::unexpected(lists.error()); }
  for (const FetchedList& list : fetched) { lists->files.push_back({list.role, list.name, list.content}); }
  // Lists that cannot be used are refused now, not in the loop.
  auto book = address_book(*lists);
  if (!book) { return tl::unexpected(book.error()); }
  return UsableLists{*std::move(lists), *std::move(book)};
}

// Called by the thread of the feeds.
Result<void> Service::put_in_force(const std::vector<FetchedList>& fetched, const std::string& fresh) {
  auto lists = all_lists(options_.config, fetched);
  if (!lists) { return tl::unexpected(lists.error()); }
  if (auto plausible = hold_back_doubtful(lists->book, fresh); !plausible) { return plausible; }
  auto changed = loop_->change(live_settings(options_.config), lists->archive);
  if (!changed) { return tl::unexpected(changed.error()); }
  // It is in force, whatever becomes of the line.
  if (auto kept = store_->audit({wall_clock(), "feed", "", "lists.change", fresh, "done"}); !kept) {
    log_->warn(kept.error().message);
  }
  return {};
}

// A list from elsewhere that would make a fifth of the callers suspicious is more likely wrong than right.
Result<void> Service::hold_back_doubtful(const AddressBook& book, const std::string& fresh) {
  auto callers = loop_->callers();
  if (!callers) { return tl::unexpected(callers.error()); }
  for (const CallerAddresses& of_estate : *callers) {
    for (const ListReach& reach : of_estate.reach_of(book)) {
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
  inputs_.emplace(*store_, *loop_, clock_doubt_, wall_clock, [this](const std::string& input, const std::string& text) {
    log_->warn(text, {{"input", input}});
  });
  auto wanted = inputs_->prepare(options_.config.serve.inputs);
  if (!wanted) { return tl::unexpected(wanted.error()); }
  InputChanges changes;
  const auto changed = inputs_->change(*std::move(wanted), changes);
  tell_inputs(changes, changed);
  return {};
}

void Service::tell_inputs(const InputChanges& changes, const Result<void>& changed) {
  for (const std::string& name : changes.stopped) { log_->info("input stopped", {{"input", name}}); }
  for (const std::string& name : changes.restarted) { log_->info("input restarted", {{"input", name}}); }
  for (const std::string& name : changes.started) { log_->info("input started", {{"input", name}}); }
  if (!changed) { log_->warn(changed.error().message); }
}

// ---- outputs ----

OutputLog Service::output_log() const {
  return [this](const OutputNotice& notice) {
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
}

// What a mistake in the configuration cost an output, where it was seen soon.
void Service::take_back_orphans() {
  const auto taken_back = store_->take_back_orphans(output_names(options_.config.outputs, takes_new), wall_clock());
  if (!taken_back) {
    log_->warn(taken_back.error().message);
  } else if (*taken_back > 0) {
    log_->info("an output is configured again, and what waited for it goes out",
               {{"revisions", fmt::format("{}", *taken_back)}});
  }
}

// Nobody would ever deliver it. A checkpoint that was being made may still add some: it is done at each look().
void Service::bury_orphans() {
  const std::vector<std::string> names = output_names(options_.config.outputs, takes_new);
  const auto buried = store_->bury_orphans(names, wall_clock());
  if (!buried) {
    log_->warn(buried.error().message);
    return;
  }
  for (const OrphanedRevisions& one : *buried) {
    log_->warn("what waited for an output that is no longer configured is a dead letter now",
               {{"output", one.output}, {"revisions", fmt::format("{}", one.revisions)}});
    const std::lock_guard lock(problems_mutex_);
    orphaned_revisions_ += one.revisions;
  }
}

// ---- access ----

AccessOptions Service::all_access(const ServeConfig& serve) const {
  AccessOptions options = access_options(serve.access);
  options.tokens.insert(options.tokens.end(), own_tokens_.begin(), own_tokens_.end());
  return options;
}

Result<void> Service::prepare_access(ServiceGreeting& greeting) {
  const ServeConfig& serve = options_.config.serve;
  tls_ = serve.tls;
  if (options_.dev) {
    if (auto prepared = prepare_dev(greeting); !prepared) { return prepared; }
  }
  auto access = usable_access(all_access(serve));
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
  own_tokens_.push_back(std::move(grant));
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
  // Two of the largest bodies get in: half of the room is one principal's.
  options.limits.bodies_bytes = std::max(options.limits.bodies_bytes, 2 * body_limit_bytes());
  HttpServerParts parts;
  parts.now = wall_clock;
  parts.audit = [this](const AuditLine& line) {
    if (auto kept = store_->audit(line); !kept) { log_->warn(kept.error().message); }
  };
  parts.report = [this](const std::string& text) { warn_seldom(text); };
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
  router_.add("GET", "/metrics", Role::kReader, [this](const HttpRequest& request) { return metrics(request); });
  forget_input_ = [this](const std::string& input, const AuditLine& audit) {
    auto forgotten = door_->forget(input);
    if (!forgotten || !*forgotten) { return forgotten; }
    if (auto kept = store_->audit(audit); !kept) { log_->warn(kept.error().message); }
    return forgotten;
  };
  add_ingest_routes(router_, {ingest_, forget_input_, body_limit_bytes()});
  const Report report = [this](const std::string& text) { warn_seldom(text); };
  const auto sample_outputs = [this] {
    const std::lock_guard lock(outputs_mutex_);
    return output_names(options_.config.outputs, &OutputFilter::simulated);
  };
  add_arm_routes(router_, {*store_, rendering_, sample_outputs, report, &live_});
  const auto outputs = [this] {
    const std::lock_guard lock(outputs_mutex_);
    return output_names(options_.config.outputs, takes_new);
  };
  add_v1_routes(router_, {*store_, rendering_, live_, outputs, report});
  add_graph_routes(router_, {*store_, rendering_, report, &live_});
}

// ---- running ----

Result<LiveFigures> Service::figures() {
  auto figures = loop_->view().figures();
  const std::lock_guard lock(problems_mutex_);
  if (figures) {
    add_what_the_loop_does_not_know(*figures);
    figures->problems = problems_;
    last_figures_ = *figures;
    return figures;
  }
  // A loop that waits for room to begin answers nothing; that it waits is what is to be known.
  if (loop_->obstacle().empty()) { return figures; }
  LiveFigures waiting = last_figures_;
  waiting.problems = problems_;
  return waiting;
}

void Service::warn_seldom(const std::string& text) {
  if (const auto said = repeated_.admit(text, wall_clock())) { log_->warn(*said); }
}

void Service::add_what_the_loop_does_not_know(LiveFigures& figures) const {
  figures.lists = feeds_->health();
  const ClockDoubt::Held held = clock_doubt_.held(wall_clock());
  figures.clock_held = held.pieces;
  figures.clock_lead_ticks = held.lead_ticks;
  figures.clock_holds = held.holds;
}

HttpResponse Service::metrics(const HttpRequest& request) {
  if (request.principal.subscriptions) { return metrics_of(*request.principal.subscriptions); }
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
  {
    const std::lock_guard lock(problems_mutex_);
    all.orphaned_revisions = orphaned_revisions_;
    all.reloads = reloads_;
  }
  all.warnings_left_out = repeated_.left_out();
  all.resident_bytes = resident_bytes();
  all.started = started_;
  all.now = wall_clock();
  return text_response(200, metrics_text(all));
}

// Inputs, outputs and the machine are nobody's own.
HttpResponse Service::metrics_of(const std::set<std::string>& subscriptions) {
  AlertFilter filter;
  filter.subscriptions = subscriptions;
  const auto alerts = store_->count_by_type(filter);
  return alerts ? text_response(200, metrics_text(*alerts)) : text_response(503, "the store cannot be read\n");
}

HttpResponse Service::readiness() {
  if (!is_running()) { return text_response(503, "the deciding loop has ended\n"); }
  if (!store_->check_place()) { return text_response(503, "the store was removed or replaced\n"); }
  if (!loop_->obstacle().empty()) { return text_response(503, "there is no room for input\n"); }
  const std::lock_guard lock(problems_mutex_);
  const auto store = std::ranges::find(problems_, "store", &ServiceProblem::kind);
  return store == problems_.end() ? text_response(200, "ready\n") : text_response(503, "the store cannot be written\n");
}

std::vector<OutputFigures> Service::output_figures() const {
  if (!started_all_) { return {}; }
  const std::lock_guard lock(outputs_mutex_);
  return dispatcher_->figures();
}

void Service::look() {
  auto live = loop_->view().figures();
  auto store = store_->figures();
  std::vector<ServiceProblem> now;
  if (live && store) {
    add_what_the_loop_does_not_know(*live);
    bury_orphans();
    door_->forget_unused();
    now = watch_->look(*live, *store, output_figures(), wall_clock());
  } else if (std::string why = loop_->obstacle(); !why.empty()) {
    now.push_back({"store", "room", std::move(why)});
  } else {
    return;
  }
  if (auto there = store_->check_place(); !there) { now.push_back({"store", "place", there.error().message}); }
  const std::lock_guard lock(problems_mutex_);
  if (!reloads_.failure.empty()) { now.push_back(not_reloaded(reloads_.failure)); }
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

// ---- reloading ----

void Service::reload(const Result<Config>& config) {
  feeds_->stop();
  const auto changes = take_over(config);
  feeds_->start();
  tell_reload(changes);
  if (!changes) { return; }
  if (auto fetched = access_->fetch_keys(wall_clock()); !fetched) { log_->warn(fetched.error().message); }
}

Result<ConfigChanges> Service::take_over(const Result<Config>& config) {
  if (!config) { return tl::unexpected(config.error()); }
  auto ready = prepare(*config);
  if (!ready) { return tl::unexpected(ready.error()); }
  // The only step that can fail now, and the first one: the store may be full.
  auto journalled = loop_->change(live_settings(ready->config), ready->lists);
  if (!journalled) { return tl::unexpected(journalled.error()); }
  ConfigChanges changes = ready->changes;
  if (*journalled > 0) { log_->info("settings or lists changed"); }
  put_in_force(*std::move(ready));
  return changes;
}

Result<Service::Reload> Service::prepare(const Config& config) const {
  Reload ready;
  ready.changes = config_changes(options_.config, config);
  ready.config = without_restart(options_.config, config);
  const ServeConfig& serve = ready.config.serve;
  if (auto there = check_secrets(ready.config); !there) { return tl::unexpected(there.error()); }
  auto feeds = list_feeds(ready.config.lists.feeds);
  if (!feeds) { return tl::unexpected(feeds.error()); }
  ready.feeds = *std::move(feeds);
  auto lists = all_lists(ready.config, feeds_->kept_with(ready.feeds));
  if (!lists) { return tl::unexpected(lists.error()); }
  ready.lists = std::move(lists->archive);
  ready.access = all_access(serve);
  if (auto access = usable_access(ready.access); !access) { return tl::unexpected(access.error()); }
  if (const auto& files = serve.tls ? serve.tls : tls_) {
    if (auto checked = check_certificate(*files); !checked) { return tl::unexpected(checked.error()); }
  }
  auto inputs = inputs_->prepare(serve.inputs);
  if (!inputs) { return tl::unexpected(inputs.error()); }
  ready.inputs = *std::move(inputs);
  return ready;
}

// Nothing of it is refused any more; what fails all the same is said, and the rest goes on.
void Service::put_in_force(Reload reload) {
  {
    const std::lock_guard lock(outputs_mutex_);
    options_.config = std::move(reload.config);
    dispatcher_->replace(options_.config.outputs);
  }
  const ServeConfig& serve = options_.config.serve;
  feeds_->replace(std::move(reload.feeds));
  if (auto replaced = access_->replace(std::move(reload.access)); !replaced) { log_->warn(replaced.error().message); }
  if (serve.tls) { tls_ = serve.tls; }
  if (tls_) {
    if (auto read = server_->reload_certificate(*tls_); !read) { log_->warn(read.error().message); }
  }
  take_back_orphans();
  loop_->send_to(output_names(options_.config.outputs, takes_new),
                 output_names(options_.config.outputs, &OutputFilter::backfilled));
  bury_orphans();
  loop_->change_upkeep(serve.idle_seconds, serve.checkpoint_seconds, serve.event_retention_days > 0);
  store_->change_limits(store_options());
  door_->limit_to(ingest_limits());
  watch_->limit_to(watch_limits());
  InputChanges changes;
  const auto changed = inputs_->change(std::move(reload.inputs), changes);
  tell_inputs(changes, changed);
}

// Counted last: who waits for the count finds the rest.
void Service::tell_reload(const Result<ConfigChanges>& changes) {
  const EventTime now = wall_clock();
  const std::string refused = changes ? std::string() : changes.error().message;
  const std::string target = changes ? joined(changes->taken_over) : "";
  if (auto kept = store_->audit({now, "signal", "", "configuration.reload", target, changes ? "done" : refused});
      !kept) {
    log_->warn(kept.error().message);
  }
  if (changes) {
    log_->info("configuration reloaded", {{"changed", target}});
    for (const std::string& key : changes->need_restart) {
      log_->warn(fmt::format("{} was changed, which takes a restart: until then the value of the start holds", key),
                 {{"key", key}});
    }
  } else {
    log_->error(not_reloaded(refused).text);
  }
  const std::lock_guard lock(problems_mutex_);
  ++(changes ? reloads_.done : reloads_.refused);
  reloads_.last = now;
  reloads_.failure = refused;
  std::erase_if(problems_, [](const ServiceProblem& problem) { return problem.kind == kConfigurationProblem; });
  if (!changes) { problems_.push_back(not_reloaded(refused)); }
}

// ---- stopping ----

Result<void> Service::stop() {
  if (feeds_) { feeds_->stop(); }
  if (inputs_) { inputs_->stop(); }
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
