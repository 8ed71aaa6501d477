#include "source/blob_container.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <pugixml.hpp>
#include <utility>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/hmac.h"
#include "base/percent_coding.h"
#include "source/find_inputs.h"

namespace keyvigil {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kServiceVersion = "2021-12-02";
constexpr const char* kPageBlobs = "5000";
constexpr std::size_t kAnswerLimitBytes = std::size_t{512} << 20;
constexpr std::size_t kPageLimitBytes = std::size_t{32} << 20;  // of the XML of kPageBlobs blobs
constexpr std::array<const char*, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct ContainerPlace {
  std::string origin;  // scheme://host:port
  std::string path;    // /container or /account/container, as in the URL
  std::string account;
  Pairs sas;  // decoded
};

// A SAS that was copied by hand may hold a percent sign as it stands.
std::string decoded(std::string_view text) {
  return percent_decoded(text).value_or(std::string(text));
}

Pairs parse_query(std::string_view query) {
  Pairs pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    const std::size_t equal = std::min(item.find('='), item.size());
    if (!item.empty()) {
      pairs.emplace_back(decoded(item.substr(0, equal)),
                         equal < item.size() ? decoded(item.substr(equal + 1)) : std::string{});
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return pairs;
}

std::string to_query(const Pairs& pairs) {
  std::string query;
  for (const auto& [name, value] : pairs) {
    query += query.empty() ? '?' : '&';
    query += percent_encoded(name) + "=" + percent_encoded(value);
  }
  return query;
}

// An emulator has the account as the first part of the path, since its host is an address.
bool is_path_style(std::string_view host) {
  const std::string_view name = host.substr(0, host.rfind(':'));
  return name == "localhost" || host.starts_with('[') ||
         name.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<ContainerPlace> parse_container_url(const std::string& url) {
  ContainerPlace place;
  place.origin = origin_of(url);
  const std::size_t scheme = url.find("://");
  const std::string_view after =
      scheme == std::string::npos ? std::string_view{} : std::string_view(url).substr(scheme + 3);
  const std::size_t slash = after.find('/');
  const std::size_t question = after.find('?');
  const bool known = url.starts_with("https://") || url.starts_with("http://");
  const std::string_view host = after.substr(0, slash);
  place.path = slash < question ? std::string(after.substr(slash, question - slash)) : std::string{};
  while (place.path.size() > 1 && place.path.back() == '/') { place.path.pop_back(); }
  if (question != std::string_view::npos) { place.sas = parse_query(after.substr(question + 1)); }
  const auto parts = std::ranges::count(place.path, '/');
  const bool path_style = is_path_style(host);
  if (!known || host.empty() || place.path.size() < 2 || parts != (path_style ? 2 : 1)) {
    return fail(ErrorKind::kUsage,
                fmt::format("expected the URL of a blob container, https://ACCOUNT.blob.core.windows.net/CONTAINER"
                            "[?SAS], found one at {} that does not look so",
                            place.origin));
  }
  place.account = path_style ? place.path.substr(1, place.path.find('/', 1) - 1)
                             : std::string(host.substr(0, host.find_first_of(".:")));
  return place;
}

// RFC 1123, as x-ms-date wants it. 1970-01-01 was a Thursday.
std::string http_date(EventTime time) {
  const CivilTime civil = to_civil(time);
  const std::int64_t weekday = ((time.day() % 7) + 11) % 7;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[static_cast<std::size_t>(weekday)],
                     civil.day, kMonths[static_cast<std::size_t>(civil.month - 1)], civil.year, civil.hour,
                     civil.minute, civil.second);
}

}  // namespace

std::string shared_key_text(SharedKeyRequest request) {
  std::ranges::sort(request.headers);
  for (auto& [name, value] : request.query) { name = lower_case(name); }
  std::ranges::sort(request.query);
  // Eleven standard headers, none of which is sent.
  std::string text = request.method + std::string(12, '\n');
  for (const auto& [name, value] : request.headers) { text += name + ":" + value + "\n"; }
  text += "/" + request.account + request.path;
  for (const auto& [name, value] : request.query) { text += "\n" + name + ":" + value; }
  return text;
}

std::optional<BlobPage> parse_blob_page(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) { return std::nullopt; }
  const pugi::xml_node root = document.child("EnumerationResults");
  if (!root || !root.child("Blobs")) { return std::nullopt; }
  BlobPage page;
  for (const pugi::xml_node blob : root.child("Blobs").children("Blob")) {
    const pugi::xml_node properties = blob.child("Properties");
    const pugi::xml_node name = blob.child("Name");
    FollowedItem item;
    item.name = name.attribute("Encoded").as_bool() ? decoded(name.text().get()) : name.text().get();
    item.size_bytes = properties.child("Content-Length").text().as_ullong();
    const pugi::xml_node created = properties.child("Creation-Time");
    item.mark = created ? created.text().get() : properties.child("Etag").text().get();
    item.not_before = blob_path_time(item.name);
    if (!item.name.empty()) { page.items.push_back(std::move(item)); }
  }
  page.next_marker = root.child("NextMarker").text().get();
  return page;
}

