// abuse.ch in CSV: Feodo Tracker (header row, footer "# END n entries"), ThreatFox (header in a comment, all cells
// quoted, blanks behind commas), SSLBL's addresses of botnet servers (header in a comment, nothing quoted).
#include <fmt/format.h>

#include "intel/column_table.h"
#include "intel/list_readers.h"

namespace keyvigil {
namespace {

tl::unexpected<Error> no_header(const ColumnTable& table, std::string_view column, std::string_view file) {
  return fail(ErrorKind::kInput, fmt::format("{}:{}: expected a CSV header with the column {}, found \"{}\"", file,
                                             table.misfit().number, column, visible(table.misfit().text)));
}

int percent(std::string_view text) {
  const auto number = read_number<int>(text);
  return number && *number >= 0 && *number <= 100 ? *number : -1;
}

}  // namespace

Result<void> read_feodo_csv(std::string_view text, ListBuilder& builder) {
  ColumnTable table(text, "dst_ip");
  std::uint64_t rows = 0;
  std::uint64_t offline = 0;
  while (table.next()) {
    ++rows;
    if (!table.is_readable()) {
      builder.refuse(table.number(), ListRefusal::kOther, table.text());
      continue;
    }
    if (table.cell("c2_status") == "offline") { ++offline; }
    builder.take(table.cell("dst_ip"), Candidate{table.number(), table.text(), table.cell("malware")});
  }
  if (!table.has_header()) { return no_header(table, "dst_ip", builder.list().file); }
  table.comments().apply(builder);
  const std::optional<std::uint64_t> promised = table.promised_rows();
  if (promised && *promised != rows) {
    builder.warn(fmt::format("footer promises {} entries, file has {}", grouped(*promised), grouped(rows)));
  }
  if (!promised) { builder.warn("the footer \"# END n entries\" is missing: the file may be cut off"); }
  if (offline > 0) {
    builder.warn(fmt::format("{} of {} servers are marked offline; they are used all the same", grouped(offline),
                             grouped(rows)));
  }
  return {};
}

void read_threatfox_csv(std::string_view text, ListBuilder& builder) {
  builder.list().name = "ThreatFox";
  ColumnTable table(text, "ioc_value");
  std::string newest;
  while (table.next()) {
    if (!table.is_readable()) {
      builder.refuse(table.number(), ListRefusal::kOther, table.text());
      continue;
    }
    newest = std::max(newest, std::string(table.cell("first_seen_utc")));
    if (table.cell("ioc_type") != "ip:port") {
      builder.refuse(table.number(), ListRefusal::kNotAnAddress, table.cell("ioc_value"));
      continue;
    }
    const std::string_view malware = table.cell("malware_printable");
    Candidate candidate{table.number(), table.text(), malware.empty() ? table.cell("threat_type") : malware};
    candidate.confidence = percent(table.cell("confidence_level"));
    builder.take(table.cell("ioc_value"), candidate);
  }
  builder.list().date = read_list_date(newest);
  table.comments().apply(builder);
}

void read_sslbl_csv(std::string_view text, ListBuilder& builder) {
  builder.list().name = "SSLBL botnet servers";
  ColumnTable table(text, "dstip");
  while (table.next()) {
    if (!table.is_readable()) {
      builder.refuse(table.number(), ListRefusal::kOther, table.text());
      continue;
    }
    const std::string_view reason = table.cell("listingreason");
    builder.take(table.cell("dstip"),
                 Candidate{table.number(), table.text(), reason.empty() ? "botnet server" : reason});
  }
  table.comments().apply(builder);
}

}  // namespace keyvigil
