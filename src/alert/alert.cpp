#include "alert/alert.h"

#include <fmt/format.h>

#include "alert/printable.h"

namespace keyvigil {

std::string_view to_string(Part part) {
  constexpr std::array<std::string_view, kPartCount> kNames = {"cause", "suspicious", "context"};
  return kNames[static_cast<std::size_t>(part)];
}

Identity identity_of(const AccessEvent& event) {
  constexpr std::size_t kNameBytes = 128;
  constexpr std::size_t kTextBytes = 512;
  return {.kind = event.caller_kind,
          .key = std::string(event.caller_key()),
          .object_id = bounded_utf8(event.object_id(), kNameBytes),
          .user_name = bounded_utf8(event.user_name(), kTextBytes),
          .app_id = bounded_utf8(event.app_id(), kNameBytes),
          .managed_identity = bounded_utf8(event.managed_identity(), kTextBytes)};
}

std::string in_words(const Identity& identity) {
  switch (identity.kind) {
    case CallerKind::kUser:
      return "user " + (identity.user_name.empty() ? identity.key : identity.user_name);
    case CallerKind::kApp:
      return "application " + identity.key;
    case CallerKind::kManagedIdentity: {
      const std::string& id = identity.managed_identity;
      return "managed identity " + (id.empty() ? identity.key : id.substr(id.rfind('/') + 1));
    }
    case CallerKind::kFirstParty:
      return "Microsoft service " + identity.key;
    case CallerKind::kAnonymous:
      break;
  }
  return "nobody named";
}

Severity severity_of(const Alert& alert) {
  return alert.learning ? Severity::kInformational : catalogue_row(alert.type).severity;
}

std::string alert_name(const Alert& alert) {
  constexpr std::int64_t kLastTick = 3'155'378'975'999'999'999;  // of the year 9999
  constexpr std::int64_t kUnixEpoch = 621'355'968'000'000'000;   // since year 1
  const std::int64_t start = alert.start.milliseconds() * EventTime::kTicksPerMillisecond;
  return fmt::format("{:019}_{}", kLastTick - kUnixEpoch - start, alert.id);
}

}  // namespace keyvigil
