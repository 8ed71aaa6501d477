#include "api/access.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <shared_mutex>

#include <fmt/format.h>

#include "alert/printable.h"
#include "api/http_message.h"
#include "api/jwt.h"
#include "base/check.h"

namespace keyvigil {
namespace {

constexpr std::string_view kTokenPrefix = "kv_";
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenSize = 3 + 43;  // the prefix, 32 bytes in base64url
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kTokenLimit = 256;
constexpr std::size_t kNameBytes = 128;
constexpr std::int64_t kUnknownKeyTicks = 5 * EventTime::kTicksPerMinute;
constexpr std::int64_t kFailedFetchTicks = 30 * EventTime::kTicksPerSecond;
constexpr std::int64_t kFreshTicks = EventTime::kTicksPerDay;
constexpr std::int64_t kTrustedTicks = 7 * EventTime::kTicksPerDay;

using Digest = std::array<unsigned char, kDigestBytes>;

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  // Without randomness no token may be made; OpenSSL fails only where the system has none.
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) { text += fmt::format("{:02x}", static_cast<unsigned char>(c)); }
  return text;
}

std::optional<std::string> from_hex(std::string_view text, std::size_t bytes) {
  if (text.size() != 2 * bytes) { return std::nullopt; }
  std::string out;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) { return std::nullopt; }
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

