#include "api/access.h"

#include <openssl/hmac.h>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "unit/api/signing_key.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kNowSeconds = 1'700'000'000;
constexpr EventTime kNow{kNowSeconds * EventTime::kTicksPerSecond};
const std::string kIssuer = "https://login.contoso.example/tenant/v2.0";
const std::string kAudience = "api://keyvigil";
const std::string kObject = "AAAAAAAA-1111-4222-8333-444444444444";

EventTime later(std::int64_t seconds) {
  return EventTime{kNow.ticks + seconds * EventTime::kTicksPerSecond};
}

nlohmann::json claims() {
  return {{"iss", kIssuer},   {"aud", kAudience}, {"exp", kNowSeconds + 3600},   {"nbf", kNowSeconds - 60},
          {"sub", "subject"}, {"oid", kObject},   {"roles", {"KeyVigil.Reader"}}};
}

nlohmann::json claims_with(const std::string& name, const nlohmann::json& value) {
  nlohmann::json changed = claims();
  changed[name] = value;
  return changed;
}

nlohmann::json claims_without(const std::string& name) {
  nlohmann::json changed = claims();
  changed.erase(name);
  return changed;
}

// An Access that trusts one issuer; the keys can be exchanged, the fetches are counted.
struct World {
  World() {
    AccessOptions options;
    options.issuers.push_back(issuer());
    auto made = Access::make(std::move(options));
    CHECK(made.has_value());
    access.emplace(*std::move(made));
  }

  JwtIssuer issuer() {
    JwtIssuer issuer;
    issuer.issuers = {kIssuer};
    issuer.audiences = {kAudience, "other"};
    issuer.grants = {{"KeyVigil.Reader", "", {Role::kReader}, std::nullopt},
                     {"KeyVigil.Operator", "", {Role::kOperator}, std::nullopt},
                     {"", "bbbbbbbb-1111-4222-8333-444444444444", {Role::kIngest}, std::set<std::string>{"s"}}};
    issuer.key_set = [this]() -> Result<std::string> {
      ++fetches;
      if (broken) { return fail(ErrorKind::kInputOutput, "unreachable"); }
      return keys;
    };
    issuer.key_set_place = "here";
    return issuer;
  }

  Authentication ask(const std::string& token, EventTime now = kNow) {
    return access->authenticate("Bearer " + token, now);
  }

  SigningKey rsa = SigningKey::rsa("rsa");
  SigningKey elliptic = SigningKey::elliptic("elliptic");
  std::string keys = key_set_of({rsa.as_jwk(), elliptic.as_jwk()});
  bool broken = false;
  int fetches = 0;
  std::optional<Access> access;
};

TEST(Access, KnowsNobodyWithoutHeader) {
  World world;
  const Authentication nobody = world.access->authenticate("", kNow);
  EXPECT_TRUE(nobody.principal.name.empty());
  EXPECT_TRUE(nobody.refused.empty());
}

TEST(Access, TokensCanBeReplacedWhileItIsAsked) {
  World world;
  const NewToken before = new_token();
  const NewToken after = new_token();
  const auto grant = [](const NewToken& token) {
    TokenGrant made;
    made.name = "dashboard";
    made.hash = token.hash;
    made.roles = {Role::kReader};
    return made;
  };
  ASSERT_TRUE(world.access->replace({{grant(before)}, {}}));
  EXPECT_EQ(world.ask(before.token).refused, "");
  ASSERT_FALSE(world.access->replace({{grant(after), grant(after)}, {}})) << "two of one name";
  EXPECT_EQ(world.ask(before.token).refused, "") << "an error leaves those before";
  ASSERT_TRUE(world.access->replace({{grant(after)}, {}}));
  EXPECT_EQ(world.ask(before.token).refused, "unknown_token");
  EXPECT_EQ(world.ask(after.token).principal.name, "dashboard");
}

