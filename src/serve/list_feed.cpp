#include "serve/list_feed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "base/bounded_json.h"
#include "base/check.h"
#include "base/file_descriptor.h"
#include "base/hash.h"
#include "base/percent_coding.h"
#include "intel/list_losses.h"
#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::size_t kKeptLimitBytes = std::size_t{1} << 30;
constexpr int kPagesLimit = 2000;
constexpr std::size_t kObjectTreeBytes = std::size_t{16} << 20;
constexpr std::size_t kNextLimitBytes = 8192;
constexpr std::size_t kEntriesLimit = 2'000'000;  // some 600 MB while they are put in force
constexpr std::int64_t kCallSeconds = 30;
constexpr std::uint64_t kFewEntries = 20;  // a list of so few may lose half of them any day
constexpr std::int64_t kDoubtTicks = EventTime::kTicksPerDay;
constexpr const char* kTaxiiType = "application/taxii+json;version=2.1";
constexpr std::int64_t kRetryTicks = 5 * EventTime::kTicksPerMinute;

// A reader sees the old file or the new one.
Result<void> write_file(const std::string& path, std::string_view bytes) {
  const auto failed = [&path] {
    return fail(ErrorKind::kInputOutput, fmt::format("keeping a list in {}: {}", path, std::strerror(errno)));
  };
  std::string temporary = path + ".XXXXXX";
  {
    const FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!file.valid()) { return failed(); }
    while (!bytes.empty()) {
      const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) { continue; }
      if (written < 0) { return failed(); }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) { return failed(); }
  return {};
}

// Of the elements of a list, behind its opening bracket.
Result<std::vector<std::string_view>> indicators_in(std::string_view elements) {
  std::vector<std::string_view> indicators;
  for (std::string_view element = take_json(elements); !element.empty() && element != "]";
       element = take_json(elements)) {
    if (!element.starts_with('{') || element.find("\"indicator\"") == std::string_view::npos) { continue; }
    if (const std::string excess = json_excess(element, {.tree_bytes = kObjectTreeBytes}); !excess.empty()) {
      return fail(ErrorKind::kLimit, fmt::format("expected STIX objects, found one of {}", excess));
    }
    const auto object = parse_bounded_json(element);
    const auto type = object.find("type");
    if (type != object.end() && *type == "indicator") { indicators.push_back(element); }
  }
  return indicators;
}

auto sort_key(const IpPrefix& prefix) {
  return std::tuple(prefix.base.high, prefix.base.low, prefix.length_bits);
}

std::vector<IpPrefix> prefixes_of(const ThreatList& list) {
  std::vector<IpPrefix> prefixes;
  prefixes.reserve(list.entries.size());
  for (const ListEntry& entry : list.entries) { prefixes.push_back(entry.prefix); }
  std::ranges::sort(prefixes, {}, sort_key);
  const auto same = [](const IpPrefix& left, const IpPrefix& right) { return sort_key(left) == sort_key(right); };
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end(), same), prefixes.end());
  return prefixes;
}

}  // namespace

Result<TaxiiPage> parse_taxii_page(std::string_view json) {
  const auto refuse = [](std::string_view found) {
    return fail(ErrorKind::kInput, fmt::format("expected a TAXII 2.1 envelope, found {}; is it the address of the "
                                               "collection's objects?",
                                               found));
  };
  // The page as a whole is only looked through.
  if (const std::string excess = json_excess(json, {.tree_bytes = SIZE_MAX - 1}); !excess.empty()) {
    return refuse(excess);
  }
  if (!nlohmann::json::accept(json.begin(), json.end())) { return refuse("no JSON"); }
  std::string_view rest = json;
  std::string_view members = take_json(rest);
  if (!members.starts_with('{')) { return refuse("JSON that is no object"); }
  members.remove_prefix(1);
  TaxiiPage page;
  for (std::string_view key = take_json(members); !key.empty() && key != "}"; key = take_json(members)) {
    if (key == ",") { continue; }
    static_cast<void>(take_json(members));  // the colon
    const std::string_view value = take_json(members);
    if (key == "\"objects\"") {
      if (!value.starts_with('[')) { return refuse("objects that are no list"); }
      auto indicators = indicators_in(value.substr(1));
      if (!indicators) { return tl::unexpected(indicators.error()); }
      page.indicators = *std::move(indicators);
    } else if (key == "\"more\"") {
      page.more = value == "true";
    } else if (key == "\"next\"" && value.starts_with('"')) {
      if (value.size() > kNextLimitBytes) { return refuse("a mark of the next page that is too long"); }
      page.next = parse_bounded_json(value).get<std::string>();
    }
  }
  return page;
}

