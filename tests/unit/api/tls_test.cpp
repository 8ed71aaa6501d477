#include "api/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "api/tls_context.h"
#include "unit/api/loopback_server.h"
#include "unit/source/folder.h"

namespace keyvigil {
namespace {

// OpenSSL's time of judging a certificate is the real one.
const EventTime kToday = EventTime{std::int64_t{std::time(nullptr)} * EventTime::kTicksPerSecond};

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  CHECK(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

// One request over TLS by OpenSSL alone, as a client that trusts only `authority_path`. Empty where the handshake
// fails.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, const std::string& authority_path, const std::string& name, int most_version = 0)
      : context_(SSL_CTX_new(TLS_client_method())), stream_(nullptr) {
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    CHECK(SSL_CTX_load_verify_locations(context_, authority_path.c_str(), nullptr) == 1);
    if (most_version != 0) {
      SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
      SSL_CTX_set_max_proto_version(context_, most_version);
      SSL_CTX_set_cipher_list(context_, "ALL:@SECLEVEL=0");
    }
    const std::string address = "127.0.0.1:" + std::to_string(port);
    stream_ = BIO_new_ssl_connect(context_);
    BIO_set_conn_hostname(stream_, address.c_str());
    SSL* ssl = nullptr;
    BIO_get_ssl(stream_, &ssl);
    CHECK(ssl != nullptr);
    if (name.find_first_not_of("0123456789.:") == std::string::npos) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    } else {
      SSL_set1_host(ssl, name.c_str());
    }
    connected_ = BIO_do_connect(stream_) == 1 && BIO_do_handshake(stream_) == 1;
    version_ = SSL_version(ssl);
  }
  ~TlsClient() {
    BIO_free_all(stream_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int version() const { return version_; }
  std::string exchange(const std::string& request) {
    if (!connected_ || BIO_write(stream_, request.data(), static_cast<int>(request.size())) <= 0) { return {}; }
    std::string response;
    char block[4096];
    int size = 0;
    while ((size = BIO_read(stream_, block, sizeof block)) > 0) {
      response.append(block, static_cast<std::size_t>(size));
    }
    return response;
  }

 private:
  SSL_CTX* context_;
  BIO* stream_;
  bool connected_ = false;
  int version_ = 0;
};

LocalAuthority authority_in(const Folder& folder, EventTime now = kToday) {
  auto made = local_authority(folder.path() + "/dev", "vigil.contoso.example", now);
  CHECK(made.has_value());
  return *std::move(made);
}

TEST(LocalAuthority, IsTrustedByAClientThatTrustsIt) {
  const Folder folder;
  const LocalAuthority local = authority_in(folder);
  HttpServerOptions options;
  options.tls = local.server;
  LoopbackServer loopback(options);
  for (const char* name : {"localhost", "127.0.0.1", "::1", "vigil.contoso.example"}) {
    TlsClient client(loopback.port(), local.authority_path, name);
    const std::string response = client.exchange(ask("GET", "/hello", kGoodToken, "Connection: close\r\n"));
    EXPECT_TRUE(response.starts_with("HTTP/1.1 200 ")) << name << response;
    EXPECT_EQ(occurrences(response, "\"host\":\"https://localhost:8443\""), 1U);
    EXPECT_EQ(client.version(), TLS1_3_VERSION);
  }
  TlsClient other(loopback.port(), local.authority_path, "evil.contoso.example");
  EXPECT_FALSE(other.connected());
  const Folder elsewhere;
  TlsClient stranger(loopback.port(), authority_in(elsewhere).authority_path, "localhost");
  EXPECT_FALSE(stranger.connected());
}

TEST(LocalAuthority, KeepsItsFilesToItself) {
  const Folder folder;
  const LocalAuthority local = authority_in(folder);
  EXPECT_TRUE(local.made_now);
  EXPECT_EQ(mode_of(local.server.key_path), 0600U);
  EXPECT_EQ(mode_of(folder.path() + "/dev"), 0700U);
  std::size_t keys = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/dev")) {
    keys += occurrences(content_of(entry.path()), "BEGIN PRIVATE KEY");
  }
  EXPECT_EQ(keys, 1U) << "the authority's key was kept";
  EXPECT_NE(local.how_to_trust.find("NODE_EXTRA_CA_CERTS=" + local.authority_path), std::string::npos);
}

TEST(LocalAuthority, IsUsedAgainUntilItsLastWeek) {
  const Folder folder;
  const LocalAuthority first = authority_in(folder);
  const std::string certificate = content_of(first.server.certificate_path);
  const auto later = [](std::int64_t days) { return EventTime{kToday.ticks + days * EventTime::kTicksPerDay}; };
  EXPECT_FALSE(authority_in(folder, later(700)).made_now);
  EXPECT_EQ(content_of(first.server.certificate_path), certificate);
  EXPECT_TRUE(authority_in(folder, later(724)).made_now);
  EXPECT_NE(content_of(first.server.certificate_path), certificate);
  EXPECT_FALSE(authority_in(folder, later(724)).made_now);
  std::ofstream(first.server.key_path) << "nonsense";
  EXPECT_TRUE(authority_in(folder, later(724)).made_now);
}

TEST(LocalAuthority, DoesNotTakeAHostNameForSyntax) {
  const Folder folder;
  EXPECT_TRUE(local_authority(folder.path() + "/a", "a,DNS:evil.example", kToday));
  EXPECT_TRUE(local_authority(folder.path() + "/b", "", kToday));
  HttpServerOptions options;
  options.tls = local_authority(folder.path() + "/a", "", kToday)->server;
  LoopbackServer loopback(options);
  TlsClient client(loopback.port(), folder.path() + "/a/authority.pem", "evil.example");
  EXPECT_FALSE(client.connected());
}

TEST(TlsContext, SpeaksNothingOlderThanOneTwo) {
  const Folder folder;
  const LocalAuthority local = authority_in(folder);
  HttpServerOptions options;
  options.tls = local.server;
  LoopbackServer loopback(options);
  TlsClient old(loopback.port(), local.authority_path, "localhost", TLS1_1_VERSION);
  EXPECT_FALSE(old.connected());
  TlsClient fair(loopback.port(), local.authority_path, "localhost", TLS1_2_VERSION);
  EXPECT_TRUE(fair.connected());
  RawClient plain(loopback.port());
  plain.send(ask("GET", "/hello"));
  EXPECT_EQ(occurrences(plain.read_all(), "HTTP/1.1"), 0U);
  EXPECT_GE(loopback.server().figures().failed_handshakes, 2U);
}

TEST(TlsContext, IsReadAgain) {
  const Folder folder;
  const LocalAuthority local = authority_in(folder);
  HttpServerOptions options;
  options.tls = local.server;
  LoopbackServer loopback(options);
  const Folder elsewhere;
  const LocalAuthority next = authority_in(elsewhere, EventTime{kToday.ticks - EventTime::kTicksPerDay});
  const auto expires = loopback.server().figures().certificate_expires;
  std::filesystem::copy_file(next.server.certificate_path, local.server.certificate_path,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(loopback.server().reload_certificate(local.server)) << "the key is another one's";
  EXPECT_TRUE(TlsClient(loopback.port(), local.authority_path, "localhost").connected()) << "the old one goes on";
  std::filesystem::copy_file(next.server.key_path, local.server.key_path,
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(loopback.server().reload_certificate(local.server));
  EXPECT_FALSE(TlsClient(loopback.port(), local.authority_path, "localhost").connected());
  EXPECT_TRUE(TlsClient(loopback.port(), next.authority_path, "localhost").connected());
  EXPECT_EQ(loopback.server().figures().certificate_expires->ticks, expires->ticks - EventTime::kTicksPerDay);
}

TEST(TlsContext, RefusesAKeyThatEverybodyMayRead) {
  const Folder folder;
  const LocalAuthority local = authority_in(folder);
  ASSERT_TRUE(tls_context(local.server));
  std::filesystem::permissions(local.server.key_path, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const auto refused = tls_context(local.server);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
  EXPECT_FALSE(tls_context({local.server.certificate_path, folder.path() + "/absent"}));
}

}  // namespace
}  // namespace keyvigil
