#include "store/dead_letter_file.h"

#include "store/schema.h"

namespace keyvigil {
namespace {

Result<Database> open_to_read(const std::string& store) {
  if (auto head = check_head(store, store_form()); !head) { return tl::unexpected(head.error()); }
  return Database::open(store, DatabaseMode::kReadOnly);
}

}  // namespace

Result<std::vector<DeadLetter>> dead_letters_in(const std::string& store, const DeadLetterFilter& filter) {
  auto reader = open_to_read(store);
  if (!reader) { return tl::unexpected(reader.error()); }
  return read_dead_letters(*reader, filter);
}

Result<std::optional<DeadLetterContent>> dead_letter_in(const std::string& store, std::uint64_t id) {
  auto reader = open_to_read(store);
  if (!reader) { return tl::unexpected(reader.error()); }
  DeadLetterFilter filter;
  filter.ids = {id};
  return read_dead_letter(*reader, filter);
}

}  // namespace keyvigil
