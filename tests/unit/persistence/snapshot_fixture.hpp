#pragma once

#include "apps/sim/disk/memory_directory.hpp"
#include "base/rng.hpp"
#include "persistence/snapshot_reader.hpp"
#include "persistence/snapshot_receiver.hpp"
#include "persistence/snapshot_writer.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

using snapshot_bytes = std::vector<std::byte>;

inline constexpr cluster_id snapshot_cluster{0xc1};

/// A snapshot of group `group` up to `index`, with small chunks.
inline persistence::snapshot_header header_at(uint64_t index, uint64_t group = 0xa,
                                              uint64_t uid = 0x51) {
  membership::configuration members;
  members.voters = {node_id{1}};
  members.addresses[node_id{1}] = {"a", 7001};
  persistence::snapshot_header x;
  x.cluster = snapshot_cluster;
  x.group = group_id{group};
  x.uid = persistence::snapshot_uid{uid};
  x.at.last = {index_t{index}, term_t{2}};
  x.at.members = {index_t{3}, std::make_shared<const membership::configuration>(members)};
  x.wall_ns = 1'700'000'000'000'000'000;
  x.chunk_bytes = 64;
  return x;
}

inline snapshot_bytes content_of(size_t size, uint64_t seed = 1) {
  rng random{seed};
  snapshot_bytes bytes(size);
  for (auto& x : bytes)
    x = static_cast<std::byte>(random.next());
  return bytes;
}

inline result<persistence::snapshot_offer> try_write(persistence::directory& dir,
                                                     const persistence::snapshot_header& header,
                                                     std::span<const std::byte> content,
                                                     size_t piece = 50) {
  auto writer = persistence::snapshot_writer::create(dir, header);
  if (!writer)
    return std::move(writer).reason();
  while (!content.empty()) {
    const auto count = std::min(piece, content.size());
    if (auto done = writer->write(content.first(count)); !done)
      return std::move(done).reason();
    content = content.subspan(count);
  }
  return writer->finish();
}

/// The bytes of a whole snapshot file.
inline snapshot_bytes encoded_snapshot(const persistence::snapshot_header& header,
                                       std::span<const std::byte> content) {
  memory_disk disk;
  auto dir = *disk.open();
  REQUIRE(try_write(*dir, header, content).ok());
  return disk.content(persistence::file_name(header.name()));
}

/// All that the reader hands out, or why it stopped.
inline result<snapshot_bytes> read_all(persistence::snapshot_reader& reader) {
  snapshot_bytes all;
  while (true) {
    auto part = reader.next();
    if (!part)
      return std::move(part).reason();
    if (part->empty())
      return all;
    all.insert(all.end(), part->begin(), part->end());
  }
}

/// A snapshot's file comes from another node, so many bytes at a time.
inline result<void> receive(persistence::directory& dir, const persistence::snapshot_header& header,
                            std::span<const std::byte> content, uint64_t piece) {
  const auto file = encoded_snapshot(header, content);
  auto receiver = persistence::snapshot_receiver::create(dir, {header.identity(), file.size()});
  if (!receiver)
    return std::move(receiver).reason();
  while (!receiver->is_complete()) {
    const auto at = receiver->resume_at();
    const auto count = std::min<uint64_t>(piece, file.size() - at);
    if (auto done = receiver->take(at, std::span{file}.subspan(at, count)); !done)
      return done;
  }
  return receiver->publish();
}

inline result<snapshot_bytes> read_file(persistence::directory& dir,
                                        const persistence::snapshot_name& name) {
  auto reader = persistence::snapshot_reader::open(dir, name);
  if (!reader)
    return std::move(reader).reason();
  return read_all(*reader);
}

/// What reading those bytes as the snapshot's file gives.
inline result<snapshot_bytes> read_bytes(const persistence::snapshot_name& name,
                                         snapshot_bytes bytes) {
  memory_disk disk;
  disk.put(persistence::file_name(name), std::move(bytes));
  return read_file(**disk.open(), name);
}

inline bool says(const error& x, std::string_view text) {
  return x.what.find(text) != std::string::npos;
}

} // namespace caucus::testing
