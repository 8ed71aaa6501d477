#include "serve/service_metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>

namespace keyvigil {
namespace {

const EventTime kNow = parse_iso_time("2026-05-05T08:00:00Z").value();

ServiceFigures some_figures() {
  ServiceFigures figures;
  InputHealth input;
  input.name = "container/https://\"odd\"\\\nname";
  input.records = 12;
  input.refused_by_cause["no time"] = 2;
  input.newest_event = kNow;
  input.report = {"403", 1, 24, 25, 26};
  figures.live.inputs.push_back(input);
  figures.live.lists.push_back({"https://lists.example/tor", "tor", kNow, 60, ""});
  figures.live.problems.push_back({"input", input.name, "403"});
  figures.live.events_decided = 7;
  figures.live.decided_to = EventTime{kNow.ticks - 90 * EventTime::kTicksPerSecond};
  figures.live.evicted_edges = 5;
  figures.live.forgotten_objects = 11;
  figures.live.bounds = {{"episodes", "episodes were dropped", 4}, {"scores", "scores were left out", 0}};
  figures.live.decided_before = 13;
  figures.live.silent_vaults_total = 31;
  figures.live.vaults_not_watched = 32;
  figures.live.clock_held = 33;
  figures.live.clock_holds = 34;
  figures.live.decided_known_from = kNow;
  for (int twice = 0; twice < 2; ++twice) {
    figures.live.lists_in_force.push_back({"tor.txt", "tor", 120, 3, "3 ...", true});
  }
  figures.live.alerts_raised[AlertType::kTORAccess] = 3;
  figures.live.detector_seconds[AlertType::kUserAnomaly] = 0.25;
  figures.store.journal_bytes = 1000;
  figures.store.events.events = 6;
  figures.store.events.oldest = kNow;
  OutputFigures output;
  output.name = "hook";
  output.delivered = 2;
  figures.outputs.push_back(output);
  figures.http.emplace().responses[200] = 9;
  figures.http->audit_lines_dropped = 21;
  figures.http->handler_failures = 22;
  figures.http->event_streams_dropped = 23;
  figures.started = kNow;
  figures.now = kNow;
  return figures;
}

// By name and labels. Fails where a line is none of the format, or comes twice, or before its type.
std::map<std::string, std::string> parsed(const std::string& text) {
  std::map<std::string, std::string> values;
  std::set<std::string> described;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string name;
      std::string type;
      words >> name >> type;
      EXPECT_TRUE(type == "counter" || type == "gauge") << line;
      EXPECT_EQ(type == "counter", name.ends_with("_total")) << line;
      EXPECT_TRUE(described.insert(name).second) << line;
      continue;
    }
    if (line.starts_with("# HELP ")) { continue; }
    const std::size_t blank = line.rfind(' ');
    const std::string name = line.substr(0, std::min(blank, line.find('{')));
    EXPECT_TRUE(described.contains(name)) << line;
    EXPECT_TRUE(values.emplace(line.substr(0, blank), line.substr(blank + 1)).second) << line;
  }
  return values;
}

