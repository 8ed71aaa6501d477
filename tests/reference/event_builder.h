// EventBuilder: AccessEvents for tests, from the few things a test cares about. Everything else is plausible.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/event_time.h"
#include "base/ip_address.h"
#include "event/access_event.h"

namespace keyvigil {

class EventBuilder {
 public:
  EventBuilder() {
    at("2026-09-28T10:00:00.000Z");
    vault("kv-a");
    operation("SecretGet");
    from("203.0.113.7");
    status(200);
    set(TextField::kCorrelationId, "00000000-0000-4000-8000-000000000001");
  }

  // From an event: only set() and build() may follow.
  explicit EventBuilder(AccessEvent event) : event_(std::move(event)) {}

  EventBuilder& at(std::string_view iso_time) {
    event_.time = parse_iso_time(iso_time).value();
    return *this;
  }
  EventBuilder& at(EventTime time) {
    event_.time = time;
    return *this;
  }
  EventBuilder& vault(std::string_view name) {
    vault_ = name;
    return set(TextField::kVaultId,
               "/subscriptions/11111111-2222-4333-8444-555555555555/resourcegroups/rg-contoso/providers/"
               "microsoft.keyvault/vaults/" +
                   vault_);
  }
  EventBuilder& operation(std::string_view name) {
    event_.operation = find_operation(name);
    if (event_.operation == kUnknownOperation) {
      event_.operation_kind = classify_by_suffix(name);
      return set(TextField::kOperationName, name);
    }
    event_.operation_kind = operation_row(event_.operation).kind;
    return set(TextField::kOperationName, "");
  }
  EventBuilder& from(std::string_view address) {
    event_.address = parse_ip_address(address).value_or(IpAddress{});
    return *this;
  }
  EventBuilder& user(std::string_view name) {
    event_.caller_kind = CallerKind::kUser;
    set(TextField::kObjectId, "0b000000-0000-4000-8000-" +
                                  std::string(12 - std::min<std::size_t>(name.size(), 12), '0') +
                                  std::string(name.substr(0, 12)));
    set(TextField::kUserName, std::string(name) + "@contoso.com");
    set(TextField::kAppId, "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
    return set(TextField::kCallerKey, event_.object_id());
  }
  EventBuilder& app(std::string_view app_id) {
    event_.caller_kind = CallerKind::kApp;
    set(TextField::kAppId, app_id);
    set(TextField::kUserName, "");
    return set(TextField::kCallerKey, app_id);
  }
  EventBuilder& anonymous() {
    event_.caller_kind = CallerKind::kAnonymous;
    for (const TextField field :
         {TextField::kObjectId, TextField::kUserName, TextField::kAppId, TextField::kCallerKey}) {
      set(field, "");
    }
    return *this;
  }
  // The outcome that goes with the status and the caller so far.
  EventBuilder& status(std::uint16_t http_status) {
    event_.http_status = http_status;
    const bool named = !event_.caller_key().empty();
    event_.denial_kind = DenialKind::kNone;
    if (http_status >= 200 && http_status < 300) {
      event_.outcome = Outcome::kSuccess;
    } else if (http_status == 401 && !named) {
      event_.outcome = Outcome::kChallenge;
    } else if (http_status == 401 || http_status == 403) {
      event_.outcome = Outcome::kDenied;
      event_.denial_kind = http_status == 401 ? DenialKind::kToken
                           : named            ? DenialKind::kPolicy
                                              : DenialKind::kFirewall;
    } else if (http_status == 404) {
      event_.outcome = Outcome::kNotFound;
    } else if (http_status == 429) {
      event_.outcome = Outcome::kThrottled;
    } else {
      event_.outcome = Outcome::kOther;
    }
    return *this;
  }
  // "secrets/name"; the request URI follows.
  EventBuilder& object(std::string_view object, std::string_view version = "") {
    set(TextField::kObject, object);
    set(TextField::kObjectVersion, version);
    std::string uri = "https://" + vault_ + ".vault.azure.net/" + std::string(object);
    if (!version.empty()) { uri += "/" + std::string(version); }
    return set(TextField::kUri, uri);
  }
  EventBuilder& place(std::uint32_t input, std::uint64_t line) {
    event_.place.input = input;
    event_.place.line = line;
    return *this;
  }
  // Rewrites the text block: slices stay in the order of TextField.
  EventBuilder& set(TextField field, std::string_view value) {
    std::array<std::string, kTextFieldCount> texts;
    for (std::size_t i = 0; i < kTextFieldCount; ++i) { texts[i] = event_.get(static_cast<TextField>(i)); }
    texts[static_cast<std::size_t>(field)] = value;
    event_.text.clear();
    for (std::size_t i = 0; i < kTextFieldCount; ++i) {
      event_.slices[i] = {static_cast<std::uint16_t>(event_.text.size()), static_cast<std::uint16_t>(texts[i].size())};
      event_.text += texts[i];
    }
    return *this;
  }

  [[nodiscard]] const AccessEvent& build() const { return event_; }

 private:
  AccessEvent event_;
  std::string vault_;
};

}  // namespace keyvigil
