#include "client/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/ascii.h"

namespace keyvigil {
namespace {

constexpr std::size_t kHeadersLimit = 256;
constexpr std::size_t kHeaderLimitBytes = 16'384;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) { return {}; }
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool has_line_end(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// What a transfer collects; curl's C callbacks get a pointer to it.
struct Transfer {
  HttpAnswer answer;
  std::size_t limit_bytes = 0;
  bool over_limit = false;
};

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  const std::size_t total = size * count;
  if (total > transfer.limit_bytes - transfer.answer.body.size()) {
    transfer.over_limit = true;
    return 0;
  }
  transfer.answer.body.append(bytes, total);
  return total;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& answer = static_cast<Transfer*>(to)->answer;
  const std::size_t total = size * count;
  const std::string_view line(bytes, total);
  if (line.starts_with("HTTP/")) {
    answer.headers.clear();  // of an interim answer, such as 100
    return total;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || total > kHeaderLimitBytes || answer.headers.size() >= kHeadersLimit) {
    return total;
  }
  answer.headers.emplace_back(lower_case(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  return total;
}

int stop_if_asked(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

struct FreeHeaders {
  void operator()(curl_slist* headers) const { curl_slist_free_all(headers); }
};
using CurlHeaders = std::unique_ptr<curl_slist, FreeHeaders>;

Result<CurlHeaders> to_curl(std::span<const std::pair<std::string, std::string>> headers) {
  CurlHeaders list;
  for (const auto& [name, value] : headers) {
    if (has_line_end(name) || has_line_end(value)) {
      return fail(ErrorKind::kUsage, fmt::format("expected the header '{}' on one line, found a line end in it",
                                                 name.substr(0, name.find_first_of("\r\n"))));
    }
    // "name;" is how curl is told to send a header without a value.
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    list.reset(curl_slist_append(list.release(), line.c_str()));
  }
  // curl waits for "100 Continue" before large bodies unless told not to.
  list.reset(curl_slist_append(list.release(), "Expect:"));
  return list;
}

}  // namespace

struct HttpClient::Handle {
  CURL* curl = curl_easy_init();
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { curl_easy_cleanup(curl); }
};

HttpClient::HttpClient() : handle_(std::make_unique<Handle>()) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&& other) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&& other) noexcept = default;

std::string_view HttpAnswer::header(std::string_view name) const {
  const auto found = std::ranges::find_if(headers, [name](const auto& header) { return header.first == name; });
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::string origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) { return std::string(url.substr(0, url.find_first_of("/?#"))); }
  const std::size_t end = url.find_first_of("/?#", scheme + 3);
  const std::string_view authority = url.substr(scheme + 3, end == std::string_view::npos ? end : end - scheme - 3);
  // A user's name and password are secrets too.
  const std::size_t at = authority.rfind('@');
  return std::string(url.substr(0, scheme + 3)) +
         std::string(at == std::string_view::npos ? authority : authority.substr(at + 1));
}

Result<HttpAnswer> HttpClient::send(const HttpCall& call) {
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);
  auto headers = to_curl(call.headers);
  if (!headers) { return tl::unexpected(headers.error()); }
  Transfer transfer;
  transfer.limit_bytes = call.answer_limit_bytes;
  std::array<char, CURL_ERROR_SIZE> message{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message.data());
  curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(curl, CURLOPT_NOBODY, call.method == "HEAD" ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers->get());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, call.timeout_seconds);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, std::min(call.timeout_seconds, 10L));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  if (!call.ca_file.empty()) { curl_easy_setopt(curl, CURLOPT_CAINFO, call.ca_file.c_str()); }
  if (!call.body.empty() || call.method == "POST" || call.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  if (call.stop != nullptr) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_if_asked);
    // curl hands the pointer back as it is, and stop_if_asked only reads.
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(call.stop));
  }
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  if (transfer.over_limit) {
    return fail(ErrorKind::kLimit, fmt::format("{}: expected an answer of at most {} bytes, found a larger one",
                                               origin_of(call.url), call.answer_limit_bytes));
  }
  if (code != CURLE_OK) {
    const char* why = message[0] == '\0' ? curl_easy_strerror(code) : message.data();
    return fail(ErrorKind::kInputOutput, fmt::format("{}: {}", origin_of(call.url), why));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.answer.status = static_cast<int>(status);
  return std::move(transfer.answer);
}

}  // namespace keyvigil