Digest salted_digest(std::string_view salt, std::string_view token) {
  const std::string input = std::string(salt) + std::string(token);
  Digest digest{};
  unsigned int size = 0;
  CHECK(EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return digest;
}

struct KnownToken {
  TokenGrant grant;
  std::string salt;
  std::string digest;
};

Result<KnownToken> known_token(const TokenGrant& grant) {
  const std::string_view hash = grant.hash;
  const std::size_t digest_at = kHashPrefix.size() + 2 * kSaltBytes + 1;
  if (hash.starts_with(kHashPrefix) && hash.size() == digest_at + 2 * kDigestBytes && hash[digest_at - 1] == ':') {
    auto salt = from_hex(hash.substr(kHashPrefix.size(), 2 * kSaltBytes), kSaltBytes);
    auto digest = from_hex(hash.substr(digest_at), kDigestBytes);
    if (salt && digest) { return KnownToken{grant, *std::move(salt), *std::move(digest)}; }
  }
  return fail(ErrorKind::kUsage, fmt::format("The hash of token '{}' is not of the form sha256:<32 hexadecimal digits>:"
                                             "<64 hexadecimal digits>. `keyvigil token new` makes one.",
                                             grant.name));
}

// The keys of one issuer, fetched when they are missed, and not more often than is decent. It says when; who asks
// fetches, without a lock, and brings what came.
class KeyCache {
 public:
  struct Found {
    std::optional<JsonWebKey> key;
    bool fetching = false;  // another request fetches: the key may be there soon
    bool stale = true;      // there may be others by now
  };

  explicit KeyCache(std::uint64_t number) : number_(number) {}
  [[nodiscard]] std::uint64_t number() const { return number_; }

  Found look_up(const std::string& id, EventTime now) const {
    const std::lock_guard lock(mutex_);
    Found found;
    found.fetching = fetching_;
    found.stale = now.ticks - fetched_.ticks >= kFreshTicks;
    if (now.ticks - fetched_.ticks > kTrustedTicks) { return found; }
    const auto at = std::find_if(keys_.begin(), keys_.end(), [&](const JsonWebKey& key) { return key.id == id; });
    if (at == keys_.end()) { return found; }
    EVP_PKEY_up_ref(at->key.get());
    found.key = JsonWebKey{at->id, at->algorithm, at->is_elliptic, PublicKey(at->key.get())};
    return found;
  }

  // True: the caller is to fetch now, and to call settle().
  bool begin_fetch(EventTime now) {
    const std::lock_guard lock(mutex_);
    const std::int64_t pause = keys_.empty() ? kFailedFetchTicks : kUnknownKeyTicks;
    const bool waits = attempted_ && now >= *attempted_ && now.ticks - attempted_->ticks < pause;
    if (fetching_ || waits) { return false; }
    fetching_ = true;
    attempted_ = now;
    return true;
  }

  Result<void> settle(const Result<std::string>& text, EventTime now) {
    Result<KeySet> set = text ? parse_key_set(*text) : Result<KeySet>(tl::unexpected<Error>(text.error()));
    const std::lock_guard lock(mutex_);
    fetching_ = false;
    if (!set) { return tl::unexpected<Error>(set.error()); }
    keys_ = std::move(set->keys);
    fetched_ = now;
    return {};
  }

  [[nodiscard]] bool is_empty() const {
    const std::lock_guard lock(mutex_);
    return keys_.empty();
  }

 private:
  const std::uint64_t number_;
  mutable std::mutex mutex_;
  std::vector<JsonWebKey> keys_;
  EventTime fetched_;
  std::optional<EventTime> attempted_;
  bool fetching_ = false;
};

struct KnownIssuer {
  JwtIssuer issuer;
  std::unique_ptr<KeyCache> keys;
};

bool contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool fits(const JwtGrant& grant, const Jwt& token) {
  if (!grant.app_role.empty()) { return contains(token.roles, grant.app_role); }
  return equal_without_case(grant.object_id, token.object_id);
}

Principal principal_of(const std::vector<JwtGrant>& grants, const Jwt& token) {
  const std::string& id = token.object_id.empty() ? token.subject : token.object_id;
  Principal principal{"jwt:" + bounded_utf8(id, kNameBytes), {}, std::set<std::string>{}};
  const JwtGrant* first = nullptr;
  for (const JwtGrant& grant : grants) {
    if (!fits(grant, token)) { continue; }
    if (first == nullptr) { first = &grant; }
    if (grant.subscriptions == first->subscriptions) { principal.roles.insert(grant.roles.begin(), grant.roles.end()); }
  }
  if (first != nullptr) { principal.subscriptions = first->subscriptions; }
  return principal;
}

Authentication refused(std::string why) {
  return {{}, std::move(why), false};
}

Result<void> check_tokens(const std::vector<TokenGrant>& tokens) {
  if (tokens.size() > kTokenLimit) {
    return fail(ErrorKind::kUsage, fmt::format("Expected at most {} tokens, found {}.", kTokenLimit, tokens.size()));
  }
  std::set<std::string> names;
  for (const TokenGrant& grant : tokens) {
    if (grant.name.empty()) { return fail(ErrorKind::kUsage, "A token has no name. Audit lines need one."); }
    if (!names.insert(grant.name).second) {
      return fail(ErrorKind::kUsage, fmt::format("Two tokens have the name '{}'.", grant.name));
    }
    if (grant.roles.empty()) {
      return fail(ErrorKind::kUsage, fmt::format("Token '{}' has no role: reader, operator or ingest.", grant.name));
    }
  }
  return {};
}

Result<std::vector<KnownToken>> known_tokens(const std::vector<TokenGrant>& grants) {
  if (auto checked = check_tokens(grants); !checked) { return tl::unexpected<Error>(checked.error()); }
  std::vector<KnownToken> tokens;
  for (const TokenGrant& grant : grants) {
    auto known = known_token(grant);
    if (!known) { return tl::unexpected<Error>(known.error()); }
    tokens.push_back(*std::move(known));
  }
  return tokens;
}

Result<void> check_issuer(const JwtIssuer& issuer) {
  if (issuer.issuers.empty() || contains(issuer.issuers, "")) {
    return fail(ErrorKind::kUsage, "An issuer of JWTs has no name: the value of 'iss'.");
  }
  const std::string& name = issuer.issuers.front();
  if (issuer.audiences.empty() || contains(issuer.audiences, "")) {
    return fail(ErrorKind::kUsage, fmt::format("Issuer '{}' has no audience: without one, tokens that were made for "
                                               "other services would be taken.",
                                               name));
  }
  if (!issuer.key_set) { return fail(ErrorKind::kUsage, fmt::format("Issuer '{}' has no key set.", name)); }
  for (const JwtGrant& grant : issuer.grants) {
    if (grant.app_role.empty() == grant.object_id.empty() || grant.roles.empty()) {
      return fail(ErrorKind::kUsage, fmt::format("A grant of issuer '{}' needs either an app role or an object id, and "
                                                 "at least one role.",
                                                 name));
    }
  }
  return {};
}

Result<void> check_issuers(const std::vector<JwtIssuer>& issuers) {
  for (const JwtIssuer& issuer : issuers) {
    if (auto checked = check_issuer(issuer); !checked) { return checked; }
  }
  return {};
}

}  // namespace

