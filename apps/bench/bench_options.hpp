#pragma once

#include "caucus/options.hpp"

#include <string>
#include <utility>
#include <vector>

namespace caucus::bench {

enum class bench_mode : uint8_t {
  throughput,
  failover,
  wal,
  recovery,
  restart,
  collection,
  snapshot,
  node,
  help,
};

struct bench_options {
  bench_mode mode = bench_mode::throughput;
  std::vector<uint64_t> clients{1, 64, 256, 1000};
  uint64_t payload_bytes = 256;
  uint64_t seconds = 10;
  uint64_t nodes = 3;
  uint64_t rounds = 20;
  uint64_t bytes = uint64_t{1} << 30; ///< Of the log that is recovered or freed, of the snapshot.
  uint64_t groups = 0; ///< Of a restarted node; for the hidden `node` command 0: the one, "bench".
  uint64_t rate = 200; ///< Commands a second, of clients that ask at a pace.
  std::string data;    ///< The runs make their own directories in it.
  bool json = false;
  bool keep = false;             ///< Leaves directories and logs of the nodes behind.
  bool has_named_groups = false; ///< The nodes' groups are opened by name.
  std::vector<std::pair<std::string, std::string>> node; ///< `--NAME VALUE` for all nodes.

  uint64_t id = 0;     ///< Of the hidden `node` command.
  std::string members; ///< Of the hidden `node` command.
};

/// The error is one line that names the option.
result<bench_options> parse_command_line(int argc, char** argv);

std::string help_text();

/// The size of a node's segments.
result<uint64_t> segment_bytes_of(const bench_options& from);

/// The options of one node, from those of the command line.
result<node_options> make_node_options(const bench_options& from);

} // namespace caucus::bench
