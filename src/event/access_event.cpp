#include "event/access_event.h"

namespace keyvigil {
namespace {

// The segment after "/<name>/" in a resource id; ids are lower case.
std::string_view segment_after(std::string_view resource_id, std::string_view name) {
  const std::size_t at = resource_id.find(name);
  if (at == std::string_view::npos) { return {}; }
  const std::string_view rest = resource_id.substr(at + name.size());
  return rest.substr(0, rest.find('/'));
}

}  // namespace

std::string_view AccessEvent::operation_name() const {
  return operation == kUnknownOperation ? get(TextField::kOperationName) : operation_row(operation).name;
}

std::string_view AccessEvent::vault_name() const {
  const std::string_view id = vault_id();
  return id.substr(id.rfind('/') + 1);
}

std::string_view AccessEvent::subscription_id() const { return segment_after(vault_id(), "/subscriptions/"); }

std::string_view AccessEvent::resource_group() const { return segment_after(vault_id(), "/resourcegroups/"); }

std::string_view to_string(CallerKind kind) {
  switch (kind) {
    case CallerKind::kAnonymous: return "anonymous";
    case CallerKind::kUser: return "user";
    case CallerKind::kApp: return "app";
    case CallerKind::kManagedIdentity: return "managed identity";
    case CallerKind::kFirstParty: return "first-party";
  }
  return "unknown";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess: return "success";
    case Outcome::kDenied: return "denied";
    case Outcome::kChallenge: return "challenge";
    case Outcome::kNotFound: return "not found";
    case Outcome::kThrottled: return "throttled";
    case Outcome::kOther: return "other";
  }
  return "unknown";
}

std::string_view to_string(DenialKind kind) {
  switch (kind) {
    case DenialKind::kNone: return "none";
    case DenialKind::kPolicy: return "access policy";
    case DenialKind::kRbac: return "RBAC";
    case DenialKind::kFirewall: return "firewall";
    case DenialKind::kConnection: return "connection";
    case DenialKind::kToken: return "token";
    case DenialKind::kUnspecified: return "unspecified";
    case DenialKind::kObjectState: return "object state";
    case DenialKind::kFirstParty: return "first-party service";
  }
  return "unknown";
}

}  // namespace keyvigil
