#pragma once

#include "apps/bench/cluster.hpp"

#include <optional>

namespace caucus::bench {

/// What clients that ask at a pace have met.
struct load_latencies {
  uint64_t commands = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double max_us = 0;
  double seconds = 0; ///< How long they were measured.
};

/// Nodes whose groups are opened by name, and a load on one of them (`named_groups` is the other
/// side). A failure says which node answered what.
class named_cluster {
public:
  static result<named_cluster> start(const bench_options& options, const std::string& path);

  [[nodiscard]] uint64_t size() const noexcept { return nodes_.size(); }
  /// Where a node's log and snapshots are.
  [[nodiscard]] std::string directory_of(uint64_t node) const { return nodes_.directory_of(node); }

  /// On one node, or on all.
  result<void> open(const std::string& group, const std::string& kind, uint64_t node = 0);
  /// Waits until all that have the group know who leads it.
  result<uint64_t> leader_of(const std::string& group);
  /// Makes `node` the leader.
  result<void> lead(const std::string& group, uint64_t node);

  /// One request to a node: the words behind the one that is expected.
  result<std::vector<uint64_t>> ask(uint64_t node, const std::string& request,
                                    const std::string& expected);
  /// Up to where the snapshot goes that the node makes then.
  result<uint64_t> snapshot(uint64_t node, const std::string& group);
  /// What the node's newest snapshot goes up to; nothing if it doesn't have the group.
  result<uint64_t> newest_snapshot(uint64_t node, const std::string& group);

  /// The node's clients begin; they are warm, and measured from now on, when it returns.
  result<void> begin_load(uint64_t node, const std::string& group);
  result<load_latencies> end_load();

private:
  struct replica {
    std::string role;
    uint64_t leader = 0;
    uint64_t snapshot = 0;
  };

  named_cluster(const bench_options& options, cluster nodes)
    : options_{&options}, nodes_{std::move(nodes)} {}

  result<std::string> demand(uint64_t node, const std::string& request,
                             const std::string& expected);
  result<replica> status(uint64_t node, const std::string& group);

  const bench_options* options_;
  cluster nodes_;
  std::vector<std::pair<std::string, uint64_t>> opened_; ///< Groups and the nodes that have them.
  uint64_t loading_ = 0;                                 ///< The node whose clients are measured.
  child_process::clock::time_point loading_since_;
};

} // namespace caucus::bench