TEST(Access, IssuersCanBeReplacedAndKeepTheKeysOfTheSamePlace) {
  World world;
  const std::string token = world.rsa.token(claims(), "RS256");
  EXPECT_EQ(world.ask(token).principal.roles, std::set<Role>{Role::kReader});
  EXPECT_EQ(world.fetches, 1);
  // The same keys, another grant: nothing is fetched.
  AccessOptions other;
  other.issuers = {world.issuer()};
  other.issuers.front().grants = {{"KeyVigil.Reader", "", {Role::kIngest}, std::nullopt}};
  ASSERT_TRUE(world.access->replace(other));
  EXPECT_EQ(world.ask(token).principal.roles, std::set<Role>{Role::kIngest});
  EXPECT_EQ(world.fetches, 1);
  // An issuer that cannot be used leaves the one before; so do tokens.
  AccessOptions unusable = other;
  unusable.issuers.front().audiences.clear();
  EXPECT_FALSE(world.access->replace(unusable));
  EXPECT_EQ(world.ask(token).principal.roles, std::set<Role>{Role::kIngest});
  // Keys of another place are fetched.
  other.issuers.front().key_set_place = "elsewhere";
  ASSERT_TRUE(world.access->replace(other));
  ASSERT_TRUE(world.access->fetch_keys(kNow));
  EXPECT_EQ(world.fetches, 2);
  ASSERT_TRUE(world.access->fetch_keys(kNow)) << "they are there";
  EXPECT_EQ(world.fetches, 2);
  EXPECT_EQ(world.ask(token).refused, "");
  // An issuer that is gone is unknown.
  ASSERT_TRUE(world.access->replace({}));
  EXPECT_EQ(world.ask(token).refused, "unknown_issuer");
}

TEST(Access, IsReplacedWhileKeysAreFetchedAndRequestsGoOn) {
  World world;
  AccessOptions options;
  options.issuers = {world.issuer()};
  // The issuer is replaced in the middle of a fetch: what comes of it is of nobody's any more.
  options.issuers.front().key_set = [&world]() -> Result<std::string> {
    CHECK(world.access->replace({}).has_value());
    return world.keys;
  };
  options.issuers.front().key_set_place.clear();
  ASSERT_TRUE(world.access->replace(options));
  EXPECT_EQ(world.ask(world.rsa.token(claims(), "RS256")).refused, "unknown_issuer");
  options.issuers = {world.issuer()};
  ASSERT_TRUE(world.access->replace(options));
  std::atomic<bool> stop = false;
  std::thread replaces([&] {
    while (!stop) { CHECK(world.access->replace(options).has_value()); }
  });
  const std::string token = world.rsa.token(claims(), "RS256");
  for (int i = 0; i < 200; ++i) { EXPECT_EQ(world.ask(token).refused, ""); }
  stop = true;
  replaces.join();
}

TEST(Access, TakesOurTokensByTheirHash) {
  const NewToken made = new_token();
  const NewToken other = new_token();
  EXPECT_NE(made.token, other.token);
  EXPECT_EQ(made.hash.find(made.token), std::string::npos);
  AccessOptions options;
  options.tokens = {{"alice", made.hash, {Role::kReader}, std::set<std::string>{"s"}, later(10)}};
  auto access = Access::make(options);
  ASSERT_TRUE(access) << access.error().message;
  const Authentication alice = access->authenticate("bearer  " + made.token, kNow);
  EXPECT_EQ(alice.principal.name, "alice");
  EXPECT_TRUE(alice.principal.has(Role::kReader));
  EXPECT_TRUE(alice.principal.sees("s"));
  EXPECT_FALSE(alice.principal.sees("t"));
  EXPECT_EQ(access->authenticate("Bearer " + made.token, later(10)).refused, "expired_token");
  EXPECT_EQ(access->authenticate("Bearer " + other.token, kNow).refused, "unknown_token");
  EXPECT_EQ(access->authenticate("Bearer " + made.hash, kNow).refused, "malformed_token");
  EXPECT_EQ(access->authenticate("Bearer", kNow).refused, "not_a_bearer_token");
  EXPECT_EQ(access->authenticate("Basic " + made.token, kNow).refused, "not_a_bearer_token");
  EXPECT_EQ(access->authenticate("Bearer " + made.token + " ", kNow).refused, "malformed_token");
}

TEST(Access, DoesNotTakeATokenThatDiffersInOnePlace) {
  const NewToken made = new_token();
  AccessOptions options;
  options.tokens = {{"alice", made.hash, {Role::kReader}, std::nullopt, std::nullopt}};
  auto access = Access::make(options);
  ASSERT_TRUE(access);
  for (std::size_t i = 3; i < made.token.size(); ++i) {
    std::string forged = made.token;
    forged[i] = forged[i] == 'x' ? 'y' : 'x';
    EXPECT_EQ(access->authenticate("Bearer " + forged, kNow).refused, "unknown_token");
  }
}

