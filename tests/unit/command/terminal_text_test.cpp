// What the commands and the log print of text that strangers chose.
#include <gtest/gtest.h>

#include <sstream>

#include "alert/arm_json.h"
#include "command/explain_command.h"
#include "command/intel_command.h"
#include "reference/alert_samples.h"
#include "reference/hostile_text.h"
#include "serve/service_log.h"
#include "unit/source/folder.h"

namespace keyvigil {
namespace {

TEST(TerminalText, ExplainPrintsNothingThatMovesOrHides) {
  const Folder folder;
  for (const Alert& made : {tor_alert(), denied_alert(), behaviour_alert()}) {
    const Json document = arm_json(with_texts(made, hostile_text()), {}, {});
    ExplainOptions options;
    options.alerts = folder.write("alerts.jsonl", to_json_line(document) + "\n");
    options.id = document.at("name").get<std::string>();
    std::ostringstream out;
    std::ostringstream err;
    ASSERT_EQ(run_explain(options, out, err), ExitCode::kDone) << err.str();
    EXPECT_NE(out.str().find("\\u202e"), std::string::npos) << out.str();
    expect_harmless(out.str(), "explain");
  }
}

TEST(TerminalText, IntelCheckPrintsNothingThatMovesOrHides) {
  Json event;
  event["Event"] = {{"info", hostile_text()},
                    {"date", hostile_text()},
                    {"Attribute",
                     {{{"type", "ip-dst"}, {"value", "203.0.113.7"}, {"to_ids", true}},
                      {{"type", hostile_text()}, {"value", hostile_text()}, {"to_ids", true}}}}};
  std::ostringstream out;
  std::ostringstream err;
  static_cast<void>(run_intel_check(
      {{"list-" + hostile_text(), to_json_line(event), std::nullopt}, {"text", hostile_text() + "\n", std::nullopt}},
      {}, out, err));
  EXPECT_NE(out.str().find("1 of 2 files understood"), std::string::npos) << out.str();
  expect_harmless(out.str(), "intel check");
  expect_harmless(err.str(), "intel check");
}

TEST(TerminalText, LogLinesAreOneLineOfHarmlessJson) {
  testing::internal::CaptureStderr();
  {
    ServiceLog log([] { return EventTime{}; });
    log.warn(hostile_text(), {{"about", hostile_text()}});
  }
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  expect_harmless(line, "log");
  expect_harmless_texts(Json::parse(line, nullptr, false), "log");
}

}  // namespace
}  // namespace keyvigil
