#pragma once

#include "actors/backup_reader.hpp"
#include "actors/group_founding.hpp"
#include "actors/new_cluster.hpp"
#include "apps/sim/disk/memory_directory.hpp"
#include "caucus/backup.hpp"
#include "membership/configuration_codec.hpp"
#include "membership/founding.hpp"
#include "persistence/snapshot_writer.hpp"
#include "persistence/wal.hpp"
#include "tests/support/recording_logger.hpp"

#include <doctest/doctest.h>

/// What the starts are tried on at which a cluster begins with something: disks that forget.
namespace caucus::testing::new_cluster {

inline constexpr const char* name = "counter";

inline node_options options_of(std::set<uint64_t> members) {
  node_options x;
  x.id = node_id{1};
  x.restore_group = name;
  for (auto id : members)
    x.members[node_id{id}] = {"new", static_cast<uint16_t>(7000 + id)};
  return x;
}

inline persistence::wal_options small_log(uint64_t directory = 0xd1) {
  persistence::wal_options x;
  x.segment_bytes = 64 << 10;
  x.zero_ahead_bytes = 0;
  x.new_directory = directory_id{directory};
  return x;
}

/// A backup of the counter by old members, in memory.
struct backup {
  memory_disk disk;
  std::unique_ptr<persistence::directory> dir = *disk.open();
  std::vector<std::byte> content;
  std::optional<persistence::snapshot_reader> reader;
  std::string file;

  explicit backup(size_t size, uint64_t uid = 5, const std::string& group_name = name)
    : content(size, std::byte{7}) {
    membership::configuration members;
    members.voters = {node_id{1}, node_id{8}, node_id{9}};
    persistence::snapshot_header header;
    header.cluster = cluster_id{0xc1};
    header.group = hash_group(name, 2);
    header.uid = persistence::snapshot_uid{uid};
    header.at.last = {index_t{40}, term_t{6}};
    header.at.members = {index_t{3}, std::make_shared<const membership::configuration>(members)};
    header.wall_ns = 99;
    header.group_name = group_name;
    file = persistence::file_name(header.name());
    auto writer = persistence::snapshot_writer::create(*dir, header);
    REQUIRE(writer.ok());
    REQUIRE(writer->write(content).ok());
    REQUIRE(writer->finish().ok());
    auto opened = persistence::snapshot_reader::open(*dir, header.name());
    REQUIRE(opened.ok());
    reader.emplace(*std::move(opened));
  }
};

struct opened_node {
  std::unique_ptr<persistence::directory> dir;
  std::unique_ptr<persistence::wal> log;
  persistence::wal_recovery found;
};

inline opened_node open(memory_disk& disk, const node_options& options, uint64_t directory = 0xd1) {
  opened_node x;
  x.dir = *disk.open();
  auto opened = persistence::wal::open(*x.dir, {hash_cluster_name(options.cluster), options.id},
                                       small_log(directory));
  if (!opened)
    FAIL(to_string(opened.reason()));
  x.log = std::move(opened->log);
  x.found = std::move(opened->recovery);
  return x;
}

inline result<void> restore(memory_disk& disk, backup& from, const node_options& options) {
  recording_logger log;
  auto dir = *disk.open();
  from.reader->rewind();
  return restore_backup(*dir, *from.reader, options, small_log(), log);
}

inline result<void> force(memory_disk& disk, const node_options& options) {
  recording_logger log;
  auto dir = *disk.open();
  return force_new_cluster(*dir, options, small_log(), log);
}

/// What the power failing right after a success leaves.
inline std::vector<persistence::recovered_group>
after_power_failure(memory_disk& disk, uint64_t seed, const node_options& options) {
  disk.crash(seed);
  return open(disk, options).found.groups;
}

inline raft::entry_ptr entry_at(uint64_t index, uint64_t term, std::string_view payload = {}) {
  auto x = std::make_shared<raft::entry>();
  x->body.payload = shared_bytes::copy_of(payload);
  x->id = {index_t{index}, term_t{term}};
  x->wall_ns = static_cast<int64_t>(index);
  return x;
}

/// A member of 1, 2, 3 with five entries, of which it knows three committed.
inline void make_old(memory_disk& disk, uint64_t directory = 0xd1) {
  auto node = open(disk, options_of({1, 2, 3}), directory);
  auto old = founding_members(options_of({1, 2, 3}));
  const auto group = hash_group(name, 1);
  node.log->add(membership::founded_by(old.voters));
  node.log->add(persistence::peer_identity{node_id{2}, directory_id{0xd2}});
  node.log->add(persistence::group_descriptor{group, 1, name, replica_uid{1}, old});
  raft::persist_batch batch;
  batch.hard = raft::hard_state{term_t{4}, node_id{2}, index_t{3}};
  for (uint64_t i = 1; i <= 5; ++i)
    batch.entries.push_back(entry_at(i, 4));
  node.log->add(group, batch);
  REQUIRE(node.log->commit(true).ok());
}

} // namespace caucus::testing::new_cluster