struct Access::State {
  // Keys that are to be fetched, by the number of their cache.
  struct Fetch {
    std::uint64_t cache = 0;
    std::string issuer;
    std::function<Result<std::string>()> source;
  };

  Authentication by_token(std::string_view token, EventTime now) const;
  Authentication by_jwt(std::string_view token, EventTime now);
  // Sets `fetch` where keys should be fetched first; null: they were.
  Authentication judge(const Jwt& token, EventTime now, std::optional<Fetch>* fetch) const;
  Result<void> fetch_keys(const Fetch& fetch, EventTime now);
  std::vector<KnownIssuer> known_issuers(std::vector<JwtIssuer> issuers);

  mutable std::shared_mutex mutex;  // of what follows; nobody fetches with it
  std::vector<KnownToken> tokens;
  std::vector<KnownIssuer> issuers;
  std::uint64_t caches = 0;
};

Authentication Access::State::by_token(std::string_view token, EventTime now) const {
  // Every hash is compared whole, so that time tells neither how near a guess was nor which token it was near.
  const std::shared_lock lock(mutex);
  const KnownToken* found = nullptr;
  for (const KnownToken& known : tokens) {
    const Digest digest = salted_digest(known.salt, token);
    if (CRYPTO_memcmp(digest.data(), known.digest.data(), digest.size()) == 0) { found = &known; }
  }
  if (found == nullptr) { return refused("unknown_token"); }
  if (found->grant.expires && now >= *found->grant.expires) { return refused("expired_token"); }
  return {{found->grant.name, found->grant.roles, found->grant.subscriptions}, {}, false};
}

Authentication Access::State::judge(const Jwt& token, EventTime now, std::optional<Fetch>* fetch) const {
  const std::shared_lock lock(mutex);
  const auto known = std::find_if(issuers.begin(), issuers.end(),
                                  [&](const auto& each) { return contains(each.issuer.issuers, token.issuer); });
  if (known == issuers.end()) { return refused("unknown_issuer"); }
  const JwtIssuer& issuer = known->issuer;
  // Cheap judgements first: they spare the key look-up, and with it the fetch that a stranger could cause.
  const auto is_ours = [&](const std::string& audience) { return contains(issuer.audiences, audience); };
  if (std::none_of(token.audiences.begin(), token.audiences.end(), is_ours)) { return refused("wrong_audience"); }
  const std::int64_t now_seconds = now.ticks / EventTime::kTicksPerSecond;
  if (now_seconds >= token.expires_seconds + issuer.skew_seconds) { return refused("expired_token"); }
  if (token.not_before_seconds && now_seconds + issuer.skew_seconds < *token.not_before_seconds) {
    return refused("token_not_yet_valid");
  }
  const auto found = known->keys->look_up(token.key_id, now);
  if (fetch != nullptr && (!found.key || found.stale) && known->keys->begin_fetch(now)) {
    *fetch = Fetch{known->keys->number(), issuer.issuers.front(), issuer.key_set};
    return {};
  }
  if (!found.key) { return {{}, "unknown_key", found.fetching}; }
  if (!is_signed_by(token, *found.key)) { return refused("bad_signature"); }
  if (token.object_id.empty() && token.subject.empty()) { return refused("malformed_jwt"); }
  return {principal_of(issuer.grants, token), {}, false};
}

Result<void> Access::State::fetch_keys(const Fetch& fetch, EventTime now) {
  const Result<std::string> text = fetch.source();
  const std::shared_lock lock(mutex);
  const auto known = std::find_if(issuers.begin(), issuers.end(),
                                  [&](const KnownIssuer& each) { return each.keys->number() == fetch.cache; });
  return known == issuers.end() ? Result<void>() : known->keys->settle(text, now);  // it may be gone by now
}

