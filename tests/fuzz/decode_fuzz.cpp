// Any bytes as one JSON record, and as one row of a table: nothing throws, and what nlohmann accepts is read as the
// twin reads it. Differences of shape that the twin does not model (a number where text belongs) are left out.
#include <cstdio>
#include <set>
#include <string>
#include <vector>

// The reference is not a library: fuzz programs are built without the tests.
#include "event/access_scope.h"
#include "reference/decoder_twin.cpp"

namespace {

using namespace keyvigil;

// Records never repeat a member; what becomes of the one that is replaced differs between readers.
bool repeats_a_name(std::string_view text) {
  bool repeated = false;
  std::vector<std::set<std::string>> open;
  (void)nlohmann::json::parse(
      text,
      [&](int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
        using Event = nlohmann::json::parse_event_t;
        if (event == Event::object_start) { open.emplace_back(); }
        if (event == Event::object_end) { open.pop_back(); }
        if (event == Event::key) { repeated |= !open.back().insert(value.get<std::string>()).second; }
        return true;
      },
      false);
  return repeated;
}

// Cross-overs of the fuzzer put members of several dialects into one record; which of them should win is nobody's
// business.
bool mixes_dialects(const nlohmann::json& record) {
  static const std::set<std::string> kAuditTable = {"Identity",
                                                    "Id",
                                                    "ClientInfo",
                                                    "HttpStatusCode",
                                                    "RequestUri",
                                                    "IsRbacAuthorized",
                                                    "IsAccessPolicyMatch",
                                                    "IsAddressAuthorized",
                                                    "TrustedService",
                                                    "SubnetId",
                                                    "NetworkAcls",
                                                    "VaultProperties",
                                                    "AddressAuthorizationType",
                                                    "Properties",
                                                    "EnableRbacAuthorization"};
  static const std::set<std::string> kBothTables = {
      "TimeGenerated",     "OperationName",    "Category",        "ResourceId",    "_ResourceId",    "ResultSignature",
      "ResultDescription", "CallerIPAddress",  "CallerIpAddress", "CorrelationId", "SubscriptionId", "ResourceGroup",
      "Resource",          "ResourceProvider", "ResourceType",    "Type"};
  if (!record.is_object()) { return false; }
  bool diagnostics = false;
  bool audit = false;
  bool tables = false;
  bool raw = false;
  for (const auto& item : record.items()) {
    const std::string& name = item.key();
    const bool suffixed = name.size() > 2 && name[name.size() - 2] == '_';
    diagnostics |= suffixed;
    audit |= kAuditTable.contains(name);
    tables |= kBothTables.contains(name);
    raw |= !suffixed && !name.empty() && name[0] >= 'a' && name[0] <= 'z';
  }
  // Of the Activity Log's forms, and of columns in another place, one at a time.
  static const std::set<std::string> kActivity = {"OperationNameValue",
                                                  "CategoryValue",
                                                  "ActivityStatus",
                                                  "ActivityStatusValue",
                                                  "Caller",
                                                  "Claims",
                                                  "Claims_d",
                                                  "Authorization",
                                                  "Authorization_d",
                                                  "Properties_d",
                                                  "ResultType",
                                                  "eventTimestamp",
                                                  "status",
                                                  "caller",
                                                  "claims",
                                                  "authorization",
                                                  "httpRequest"};
  static const std::set<std::string> kOtherPlaces = {"AdditionalFields", "additionalFields", "AdditionalFields_s",
                                                     "_OriginalType", "_OriginalTimeGenerated"};
  const auto count = [&](const std::set<std::string>& names) {
    return std::ranges::count_if(names, [&](const std::string& name) { return record.contains(name); });
  };
  if (count(kActivity) > 0 || count(kOtherPlaces) > 1) { return true; }
  const bool two_addresses = record.contains("CallerIPAddress") && record.contains("CallerIpAddress");
  return (diagnostics && audit) || (raw && (diagnostics || audit || tables)) || two_addresses;
}

void judge_record(Decoder& decoder, std::string_view text) {
  const TwinAnswer got = decode_exactly(decoder, text, '}');
  const bool marked = text.size() >= 3 && text.substr(0, 3) == "\xEF\xBB\xBF";
  const bool limited = got.kind == DecodeKind::kRefused &&
                       (got.refusal == RefusalCause::kTooDeep || got.refusal == RefusalCause::kTooLong);
  // nlohmann takes a NUL for the end of the text.
  const bool ended = text.find('\0') != std::string_view::npos;
  if (marked || limited || ended || nesting_depth(text) > 64) { return; }
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  if (parsed.is_discarded() || mixes_dialects(parsed) || repeats_a_name(text)) { return; }
  const TwinAnswer expected = decode_by_twin(parsed);
  // An identity that is text is checked where it is read, not beyond.
  if (expected.kind == DecodeKind::kRefused && expected.refusal == RefusalCause::kNotJson) { return; }
  // Where several things are wrong, either may be named: what counts is that no event comes of it.
  if (expected.kind != DecodeKind::kEvent && got.kind != DecodeKind::kEvent) { return; }
  // Bodies inside texts may repeat a name, which differs between readers; the mutation law compares these.
  if (is_of_activity_log(expected.event) || is_of_activity_log(got.event)) { return; }
  const std::string differs = difference(expected, got);
  if (differs.empty()) { return; }
  std::fprintf(stderr, "%.*s\n%s", static_cast<int>(text.size()), text.data(), differs.c_str());
  std::abort();
}

void judge_rows(Decoder& decoder, std::string_view text) {
  static const TableColumns columns = TableColumns::resolve(
      {"TimeGenerated [UTC]", "OperationName", "ResourceId", "httpStatusCode_d", "identity_claim_oid_g", "Identity"});
  const ExactBuffer buffer(text);
  AccessEvent event;
  (void)decoder.decode_row_json(buffer.view(), columns, event);
  (void)decoder.decode_row_csv(text, columns, event);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Decoder decoder;
  const std::string text(data, data + size);
  judge_record(decoder, text);
  judge_rows(decoder, text);
  return 0;
}
