#include "alert/slack_message.h"

#include <fmt/format.h>

#include "alert/alert_facts.h"
#include "alert/printable.h"

namespace keyvigil {
namespace {

// Characters; escapes count as one each.
constexpr std::size_t kHeaderLimit = 150;
constexpr std::size_t kFieldsLimit = 10;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Json plain_text(std::string_view text) {
  return {{"type", "plain_text"}, {"text", escaped(text)}, {"emoji", false}};
}

}  // namespace

Json slack_message(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const AlertFacts facts = alert_facts(alert, rendering, standing);
  Json fields = Json::array();
  for (const AlertFact& fact : facts.facts) {
    if (fields.size() == kFieldsLimit) { break; }
    fields.push_back(plain_text(fmt::format("{}: {}", fact.label, fact.value)));
  }
  Json blocks = Json::array();
  blocks.push_back({{"type", "header"}, {"text", plain_text(cut_columns(facts.title, kHeaderLimit))}});
  blocks.push_back({{"type", "section"}, {"text", plain_text(facts.what)}});
  blocks.push_back({{"type", "section"}, {"fields", std::move(fields)}});
  if (!facts.link.empty()) {
    Json button{{"type", "button"}, {"text", plain_text("Open")}, {"url", facts.link}};
    blocks.push_back({{"type", "actions"}, {"elements", Json::array({std::move(button)})}});
  }
  return {{"text", escaped(facts.title)}, {"blocks", std::move(blocks)}};
}

}  // namespace keyvigil
