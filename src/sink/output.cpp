#include "sink/output.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "alert/mail_message.h"
#include "alert/syslog_message.h"
#include "client/mail_client.h"

namespace keyvigil {
namespace {

// SMTP replies that refuse the mail itself: no such mailbox, too large, refused by content or sender.
constexpr std::array<int, 5> kMailRefusals = {550, 551, 552, 553, 554};

std::string framed(const std::string& message, bool stream) {
  return stream ? fmt::format("{} {}", message.size(), message) : message;  // RFC 6587 3.4.1, octet counting
}

}  // namespace

Output::Output(OutputOptions options, const AlertRendering& rendering, std::string host)
    : options_(std::move(options)), rendering_(rendering), host_(std::move(host)) {
  switch (options_.kind) {
    case OutputKind::kFile: {
      SinkOptions sink;
      sink.format = options_.format;
      sink.path = options_.target;
      sink.rendering = rendering_;
      way_.emplace<LineFile>(std::move(sink));
      break;
    }
    case OutputKind::kSyslog:
      way_.emplace<MessageConnection>(MessageTarget{options_.target, options_.ca_file, options_.timeout_seconds});
      break;
    case OutputKind::kMail:
      break;
    default:
      way_.emplace<HttpOutput>(options_, rendering_);
  }
}

std::vector<Attempt> Output::deliver(std::span<const OutgoingAlert> alerts, EventTime now,
                                     const std::atomic<bool>& stop) {
  if (auto* file = std::get_if<LineFile>(&way_)) { return file->deliver(alerts); }
  if (auto* http = std::get_if<HttpOutput>(&way_)) { return http->deliver(alerts, now, stop); }
  if (auto* connection = std::get_if<MessageConnection>(&way_)) { return deliver_syslog(*connection, alerts, stop); }
  return deliver_mail(alerts, now, stop);
}

std::vector<Attempt> Output::deliver_syslog(MessageConnection& connection, std::span<const OutgoingAlert> alerts,
                                            const std::atomic<bool>& stop) {
  std::vector<Attempt> attempts(alerts.size(), Attempt::not_tried());
  std::size_t sent = 0;
  Result<void> done;
  for (; sent < alerts.size() && !stop; ++sent) {
    const std::string message = syslog_message(alerts[sent].alert, rendering_, alerts[sent].standing, host_);
    done = connection.send(framed(message, connection.is_stream()), stop);
    if (!done) { break; }
  }
  if (done && sent > 0) { done = connection.flush(stop); }
  if (done) {
    std::fill_n(attempts.begin(), sent, Attempt::delivered());
  } else if (!stop && !attempts.empty()) {
    // Nobody knows which of the batch arrived: all are sent again.
    attempts.front() = Attempt::away(done.error().message);
  }
  return attempts;
}

std::vector<Attempt> Output::deliver_mail(std::span<const OutgoingAlert> alerts, EventTime now,
                                          const std::atomic<bool>& stop) {
  std::vector<Attempt> attempts(alerts.size(), Attempt::not_tried());
  const auto password = read_secret(options_.secret);
  if (!password && !attempts.empty()) {
    attempts.front() = Attempt::away(password.error().message);
    return attempts;
  }
  for (std::size_t i = 0; i < alerts.size() && !stop; ++i) {
    MailCall call;
    call.url = options_.target;
    call.user = options_.user;
    call.password = *password;
    call.from = options_.from;
    call.to = options_.to;
    call.message = mail_message(alerts[i].alert, rendering_, alerts[i].standing, {options_.from, options_.to, now});
    call.ca_file = options_.ca_file;
    call.plain_text = options_.plain_text;
    call.timeout_seconds = options_.timeout_seconds;
    call.stop = &stop;
    const MailAnswer answer = send_mail(call);
    if (!answer.taken && stop) { break; }
    const bool refused = std::ranges::find(kMailRefusals, answer.code) != kMailRefusals.end();
    attempts[i] = answer.taken ? Attempt::delivered()
                  : refused    ? Attempt::never(answer.why)
                               : Attempt::away(answer.why);
    if (attempts[i].receiver_away) { break; }
  }
  return attempts;
}

}  // namespace keyvigil
