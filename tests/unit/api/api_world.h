// ApiWorld: a router with all routes over a store in a folder of its own, and requests to it as values.
//
// Two subscriptions have alerts: kOurs (four: alice over Tor on kv-a and kv-b, bob refused over a suspicious list, a
// challenge of nobody) and kTheirs (one).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api/arm_routes.h"
#include "api/graph_alerts.h"
#include "api/v1_ingest.h"
#include "api/v1_routes.h"
#include "reference/event_builder.h"
#include "reference/list_world.h"
#include "store/store.h"
#include "unit/source/folder.h"

namespace keyvigil {

inline const std::string kOurs = "11111111-2222-4333-8444-555555555555";
inline const std::string kTheirs = "99999999-2222-4333-8444-555555555555";

struct Asked {
  std::string method = "GET";
  std::string path;
  std::string query;
  std::string body;
  HttpFields headers;
};

class ApiWorld {
 public:
  ApiWorld() {
    rendering_.subscriptions[kOurs] = {"westeurope", "77777777-2222-4333-8444-555555555555"};
    auto opened = Store::open(folder_.path() + "/store");
    if (!opened) { ADD_FAILURE() << opened.error().message; }
    store_ = std::move(*opened);
    add_alerts();
    make_live_view();
    ingest_ = [this](const std::string& input, std::string_view body, const Principal&) {
      taken_.emplace_back(input, body);
      return ingest_answer;
    };
    add_arm_routes(router_, {*store_, rendering_, [] { return std::vector<std::string>{"hook"}; }, report()});
    forget_ = [](const std::string& input, const AuditLine& audit) -> Result<bool> {
      EXPECT_EQ(audit.target, input);
      if (input == "ingest/full/s") { return fail(ErrorKind::kLimit, "no room"); }
      return input == "ingest/known/s";
    };
    add_ingest_routes(router_, {ingest_, forget_, 1000});
    add_v1_routes(router_, {*store_, rendering_, live_, [] { return std::vector<std::string>{"hook"}; }, report()});
    add_graph_routes(router_, {*store_, rendering_, report()});
  }
  ApiWorld(const ApiWorld&) = delete;
  ApiWorld& operator=(const ApiWorld&) = delete;

  HttpResponse ask(const Asked& asked) {
    HttpRequest request;
    request.method = asked.method;
    request.path = asked.path;
    request.query = parse_query(asked.query).value();
    request.headers = asked.headers;
    request.body = asked.body;
    request.peer_address = "192.0.2.9";
    request.host = "https://kv.example:8443";
    request.principal = principal;
    request.now = now;
    return router_.answer(request);
  }
  HttpResponse get(const std::string& path, const std::string& query = "") { return ask({"GET", path, query, "", {}}); }
  Json json(const std::string& path, const std::string& query = "") {
    const HttpResponse response = get(path, query);
    EXPECT_EQ(response.status, 200) << path << "?" << query << " " << response.body;
    return Json::parse(response.body, nullptr, false);
  }

  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] const Router& router() const { return router_; }
  [[nodiscard]] const std::vector<Alert>& alerts() const { return alerts_; }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& taken() const { return taken_; }
  [[nodiscard]] const AlertRendering& rendering() const { return rendering_; }
  [[nodiscard]] std::vector<AuditLine> audit() const { return store_->audit_lines(1000).value(); }

  // A dead letter of the output "hook": its id.
  std::uint64_t bury_one() {
    Alert alert = alerts_.front();
    alert.id = "00000000-0000-4000-8000-00000000dead";
    const std::vector<RaisedRevision> revisions = {{alert, false, "", {"hook"}}};
    EXPECT_TRUE(store_->add_revisions(revisions, now));
    const auto due = store_->due("hook", now, 100).value();
    for (const Delivery& delivery : due) {
      if (delivery.alert.alert.id == alert.id) { EXPECT_TRUE(store_->bury(delivery.id, now, "answered 400")); }
    }
    DeadLetterFilter filter;
    filter.output = "hook";
    return store_->dead_letters(filter)->front().id;
  }

  void commit(const std::vector<Alert>& alerts, const std::string& rule = "",
              const std::vector<EventBlock>& events = {}) {
    std::vector<RaisedRevision> revisions;
    for (const Alert& alert : alerts) { revisions.push_back({alert, false, rule, {}}); }
    const auto kept = store_->keep_events(events);
    if (!kept) { ADD_FAILURE() << kept.error().message; }
    const auto added = store_->add_revisions(revisions, now);
    if (!added) { ADD_FAILURE() << added.error().message; }
    const auto done = store_->commit({});
    if (!done) { ADD_FAILURE() << done.error().message; }
  }

