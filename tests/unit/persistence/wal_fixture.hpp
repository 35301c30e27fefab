#pragma once

#include "apps/sim/disk/memory_directory.hpp"
#include "membership/configuration_codec.hpp"
#include "persistence/wal.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

inline constexpr persistence::wal_identity self{cluster_id{0xc1}, node_id{1}};
inline constexpr group_id group_a{0xa};
inline constexpr group_id group_b{0xb};

/// Small segments and no zeros ahead: every state of a test's disk is cheap to look at.
inline persistence::wal_options small_options() {
  persistence::wal_options x;
  x.segment_bytes = 64 << 10;
  x.zero_ahead_bytes = 0;
  x.new_directory = directory_id{0xd1};
  return x;
}

inline persistence::group_descriptor descriptor(group_id group, uint64_t uid = 7) {
  persistence::group_descriptor x;
  x.group = group;
  x.generation = 1;
  x.name = "group-" + std::to_string(group.value());
  x.uid = replica_uid{uid};
  x.members.voters = {node_id{1}, node_id{2}, node_id{3}};
  x.members.addresses[node_id{1}] = {"localhost", 4001};
  return x;
}

inline raft::entry_ptr make_entry(uint64_t index, uint64_t term, std::string_view payload = {}) {
  auto x = std::make_shared<raft::entry>();
  x->id = {index_t{index}, term_t{term}};
  x->wall_ns = static_cast<int64_t>(1000 * index + term);
  x->body.session = session_id{index + 1};
  x->body.sequence = sequence_t{index + 2};
  x->body.lowest_unanswered = sequence_t{index + 3};
  x->body.payload = shared_bytes::copy_of(
    payload.empty() ? std::to_string(index) + "@" + std::to_string(term) : std::string{payload});
  return x;
}

/// Entries first..last of one term.
inline raft::persist_batch entries(uint64_t first, uint64_t last, uint64_t term,
                                   std::string_view payload = {}) {
  raft::persist_batch x;
  for (auto index = first; index <= last; ++index)
    x.entries.push_back(make_entry(index, term, payload));
  return x;
}

inline raft::entry_ptr configuration_entry(uint64_t index, uint64_t term,
                                           std::set<uint64_t> voters) {
  membership::configuration members;
  for (auto id : voters)
    members.voters.insert(node_id{id});
  return std::make_shared<const raft::entry>(
    raft::entry{.id = {index_t{index}, term_t{term}},
                .body = {.kind = raft::entry_kind::configuration,
                         .payload = shared_bytes::copy_of(membership::encode_payload(members))}});
}

inline raft::persist_batch hard(uint64_t term, uint64_t voted_for, uint64_t commit) {
  raft::persist_batch x;
  x.hard = raft::hard_state{term_t{term}, node_id{voted_for}, index_t{commit}};
  return x;
}

inline bool is_same(const raft::entry& a, const raft::entry& b) {
  return a.id == b.id && a.wall_ns == b.wall_ns && a.body.kind == b.body.kind
         && a.body.session == b.body.session && a.body.sequence == b.body.sequence
         && a.body.lowest_unanswered == b.body.lowest_unanswered
         && a.body.payload == b.body.payload;
}

/// "1@1 2@1 3@2": index and term of each.
inline std::string ids(const std::vector<raft::entry_ptr>& log) {
  std::string text;
  for (const auto& x : log)
    text += (text.empty() ? "" : " ") + std::to_string(x->id.index.value()) + "@"
            + std::to_string(x->id.term.value());
  return text;
}

/// A node's storage: the directory and the log opened in it.
struct storage {
  std::unique_ptr<persistence::directory> dir;
  std::unique_ptr<persistence::wal> log;
  persistence::wal_recovery found;

  const persistence::recovered_group& group(group_id id) const {
    for (const auto& x : found.groups)
      if (x.descriptor.group == id)
        return x;
    FAIL("no such group");
    return found.groups.front();
  }

  uint64_t group_last(group_id id) const { return group(id).last.value(); }

  /// Of the running log.
  uint64_t log_last(group_id id) const {
    const auto known = log->reader()->index().describe(id);
    return known ? known->last.value() : 0;
  }

  void commit(bool must_sync = true) { REQUIRE(log->commit(must_sync).ok()); }
  void put(group_id id, const raft::persist_batch& batch) {
    log->add(id, batch);
    commit();
  }
};

inline result<storage> try_start(memory_disk& disk, persistence::wal_options options,
                                 persistence::wal_identity id = self) {
  auto dir = disk.open();
  REQUIRE(dir.ok());
  auto opened = persistence::wal::open(**dir, id, options);
  if (!opened)
    return std::move(opened).reason();
  return storage{*std::move(dir), std::move(opened->log), std::move(opened->recovery)};
}

inline storage start(memory_disk& disk, persistence::wal_options options = small_options()) {
  auto started = try_start(disk, options);
  if (!started)
    FAIL(to_string(started.reason()));
  return *std::move(started);
}

/// Ends `running` as a kill does and starts again.
inline storage restart(memory_disk& disk, storage running,
                       persistence::wal_options options = small_options()) {
  running = {};
  disk.kill();
  return start(disk, options);
}

inline const std::string first_segment = "wal-0000000000000001.log";

} // namespace caucus::testing
