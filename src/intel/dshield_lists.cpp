// DShield (SANS Internet Storm Center): block.txt ("Start TAB End TAB Netmask TAB Attacks TAB Name ...") and the JSON
// of its API: intelfeed ([{"ip", "description"}]) and sources ([{"ip", "attacks", ...}]).
#include <fmt/format.h>

#include <array>

#include "intel/json_feeds.h"
#include "intel/json_members.h"
#include "intel/list_readers.h"
#include "intel/text_lines.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kColumns = 5;  // of block.txt, as far as they are read
enum Column : std::size_t { kStart, kEnd, kNetmask, kAttacks, kName };
using Cells = std::array<std::string_view, kColumns>;

bool split_columns(std::string_view line, Cells& cells) {
  std::size_t found = 0;
  for (; found < kColumns; ++found) {
    const std::size_t tab = std::min(line.find('\t'), line.size());
    cells[found] = trim(line.substr(0, tab));
    if (tab == line.size()) {
      ++found;
      break;
    }
    line.remove_prefix(tab + 1);
  }
  return found > kNetmask;
}

bool is_heading(const Cells& cells) {
  return cells[kStart] == "Start" && cells[kEnd] == "End";
}

}  // namespace

bool is_dshield_row(std::string_view line) {
  Cells cells{};
  if (!split_columns(line, cells)) { return false; }
  return is_heading(cells) || (parse_list_address(cells[kStart]) && parse_list_address(cells[kEnd]) &&
                               read_number<unsigned>(cells[kNetmask]));
}

void read_dshield_block(std::string_view text, ListBuilder& builder) {
  builder.list().name = "DShield block list";
  TextLines lines(text);
  TextLine line;
  while (lines.next(line)) {
    if (is_comment(line.text)) {
      constexpr std::string_view kUpdated = "updated:";
      const std::string_view remark = strip_comment_marks(line.text);
      if (remark.starts_with(kUpdated)) { builder.list().date = read_list_date(remark.substr(kUpdated.size())); }
      continue;
    }
    Cells cells{};
    const bool whole = split_columns(line.text, cells);
    if (line.text.empty() || (whole && is_heading(cells))) { continue; }
    const auto length = whole ? read_number<unsigned>(cells[kNetmask]) : std::nullopt;
    if (!length) {
      builder.refuse(line.number, ListRefusal::kOther, line.text);
      continue;
    }
    const std::string label = cells[kAttacks].empty() ? std::string(cells[kName])
                                                      : fmt::format("{} attacks{}{}", cells[kAttacks],
                                                                    cells[kName].empty() ? "" : ", ", cells[kName]);
    builder.take(fmt::format("{}/{}", cells[kStart], *length), Candidate{line.number, line.text, label});
  }
}

bool read_dshield_feed(const Json& document, ListBuilder& builder) {
  const Json* first = first_object(document);
  if (first == nullptr || text_of(*first, "ip").empty() ||
      (member(*first, "description") == nullptr && member(*first, "attacks") == nullptr)) {
    return false;
  }
  builder.list().format = ListFormat::kDshieldFeed;
  builder.list().name = "DShield";
  std::uint64_t ordinal = 0;
  for (const Json& row : document) {
    const std::string_view address = text_of(row, "ip");
    std::string label = scalar_text(member(row, "description"));
    if (const std::string attacks = scalar_text(member(row, "attacks")); label.empty() && !attacks.empty()) {
      label = fmt::format("{} attacks", attacks);
    }
    builder.take(address, Candidate{++ordinal, address, label});
  }
  return true;
}

}  // namespace keyvigil