TEST(Access, RefusesTokensThatCannotBeMeant) {
  const std::string hash = new_token().hash;
  const auto make = [](std::vector<TokenGrant> tokens) {
    AccessOptions options;
    options.tokens = std::move(tokens);
    return Access::make(std::move(options));
  };
  EXPECT_TRUE(make({{"a", hash, {Role::kReader}, {}, {}}}));
  EXPECT_FALSE(make({{"", hash, {Role::kReader}, {}, {}}}));
  EXPECT_FALSE(make({{"a", hash, {}, {}, {}}}));
  EXPECT_FALSE(make({{"a", hash, {Role::kReader}, {}, {}}, {"a", hash, {Role::kReader}, {}, {}}}));
  EXPECT_FALSE(make({{"a", "sha256:00:00", {Role::kReader}, {}, {}}}));
  EXPECT_FALSE(make({{"a", new_token().token, {Role::kReader}, {}, {}}}));
}

TEST(Access, TakesTokensOfTheIssuer) {
  World world;
  for (const std::string algorithm : {"RS256", "PS256"}) {
    const Authentication reader = world.ask(world.rsa.token(claims(), algorithm));
    EXPECT_EQ(reader.refused, "") << algorithm;
    EXPECT_EQ(reader.principal.name, "jwt:" + kObject);
    EXPECT_EQ(reader.principal.roles, std::set<Role>{Role::kReader});
    EXPECT_FALSE(reader.principal.subscriptions.has_value());
  }
  EXPECT_EQ(world.ask(world.elliptic.token(claims(), "ES256")).refused, "");
  EXPECT_EQ(world.ask(world.rsa.token(claims_with("aud", {"a", "other"}), "RS256")).refused, "");
  EXPECT_EQ(world.fetches, 1);
}

TEST(Access, GivesTheRolesOfTheGrants) {
  World world;
  const auto both = world.ask(world.rsa.token(claims_with("roles", {"KeyVigil.Reader", "KeyVigil.Operator"}), "RS256"));
  EXPECT_EQ(both.principal.roles, (std::set<Role>{Role::kReader, Role::kOperator}));
  nlohmann::json bound = claims_without("roles");
  bound["oid"] = "BBBBBBBB-1111-4222-8333-444444444444";
  const auto ingest = world.ask(world.rsa.token(bound, "RS256"));
  EXPECT_EQ(ingest.principal.roles, std::set<Role>{Role::kIngest});
  EXPECT_EQ(ingest.principal.subscriptions, std::set<std::string>{"s"});
  bound["roles"] = {"KeyVigil.Reader"};  // of other subscriptions: the first grant decides
  EXPECT_EQ(world.ask(world.rsa.token(bound, "RS256")).principal.roles, std::set<Role>{Role::kReader});
  const auto none = world.ask(world.rsa.token(claims_with("roles", {"Other"}), "RS256"));
  EXPECT_EQ(none.refused, "");
  EXPECT_TRUE(none.principal.roles.empty());
  EXPECT_FALSE(none.principal.sees("s"));
}

TEST(Access, RefusesTokensOutsideTheirTime) {
  World world;
  const std::string token = world.rsa.token(claims(), "RS256");
  EXPECT_EQ(world.ask(token, later(3600 + 299)).refused, "");
  EXPECT_EQ(world.ask(token, later(3600 + 300)).refused, "expired_token");
  EXPECT_EQ(world.ask(token, later(-60 - 300)).refused, "");
  EXPECT_EQ(world.ask(token, later(-60 - 301)).refused, "token_not_yet_valid");
  EXPECT_EQ(world.ask(world.rsa.token(claims_without("exp"), "RS256")).refused, "malformed_jwt");
  EXPECT_EQ(world.ask(world.rsa.token(claims_with("exp", "soon"), "RS256")).refused, "malformed_jwt");
  EXPECT_EQ(world.ask(world.rsa.token(claims_with("exp", 1e300), "RS256")).refused, "malformed_jwt");
  EXPECT_EQ(world.ask(world.rsa.token(claims_with("nbf", "soon"), "RS256")).refused, "malformed_jwt");
}

TEST(Access, RefusesTokensForOthersAndOfOthers) {
  World world;
  EXPECT_EQ(world.ask(world.rsa.token(claims_with("aud", "https://graph.example"), "RS256")).refused, "wrong_audience");
  EXPECT_EQ(world.ask(world.rsa.token(claims_with("aud", kAudience + "/"), "RS256")).refused, "wrong_audience");
  EXPECT_EQ(world.ask(world.rsa.token(claims_without("aud"), "RS256")).refused, "wrong_audience");
  EXPECT_EQ(world.ask(world.rsa.token(claims_with("iss", "https://evil.example"), "RS256")).refused, "unknown_issuer");
  EXPECT_EQ(world.ask(world.rsa.token(claims_without("iss"), "RS256")).refused, "unknown_issuer");
  EXPECT_EQ(world.fetches, 0) << "a stranger's token made the service fetch";
}