Result<BlobContainer> BlobContainer::open(BlobContainerOptions options, std::function<EventTime()> now) {
  auto place = parse_container_url(options.url);
  if (!place) { return tl::unexpected(place.error()); }
  BlobContainer container;
  container.origin_ = std::move(place->origin);
  container.path_ = std::move(place->path);
  container.account_ = std::move(place->account);
  container.sas_ = std::move(place->sas);
  if (!options.key.empty()) {
    auto key = base64_decoded(options.key);
    if (!key) {
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: expected the account's key in base64, found something else", container.name()));
    }
    container.key_ = *std::move(key);
  }
  if (container.key_.empty() && container.sas_.empty()) {
    return fail(ErrorKind::kUsage,
                fmt::format("{}: expected a SAS in the URL or the account's key, found neither", container.name()));
  }
  container.options_ = std::move(options);
  container.now_ = std::move(now);
  return container;
}

FollowAccess BlobContainer::access() {
  return {.list = [this]() -> Result<FollowedList> {
            auto items = list();
            if (!items) { return tl::unexpected(items.error()); }
            FollowedList list;
            list.items = *std::move(items);
            return list;
          },
          .read = [this](const FollowedItem& item, std::uint64_t from,
                         std::size_t most) { return read(item, from, most); }};
}

Result<std::vector<FollowedItem>> BlobContainer::list() {
  std::vector<FollowedItem> items;
  std::string marker;
  do {
    Pairs query = {{"restype", "container"}, {"comp", "list"}, {"maxresults", kPageBlobs}};
    if (!options_.prefix.empty()) { query.emplace_back("prefix", options_.prefix); }
    if (!marker.empty()) { query.emplace_back("marker", marker); }
    auto answer = get(path_, std::move(query), {});
    if (!answer) { return tl::unexpected(answer.error()); }
    if (answer->status != 200) { return refused(*answer, "listing the container"); }
    if (answer->body.size() > kPageLimitBytes) {
      return fail(ErrorKind::kLimit, fmt::format("{}: expected a list of blobs of at most {} bytes, found {}", name(),
                                                 kPageLimitBytes, answer->body.size()));
    }
    auto page = parse_blob_page(answer->body);
    if (!page) {
      return fail(ErrorKind::kInputOutput, fmt::format("{}: expected a list of blobs, found something else", name()));
    }
    std::ranges::move(page->items, std::back_inserter(items));
    marker = std::move(page->next_marker);
  } while (!marker.empty() && items.size() < options_.blobs_limit);
  return items;
}

FollowedBytes BlobContainer::read(const FollowedItem& item, std::uint64_t from, std::size_t most) {
  if (most == 0) { return std::string{}; }
  const auto failed = [](ReadFailure::Kind kind, std::string why) {
    return tl::unexpected(ReadFailure{kind, std::move(why)});
  };
  auto answer = get(path_ + "/" + percent_encoded(item.name, "/"), {},
                    {{"x-ms-range", fmt::format("bytes={}-{}", from, from + most - 1)}});
  if (!answer) { return failed(ReadFailure::Kind::kAccess, answer.error().message); }
  if (answer->status == 416) { return std::string{}; }  // it has become shorter: the next list shows it
  if (answer->status == 404 || answer->status == 410) { return failed(ReadFailure::Kind::kGone, "deleted"); }
  const bool is_own = answer->status == 403 || answer->status == 409 || answer->status == 412;
  if (is_own) {
    return failed(ReadFailure::Kind::kItem,
                  fmt::format("answered with status {} ({}); check its access tier, and that the SAS or the key allows "
                              "to read it",
                              answer->status, answer->header("x-ms-error-code")));
  }
  if (answer->status != 206 && answer->status != 200) {
    return failed(ReadFailure::Kind::kAccess, refused(*answer, "reading a blob").value().message);
  }
  // 200: the range was not looked at.
  if (answer->status == 200) { return answer->body.substr(std::min<std::size_t>(from, answer->body.size()), most); }
  return std::move(answer->body);
}

Result<HttpAnswer> BlobContainer::get(const std::string& path, Pairs query, Pairs headers) {
  headers.emplace_back("x-ms-version", kServiceVersion);
  if (key_.empty()) {
    std::ranges::copy(sas_, std::back_inserter(query));
  } else {
    headers.emplace_back("x-ms-date", http_date(now_()));
    const std::string text = shared_key_text({"GET", account_, path, query, headers});
    headers.emplace_back("authorization", fmt::format("SharedKey {}:{}", account_, base64(hmac_sha256(key_, text))));
  }
  HttpCall call;
  call.url = origin_ + path + to_query(query);
  call.headers = std::move(headers);
  call.ca_file = options_.ca_file;
  call.answer_limit_bytes = kAnswerLimitBytes;
  return client_.send(call);
}

tl::unexpected<Error> BlobContainer::refused(const HttpAnswer& answer, std::string_view what) const {
  return fail(ErrorKind::kInputOutput,
              fmt::format("{}: {} was answered with status {} ({}); check that the SAS or the key is valid and allows "
                          "to list and to read",
                          name(), what, answer.status, answer.header("x-ms-error-code")));
}

}  // namespace keyvigil
