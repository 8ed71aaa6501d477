#include "sink/http_output.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "alert/access_summary.h"
#include "alert/elastic_bulk.h"
#include "alert/printable.h"
#include "alert/slack_message.h"
#include "alert/splunk_event.h"
#include "alert/teams_card.h"
#include "base/base64.h"
#include "sink/open_sink.h"
#include "sink/webhook_signature.h"

namespace keyvigil {
namespace {

constexpr std::size_t kAnswerLimitBytes = std::size_t{4} << 20;
constexpr std::size_t kBulkLimitBytes = std::size_t{4} << 20;
constexpr std::size_t kQuotedBytes = 200;
constexpr std::int64_t kLongestWaitSeconds = std::int64_t{24} * 3600;

// They say that the alert itself is not wanted, not that the way is closed.
constexpr std::array<int, 8> kRefusals = {400, 405, 410, 411, 413, 414, 415, 422};

std::int64_t wait_of(std::string_view header, EventTime now) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error != std::errc() || end != header.data() + header.size()) {
    const std::int64_t date = curl_getdate(std::string(header).c_str(), nullptr);
    seconds = date < 0 ? 0 : date - now.ticks / EventTime::kTicksPerSecond;
  }
  return std::clamp<std::int64_t>(seconds, 0, kLongestWaitSeconds);
}

// "https://host" stands for the path that the receiver's manual gives.
std::string with_path(const std::string& url, std::string_view path) {
  const std::size_t slash = url.find('/', url.find("://") + 3);
  if (slash == std::string::npos) { return url + std::string(path); }
  return slash + 1 == url.size() ? url.substr(0, slash) + std::string(path) : url;
}

}  // namespace

Attempt judge_answer(const HttpAnswer& answer, const std::string& origin, EventTime now) {
  if (answer.status >= 200 && answer.status < 300) { return Attempt::delivered(); }
  const std::string why =
      fmt::format("{} answered {}: {}", origin, answer.status, harmless(bounded_utf8(answer.body, kQuotedBytes)));
  if (std::ranges::find(kRefusals, answer.status) != kRefusals.end()) { return Attempt::never(why); }
  return Attempt::away(why, wait_of(answer.header("retry-after"), now));
}

HttpOutput::HttpOutput(OutputOptions options, AlertRendering rendering)
    : options_(std::move(options)), rendering_(std::move(rendering)) {}

Json HttpOutput::document_of(const OutgoingAlert& one) const {
  return alert_document(one.alert, options_.format, rendering_, one.standing);
}

HttpCall HttpOutput::base_call() const {
  HttpCall call;
  call.method = "POST";
  call.url = options_.target;
  call.ca_file = options_.ca_file;
  call.timeout_seconds = options_.timeout_seconds;
  call.answer_limit_bytes = kAnswerLimitBytes;
  call.headers = {{"content-type", "application/json"}};
  return call;
}

Result<HttpCall> HttpOutput::call_for(const OutgoingAlert& one, const std::string& secret, EventTime now) const {
  HttpCall call = base_call();
  switch (options_.kind) {
    case OutputKind::kSlack:
    case OutputKind::kTeams: {
      call.url = secret;
      if (!secret.starts_with("https://") && !(options_.plain_text && secret.starts_with("http://"))) {
        return fail(ErrorKind::kUsage,
                    "expected the secret to be a URL that begins with https://, found something else");
      }
      const bool slack = options_.kind == OutputKind::kSlack;
      call.body = to_json_line(slack ? slack_message(one.alert, rendering_, one.standing)
                                     : teams_card(one.alert, rendering_, one.standing));
      return call;
    }
    case OutputKind::kSplunk:
      call.url = with_path(options_.target, "/services/collector/event");
      call.headers.emplace_back("authorization", "Splunk " + secret);
      call.body = to_json_line(splunk_event(one.alert, document_of(one), options_.index));
      return call;
    default:
      break;
  }
  const std::string id = delivery_key(one.alert);
  const std::int64_t seconds = now.ticks / EventTime::kTicksPerSecond;
  call.body = to_json_line(document_of(one));
  call.headers.emplace_back("webhook-id", id);
  call.headers.emplace_back("webhook-timestamp", fmt::format("{}", seconds));
  if (secret.empty()) { return call; }
  const auto key = webhook_key(secret);
  if (!key) { return tl::unexpected(key.error()); }
  call.headers.emplace_back("webhook-signature", webhook_signature(*key, id, seconds, call.body));
  return call;
}

