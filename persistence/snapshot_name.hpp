#pragma once

#include "raft/entry.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace caucus::persistence {

/// Drawn by whoever makes a snapshot: two nodes' snapshots of one boundary need not be the same
/// bytes, so parts of one must never be taken for parts of the other (RELIABILITY N-03).
using snapshot_uid = strong_u64<struct snapshot_uid_tag>;

/// Of which group, up to where: what a snapshot's file is called after.
struct snapshot_name {
  group_id group;
  raft::entry_id last; ///< The last entry whose effect is in it. Within a group, later is newer.

  friend auto operator<=>(const snapshot_name&, const snapshot_name&) = default;
};

/// One made snapshot, wherever its copies are.
struct snapshot_identity {
  cluster_id cluster;
  snapshot_name name;
  snapshot_uid uid;

  friend bool operator==(const snapshot_identity&, const snapshot_identity&) = default;
};

/// `snap-<group>-<term>-<index>`, 16 hex digits each.
std::string file_name(const snapshot_name& x);
/// While it is being made: with the uid and `.tmp` behind, so that one that is received and one
/// that is made here are two files, also at the same boundary. A start removes it.
std::string unfinished_file_name(const snapshot_name& x, snapshot_uid uid);

std::optional<snapshot_name> parse_snapshot_name(std::string_view name);
bool is_unfinished_snapshot_name(std::string_view name);

} // namespace caucus::persistence
