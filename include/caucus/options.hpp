#pragma once

#include "caucus/error.hpp"
#include "caucus/types.hpp"

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace caucus {

/// Everything a node can be told. The numbers and switches are in `option_table()`, with names,
/// ranges and help; `validate` checks all of them before anything is opened.
struct node_options {
  node_id id;                          ///< Which of `members` this node is.
  std::string cluster = "caucus";      ///< Name of the cluster; its hash is the cluster id.
  std::map<node_id, endpoint> members; ///< Peer addresses of all members, this one included.
  endpoint listen;                     ///< Where to bind; empty host: this member's own address.
  std::string data_directory;
  /// A new node of a running cluster: it begins without members and learns of them when it is
  /// added. Means nothing once the directory has its groups.
  bool join = false;
  /// A new cluster begins with what this backup has (caucus/backup.hpp), in an empty directory; all
  /// members begin with the same file. Once: a later start names none.
  std::string restore_file;
  std::string restore_group; ///< The name of the group that the backup is of.
  /// A new cluster begins with what this node has, as its only member, when the others are lost for
  /// good. Once.
  bool force_new_cluster = false;
  /// Peers, never this node itself, that may come with another data directory than before.
  std::set<node_id> accept_directories;

  uint64_t tick_ms = 100;
  uint64_t election_ticks = 10;
  uint64_t heartbeat_ticks = 1;
  uint64_t quiesce_ticks = 10;
  bool pre_vote = true;
  bool check_quorum = true;
  bool lease = false;
  uint64_t clock_drift_max_ms = 50;
  bool forward_proposals = true;
  uint64_t append_bytes_max = 1 << 20;
  uint64_t inflight_messages_max = 256;
  uint64_t inflight_bytes_max = 64 << 20;
  uint64_t uncommitted_bytes_max = 64 << 20;
  uint64_t node_uncommitted_bytes_max = 1 << 30;
  uint64_t waiting_commands_max = 65536;
  uint64_t proposal_bytes_max = 1 << 20;
  uint64_t tail_bytes_max = 16 << 20;
  uint64_t apply_bytes_max = 4 << 20;
  uint64_t link_queue_bytes_max = 64 << 20;
  uint64_t frame_bytes_max = 8 << 20;
  uint64_t inbound_bytes_max = 256 << 20;
  uint64_t segment_bytes = 64 << 20;
  uint64_t spare_segments = 2;
  uint64_t snapshot_log_bytes = 64 << 20;
  uint64_t snapshot_entries = 0;
  uint64_t snapshot_interval_ms = 10000;
  uint64_t snapshot_bytes_per_second = 128 << 20;
  uint64_t gc_bytes_per_second = 8 << 20;
  uint64_t proposal_timeout_ms = 10000;
  uint64_t session_timeout_ms = 3600000;
  uint64_t sessions_max = 10000;
  uint64_t drain_timeout_ms = 10000;
  uint64_t workers = 1;
};

/// One number or switch of `node_options`, for command lines, files and error messages.
struct option_description {
  std::string_view name; ///< As on the command line, without dashes in front.
  std::string_view help;
  std::variant<uint64_t node_options::*, bool node_options::*> member;
  uint64_t min = 0;
  uint64_t max = 1;
};

std::span<const option_description> option_table();

/// Sets an option by its name from text; the error names the option, the text and the range.
result<void> set_option(node_options& options, std::string_view name, std::string_view text);

/// Parses `1=HOST:PORT,2=HOST:PORT,…`.
result<std::map<node_id, endpoint>> parse_members(std::string_view text);

/// Reads a cluster file: JSON with `cluster`, `members` ({"1": "HOST:PORT", …}) and `options`
/// ({"election-ticks": 10, …}). The same file serves all members; which one this is, `id` says.
result<void> read_cluster_file(node_options& options, const std::string& path);

/// All that can be known wrong before anything is opened; the error names the option and its range.
result<void> validate(const node_options& options);

cluster_id hash_cluster_name(std::string_view name);

} // namespace caucus
