// TLS: where certificate and key come from; and a local authority for those who try KeyVigil on their own machine.
#pragma once

#include <string>

#include "base/event_time.h"
#include "base/result.h"

namespace keyvigil {

// PEM. The certificate is followed by its intermediates. A key that everybody may read is refused.
struct TlsFiles {
  std::string certificate_path;
  std::string key_path;
  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// Whether a server can use them; the error says which file is wrong and how.
[[nodiscard]] Result<void> check_certificate(const TlsFiles& files);

struct LocalAuthority {
  std::string authority_path;  // the certificate that clients must trust
  TlsFiles server;
  bool made_now = false;     // false: as an earlier start left it
  std::string how_to_trust;  // sentences for a person
};

// In `folder` (made with mode 0700 where there is none): an authority, and a server certificate that it signed for
// localhost, 127.0.0.1, ::1 and `host_name` (EC P-256, valid for two years). The authority's key is forgotten once it
// has signed: nobody can make another certificate that your clients would trust. Used again by the next start, made
// anew when it has less than a week to live.
[[nodiscard]] Result<LocalAuthority> local_authority(const std::string& folder, const std::string& host_name,
                                                     EventTime now);

}  // namespace keyvigil