TEST(ServiceMetrics, AreLinesOfPrometheus) {
  const std::string text = metrics_text(some_figures());
  EXPECT_TRUE(text.ends_with('\n'));
  auto values = parsed(text);
  EXPECT_EQ(values["keyvigil_events_decided_total"], "7");
  EXPECT_EQ(values["keyvigil_objects_forgotten_total"], "11");
  EXPECT_EQ(values["keyvigil_bound_met_total{bound=\"episodes\"}"], "4");
  EXPECT_EQ(values["keyvigil_bound_met_total{bound=\"scores\"}"], "0");
  EXPECT_EQ(values["keyvigil_decided_before_total"], "13");
  EXPECT_EQ(values["keyvigil_decided_known_from_seconds"], values["keyvigil_started_seconds"]);
  EXPECT_EQ(values["keyvigil_list_entries{list=\"tor.txt\",role=\"tor\"}"], "120");
  EXPECT_EQ(values["keyvigil_list_entries_refused{list=\"tor.txt\",role=\"tor\"}"], "3");
  EXPECT_EQ(values["keyvigil_http_audit_lines_dropped_total"], "21");
  EXPECT_EQ(values["keyvigil_http_handler_failures_total"], "22");
  EXPECT_EQ(values["keyvigil_http_event_streams_dropped_total"], "23");
  EXPECT_EQ(values["keyvigil_lag_seconds"], "90");
  EXPECT_EQ(values["keyvigil_vaults_silent"], "31");
  EXPECT_EQ(values["keyvigil_vaults_not_watched_total"], "32");
  EXPECT_EQ(values["keyvigil_clock_held"], "33");
  EXPECT_EQ(values["keyvigil_clock_holds_total"], "34");
  EXPECT_EQ(values["keyvigil_edges_evicted_total"], "5");
  EXPECT_EQ(values["keyvigil_alerts_raised_total{type=\"KV_TORAccess\"}"], "3");
  EXPECT_EQ(values["keyvigil_alerts_raised_total{type=\"KV_AppAnomaly\"}"], "0");
  EXPECT_EQ(values["keyvigil_detector_seconds_total{type=\"KV_UserAnomaly\"}"], "0.25");
  EXPECT_EQ(values["keyvigil_journal_bytes"], "1000");
  EXPECT_EQ(values["keyvigil_events_kept"], "6");
  EXPECT_EQ(values["keyvigil_output_delivered_total{output=\"hook\"}"], "2");
  EXPECT_EQ(values["keyvigil_http_responses_total{status=\"200\"}"], "9");
  EXPECT_EQ(values["keyvigil_list_failing{list=\"https://lists.example/tor\"}"], "0");
  EXPECT_EQ(values["keyvigil_list_confirmed_seconds{list=\"https://lists.example/tor\"}"],
            values["keyvigil_started_seconds"]);
}

TEST(ServiceMetrics, SayWhetherTheLastReloadIsInForce) {
  ServiceFigures figures = some_figures();
  auto values = parsed(metrics_text(figures));
  EXPECT_EQ(values["keyvigil_configuration_last_reload_successful"], "1");
  EXPECT_FALSE(values.contains("keyvigil_configuration_last_reload_seconds"));
  figures.orphaned_revisions = 4;
  figures.reloads = {2, 1, kNow, "expected a list"};
  values = parsed(metrics_text(figures));
  EXPECT_EQ(values["keyvigil_configuration_reloads_total{outcome=\"done\"}"], "2");
  EXPECT_EQ(values["keyvigil_configuration_reloads_total{outcome=\"refused\"}"], "1");
  EXPECT_EQ(values["keyvigil_configuration_last_reload_successful"], "0");
  EXPECT_TRUE(values.contains("keyvigil_configuration_last_reload_seconds"));
  EXPECT_EQ(values["keyvigil_outbox_orphaned_total"], "4");
}

// Names come from outside: one must not make another metric.
TEST(ServiceMetrics, EscapeWhatLabelsMayNotHold) {
  auto values = parsed(metrics_text(some_figures()));
  const std::string label = R"({input="container/https://\"odd\"\\\\x0aname")";
  EXPECT_EQ(values["keyvigil_records_total" + label + "}"], "12");
  EXPECT_EQ(values["keyvigil_records_refused_total" + label + R"(,cause="no time"})"], "2");
  EXPECT_EQ(values["keyvigil_input_failing" + label + "}"], "1");
  EXPECT_EQ(values["keyvigil_input_items_failing" + label + "}"], "1");
  EXPECT_EQ(values["keyvigil_input_item_failures_total" + label + "}"], "24");
  EXPECT_EQ(values["keyvigil_input_items_passed_over" + label + "}"], "25");
  EXPECT_EQ(values["keyvigil_input_items_left_out" + label + "}"], "26");
  EXPECT_EQ(values[R"(keyvigil_problem{kind="input",about="container/https://\"odd\"\\\\x0aname"})"], "1");
}

TEST(ServiceMetrics, LeaveOutWhatIsNotKnown) {
  ServiceFigures figures;
  figures.now = kNow;
  auto values = parsed(metrics_text(figures));
  EXPECT_FALSE(values.contains("keyvigil_lag_seconds"));
  EXPECT_FALSE(values.contains("keyvigil_events_kept_since_seconds"));
  EXPECT_FALSE(values.contains("keyvigil_http_requests"));
  EXPECT_EQ(values["keyvigil_events_decided_total"], "0");
}

}  // namespace
}  // namespace keyvigil
