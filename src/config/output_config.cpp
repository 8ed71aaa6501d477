#include "config/output_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/ascii.h"

namespace keyvigil {
namespace {

struct KindRow {
  OutputKind kind;
  std::string_view name;
  AlertFormat format;                       // unless another is named
  std::string_view schemes;                 // of `url`, separated by blanks; empty: there is no `url`
  std::string_view plain_schemes;           // of these, those that need `plain_text: true`
  std::vector<std::string_view> needed;     // keys
  std::vector<std::string_view> permitted;  // further keys, beside those of every output
};

const std::vector<KindRow>& kind_rows() {
  static const std::vector<KindRow> kRows = {
      {OutputKind::kFile, "file", AlertFormat::kJsonl, "", "", {"path"}, {"format"}},
      {OutputKind::kWebhook,
       "webhook",
       AlertFormat::kJsonl,
       "https http",
       "http",
       {"url"},
       {"format", "secret", "ca_file", "plain_text"}},
      {OutputKind::kSlack, "slack", AlertFormat::kJsonl, "", "", {"secret"}, {"ca_file", "plain_text"}},
      {OutputKind::kTeams, "teams", AlertFormat::kJsonl, "", "", {"secret"}, {"ca_file", "plain_text"}},
      {OutputKind::kSyslog, "syslog", AlertFormat::kSyslog, "tls tcp udp", "", {"url"}, {"ca_file"}},
      {OutputKind::kMail,
       "mail",
       AlertFormat::kJsonl,
       "smtp smtps",
       "",
       {"url", "from", "to"},
       {"secret", "user", "ca_file", "plain_text"}},
      {OutputKind::kSplunk,
       "splunk",
       AlertFormat::kJsonl,
       "https http",
       "http",
       {"url", "secret"},
       {"format", "index", "ca_file", "plain_text"}},
      {OutputKind::kElasticsearch,
       "elasticsearch",
       AlertFormat::kEcs,
       "https http",
       "http",
       {"url", "index"},
       {"format", "secret", "user", "ca_file", "plain_text"}},
  };
  return kRows;
}

// One output: its keys as they come, then what they must be together.
class OutputReader {
 public:
  OutputReader(ConfigReader& reader, const YAML::Node& node, const std::set<std::string>& taken)
      : reader_(reader), node_(node), taken_(taken) {}

  OutputOptions read() {
    reader_.read_map(node_, "outputs", keys());
    check();
    return std::move(output_);
  }

 private:
  ConfigReader::Key text_key(std::string_view name, std::string& to) {
    return {name, [this, name, &to](const YAML::Node& value) {
              seen_.insert(name);
              to = reader_.read_text(value, path(name));
            }};
  }
  ConfigReader::Key truth_key(std::string_view name, bool& to) {
    return {name, [this, name, &to](const YAML::Node& value) {
              seen_.insert(name);
              to = reader_.read_truth(value, path(name));
            }};
  }
  ConfigReader::Key number_key(std::string_view name, std::int64_t least, std::int64_t most, std::int64_t& to) {
    return {name, [this, name, least, most, &to](const YAML::Node& value) {
              to = reader_.read_number(value, path(name), least, most);
            }};
  }

