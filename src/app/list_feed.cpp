#include "app/list_feed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_descriptor.h"
#include "base/hash.h"
#include "base/percent_coding.h"
#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::size_t kKeptLimitBytes = std::size_t{1} << 30;
constexpr int kPagesLimit = 10'000;
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

std::optional<TaxiiPage> parse_taxii_page(std::string_view json) {
  const auto page = nlohmann::json::parse(json, nullptr, false);
  if (!page.is_object()) { return std::nullopt; }
  TaxiiPage out;
  // An envelope without objects is an empty page.
  if (const auto objects = page.find("objects"); objects != page.end()) {
    if (!objects->is_array()) { return std::nullopt; }
    for (const auto& object : *objects) {
      out.objects.push_back(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
  }
  out.more = page.value("more", nlohmann::json(false)) == true;
  if (const auto next = page.find("next"); next != page.end() && next->is_string()) { out.next = *next; }
  return out;
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

std::string list_name(const ListFeedConfig& config) {
  return config.url.substr(0, config.url.find('?'));
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
  const auto json = nlohmann::json::parse(*about, nullptr, false);
  // A crash between the two files leaves a description of another content: then it is fetched anew.
  if (!json.is_object() || json.value("digest", "") != fmt::format("{:016x}", hash64(*content))) { return; }
  content_ = *std::move(content);
  etag_ = json.value("etag", "");
  last_modified_ = json.value("lastModified", "");
  confirmed_ = parse_iso_time(json.value("confirmed", ""));
}

Result<void> ListFeed::keep() const {
  const nlohmann::ordered_json about = {{"list", name()},
                                        {"digest", fmt::format("{:016x}", hash64(*content_))},
                                        {"etag", etag_},
                                        {"lastModified", last_modified_},
                                        {"confirmed", to_iso_milliseconds(*confirmed_)}};
  if (auto written = write_file(kept_path(".list"), *content_); !written) { return written; }
  return write_file(kept_path(".json"), about.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<HttpAnswer> ListFeed::get(const std::string& url, bool conditional, const std::atomic<bool>* stop) {
  HttpCall call;
  call.stop = stop;
  call.url = url;
  call.ca_file = config_.ca_file;
  call.answer_limit_bytes = config_.limit_bytes;
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
  std::string bundle = R"({"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[)";
  std::string next;
  bool first = true;
  for (int pages = 0; pages < kPagesLimit; ++pages) {
    std::string url = config_.url;
    if (!next.empty()) { url += (url.find('?') == std::string::npos ? "?next=" : "&next=") + percent_encoded(next); }
    auto answer = get(url, false, stop);
    if (!answer) { return tl::unexpected(answer.error()); }
    const auto page = parse_taxii_page(answer->body);
    if (!page) {
      return fail(ErrorKind::kInputOutput,
                  fmt::format("{}: expected a TAXII 2.1 envelope, found something else; is it the address of the "
                              "collection's objects?",
                              name()));
    }
    for (const std::string& object : page->objects) {
      bundle += (first ? "" : ",") + object;
      first = false;
    }
    if (bundle.size() > config_.limit_bytes) {
      return fail(ErrorKind::kLimit,
                  fmt::format("{}: expected at most {} bytes of objects, found more", name(), config_.limit_bytes));
    }
    if (!page->more || page->next.empty()) { return std::optional(bundle + "]}"); }
    next = page->next;
  }
  return fail(ErrorKind::kLimit, fmt::format("{}: expected at most {} pages, found more", name(), kPagesLimit));
}

Result<bool> ListFeed::refresh(EventTime now, const std::atomic<bool>* stop) {
  if (first_asked_.ticks == 0) { first_asked_ = now; }
  const EventTime due_before = next_refresh_;
  next_refresh_ = EventTime{now.ticks + std::min(kRetryTicks, config_.interval_minutes * EventTime::kTicksPerMinute)};
  const std::string etag_before = etag_;
  const std::string last_modified_before = last_modified_;
  auto fetched = config_.taxii ? fetch_collection(stop) : fetch_file(stop);
  Result<void> good;
  if (!fetched) {
    good = tl::unexpected(fetched.error());
  } else if (*fetched) {
    ListOptions options;
    options.role = config_.role;
    if (auto list = parse_threat_list(name(), **fetched, options); !list) { good = tl::unexpected(list.error()); }
  }
  if (!good) {
    etag_ = etag_before;
    last_modified_ = last_modified_before;
    if (stop != nullptr && *stop) { next_refresh_ = due_before; }
    return tl::unexpected(good.error());
  }
  next_refresh_ = EventTime{now.ticks + config_.interval_minutes * EventTime::kTicksPerMinute};
  confirmed_ = now;
  if (*fetched) { candidate_ = **std::move(fetched); }
  if (candidate_ == content_) { candidate_.reset(); }
  return candidate_.has_value();
}

Result<void> ListFeed::accept() {
  CHECK(candidate_ && confirmed_);
  content_ = std::exchange(candidate_, std::nullopt);
  return keep();
}

}  // namespace keyvigil