  Principal principal{"alice", {Role::kReader, Role::kOperator, Role::kIngest}, std::nullopt};
  EventTime now = parse_iso_time("2026-10-01T12:00:00Z").value();
  IngestAnswer ingest_answer;
  LiveFigures figures;

 private:
  static Report report() {
    return [](const std::string& sentence) { ADD_FAILURE() << sentence; };
  }
  void add_alerts() {
    ListWorld world;
    const std::string foreign_vault =
        "/subscriptions/" + kTheirs + "/resourcegroups/rg-other/providers/microsoft.keyvault/vaults/kv-theirs";
    const std::vector<AccessEvent> events = {
        EventBuilder().user("alice").object("secrets/db").build(),
        EventBuilder().at("2026-09-28T10:01:00Z").user("alice").vault("kv-b").object("secrets/pay").build(),
        EventBuilder()
            .at("2026-09-28T10:02:00Z")
            .user("bob")
            .from("198.51.100.4")
            .object("secrets/db")
            .status(403)
            .build(),
        EventBuilder().at("2026-09-28T10:03:00Z").from("203.0.113.8").anonymous().status(401).build(),
        EventBuilder()
            .at("2026-09-28T10:04:00Z")
            .user("alice")
            .vault("kv-theirs")
            .set(TextField::kVaultId, foreign_vault)
            .object("secrets/db")
            .build(),
    };
    alerts_ = world.run_all(events);
    ASSERT_EQ(alerts_.size(), 5U);
    EventBlocks blocks;
    for (const AccessEvent& event : events) { blocks.add(event); }
    commit(alerts_, "", blocks.take());
  }
  void make_live_view() {
    figures.events_decided = 5;
    InputHealth input;
    input.name = "logs";
    input.records = 5;
    input.refused_by_cause = {{"no time", 1}};
    input.refused = 1;
    input.newest_event = now;
    figures.inputs.push_back(input);
    figures.lists.push_back({"https://lists.example/tor", "tor", now, 60, ""});
    figures.problems.push_back({"silent", "logs", "nothing has come for 60 minutes"});
    live_.figures = [this]() -> Result<LiveFigures> { return figures; };
    live_.entity = [this](const std::string& kind, const std::string& key) -> Result<std::optional<EntityProfile>> {
      return profile(kind, key);
    };
    live_.readiness = [this](std::size_t) -> Result<std::vector<VaultReadiness>> {
      std::vector<VaultReadiness> vaults;
      for (const Alert& alert : alerts_) {
        vaults.push_back(
            {alert.vault_id,
             {{AlertType::kTORAccess, true, "", std::nullopt}, {AlertType::kUserAnomaly, false, "learning", now}}});
      }
      return vaults;
    };
  }
  std::optional<EntityProfile> profile(const std::string& kind, const std::string& key) const {
    for (const Alert& alert : alerts_) {
      if (kind == "vault" ? key != alert.vault_id : key != alert.caller.key) { continue; }
      EntityProfile made;
      made.kind = kind == "vault" ? "vault" : "user";
      made.key = key;
      made.first_seen = parse_iso_time("2026-09-01").value();
      made.days_seen = 12;
      made.usual = {{"operations_per_day", 3.5}};
      for (const Alert& other : alerts_) {
        const EntityLink link{kind == "vault" ? other.caller.key : other.vault_id, now, now, 1, true};
        if (kind == "vault" && other.vault_id == key) { made.related["callers"].links.push_back(link); }
        if (kind != "vault" && other.caller.key == key) { made.related["vaults"].links.push_back(link); }
      }
      if (kind != "vault") { made.related["addresses"].links.push_back({"203.0.113.0/24", now, now, 1, true}); }
      for (auto& [group, links] : made.related) { links.total = links.links.size(); }
      return made;
    }
    return std::nullopt;
  }

  Folder folder_;
  AlertRendering rendering_;
  std::unique_ptr<Store> store_;
  LiveView live_;
  ForgetInput forget_;
  Ingest ingest_;
  Router router_;
  std::vector<Alert> alerts_;
  std::vector<std::pair<std::string, std::string>> taken_;
};

inline std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (equal_without_case(key, name)) { return value; }
  }
  return {};
}

inline std::string code_of(const HttpResponse& response) {
  const Json body = Json::parse(response.body, nullptr, false);
  return body.is_object() && body.contains("error") ? body.at("error").at("code").get<std::string>() : "";
}

}  // namespace keyvigil
