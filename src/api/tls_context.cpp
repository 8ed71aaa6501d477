#include "api/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace keyvigil {
namespace {

constexpr int kSecondsPerDay = 86'400;

std::string last_ssl_error() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) { return "no reason given"; }
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

// HTTP/1.1 where the client offers it; who offers only other protocols may still try.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int size, void*) {
  constexpr std::string_view kName = "http/1.1";
  for (unsigned int at = 0; at + offered[at] < size; at += 1U + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != kName) { continue; }
    *chosen = offered + at + 1;
    *length = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

Result<void> check_key_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("Cannot read the TLS key {}: {}.", path, std::generic_category().message(errno)));
  }
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("Everybody on this machine may read the TLS key {}. Do: chmod 600 {}", path, path));
  }
  return {};
}

EventTime expiry_of(SSL_CTX* context) {
  const X509* certificate = SSL_CTX_get0_certificate(context);
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> epoch(ASN1_TIME_set(nullptr, 0), ASN1_TIME_free);
  int days = 0;
  int seconds = 0;
  if (certificate == nullptr || !epoch ||
      ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(certificate)) != 1) {
    return {};
  }
  return {(std::int64_t{days} * kSecondsPerDay + seconds) * EventTime::kTicksPerSecond};
}

}  // namespace

Result<TlsContext> tls_context(const TlsFiles& files) {
  if (auto checked = check_key_file(files.key_path); !checked) { return tl::unexpected<Error>(checked.error()); }
  ERR_clear_error();
  TlsContext made;
  made.context = std::make_unique<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  SSL_CTX* context = made.context->native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  // Tickets would be sealed with one key for as long as the process lives, and give up forward secrecy for it.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // idle connections are many
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate_path.c_str()) != 1) {
    return fail(ErrorKind::kInputOutput, fmt::format("Expected a PEM certificate, followed by its intermediates, in {}:"
                                                     " {}.",
                                                     files.certificate_path, last_ssl_error()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(ErrorKind::kInputOutput, fmt::format("Expected the PEM private key of {}, without a pass phrase, in {}:"
                                                     " {}.",
                                                     files.certificate_path, files.key_path, last_ssl_error()));
  }
  made.expires = expiry_of(context);
  return made;
}

Result<void> check_certificate(const TlsFiles& files) {
  const auto context = tls_context(files);
  return context ? Result<void>() : tl::unexpected<Error>(context.error());
}

}  // namespace keyvigil