TEST(Access, RefusesForgedTokens) {
  World world;
  const SigningKey forger = SigningKey::rsa("rsa");  // the same kid
  EXPECT_EQ(world.ask(forger.token(claims(), "RS256")).refused, "bad_signature");
  const std::string token = world.rsa.token(claims(), "RS256");
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  const std::string changed = token.substr(0, first + 1) +
                              base64url_encode(claims_with("roles", {"KeyVigil.Operator"}).dump()) +
                              token.substr(second);
  EXPECT_EQ(world.ask(changed).refused, "bad_signature");
  EXPECT_EQ(world.ask(token.substr(0, second + 1)).refused, "malformed_jwt");
  const std::string cut = base64url_decode(token.substr(second + 1))->substr(1);
  EXPECT_EQ(world.ask(token.substr(0, second + 1) + base64url_encode(cut)).refused, "bad_signature");
}

TEST(Access, DoesNotLetTheTokenChooseHowItIsChecked) {
  World world;
  for (const std::string algorithm : {"none", "None", "", "HS256", "RS512", "rs256", "ES384"}) {
    EXPECT_EQ(world.ask(world.rsa.token(claims(), algorithm, "RS256")).refused, "malformed_jwt") << algorithm;
  }
  const std::string head = base64url_encode(nlohmann::json{{"alg", "none"}, {"kid", "rsa"}}.dump());
  EXPECT_EQ(world.ask(head + "." + base64url_encode(claims().dump()) + ".").refused, "malformed_jwt");
  // An elliptic key never checks RSA and the other way round; a key that names its algorithm checks only that.
  EXPECT_EQ(world.ask(world.rsa.token(claims(), "ES256", "RS256")).refused, "bad_signature");
  EXPECT_EQ(world.ask(world.elliptic.token(claims(), "RS256", "ES256")).refused, "bad_signature");
  EXPECT_EQ(world.ask(world.rsa.token(claims(), "PS256", "RS256")).refused, "bad_signature");
  World bound;
  nlohmann::json key = bound.rsa.as_jwk();
  key["alg"] = "RS256";
  bound.keys = key_set_of({key});
  EXPECT_EQ(bound.ask(bound.rsa.token(claims(), "RS256")).refused, "");
  EXPECT_EQ(bound.ask(bound.rsa.token(claims(), "PS256")).refused, "bad_signature");
  // A key that the token brings along is not read.
  const SigningKey forger = SigningKey::rsa("rsa");
  const nlohmann::json brought = {{"jwk", forger.as_jwk()}, {"jku", "https://evil.example/keys"}};
  EXPECT_EQ(world.ask(forger.token(claims(), "RS256", {}, brought)).refused, "bad_signature");
  EXPECT_EQ(world.ask(world.rsa.token(claims(), "RS256", {}, {{"crit", {"exp"}}})).refused, "malformed_jwt");
}

TEST(Access, RefusesHs256WithThePublicKeyAsSecret) {
  World world;
  const std::string text = base64url_encode(nlohmann::json{{"alg", "HS256"}, {"kid", "rsa"}}.dump()) + "." +
                           base64url_encode(claims().dump());
  const std::string secret = world.rsa.as_jwk().dump();
  std::string mac(32, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), reinterpret_cast<unsigned char*>(mac.data()),
       &size);
  EXPECT_EQ(world.ask(text + "." + base64url_encode(mac)).refused, "malformed_jwt");
}

TEST(Access, FetchesRotatedKeysAtALimitedRate) {
  World world;
  EXPECT_EQ(world.ask(world.rsa.token(claims(), "RS256")).refused, "");
  const SigningKey next = SigningKey::rsa("next");
  world.keys = key_set_of({next.as_jwk()});
  EXPECT_EQ(world.ask(next.token(claims(), "RS256"), later(299)).refused, "unknown_key");
  EXPECT_EQ(world.fetches, 1);
  EXPECT_EQ(world.ask(next.token(claims(), "RS256"), later(300)).refused, "");
  EXPECT_EQ(world.fetches, 2);
  EXPECT_EQ(world.ask(world.rsa.token(claims(), "RS256"), later(301)).refused, "unknown_key") << "a key was withdrawn";
  const SigningKey stranger = SigningKey::rsa("stranger");
  for (int i = 0; i < 100; ++i) { world.ask(stranger.token(claims(), "RS256"), later(302 + i)); }
  EXPECT_EQ(world.fetches, 2);
}

