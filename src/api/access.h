// Access: from the Authorization header of a request to a Principal (RFC 6750).
//
// Two kinds of bearer token. Ours: "kv_" and 256 random bits, of which only a salted SHA-256 is kept; compared in
// constant time. Entra ID's: JWTs (RFC 7519) signed with RS256, PS256 or ES256 by a key of the issuer's JWKS (RFC
// 7517); whatever the token itself says of keys is ignored. Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/principal.h"
#include "base/event_time.h"
#include "base/result.h"

namespace keyvigil {

struct TokenGrant {
  std::string name;  // in logs and audit lines
  std::string hash;  // as token_hash() writes it
  std::set<Role> roles;
  std::optional<std::set<std::string>> subscriptions;  // lower case; nothing: all
  std::optional<EventTime> expires;
  friend bool operator==(const TokenGrant&, const TokenGrant&) = default;
};

// What a JWT may do: by an app role in `roles`, or by its object id. Exactly one of the two is set. Where more than one
// grant fits, those with the subscriptions of the first one add their roles, the others do not count.
struct JwtGrant {
  std::string app_role;
  std::string object_id;  // without regard to case
  std::set<Role> roles;
  std::optional<std::set<std::string>> subscriptions;
  friend bool operator==(const JwtGrant&, const JwtGrant&) = default;
};

struct JwtIssuer {
  std::vector<std::string> issuers;    // values of `iss`; https://login.microsoftonline.com/<tenant>/v2.0
  std::vector<std::string> audiences;  // values of `aud`, any of them
  std::vector<JwtGrant> grants;
  // The text of the JWKS, from a file or a URL; called again at most every five minutes for unknown keys, and daily.
  std::function<Result<std::string>()> key_set;
  std::string key_set_place;  // keys of equal places are the same, also after replace(); empty: of none
  std::int64_t skew_seconds = 300;
};

struct AccessOptions {
  std::vector<TokenGrant> tokens;  // at most 256
  std::vector<JwtIssuer> issuers;
};

struct Authentication {
  Principal principal;     // without name: nobody
  std::string refused;     // why, in a word for audit lines: "bad_token", "expired_token", ...; empty: not refused
  bool try_again = false;  // keys are being fetched
};

class Access {
 public:
  // kUsage, with the name of the grant, for hashes that are none, twice the same name, grants that can match nothing.
  [[nodiscard]] static Result<Access> make(AccessOptions options);
  ~Access();
  Access(Access&&) noexcept;
  Access& operator=(Access&&) noexcept;

  // Other tokens and issuers are known from now on; an error, as of make(), leaves those before.
  [[nodiscard]] Result<void> replace(AccessOptions options);
  // Fetches the keys of all issuers that have none, so that the first request does not wait for them. Fails with the
  // first failure; it is tried again when a token comes.
  [[nodiscard]] Result<void> fetch_keys(EventTime now);
  // `authorization`: the value of the header; empty: none, which is nobody and not refused.
  [[nodiscard]] Authentication authenticate(std::string_view authorization, EventTime now);

 private:
  struct State;
  explicit Access(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct NewToken {
  std::string token;  // shown once
  std::string hash;   // for the configuration
};

[[nodiscard]] NewToken new_token();
// "sha256:<salt, 32 hex digits>:<digest, 64 hex digits>".
[[nodiscard]] std::string token_hash(std::string_view token, std::string_view salt_hex);
[[nodiscard]] std::optional<Role> role_of(std::string_view name);  // reader, operator, ingest

}  // namespace keyvigil