Authentication Access::State::by_jwt(std::string_view token, EventTime now) {
  const auto parsed = parse_jwt(token);
  if (!parsed) { return refused("malformed_jwt"); }
  std::optional<Fetch> fetch;
  Authentication judged = judge(*parsed, now, &fetch);
  if (!fetch) { return judged; }
  static_cast<void>(fetch_keys(*fetch, now));
  return judge(*parsed, now, nullptr);
}

// Keys that come from the same place are kept.
std::vector<KnownIssuer> Access::State::known_issuers(std::vector<JwtIssuer> fresh) {
  std::vector<KnownIssuer> known;
  for (JwtIssuer& issuer : fresh) {
    const auto before = std::find_if(issuers.begin(), issuers.end(), [&](const KnownIssuer& each) {
      return each.keys && !issuer.key_set_place.empty() && each.issuer.key_set_place == issuer.key_set_place;
    });
    auto keys = before == issuers.end() ? std::make_unique<KeyCache>(++caches) : std::move(before->keys);
    known.push_back({std::move(issuer), std::move(keys)});
  }
  return known;
}

Access::Access(std::unique_ptr<State> state) : state_(std::move(state)) {}
Access::Access(Access&&) noexcept = default;
Access& Access::operator=(Access&&) noexcept = default;
Access::~Access() = default;

Result<Access> Access::make(AccessOptions options) {
  Access access(std::make_unique<State>());
  if (auto replaced = access.replace(std::move(options)); !replaced) { return tl::unexpected<Error>(replaced.error()); }
  return access;
}

Result<void> Access::replace(AccessOptions options) {
  auto tokens = known_tokens(options.tokens);
  if (!tokens) { return tl::unexpected<Error>(tokens.error()); }
  if (auto checked = check_issuers(options.issuers); !checked) { return checked; }
  const std::unique_lock lock(state_->mutex);
  state_->tokens = *std::move(tokens);
  state_->issuers = state_->known_issuers(std::move(options.issuers));
  return {};
}

Result<void> Access::fetch_keys(EventTime now) {
  std::vector<State::Fetch> missing;
  {
    const std::shared_lock lock(state_->mutex);
    for (const KnownIssuer& known : state_->issuers) {
      if (!known.keys->is_empty() || !known.keys->begin_fetch(now)) { continue; }
      missing.push_back({known.keys->number(), known.issuer.issuers.front(), known.issuer.key_set});
    }
  }
  Result<void> first;
  for (const State::Fetch& fetch : missing) {
    const Result<void> fetched = state_->fetch_keys(fetch, now);
    if (!fetched && first) {
      first = fail(fetched.error().kind,
                   fmt::format("The keys of issuer '{}' are not there: {}", fetch.issuer, fetched.error().message));
    }
  }
  return first;
}

Authentication Access::authenticate(std::string_view authorization, EventTime now) {
  if (authorization.empty()) { return {}; }
  const std::size_t blank = authorization.find(' ');
  if (blank == std::string_view::npos || !equal_without_case(authorization.substr(0, blank), "bearer")) {
    return refused("not_a_bearer_token");
  }
  std::string_view token = authorization.substr(blank + 1);
  while (token.starts_with(' ')) { token.remove_prefix(1); }
  if (token.starts_with(kTokenPrefix) && token.size() == kTokenSize) { return state_->by_token(token, now); }
  if (std::count(token.begin(), token.end(), '.') == 2) { return state_->by_jwt(token, now); }
  return refused("malformed_token");
}

NewToken new_token() {
  NewToken made;
  made.token = std::string(kTokenPrefix) + base64url_encode(random_bytes(kTokenBytes));
  made.hash = token_hash(made.token, to_hex(random_bytes(kSaltBytes)));
  return made;
}

std::string token_hash(std::string_view token, std::string_view salt_hex) {
  const auto salt = from_hex(salt_hex, kSaltBytes);
  CHECK(salt.has_value());
  const Digest digest = salted_digest(*salt, token);
  return fmt::format("{}{}:{}", kHashPrefix, salt_hex,
                     to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()}));
}

std::optional<Role> role_of(std::string_view name) {
  if (name == "reader") { return Role::kReader; }
  if (name == "operator") { return Role::kOperator; }
  if (name == "ingest") { return Role::kIngest; }
  return std::nullopt;
}

}  // namespace keyvigil
