#include "config/output_config.h"

#include <string>

#include <gtest/gtest.h>

#include "config/config.h"

namespace keyvigil {
namespace {

std::string refusal_of(const std::string& text) {
  const auto config = parse_config(text, "keyvigil.yaml", "/etc/keyvigil");
  return config ? "" : config.error().message;
}

TEST(OutputConfig, ReadsEveryKind) {
  const auto config = parse_config(R"(
outputs:
  - {name: file, kind: file, path: alerts.jsonl, format: ocsf}
  - name: hook
    kind: webhook
    url: https://soc.example/hook
    format: eventhub
    secret: {environment: HOOK_SECRET}
    ca_file: ca.pem
    minimum_severity: medium
    types: [KV_TORAccess, kv_listgetanomaly]
    subscriptions: 11111111-AAAA-4111-8111-111111111111
    learning: true
    backfilled: true
    simulated: false
    timeout_seconds: 3
    most_attempts: 7
    most_age_hours: 9
  - {name: slack, kind: slack, secret: {file: slack_url}}
  - {name: teams, kind: teams, secret: {environment: TEAMS_URL}}
  - {name: syslog, kind: syslog, url: "tls://collector.example:6514"}
  - {name: mail, kind: mail, url: "smtp://mail.example:587", user: u, secret: {environment: P},
     from: a@b.example, to: [c@d.example, e@f.example]}
  - {name: splunk, kind: splunk, url: "https://splunk.example:8088", secret: {environment: T}, index: main}
  - {name: elastic, kind: elasticsearch, url: "https://es.example:9200", index: alerts, secret: {environment: K}}
)",
                                   "keyvigil.yaml", "/etc/keyvigil");
  ASSERT_TRUE(config) << config.error().message;
  const auto& outputs = config->outputs;
  ASSERT_EQ(outputs.size(), 8U);
  EXPECT_EQ(outputs[0].kind, OutputKind::kFile);
  EXPECT_EQ(outputs[0].target, "/etc/keyvigil/alerts.jsonl");
  EXPECT_EQ(outputs[0].format, AlertFormat::kOcsf);
  const OutputOptions& hook = outputs[1];
  EXPECT_EQ(hook.format, AlertFormat::kEventHub);
  EXPECT_EQ(hook.secret.environment, "HOOK_SECRET");
  EXPECT_EQ(hook.ca_file, "/etc/keyvigil/ca.pem");
  EXPECT_EQ(hook.filter.minimum_severity, Severity::kMedium);
  EXPECT_EQ(hook.filter.types, (std::set<AlertType>{AlertType::kTORAccess, AlertType::kListGetAnomaly}));
  EXPECT_EQ(hook.filter.subscriptions, (std::set<std::string>{"11111111-aaaa-4111-8111-111111111111"}));
  EXPECT_TRUE(hook.filter.learning && hook.filter.backfilled && !hook.filter.simulated);
  EXPECT_EQ(hook.timeout_seconds, 3);
  EXPECT_EQ(hook.most_attempts, 7);
  EXPECT_EQ(hook.most_age_hours, 9);
  EXPECT_EQ(outputs[2].secret.file, "/etc/keyvigil/slack_url");
  EXPECT_EQ(outputs[5].to.size(), 2U);
  EXPECT_EQ(outputs[7].format, AlertFormat::kEcs);
  EXPECT_FALSE(outputs[7].filter.learning);
  EXPECT_FALSE(outputs[7].filter.backfilled);
  EXPECT_TRUE(outputs[7].filter.simulated);
}

TEST(OutputConfig, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* output;
    const char* expected;
  };
  for (const Case& one : {
           Case{"{kind: file, path: a}", "(outputs.name): expected a name"},
           Case{"{name: 'a b', kind: file, path: a}", "(outputs.name): expected a name"},
           Case{"{name: a, path: a}", "(outputs.kind): expected the key `kind`"},
           Case{"{name: a, kind: carrier-pigeon}", "expected one of file, webhook, slack"},
           Case{"{name: a, kind: file}", "(outputs.path): an output of kind file needs this key"},
           Case{"{name: a, kind: file, path: a, url: 'https://x'}",
                "(outputs.url): an output of kind file does not use"},
           Case{"{name: a, kind: webhook, url: 'http://x'}", "say `plain_text: true`"},
           Case{"{name: a, kind: webhook, url: 'ftp://x'}", "expected a URL that begins with one of: https http"},
           Case{"{name: a, kind: webhook, url: 'https://'}", "expected a URL"},
           Case{"{name: a, kind: webhook, url: 'https://x', format: cef}",
                "takes one of jsonl, eventhub, ocsf, ecs, stix, gelf"},
           Case{"{name: a, kind: file, path: a, format: table}", "but table"},
           Case{"{name: a, kind: slack, secret: {}}", "expected either `environment: NAME` or `file: PATH`"},
           Case{"{name: a, kind: slack, secret: {environment: A, file: b}}", "expected either"},
           Case{"{name: a, kind: slack, secret: hunter2}", "expected keys and values"},
           Case{"{name: a, kind: file, path: a, types: [KV_Nothing]}", "expected codes such as KV_TORAccess"},
           Case{"{name: a, kind: file, path: a, minimum_severity: Severe}",
                "expected Informational, Low, Medium or High"},
           Case{"{name: a, kind: file, path: a, most_attempts: 0}", "from 1 to 10000"},
           Case{"{name: a, kind: file, path: a, colour: red}", "unknown key"},
       }) {
    const std::string refusal = refusal_of(std::string("outputs:\n  - ") + one.output + "\n");
    EXPECT_NE(refusal.find(one.expected), std::string::npos) << one.output << "\n" << refusal;
    EXPECT_EQ(refusal.find("hunter2"), std::string::npos);
    EXPECT_TRUE(refusal.starts_with("keyvigil.yaml:2:")) << refusal;
  }
  EXPECT_NE(refusal_of("outputs:\n  - {name: a, kind: file, path: a}\n  - {name: a, kind: file, path: b}\n")
                .find("second output 'a'"),
            std::string::npos);
}

}  // namespace
}  // namespace keyvigil
