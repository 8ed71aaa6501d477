// The alert as a mail: headers and a plain text body (RFC 5322, MIME), lines ending in CRLF.
//
// Nothing from outside reaches a header but the vault's name, which is encoded (RFC 2047) together with the rest of the
// subject; the body is base64. Message-ID is made of alert id and revision, and further revisions refer to the first,
// so that mail programs show one thread and can tell a second delivery.
#pragma once

#include <string>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

struct MailEnvelope {
  std::string from;  // address; no line ends
  std::vector<std::string> to;
  EventTime date;  // wall clock
};

[[nodiscard]] std::string mail_message(const Alert& alert, const AlertRendering& rendering,
                                       const AlertStanding& standing, const MailEnvelope& envelope);

}  // namespace keyvigil
