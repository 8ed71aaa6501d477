#include "client/mail_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "client/http_client.h"

namespace keyvigil {
namespace {

struct FreeHandle {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t give_message(char* to, std::size_t size, std::size_t count, void* from) {
  auto& rest = *static_cast<std::string_view*>(from);
  const std::size_t given = std::min(size * count, rest.size());
  std::memcpy(to, rest.data(), given);
  rest.remove_prefix(given);
  return given;
}

int stop_if_asked(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

}  // namespace

MailAnswer send_mail(const MailCall& call) {
  const std::unique_ptr<CURL, FreeHandle> handle(curl_easy_init());
  CURL* curl = handle.get();
  std::unique_ptr<curl_slist, FreeList> recipients;
  for (const std::string& one : call.to) {
    recipients.reset(curl_slist_append(recipients.release(), fmt::format("<{}>", one).c_str()));
  }
  std::string_view rest = call.message;
  std::array<char, CURL_ERROR_SIZE> message{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message.data());
  curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(call.plain_text ? CURLUSESSL_TRY : CURLUSESSL_ALL));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, call.timeout_seconds);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, std::min(call.timeout_seconds, 10L));
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, fmt::format("<{}>", call.from).c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_message);
  curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
  if (!call.ca_file.empty()) { curl_easy_setopt(curl, CURLOPT_CAINFO, call.ca_file.c_str()); }
  if (!call.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, call.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, call.password.c_str());
  }
  if (call.stop != nullptr) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_if_asked);
    // curl hands the pointer back as it is, and stop_if_asked only reads.
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(call.stop));
  }
  const CURLcode code = curl_easy_perform(curl);
  long reply = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
  MailAnswer answer{code == CURLE_OK, static_cast<int>(reply), {}};
  if (code != CURLE_OK) {
    const char* why = message[0] == '\0' ? curl_easy_strerror(code) : message.data();
    answer.why = fmt::format("{}: {}", origin_of(call.url), why);
  }
  return answer;
}

}  // namespace keyvigil
