// MailClient: one mail over SMTP, over libcurl.
//
// smtps:// is TLS from the start; smtp:// must switch to TLS (STARTTLS) before anything is said, unless `plain_text`.
// Certificates are always checked. Errors name host and port and the server's code, never user or password. One owner.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/result.h"

namespace keyvigil {

struct MailCall {
  std::string url;  // smtp://host:port or smtps://host:port
  std::string user;
  std::string password;
  std::string from;
  std::vector<std::string> to;
  std::string message;  // headers and body, lines ending in CRLF
  std::string ca_file;  // PEM; empty: the system's
  bool plain_text = false;
  long timeout_seconds = 30;
  const std::atomic<bool>* stop = nullptr;  // set by another thread: the call fails at once
};

struct MailAnswer {
  bool taken = false;
  int code = 0;     // the server's last reply; 0: there was none
  std::string why;  // empty where taken
};

[[nodiscard]] MailAnswer send_mail(const MailCall& call);

}  // namespace keyvigil