std::string list_difference(const ThreatList& before, const ThreatList& after) {
  const std::vector<IpPrefix> old_ones = prefixes_of(before);
  const std::vector<IpPrefix> new_ones = prefixes_of(after);
  std::size_t gone = 0;
  for (const IpPrefix& prefix : old_ones) {
    gone += std::ranges::binary_search(new_ones, sort_key(prefix), {}, sort_key) ? 0U : 1U;
  }
  const std::size_t kept = old_ones.size() - gone;
  return fmt::format("{} entries, {} new, {} gone", new_ones.size(), new_ones.size() - kept, gone);
}

ListFeed::ListFeed(ListFeedConfig config, std::string folder) : config_(std::move(config)), folder_(std::move(folder)) {
  take_up_kept();
}

bool ListFeed::is_stale(EventTime now) const {
  const EventTime good = confirmed_.value_or(first_asked_);
  return good.ticks != 0 && now.ticks - good.ticks > config_.stale_hours * EventTime::kTicksPerHour;
}

std::string ListFeed::kept_path(std::string_view ending) const {
  return fmt::format("{}/{:016x}{}", folder_, hash64(config_.url), ending);
}

void ListFeed::take_up_kept() {
  auto about = read_whole_file(kept_path(".json"), std::size_t{1} << 20);
  auto content = read_whole_file(kept_path(".list"), kKeptLimitBytes);
  if (!about || !content) { return; }
  const auto json = parse_bounded_json(*about);
  // A crash between the two files leaves a description of another content: then it is fetched anew.
  if (!json.is_object() || json.value("digest", "") != fmt::format("{:016x}", hash64(*content))) { return; }
  content_ = *std::move(content);
  etag_ = json.value("etag", "");
  last_modified_ = json.value("lastModified", "");
  confirmed_ = parse_iso_time(json.value("confirmed", ""));
  entries_ = json.value("entries", std::uint64_t{0});
  shrunk_since_ = parse_iso_time(json.value("shrunkSince", ""));
}

Result<void> ListFeed::keep() const {
  auto written = write_file(kept_path(".list"), *content_);
  return written ? keep_description() : written;
}

Result<void> ListFeed::keep_description() const {
  const nlohmann::ordered_json about = {{"list", name()},
                                        {"digest", fmt::format("{:016x}", hash64(*content_))},
                                        {"entries", entries_},
                                        // That of a candidate is not of what is kept.
                                        {"etag", candidate_ ? "" : etag_},
                                        {"lastModified", candidate_ ? "" : last_modified_},
                                        {"confirmed", to_iso_milliseconds(*confirmed_)},
                                        {"shrunkSince", shrunk_since_ ? to_iso_milliseconds(*shrunk_since_) : ""}};
  return write_file(kept_path(".json"), about.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<HttpAnswer> ListFeed::get(const std::string& url, bool conditional, const std::atomic<bool>* stop) {
  HttpCall call;
  call.stop = stop;
  call.url = url;
  call.ca_file = config_.ca_file;
  call.answer_limit_bytes = config_.limit_bytes;
  call.timeout_seconds = std::min(kCallSeconds, config_.fetch_seconds);
  call.headers.emplace_back("accept", config_.taxii ? kTaxiiType : "*/*");
  if (!config_.authorization.empty()) { call.headers.emplace_back("authorization", config_.authorization); }
  if (conditional && !etag_.empty()) { call.headers.emplace_back("if-none-match", etag_); }
  if (conditional && !last_modified_.empty()) { call.headers.emplace_back("if-modified-since", last_modified_); }
  auto answer = client_.send(call);
  if (answer && answer->status != 200 && answer->status != 304) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("{}: expected a list, was answered with status {}; check the address and the authorization",
                            name(), answer->status));
  }
  return answer;
}

// Nothing: it is as it was.
Result<std::optional<std::string>> ListFeed::fetch_file(const std::atomic<bool>* stop) {
  auto answer = get(config_.url, content_ || candidate_, stop);
  if (!answer) { return tl::unexpected(answer.error()); }
  if (answer->status == 304) { return std::optional<std::string>{}; }
  etag_ = answer->header("etag");
  last_modified_ = answer->header("last-modified");
  return std::optional(std::move(answer->body));
}

