#include "store/checkpoint_rows.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "base/check.h"
#include "store/content_chunks.h"
#include "store/packing.h"

namespace keyvigil {
namespace {

constexpr std::size_t kRemovedAtOnce = 500;
constexpr std::size_t kNameBytes = 48;  // number, size, digest
static_assert(SHA256_DIGEST_LENGTH == 32);

std::array<char, 32> digest_of(std::string_view bytes) {
  std::array<char, 32> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

struct ChunkName {
  std::int64_t number = 0;
  std::uint64_t bytes = 0;
  std::array<char, 32> digest{};
};

void append_name(std::string& out, const ChunkName& name) {
  const std::size_t at = out.size();
  out.resize(at + kNameBytes);
  std::memcpy(out.data() + at, &name.number, 8);
  std::memcpy(out.data() + at + 8, &name.bytes, 8);
  std::memcpy(out.data() + at + 16, name.digest.data(), 32);
}

Result<std::vector<ChunkName>> names_in(std::string_view bytes) {
  if (bytes.size() % kNameBytes != 0) {
    return fail(ErrorKind::kInputOutput, "expected whole names of chunks in the store's checkpoint, found a rest");
  }
  std::vector<ChunkName> names(bytes.size() / kNameBytes);
  for (ChunkName& name : names) {
    std::memcpy(&name.number, bytes.data(), 8);
    std::memcpy(&name.bytes, bytes.data() + 8, 8);
    std::memcpy(name.digest.data(), bytes.data() + 16, 32);
    bytes.remove_prefix(kNameBytes);
  }
  return names;
}

Result<void> append_chunk(Database& reader, const ChunkName& name, std::string& section) {
  bool found = false;
  auto read = reader.each("SELECT bytes FROM chunk WHERE number=?", {sql_number(name.number)},
                          [&](const SqlRow& row) -> Result<void> {
                            auto bytes = unpack(row.bytes(0), kMostChunkBytes);
                            if (!bytes) { return tl::unexpected(bytes.error()); }
                            found = bytes->size() == name.bytes && digest_of(*bytes) == name.digest;
                            section += *bytes;
                            return {};
                          });
  if (read && !found) {
    return tl::unexpected(damaged_store(reader.path(), fmt::format("that chunk {} of the checkpoint is missing or "
                                                                   "another one",
                                                                   name.number)));
  }
  return read;
}

}  // namespace

Result<void> CheckpointRows::load(Database& writer) {
  numbers_.clear();
  std::set<std::int64_t> named;
  auto read = writer.each("SELECT chunks FROM section", {}, [&](const SqlRow& row) -> Result<void> {
    auto names = names_in(row.bytes(0));
    if (!names) { return tl::unexpected(names.error()); }
    for (const ChunkName& name : *names) {
      numbers_[name.digest] = name.number;
      named.insert(name.number);
    }
    return {};
  });
  if (!read) { return read; }
  std::vector<std::int64_t> orphans;
  read = writer.each("SELECT number FROM chunk", {}, [&](const SqlRow& row) {
    if (!named.contains(row.number(0))) { orphans.push_back(row.number(0)); }
    return Result<void>{};
  });
  if (!read || orphans.empty()) { return read; }
  auto removed = remove(writer, orphans);
  return removed || removed.error().kind != ErrorKind::kNoRoom ? removed : Result<void>{};  // the next open will
}

Result<void> CheckpointRows::remove(Database& writer, const std::vector<std::int64_t>& orphans) {
  auto transaction = Transaction::begin(writer);
  if (!transaction) { return tl::unexpected(transaction.error()); }
  for (const std::int64_t number : orphans) {
    if (auto gone = writer.run("DELETE FROM chunk WHERE number=?", {sql_number(number)}); !gone) { return gone; }
  }
  return transaction->commit();
}

void CheckpointRows::add_chunk(Draft& draft, const std::string& section, std::string_view chunk) const {
  const Digest digest = digest_of(chunk);
  draft.sections[section].push_back({digest, chunk.size()});
  if (numbers_.contains(digest) ||
      std::ranges::find(draft.chunks, digest, &Draft::NewChunk::digest) != draft.chunks.end()) {
    return;
  }
  draft.chunks.push_back({digest, pack(chunk)});
  draft.packed_bytes += draft.chunks.back().packed.size();
}

void CheckpointRows::add(Draft& draft, const std::string& section, std::string_view piece) const {
  draft.rest.append(piece);
  std::string_view rest = draft.rest;
  while (rest.size() >= kMostChunkBytes) {
    const std::size_t bytes = first_chunk_bytes(rest);
    add_chunk(draft, section, rest.substr(0, bytes));
    rest.remove_prefix(bytes);
  }
  draft.rest.erase(0, draft.rest.size() - rest.size());
}

void CheckpointRows::cut(Draft& draft, const std::string& section) const {
  draft.sections[section];  // also where it is empty
  for (const std::string_view chunk : content_chunks(draft.rest)) { add_chunk(draft, section, chunk); }
  draft.rest.clear();
}

const CheckpointRows::Draft::Block* CheckpointRows::kept_block(const std::string& section,
                                                               const SnapshotBlock& block) const {
  const auto found = kept_.blocks.find(section);
  if (found == kept_.blocks.end() || block.table >= found->second.size()) { return nullptr; }
  const std::vector<Draft::Block>& table = found->second[block.table];
  if (block.number >= table.size() || table[block.number].stamp != block.stamp) { return nullptr; }
  return &table[block.number];
}

std::optional<std::uint64_t> CheckpointRows::known_bytes(const std::string& section, const SnapshotBlock& block) const {
  const Draft::Block* kept = kept_block(section, block);
  return kept == nullptr ? std::nullopt : std::optional(kept->bytes);
}

void CheckpointRows::repeat(Draft& draft, const std::string& section, const SnapshotBlock& block) const {
  const Draft::Block* kept = kept_block(section, block);
  CHECK(kept != nullptr);
  begin_block(draft, section);
  const std::vector<Draft::NamedChunk>& chunks = kept_.sections.at(section);
  const auto first = chunks.begin() + static_cast<std::ptrdiff_t>(kept->first_chunk);
  std::vector<Draft::NamedChunk>& out = draft.sections[section];
  out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(kept->chunks));
  end_block(draft, section, block);
}

void CheckpointRows::begin_block(Draft& draft, const std::string& section) const {
  cut(draft, section);
  draft.block_begin = draft.sections[section].size();
}

void CheckpointRows::end_block(Draft& draft, const std::string& section, const SnapshotBlock& block) const {
  cut(draft, section);
  const std::vector<Draft::NamedChunk>& chunks = draft.sections[section];
  Draft::Block ended{block.stamp, 0, draft.block_begin, chunks.size() - draft.block_begin};
  for (std::size_t i = draft.block_begin; i < chunks.size(); ++i) { ended.bytes += chunks[i].bytes; }
  Draft::Tables& tables = draft.blocks[section];
  if (tables.size() <= block.table) { tables.resize(block.table + 1); }
  CHECK(tables[block.table].size() == block.number);  // they come in order
  tables[block.table].push_back(ended);
}

Result<void> CheckpointRows::write_chunks(Database& writer, Draft& draft) {
  if (draft.chunks.empty()) { return {}; }
  auto transaction = Transaction::begin(writer);
  if (!transaction) { return tl::unexpected(transaction.error()); }
  std::vector<std::int64_t> written;
  for (const Draft::NewChunk& chunk : draft.chunks) {
    if (auto done = writer.run("INSERT INTO chunk(bytes) VALUES(?)", {sql_blob(chunk.packed)}); !done) { return done; }
    written.push_back(writer.last_row());
  }
  if (auto done = transaction->commit(); !done) { return done; }
  for (std::size_t i = 0; i < written.size(); ++i) { numbers_[draft.chunks[i].digest] = written[i]; }
  draft.chunks.clear();
  draft.packed_bytes = 0;
  return {};
}

Result<void> CheckpointRows::write_sections(Database& writer, const Draft& draft) {
  if (auto done = writer.run("DELETE FROM section"); !done) { return done; }
  for (const auto& [name, chunks] : draft.sections) {
    std::string names;
    for (const auto& [digest, bytes] : chunks) {
      const auto found = numbers_.find(digest);
      CHECK(found != numbers_.end());
      append_name(names, {found->second, bytes, digest});
    }
    auto done = writer.run("INSERT INTO section(name, chunks) VALUES(?,?)", {sql_text(name), sql_blob(names)});
    if (!done) { return done; }
  }
  return {};
}

void CheckpointRows::keep(Draft draft) {
  kept_ = std::move(draft);
  std::set<Digest> named;
  for (const auto& [name, chunks] : kept_.sections) {
    for (const auto& chunk : chunks) { named.insert(chunk.digest); }
  }
  unnamed_.clear();
  for (const auto& [digest, number] : numbers_) {
    if (!named.contains(digest)) { unnamed_.push_back(digest); }
  }
}

Result<bool> CheckpointRows::remove_unnamed(Database& writer) {
  const std::size_t count = std::min(unnamed_.size(), kRemovedAtOnce);
  if (count == 0) { return false; }
  const auto first = unnamed_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<std::int64_t> numbers;
  for (auto digest = first; digest != unnamed_.end(); ++digest) { numbers.push_back(numbers_.at(*digest)); }
  if (auto removed = remove(writer, numbers); !removed) { return tl::unexpected(removed.error()); }
  for (auto digest = first; digest != unnamed_.end(); ++digest) { numbers_.erase(*digest); }
  unnamed_.erase(first, unnamed_.end());
  return !unnamed_.empty();
}

Result<Sections> CheckpointRows::read(Database& reader) {
  std::map<std::string, std::vector<ChunkName>> named;
  auto read = reader.each("SELECT name, chunks FROM section", {}, [&](const SqlRow& row) -> Result<void> {
    auto names = names_in(row.bytes(1));
    if (!names) { return tl::unexpected(names.error()); }
    named[row.text(0)] = *std::move(names);
    return {};
  });
  if (!read) { return tl::unexpected(read.error()); }
  Sections sections;
  for (const auto& [name, chunks] : named) {
    std::string& section = sections[name];
    std::size_t bytes = 0;
    for (const ChunkName& chunk : chunks) { bytes += chunk.bytes; }
    section.reserve(bytes);
    for (const ChunkName& chunk : chunks) {
      if (auto done = append_chunk(reader, chunk, section); !done) { return tl::unexpected(done.error()); }
    }
  }
  return sections;
}

}  // namespace keyvigil
