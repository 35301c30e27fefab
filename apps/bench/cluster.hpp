#pragma once

#include "apps/bench/bench_options.hpp"
#include "apps/bench/child_process.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace caucus::bench {

/// N nodes as processes on this machine, each with its directory below one path.
class cluster {
public:
  struct replica {
    std::string role;
    uint64_t term = 0;
    uint64_t leader = 0; ///< 1 …, 0: none known.
    uint64_t applied = 0;
    uint64_t commands = 0; ///< Counted by the machine.
    uint64_t digest = 0;   ///< Of the machine, at `applied`.
  };

  /// Nothing runs yet.
  static result<cluster> prepare(const bench_options& options, std::string path);

  /// Starts what doesn't run, on the directories and ports of before, and waits for `ready`.
  result<void> start();
  void kill_all() noexcept;

  [[nodiscard]] size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] std::vector<pid_t> pids() const;
  /// Nodes are numbered from 1.
  child_process& at(uint64_t node) { return nodes_[node - 1]; }
  /// Where a node's log and snapshots are.
  [[nodiscard]] std::string directory_of(uint64_t node) const;

  result<replica> ask(uint64_t node);
  /// Sends a node a line and takes what its answer has behind the expected word; any other answer,
  /// or none in time, is named.
  result<std::string> demand(uint64_t node, const std::string& request, const std::string& expected,
                             child_process::clock::duration limit);
  /// The node that itself and a majority call leader.
  result<uint64_t> wait_for_leader();
  /// All have executed at least this many commands and agree on their state.
  result<void> wait_until_applied(uint64_t commands);

private:
  cluster(const bench_options& options, std::string path, std::string members);

  [[nodiscard]] std::string log_of(uint64_t node) const;
  [[nodiscard]] error failure(uint64_t node, const std::string& what) const;

  const bench_options* options_;
  std::string path_;
  std::string members_;
  std::vector<child_process> nodes_;
};

} // namespace caucus::bench
