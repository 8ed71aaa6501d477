#include "intel/stix_pattern.h"

#include <algorithm>

namespace keyvigil {
namespace {

constexpr int kDepthLimit = 32;

enum class TokenKind { kEnd, kWord, kText, kMark, kBad };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // a word, the content of a quoted text, or a one-character mark

  [[nodiscard]] bool is_word(std::string_view word) const { return kind == TokenKind::kWord && text == word; }
  [[nodiscard]] bool is_mark(char mark) const { return kind == TokenKind::kMark && text[0] == mark; }
};

class Scanner {
 public:
  explicit Scanner(std::string_view pattern) : rest_(pattern) { advance(); }

  [[nodiscard]] const Token& current() const { return current_; }
  void advance() {
    current_ = Token{};
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    if (rest_.empty()) { return; }
    if (rest_[0] == '\'') { return read_text(); }
    if (is_word_character(rest_[0])) { return read_word(); }
    constexpr std::string_view kMarks = "[]()=,";
    current_.kind = kMarks.find(rest_[0]) == std::string_view::npos ? TokenKind::kBad : TokenKind::kMark;
    current_.text = rest_[0];
    rest_.remove_prefix(1);
  }

 private:
  [[nodiscard]] static bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ':' ||
           c == '_' || c == '.';
  }

  void read_word() {
    current_.kind = TokenKind::kWord;
    while (!rest_.empty() && is_word_character(rest_[0])) {
      current_.text += rest_[0];
      rest_.remove_prefix(1);
    }
  }

  // REQUIRES: rest_ starts with a quote. \' and \\ are the only escapes.
  void read_text() {
    rest_.remove_prefix(1);
    current_.kind = TokenKind::kBad;
    while (!rest_.empty()) {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '\'') {
        current_.kind = TokenKind::kText;
        return;
      }
      if (c == '\\') {
        if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '\\')) { return; }
        c = rest_[0];
        rest_.remove_prefix(1);
      }
      current_.text += c;
    }
  }

  std::string_view rest_;
  Token current_;
};

class AddressListParser {
 public:
  explicit AddressListParser(std::string_view pattern) : scanner_(pattern) {}

  [[nodiscard]] std::optional<std::vector<StixAddress>> parse() {
    if (!list_of(&AddressListParser::observation) || scanner_.current().kind != TokenKind::kEnd) {
      return std::nullopt;
    }
    return std::move(addresses_);
  }

 private:
  using Rule = bool (AddressListParser::*)();

  // rule (OR rule)*
  [[nodiscard]] bool list_of(Rule rule) {
    if (!(this->*rule)()) { return false; }
    while (scanner_.current().is_word("OR")) {
      scanner_.advance();
      if (!(this->*rule)()) { return false; }
    }
    return true;
  }

  [[nodiscard]] bool take_mark(char mark) {
    if (!scanner_.current().is_mark(mark)) { return false; }
    scanner_.advance();
    return true;
  }

  [[nodiscard]] bool enclosed(Rule rule, char close) {
    if (++depth_ > kDepthLimit) { return false; }
    const bool fits = list_of(rule) && take_mark(close);
    --depth_;
    return fits;
  }

  [[nodiscard]] bool observation() {
    if (take_mark('(')) { return enclosed(&AddressListParser::observation, ')'); }
    return take_mark('[') && enclosed(&AddressListParser::comparison, ']');
  }

  [[nodiscard]] bool comparison() {
    if (take_mark('(')) { return enclosed(&AddressListParser::comparison, ')'); }
    const bool v6 = scanner_.current().is_word("ipv6-addr:value");
    if (!v6 && !scanner_.current().is_word("ipv4-addr:value")) { return false; }
    scanner_.advance();
    if (take_mark('=')) { return take_text(v6); }
    if (scanner_.current().is_word("ISSUBSET")) {
      scanner_.advance();
      return take_text(v6);
    }
    if (!scanner_.current().is_word("IN")) { return false; }
    scanner_.advance();
    return take_set(v6);
  }

  [[nodiscard]] bool take_set(bool v6) {
    if (!take_mark('(') || !take_text(v6)) { return false; }
    while (take_mark(',')) {
      if (!take_text(v6)) { return false; }
    }
    return take_mark(')');
  }

  [[nodiscard]] bool take_text(bool v6) {
    if (scanner_.current().kind != TokenKind::kText) { return false; }
    addresses_.push_back({scanner_.current().text, v6});
    scanner_.advance();
    return true;
  }

  Scanner scanner_;
  std::vector<StixAddress> addresses_;
  int depth_ = 0;
};

}  // namespace

std::optional<std::vector<StixAddress>> parse_stix_addresses(std::string_view pattern) {
  return AddressListParser(pattern).parse();
}

}  // namespace keyvigil