TEST(Access, GoesOnWithTheKeysItHasForAWeek) {
  World world;
  const std::string token = world.rsa.token(claims_with("exp", kNowSeconds + 100 * 86'400), "RS256");
  EXPECT_EQ(world.ask(token).refused, "");
  world.broken = true;
  EXPECT_EQ(world.ask(token, later(2 * 86'400)).refused, "");
  EXPECT_EQ(world.fetches, 2);
  EXPECT_EQ(world.ask(token, later(2 * 86'400 + 1)).refused, "");
  EXPECT_EQ(world.fetches, 2);
  EXPECT_EQ(world.ask(token, later(7 * 86'400 + 1)).refused, "unknown_key");
}

TEST(Access, TriesAgainWhereThereAreNoKeysYet) {
  World world;
  world.broken = true;
  EXPECT_FALSE(world.access->fetch_keys(kNow));
  world.broken = false;
  const std::string token = world.rsa.token(claims(), "RS256");
  EXPECT_EQ(world.ask(token, later(29)).refused, "unknown_key");
  EXPECT_EQ(world.ask(token, later(30)).refused, "");
}

TEST(Access, RefusesIssuersThatWouldTakeTooMuch) {
  const auto make = [](const std::vector<std::string>& audiences, std::vector<JwtGrant> grants, bool keys = true) {
    AccessOptions options;
    JwtIssuer issuer;
    issuer.issuers = {kIssuer};
    issuer.audiences = audiences;
    issuer.grants = std::move(grants);
    if (keys) {
      issuer.key_set = []() -> Result<std::string> { return std::string(); };
    }
    options.issuers.push_back(std::move(issuer));
    return Access::make(std::move(options));
  };
  EXPECT_TRUE(make({"a"}, {{"r", "", {Role::kReader}, {}}}));
  EXPECT_FALSE(make({}, {{"r", "", {Role::kReader}, {}}}));
  EXPECT_FALSE(make({""}, {{"r", "", {Role::kReader}, {}}}));
  EXPECT_FALSE(make({"a"}, {{"", "", {Role::kReader}, {}}}));
  EXPECT_FALSE(make({"a"}, {{"r", "o", {Role::kReader}, {}}}));
  EXPECT_FALSE(make({"a"}, {{"r", "", {}, {}}}));
  EXPECT_FALSE(make({"a"}, {{"r", "", {Role::kReader}, {}}}, false));
}

TEST(KeySet, TakesOnlyKeysThatCanBeTrusted) {
  const SigningKey good = SigningKey::rsa("good");
  const SigningKey curve = SigningKey::elliptic("curve");
  const auto usable = [&](const nlohmann::json& key) {
    const auto set = parse_key_set(key_set_of({good.as_jwk(), key}));
    return set && set->keys.size() == 2 && set->unusable == 0;
  };
  const auto changed = [](nlohmann::json key, const std::string& name, const nlohmann::json& value) {
    key[name] = value;
    return key;
  };
  EXPECT_TRUE(usable(curve.as_jwk()));
  EXPECT_FALSE(usable(SigningKey::rsa("small", 1024).as_jwk()));
  EXPECT_FALSE(usable(changed(good.as_jwk(), "use", "enc")));
  EXPECT_FALSE(usable(changed(good.as_jwk(), "alg", "HS256")));
  EXPECT_FALSE(usable(changed(good.as_jwk(), "e", "AQ")));  // 1
  EXPECT_FALSE(usable(changed(good.as_jwk(), "n", "AQAB")));
  EXPECT_FALSE(usable(changed(good.as_jwk(), "kid", "")));
  EXPECT_FALSE(usable(changed(good.as_jwk(), "kty", "oct")));
  EXPECT_FALSE(usable(changed(curve.as_jwk(), "crv", "P-384")));
  EXPECT_FALSE(usable(changed(curve.as_jwk(), "x", base64url_encode(std::string(32, '\1')))));  // not on the curve
  EXPECT_FALSE(usable(7));
  for (const char* text : {"", "[]", "{}", R"({"keys":[]})", R"({"keys":7})", "nonsense"}) {
    EXPECT_FALSE(parse_key_set(text)) << text;
  }
}

TEST(Base64Url, HasOneTextForEachBytes) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) { bytes += static_cast<char>(i * 37 + size); }
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
  }
  for (const char* text : {"A", "AB=", "A+", "A/", "AB\n", "AB", "AAB"}) {
    EXPECT_EQ(base64url_decode(text).has_value(), false) << text;
  }
}

}  // namespace
}  // namespace keyvigil