std::vector<Attempt> HttpOutput::deliver(std::span<const OutgoingAlert> alerts, EventTime now,
                                         const std::atomic<bool>& stop) {
  const auto secret = read_secret(options_.secret);
  std::vector<Attempt> attempts(alerts.size(), Attempt::not_tried());
  if (alerts.empty()) { return attempts; }
  if (!secret) {
    attempts.front() = Attempt::away(secret.error().message);
    return attempts;
  }
  if (options_.kind == OutputKind::kElasticsearch) { return deliver_bulk(alerts, *secret, now, stop); }
  for (std::size_t i = 0; i < alerts.size() && !stop; ++i) {
    auto call = call_for(alerts[i], *secret, now);
    if (!call) {
      attempts[i] = Attempt::away(call.error().message);
      break;
    }
    call->stop = &stop;
    const auto answer = client_.send(*call);
    if (!answer && stop) { break; }
    attempts[i] = answer ? judge_answer(*answer, origin_of(call->url), now) : Attempt::away(answer.error().message);
    if (attempts[i].receiver_away) { break; }
  }
  return attempts;
}

std::vector<Attempt> HttpOutput::deliver_bulk(std::span<const OutgoingAlert> alerts, const std::string& secret,
                                              EventTime now, const std::atomic<bool>& stop) {
  std::vector<Attempt> attempts(alerts.size(), Attempt::not_tried());
  HttpCall call = base_call();
  call.url = with_path(options_.target, "/_bulk");
  call.stop = &stop;
  call.headers = {{"content-type", "application/x-ndjson"}};
  if (!secret.empty()) {
    call.headers.emplace_back(
        "authorization", options_.user.empty() ? "ApiKey " + secret : "Basic " + base64(options_.user + ":" + secret));
  }
  std::size_t count = 0;
  while (count < alerts.size() && call.body.size() < kBulkLimitBytes) {
    const OutgoingAlert& one = alerts[count++];
    call.body += elastic_bulk_item(one.alert, document_of(one), options_.index);
  }
  const auto answer = client_.send(call);
  if (!answer && stop) { return attempts; }
  const std::string origin = origin_of(call.url);
  const Attempt whole = answer ? judge_answer(*answer, origin, now) : Attempt::away(answer.error().message);
  if (whole.outcome != Attempt::Outcome::kDelivered) {
    // A refused batch says nothing about one alert of it: alone, each is judged for what it is.
    if (whole.outcome == Attempt::Outcome::kNever && count > 1) {
      attempts.front() = deliver_bulk(alerts.first(1), secret, now, stop).front();
      return attempts;
    }
    attempts.front() = whole;
    return attempts;
  }
  const auto items = read_elastic_answer(answer->body, count);
  if (items.empty()) {
    attempts.front() = Attempt::away(fmt::format("{}: expected the answer of _bulk, found something else", origin));
    return attempts;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    // 409: a revision at least as new is there already.
    if ((items[i].status >= 200 && items[i].status < 300) || items[i].status == 409) {
      attempts[i] = Attempt::delivered();
      continue;
    }
    const std::string why = fmt::format("{} answered {} for the alert: {}", origin, items[i].status, items[i].error);
    const bool refused = std::ranges::find(kRefusals, items[i].status) != kRefusals.end();
    attempts[i] = refused ? Attempt::never(why) : Attempt::again(why);
  }
  return attempts;
}

}  // namespace keyvigil
