#include "api/tls.h"

#include <fcntl.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "api/openssl_owner.h"
#include "api/tls_context.h"
#include "base/file_descriptor.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kLifeDays = 730;
constexpr std::int64_t kRenewDays = 7;
constexpr std::int64_t kEarlierSeconds = 3600;  // clocks of clients may be behind
constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kHostNameLimit = 64;  // of a common name (RFC 5280 A.1)

using Key = OpenSslOwner<EVP_PKEY, EVP_PKEY_free>;
using Certificate = OpenSslOwner<X509, X509_free>;
using Extension = OpenSslOwner<X509_EXTENSION, X509_EXTENSION_free>;
using Memory = OpenSslOwner<BIO, BIO_free>;
using BigNumber = OpenSslOwner<BIGNUM, BN_free>;

tl::unexpected<Error> not_made(std::string_view what) {
  return fail(ErrorKind::kInputOutput, fmt::format("OpenSSL could not make {} for --dev.", what));
}

tl::unexpected<Error> not_written(const std::string& path) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("Cannot write {}: {}.", path, std::generic_category().message(errno)));
}

// What DNS allows in a name; anything else would become syntax in the extension.
bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= kHostNameLimit &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
             std::string_view::npos;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) { return false; }
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);  // positive, and never short
  const BigNumber number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509_NAME* name, const std::string& subject_name) {
  const auto add = [&](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()),
                                      -1, -1, 0) == 1;
  };
  return add("O", "KeyVigil") && add("CN", subject_name);
}

// Valid from an hour before `now`, signed by nobody yet.
Certificate blank_certificate(EVP_PKEY* key, const std::string& subject_name, EventTime now) {
  constexpr int kVersion3 = 2;
  Certificate certificate(X509_new());
  const time_t start = now.ticks / EventTime::kTicksPerSecond - kEarlierSeconds;
  const time_t end = start + kLifeDays * 86'400;
  if (!certificate || X509_set_version(certificate.get(), kVersion3) != 1 || !set_serial(certificate.get()) ||
      ASN1_TIME_set(X509_getm_notBefore(certificate.get()), start) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate.get()), end) == nullptr ||
      X509_set_pubkey(certificate.get(), key) != 1 ||
      !set_name(X509_get_subject_name(certificate.get()), subject_name)) {
    return nullptr;
  }
  return certificate;
}

bool sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  return X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

Certificate authority_certificate(EVP_PKEY* key, EventTime now) {
  Certificate made = blank_certificate(key, "KeyVigil local authority", now);
  if (!made || !add_extension(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !add_extension(made.get(), made.get(), NID_key_usage, "critical,keyCertSign") ||
      !add_extension(made.get(), made.get(), NID_subject_key_identifier, "hash") ||
      !sign(made.get(), made.get(), key)) {
    return nullptr;
  }
  return made;
}

Certificate server_certificate(EVP_PKEY* key, X509* authority, EVP_PKEY* authority_key, const std::string& host_name,
                               EventTime now) {
  Certificate made = blank_certificate(key, "localhost", now);
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (is_host_name(host_name) && host_name != "localhost") { names += ",DNS:" + host_name; }
  if (!made || !add_extension(made.get(), authority, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(made.get(), authority, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(made.get(), authority, NID_ext_key_usage, "serverAuth") ||
      !add_extension(made.get(), authority, NID_subject_alt_name, names) ||
      !add_extension(made.get(), authority, NID_authority_key_identifier, "keyid") ||
      !sign(made.get(), authority, authority_key)) {
    return nullptr;
  }
  return made;
}

template <typename Write>
std::string pem(Write&& write) {
  const Memory memory(BIO_new(BIO_s_mem()));
  if (!memory || write(memory.get()) != 1) { return {}; }
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// Whole or not at all: written beside, then renamed.
Result<void> write_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());
  const FileDescriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file.valid()) { return not_written(beside); }
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0) { return not_written(beside); }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0 || std::rename(beside.c_str(), path.c_str()) != 0) { return not_written(path); }
  return {};
}

Result<void> make_files(const LocalAuthority& local, const std::string& host_name, EventTime now) {
  const Key authority_key(EVP_EC_gen("P-256"));
  const Key server_key(EVP_EC_gen("P-256"));
  if (!authority_key || !server_key) { return not_made("keys"); }
  const Certificate authority = authority_certificate(authority_key.get(), now);
  if (!authority) { return not_made("an authority"); }
  const Certificate server = server_certificate(server_key.get(), authority.get(), authority_key.get(), host_name, now);
  if (!server) { return not_made("a certificate"); }
  const std::string key_text = pem(
      [&](BIO* to) { return PEM_write_bio_PrivateKey(to, server_key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  const std::string server_text = pem([&](BIO* to) { return PEM_write_bio_X509(to, server.get()); });
  const std::string authority_text = pem([&](BIO* to) { return PEM_write_bio_X509(to, authority.get()); });
  if (key_text.empty() || server_text.empty() || authority_text.empty()) { return not_made("PEM files"); }
  constexpr mode_t kOwnerOnly = 0600;
  constexpr mode_t kForAll = 0644;
  if (auto written = write_file(local.server.key_path, key_text, kOwnerOnly); !written) { return written; }
  if (auto written = write_file(local.server.certificate_path, server_text, kForAll); !written) { return written; }
  return write_file(local.authority_path, authority_text, kForAll);
}

bool is_usable(const LocalAuthority& local, EventTime now) {
  std::error_code ignored;
  if (!std::filesystem::exists(local.authority_path, ignored)) { return false; }
  const auto context = tls_context(local.server);
  return context && context->expires.ticks - now.ticks > kRenewDays * EventTime::kTicksPerDay;
}

}  // namespace

Result<LocalAuthority> local_authority(const std::string& folder, const std::string& host_name, EventTime now) {
  std::error_code error;
  const std::filesystem::path place = std::filesystem::absolute(folder, error);
  if (!error && !std::filesystem::exists(place, error)) {
    std::filesystem::create_directories(place, error);
    if (!error) { std::filesystem::permissions(place, std::filesystem::perms::owner_all, error); }
  }
  if (error) {
    return fail(ErrorKind::kInputOutput, fmt::format("Cannot make the folder {}: {}.", folder, error.message()));
  }
  LocalAuthority local;
  local.authority_path = place / "authority.pem";
  local.server = {place / "server.pem", place / "server.key"};
  if (!is_usable(local, now)) {
    if (auto made = make_files(local, host_name, now); !made) { return tl::unexpected<Error>(made.error()); }
    local.made_now = true;
  }
  local.how_to_trust = fmt::format(
      "Clients must trust {0}. curl: --cacert {0}; Node: NODE_EXTRA_CA_CERTS={0}; Python and az: "
      "REQUESTS_CA_BUNDLE={0}.",
      local.authority_path);
  return local;
}

}  // namespace keyvigil
