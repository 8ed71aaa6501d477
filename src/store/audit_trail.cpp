#include "store/audit_trail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "alert/printable.h"

namespace keyvigil {
namespace {

constexpr std::size_t kTextLimitBytes = 500;
constexpr std::int64_t kRefusalTicks = EventTime::kTicksPerSecond / AuditTrail::kRefusalsPerSecond;

bool is_done(const AuditLine& line) {
  return line.outcome == "done";
}

Result<void> insert(Database& writer, const AuditLine& line) {
  std::array<std::string, 5> texts{line.who, line.from_address, line.action, line.target, line.outcome};
  for (std::string& text : texts) { text = bounded_utf8(text, kTextLimitBytes); }
  return writer.run("INSERT INTO audit_line(at, done, who, address, action, target, outcome) VALUES(?,?,?,?,?,?,?)",
                    {sql_number(line.at.ticks), sql_number(is_done(line)), sql_text(texts[0]), sql_text(texts[1]),
                     sql_text(texts[2]), sql_text(texts[3]), sql_text(texts[4])});
}

}  // namespace

bool AuditTrail::admits(const AuditLine& line) {
  if (is_done(line)) { return true; }
  // A clock that was put back saves nothing; one that jumped saves no more than there is room for.
  if (line.at > last_) {
    const std::int64_t most = kRefusalsAtOnce * kRefusalTicks;
    const std::int64_t passed = last_.ticks < line.at.ticks - most ? most : line.at.ticks - last_.ticks;
    saved_ticks_ = std::min(most, saved_ticks_ + passed);
  }
  last_ = line.at;
  if (saved_ticks_ < kRefusalTicks) {
    ++left_out_;
    ++left_out_in_all_;
    return false;
  }
  saved_ticks_ -= kRefusalTicks;
  return true;
}

Result<void> AuditTrail::write(Database& writer, const AuditLine& line) {
  if (left_out_ > 0) {
    const AuditLine about{line.at,          "keyvigil", "",
                          "audit.left_out", "",         fmt::format("{} refusals came too fast to be kept", left_out_)};
    if (auto done = insert(writer, about); !done) { return done; }
  }
  return insert(writer, line);
}

Result<std::vector<AuditLine>> AuditTrail::read(Database& reader, std::size_t limit) {
  std::vector<AuditLine> lines;
  auto read = reader.each(
      "SELECT at, who, address, action, target, outcome FROM audit_line ORDER BY number DESC LIMIT ?",
      {sql_number(limit)}, [&](const SqlRow& row) {
        lines.push_back({EventTime{row.number(0)}, row.text(1), row.text(2), row.text(3), row.text(4), row.text(5)});
        return Result<void>{};
      });
  if (!read) { return tl::unexpected(read.error()); }
  return lines;
}

Result<std::uint64_t> AuditTrail::remove(Database& writer, EventTime before, std::size_t limit) {
  auto done = writer.run(
      "DELETE FROM audit_line WHERE number IN (SELECT number FROM audit_line WHERE done IN (0, 1) "
      "AND at < ? LIMIT ?)",
      {sql_number(before.ticks), sql_number(limit)});
  if (!done) { return tl::unexpected(done.error()); }
  auto gone = static_cast<std::uint64_t>(writer.changes());
  done = writer.run(
      "DELETE FROM audit_line WHERE number IN (SELECT number FROM audit_line WHERE done = 0 "
      "ORDER BY at DESC LIMIT ? OFFSET ?)",
      {sql_number(limit), sql_number(kRefusalsKept)});
  if (!done) { return tl::unexpected(done.error()); }
  gone += static_cast<std::uint64_t>(writer.changes());
  return gone;
}

}  // namespace keyvigil
