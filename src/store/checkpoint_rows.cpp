#include "store/checkpoint_rows.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <cstring>
#include <set>
#include <utility>

#include "base/check.h"
#include "store/content_chunks.h"
#include "store/packing.h"

namespace keyvigil {
namespace {

constexpr std::size_t kWriteBytes = std::size_t{8} << 20;
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
  auto transaction = Transaction::begin(writer);
  if (!transaction) { return tl::unexpected(transaction.error()); }
  for (const std::int64_t number : orphans) {
    if (auto gone = writer.run("DELETE FROM chunk WHERE number=?", {sql_number(number)}); !gone) { return gone; }
  }
  return transaction->commit();
}

CheckpointRows::Prepared CheckpointRows::prepare(const Sections& sections) const {
  Prepared prepared;
  std::set<Digest> added;
  for (const auto& [name, bytes] : sections) {
    auto& named = prepared.sections[name];
    for (const std::string_view chunk : content_chunks(bytes)) {
      const Digest digest = digest_of(chunk);
      named.push_back({digest, chunk.size()});
      if (!numbers_.contains(digest) && added.insert(digest).second) {
        prepared.chunks.push_back({digest, pack(chunk)});
      }
    }
  }
  return prepared;
}

Result<void> CheckpointRows::write_chunks(Database& writer, const Prepared& prepared, std::size_t& next) {
  auto transaction = Transaction::begin(writer);
  if (!transaction) { return tl::unexpected(transaction.error()); }
  std::vector<std::pair<Digest, std::int64_t>> written;
  std::size_t at = next;
  for (std::size_t bytes = 0; at < prepared.chunks.size() && bytes < kWriteBytes; ++at) {
    const Prepared::NewChunk& chunk = prepared.chunks[at];
    if (auto done = writer.run("INSERT INTO chunk(bytes) VALUES(?)", {sql_blob(chunk.packed)}); !done) { return done; }
    written.emplace_back(chunk.digest, writer.last_row());
    bytes += chunk.packed.size();
  }
  if (auto done = transaction->commit(); !done) { return done; }
  numbers_.insert(written.begin(), written.end());
  next = at;
  return {};
}

Result<void> CheckpointRows::write_sections(Database& writer, const Prepared& prepared) {
  std::set<Digest> named;
  if (auto done = writer.run("DELETE FROM section"); !done) { return done; }
  for (const auto& [name, chunks] : prepared.sections) {
    std::string names;
    for (const auto& [digest, bytes] : chunks) {
      const auto found = numbers_.find(digest);
      CHECK(found != numbers_.end());
      append_name(names, {found->second, bytes, digest});
      named.insert(digest);
    }
    auto done = writer.run("INSERT INTO section(name, chunks) VALUES(?,?)", {sql_text(name), sql_blob(names)});
    if (!done) { return done; }
  }
  for (const auto& [digest, number] : numbers_) {
    if (named.contains(digest)) { continue; }
    if (auto gone = writer.run("DELETE FROM chunk WHERE number=?", {sql_number(number)}); !gone) { return gone; }
  }
  return {};
}

void CheckpointRows::settle(const Prepared& prepared) {
  std::set<Digest> named;
  for (const auto& [name, chunks] : prepared.sections) {
    for (const auto& chunk : chunks) { named.insert(chunk.digest); }
  }
  std::erase_if(numbers_, [&](const auto& entry) { return !named.contains(entry.first); });
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
    for (const ChunkName& chunk : chunks) {
      if (auto done = append_chunk(reader, chunk, section); !done) { return tl::unexpected(done.error()); }
    }
  }
  return sections;
}

}  // namespace keyvigil
