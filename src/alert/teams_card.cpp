#include "alert/teams_card.h"

#include "alert/alert_facts.h"

namespace keyvigil {
namespace {

std::string without_functions(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '{' && out.ends_with('{')) { out += ' '; }
    out += c;
  }
  return out;
}

Json text_run(std::string_view text, bool bold = false) {
  Json run{{"type", "TextRun"}, {"text", without_functions(text)}};
  if (bold) { run["weight"] = "Bolder"; }
  return run;
}

Json line_of(Json runs) {
  return {{"type", "RichTextBlock"}, {"inlines", std::move(runs)}};
}

}  // namespace

Json teams_card(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const AlertFacts facts = alert_facts(alert, rendering, standing);
  Json body = Json::array();
  Json title = text_run(facts.title, true);
  title["size"] = "Medium";
  body.push_back(line_of(Json::array({std::move(title)})));
  body.push_back(line_of(Json::array({text_run(facts.what)})));
  for (const AlertFact& fact : facts.facts) {
    body.push_back(line_of(Json::array({text_run(std::string(fact.label) + ": ", true), text_run(fact.value)})));
  }
  Json card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
            {"type", "AdaptiveCard"},
            {"version", "1.4"},
            {"body", std::move(body)}};
  if (!facts.link.empty()) {
    card["actions"] = Json::array({{{"type", "Action.OpenUrl"}, {"title", "Open"}, {"url", facts.link}}});
  }
  Json attachment{{"contentType", "application/vnd.microsoft.card.adaptive"},
                  {"contentUrl", nullptr},
                  {"content", std::move(card)}};
  return {{"type", "message"}, {"attachments", Json::array({std::move(attachment)})}};
}

}  // namespace keyvigil