  std::vector<ConfigReader::Key> keys() {
    return {
        text_key("name", output_.name),
        {"kind", [this](const YAML::Node& value) { read_kind(value); }},
        {"path",
         [this](const YAML::Node& value) {
           seen_.insert("path");
           output_.target = reader_.read_file(value, path("path"));
         }},
        text_key("url", url_),
        {"format", [this](const YAML::Node& value) { read_format(value); }},
        {"secret",
         [this](const YAML::Node& value) {
           seen_.insert("secret");
           output_.secret = reader_.read_secret_reference(value, path("secret"));
         }},
        text_key("user", output_.user),
        {"ca_file",
         [this](const YAML::Node& value) {
           seen_.insert("ca_file");
           output_.ca_file = reader_.read_file(value, path("ca_file"));
         }},
        truth_key("plain_text", output_.plain_text),
        text_key("index", output_.index),
        text_key("from", output_.from),
        {"to",
         [this](const YAML::Node& value) {
           seen_.insert("to");
           output_.to = reader_.read_texts(value, path("to"));
         }},
        number_key("timeout_seconds", 1, 120, output_.timeout_seconds),
        number_key("most_attempts", 1, 10'000, output_.most_attempts),
        number_key("most_age_hours", 1, 8'760, output_.most_age_hours),
        {"minimum_severity", [this](const YAML::Node& value) { read_severity(value); }},
        {"types", [this](const YAML::Node& value) { read_types(value); }},
        {"subscriptions", [this](const YAML::Node& value) { read_subscriptions(value); }},
        {"learning",
         [this](const YAML::Node& value) { output_.filter.learning = reader_.read_truth(value, path("learning")); }},
        {"backfilled",
         [this](const YAML::Node& value) {
           output_.filter.backfilled = reader_.read_truth(value, path("backfilled"));
         }},
        {"simulated",
         [this](const YAML::Node& value) { output_.filter.simulated = reader_.read_truth(value, path("simulated")); }}};
  }

  static std::string path(std::string_view key) { return fmt::format("outputs.{}", key); }

  void read_kind(const YAML::Node& value) {
    const std::string name = reader_.read_text(value, path("kind"));
    const auto found = std::ranges::find(kind_rows(), name, &KindRow::name);
    if (found != kind_rows().end()) {
      kind_ = &*found;
      output_.kind = found->kind;
      return;
    }
    std::vector<std::string_view> names;
    for (const KindRow& row : kind_rows()) { names.push_back(row.name); }
    reader_.refuse(value, path("kind"), fmt::format("expected one of {}, found '{}'", fmt::join(names, ", "), name));
  }

  void read_format(const YAML::Node& value) {
    seen_.insert("format");
    const std::string name = reader_.read_text(value, path("format"));
    format_ = parse_alert_format(name);
    if (!format_ || *format_ == AlertFormat::kTable) {
      reader_.refuse(value, path("format"),
                     fmt::format("expected one of {} but table, found '{}'", alert_format_names(), name));
    }
  }

  void read_severity(const YAML::Node& value) {
    const std::string name = reader_.read_text(value, path("minimum_severity"));
    const auto severity = parse_severity(name);
    if (!severity) {
      reader_.refuse(value, path("minimum_severity"),
                     fmt::format("expected Informational, Low, Medium or High, found '{}'", name));
      return;
    }
    output_.filter.minimum_severity = *severity;
  }

  void read_types(const YAML::Node& value) {
    for (const std::string& code : reader_.read_texts(value, path("types"))) {
      const auto type = find_alert_type(code);
      if (!type) {
        reader_.refuse(
            value, path("types"),
            fmt::format("expected codes such as KV_TORAccess (`keyvigil catalogue` lists them), found '{}'", code));
        return;
      }
      output_.filter.types.insert(*type);
    }
  }

  void read_subscriptions(const YAML::Node& value) {
    for (const std::string& id : reader_.read_texts(value, path("subscriptions"))) {
      output_.filter.subscriptions.insert(lower_case(id));
    }
  }

  void check() {
    check_name();
    if (kind_ == nullptr) {
      reader_.refuse(node_, path("kind"), "expected the key `kind`, found none");
      return;
    }
    for (const std::string_view key : kind_->needed) {
      if (!seen_.contains(key)) {
        reader_.refuse(node_, path(key), fmt::format("an output of kind {} needs this key", kind_->name));
      }
    }
    for (const std::string_view key : seen_) {
      const bool known = key == "name" || std::ranges::find(kind_->needed, key) != kind_->needed.end() ||
                         std::ranges::find(kind_->permitted, key) != kind_->permitted.end();
      if (!known) {
        reader_.refuse(node_, path(key), fmt::format("an output of kind {} does not use this key", kind_->name));
      }
    }
    output_.format = format_.value_or(kind_->format);
    if (!kind_->schemes.empty()) { check_url(); }
    check_format();
  }

  void check_name() {
    const std::string& name = output_.name;
    const bool plain = std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (name.empty() || name.size() > 64 || !plain) {
      reader_.refuse(node_, path("name"), "expected a name of 1 to 64 letters, digits, '-' and '_'");
    } else if (taken_.contains(name)) {
      reader_.refuse(node_, path("name"), fmt::format("expected a name of its own, found a second output '{}'", name));
    }
  }

  void check_url() {
    const std::size_t end = url_.find("://");
    const std::string scheme = url_.substr(0, end);
    const auto is_among = [&](std::string_view schemes) {
      return fmt::format(" {} ", schemes).find(fmt::format(" {} ", scheme)) != std::string::npos;
    };
    if (end == std::string::npos || !is_among(kind_->schemes) || url_.size() == end + 3) {
      reader_.refuse(node_, path("url"), fmt::format("expected a URL that begins with one of: {}", kind_->schemes));
    } else if (is_among(kind_->plain_schemes) && !output_.plain_text) {
      reader_.refuse(
          node_, path("url"),
          fmt::format("{} sends alerts and secrets in plain text; use TLS, or say `plain_text: true`", scheme));
    }
    output_.target = url_;
  }

  // A request carries one JSON document.
  void check_format() {
    if (seen_.contains("format") && kind_->kind != OutputKind::kFile && !is_json(output_.format)) {
      reader_.refuse(node_, path("format"),
                     fmt::format("an output of kind {} takes one of {}", kind_->name, json_format_names()));
    }
  }

  ConfigReader& reader_;
  const YAML::Node& node_;
  const std::set<std::string>& taken_;
  OutputOptions output_;
  const KindRow* kind_ = nullptr;
  std::optional<AlertFormat> format_;
  std::string url_;
  std::set<std::string_view> seen_;  // of the keys that not every kind has
};

}  // namespace

void read_output_config(ConfigReader& reader, const YAML::Node& node, std::vector<OutputOptions>& out) {
  std::set<std::string> taken;
  reader.read_list(node, "outputs", [&](const YAML::Node& one) {
    out.push_back(OutputReader(reader, one, taken).read());
    taken.insert(out.back().name);
  });
}

}  // namespace keyvigil
