#include "command/dead_letters_command.h"

#include <fmt/format.h>

#include <ostream>
#include <utility>

#include "alert/printable.h"
#include "alert/table.h"
#include "store/dead_letter_file.h"
#include "store/schema.h"
#include "store/store.h"

namespace keyvigil {
namespace {

constexpr std::size_t kWhyBytes = 200;
constexpr std::size_t kLinesBytes = 4096;
constexpr std::size_t kRevivedAtOnce = 1000;

std::string shown(std::string_view text, std::size_t limit_bytes = kLinesBytes) {
  return harmless(bounded_utf8(text, limit_bytes));
}

Result<void> list(const DeadLettersOptions& options, std::ostream& out) {
  DeadLetterFilter filter;
  filter.output = options.output;
  filter.limit = options.limit;
  const auto letters = dead_letters_in(options.store, filter);
  if (!letters) { return tl::unexpected(letters.error()); }
  for (const DeadLetter& letter : *letters) {
    out << fmt::format("{}  {}  {}  alert {} revision {}  {} attempts: {}\n", letter.id, to_iso_milliseconds(letter.at),
                       shown(letter.output), shown(letter.alert_id), letter.revision, letter.attempts,
                       shown(letter.why, kWhyBytes));
  }
  if (letters->empty()) { out << "no dead letters\n"; }
  return {};
}

Result<void> show(const DeadLettersOptions& options, std::ostream& out) {
  for (const std::uint64_t id : options.ids) {
    const auto found = dead_letter_in(options.store, id);
    if (!found) { return tl::unexpected(found.error()); }
    if (!*found) {
      return fail(ErrorKind::kUsage, fmt::format("expected the id of a dead letter, as `keyvigil outputs dead list` "
                                                 "prints it, found {}",
                                                 id));
    }
    const DeadLetter& letter = (*found)->letter;
    out << fmt::format(
        "id        {}\noutput    {}\nat        {}\nattempts  {}\nwhy       {}\nalert     {} revision {}\n\n", letter.id,
        shown(letter.output), to_iso_milliseconds(letter.at), letter.attempts, shown(letter.why),
        shown(letter.alert_id), letter.revision);
    const TableStyle style;
    out << table_block((*found)->alert.alert, style);
  }
  return {};
}

Result<void> revive(const DeadLettersOptions& options, EventTime now, std::ostream& out) {
  if (options.output.empty() == options.ids.empty()) {
    return fail(ErrorKind::kUsage, "expected one of --output and ids of dead letters, to try them again");
  }
  // Opening would make one where there is none.
  if (auto head = check_head(options.store, store_form()); !head) { return head; }
  auto store = Store::open(options.store);
  if (!store) {
    return fail(store.error().kind,
                store.error().message + "; while serve runs, POST /v1/outputs/dead/revive tries them again");
  }
  DeadLetterFilter filter;
  filter.output = options.output;
  filter.ids = options.ids;
  filter.limit = kRevivedAtOnce;
  const std::string target =
      options.output.empty() ? fmt::format("{} dead letters", options.ids.size()) : options.output;
  std::uint64_t revived = 0;
  for (std::uint64_t more = 1; more > 0; revived += more) {
    const auto count = (*store)->revive(filter, {now, "command line", "", "output.revive", target, "done"});
    if (!count) { return tl::unexpected(count.error()); }
    more = *count;
  }
  out << fmt::format("{} dead letters wait for their outputs again; they go out when serve runs\n", revived);
  return {};
}

}  // namespace

void add_dead_letters_command(CLI::App& outputs, DeadLettersOptions& options) {
  CLI::App* dead = outputs.add_subcommand("dead", "What outputs did not take, and trying it again");
  dead->require_subcommand(1);
  dead->footer("Example:\n  keyvigil outputs dead list /var/lib/keyvigil/store");
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = dead->add_subcommand(name, what);
    command->add_option("STORE", options.store, "The store of keyvigil serve")->required();
    return command;
  };
  CLI::App* list = add("list", "List dead letters, newest first; also while serve runs");
  list->add_option("--output", options.output, "Only of this output")->type_name("NAME");
  list->add_option("--limit", options.limit, "At most so many")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  list->footer("Example:\n  keyvigil outputs dead list /var/lib/keyvigil/store --output soc");
  CLI::App* show = add("show", "Show dead letters with their alerts; also while serve runs");
  show->add_option("ID", options.ids, "As list prints them")->required();
  show->footer("Example:\n  keyvigil outputs dead show /var/lib/keyvigil/store 17");
  CLI::App* revive = add("revive", "Put dead letters back, to be tried again; while serve does not run");
  revive->add_option("ID", options.ids, "As list prints them");
  revive->add_option("--output", options.output, "All of this output")->type_name("NAME");
  revive->footer(
      "Examples:\n  keyvigil outputs dead revive /var/lib/keyvigil/store --output soc\n"
      "  keyvigil outputs dead revive /var/lib/keyvigil/store 17 18\n"
      "While serve runs, POST /v1/outputs/dead/revive does the same.");
  options.list = list;
  options.show = show;
  options.revive = revive;
}

ExitCode run_dead_letters(const DeadLettersOptions& options, EventTime now, std::ostream& out, std::ostream& err) {
  const auto done = options.list->parsed()   ? list(options, out)
                    : options.show->parsed() ? show(options, out)
                                             : revive(options, now, out);
  if (!done) {
    err << "keyvigil outputs dead: " << shown(done.error().message) << "\n";
    return exit_code_of(done.error());
  }
  out.flush();
  return out ? ExitCode::kDone : ExitCode::kInputOutput;
}

}  // namespace keyvigil