Result<std::optional<std::string>> ListFeed::fetch_collection(const std::atomic<bool>* stop) {
  const auto too_much = [this](const std::string& expected) {
    return fail(ErrorKind::kLimit, fmt::format("{}: expected at most {}, found more", name(), expected));
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(config_.fetch_seconds);
  std::string bundle = R"({"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[)";
  std::string next;
  bool first = true;
  for (int pages = 0; pages < kPagesLimit; ++pages) {
    if (std::chrono::steady_clock::now() >= end) {
      return too_much(fmt::format("{} seconds for all pages of a collection", config_.fetch_seconds));
    }
    std::string url = config_.url;
    if (!next.empty()) { url += (url.find('?') == std::string::npos ? "?next=" : "&next=") + percent_encoded(next); }
    auto answer = get(url, false, stop);
    if (!answer) { return tl::unexpected(answer.error()); }
    auto page = parse_taxii_page(answer->body);
    if (!page) { return fail(page.error().kind, fmt::format("{}: {}", name(), page.error().message)); }
    for (const std::string_view object : page->indicators) {
      bundle += first ? "" : ",";
      bundle += object;
      first = false;
    }
    if (bundle.size() > config_.limit_bytes) {
      return too_much(fmt::format("{} bytes of objects", config_.limit_bytes));
    }
    if (!page->more || page->next.empty()) { return std::optional(bundle + "]}"); }
    next = std::move(page->next);
  }
  return too_much(fmt::format("{} pages", kPagesLimit));
}

Result<bool> ListFeed::refresh(EventTime now, const std::atomic<bool>* stop, std::mutex* turn) {
  if (first_asked_.ticks == 0) { first_asked_ = now; }
  const EventTime due_before = next_refresh_;
  next_refresh_ = EventTime{now.ticks + std::min(kRetryTicks, config_.interval_minutes * EventTime::kTicksPerMinute)};
  const std::string etag_before = etag_;
  const std::string last_modified_before = last_modified_;
  auto fetched = config_.taxii ? fetch_collection(stop) : fetch_file(stop);
  std::unique_lock<std::mutex> my_turn;
  if (turn != nullptr) { my_turn = std::unique_lock(*turn); }
  Result<void> good;
  if (!fetched) {
    good = tl::unexpected(fetched.error());
  } else if (*fetched) {
    good = judge(**std::move(fetched), now);
  }
  if (!good) {
    etag_ = etag_before;
    last_modified_ = last_modified_before;
    if (stop != nullptr && *stop) { next_refresh_ = due_before; }
    return tl::unexpected(good.error());
  }
  next_refresh_ = EventTime{now.ticks + config_.interval_minutes * EventTime::kTicksPerMinute};
  confirmed_ = now;
  return candidate_.has_value();
}

// Makes what came the candidate, unless it is what is in force.
Result<void> ListFeed::judge(std::string fetched, EventTime now) {
  const auto list = parse_threat_list(name(), fetched, list_options());
  if (!list) { return tl::unexpected(list.error()); }
  if (list->entries.empty() && refused_total(*list) > 0) {
    return fail(ErrorKind::kInput, fmt::format("{}: expected a list of addresses, found none that can be used: {}",
                                               name(), losses_of(*list)));
  }
  candidate_entries_ = list->entries.size();
  if (fetched == content_) {
    candidate_.reset();
  } else {
    candidate_ = std::move(fetched);
  }
  const bool known = shrunk_since_.has_value();
  if (!candidate_ || !has_shrunk()) {
    shrunk_since_.reset();
  } else if (!known) {
    shrunk_since_ = now;
  }
  if (known == shrunk_since_.has_value()) { return {}; }
  confirmed_ = now;
  return keep_description();
}

bool ListFeed::has_shrunk() const {
  return entries_ > 0 && (candidate_entries_ == 0 || (entries_ >= kFewEntries && candidate_entries_ < entries_ / 2));
}

std::string ListFeed::doubt(EventTime now) const {
  CHECK(candidate_);
  if (config_.may_shrink || !shrunk_since_ || now.ticks - shrunk_since_->ticks >= kDoubtTicks) { return {}; }
  return fmt::format(
      "{}: the list has shrunk from {} to {} entries and is held back until {}, unless it grows again; "
      "if it is right, say `may_shrink: true` for it",
      name(), entries_, candidate_entries_, to_iso_milliseconds({shrunk_since_->ticks + kDoubtTicks}));
}

ListOptions ListFeed::list_options() const {
  ListOptions options;
  options.role = config_.role;
  options.json_tree_bytes = config_.json_tree_bytes;
  options.entries_limit = kEntriesLimit;
  return options;
}

Result<void> ListFeed::accept() {
  CHECK(candidate_ && confirmed_);
  content_ = std::exchange(candidate_, std::nullopt);
  entries_ = candidate_entries_;
  shrunk_since_.reset();
  return keep();
}

}  // namespace keyvigil
