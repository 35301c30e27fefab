#include "apps/bench/bench_options.hpp"

#include <charconv>
#include <span>
#include <string_view>

namespace caucus::bench {

namespace {

error bad(std::string_view option, std::string_view text, std::string_view wanted) {
  return {errc::invalid_option, "--" + std::string{option} + ": '" + std::string{text} + "' is not "
                                  + std::string{wanted}};
}

result<uint64_t> parse_number(std::string_view option, std::string_view text, uint64_t min,
                              uint64_t max) {
  uint64_t value = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value < min || value > max)
    return bad(option, text, "a number from " + std::to_string(min) + " to " + std::to_string(max));
  return value;
}

result<std::vector<uint64_t>> parse_list(std::string_view option, std::string_view text) {
  std::vector<uint64_t> values;
  for (size_t begin = 0; begin <= text.size();) {
    auto end = std::min(text.find(',', begin), text.size());
    auto value = parse_number(option, text.substr(begin, end - begin), 1, 60'000);
    if (!value)
      return value.reason();
    values.push_back(*value);
    begin = end + 1;
  }
  return values;
}

/// Numbers: where they go and what they may be.
struct number_option {
  std::string_view name;
  uint64_t bench_options::*member;
  uint64_t min;
  uint64_t max;
};
constexpr number_option number_options[] = {
  {"payload", &bench_options::payload_bytes, 1, 1 << 20},
  {"seconds", &bench_options::seconds, 1, 3600},
  {"nodes", &bench_options::nodes, 1, 9},
  {"rounds", &bench_options::rounds, 1, 10'000},
  {"bytes", &bench_options::bytes, 1 << 20, uint64_t{1} << 40},
  {"groups", &bench_options::groups, 1, 100'000},
  {"rate", &bench_options::rate, 1, 1'000'000},
  {"id", &bench_options::id, 1, 9},
};

constexpr std::pair<std::string_view, bench_mode> sub_commands[] = {
  {"failover", bench_mode::failover}, {"wal", bench_mode::wal},
  {"recovery", bench_mode::recovery}, {"restart", bench_mode::restart},
  {"gc", bench_mode::collection},     {"snapshot", bench_mode::snapshot},
  {"node", bench_mode::node},
};

bool* find_flag(bench_options& of, std::string_view name) {
  if (name == "json")
    return &of.json;
  if (name == "keep")
    return &of.keep;
  return name == "named-groups" ? &of.has_named_groups : nullptr;
}

bool is_node_option(std::string_view name) {
  for (auto& known : option_table())
    if (known.name == name)
      return true;
  return false;
}

result<void> set(bench_options& into, std::string_view name, std::string_view text) {
  for (auto& number : number_options) {
    if (number.name != name)
      continue;
    auto value = parse_number(name, text, number.min, number.max);
    if (!value)
      return value.reason();
    into.*number.member = *value;
    return {};
  }
  if (name == "clients") {
    auto values = parse_list(name, text);
    if (!values)
      return values.reason();
    into.clients = *std::move(values);
  } else if (name == "data") {
    into.data = text;
  } else if (name == "members") {
    into.members = text;
  } else if (is_node_option(name)) {
    node_options checked;
    if (auto fits = set_option(checked, name, text); !fits)
      return fits;
    into.node.emplace_back(name, text);
  } else {
    return error{errc::invalid_option, "unknown option --" + std::string{name} + "; see --help"};
  }
  return {};
}

} // namespace

result<bench_options> parse_command_line(int argc, char** argv) {
  bench_options parsed;
  std::vector<std::string_view> words(argv + 1, argv + argc);
  size_t next = 0;
  for (auto& [name, mode] : sub_commands)
    if (next == 0 && !words.empty() && words[0] == name)
      parsed.mode = mode, ++next;
  if (parsed.mode == bench_mode::wal || parsed.mode == bench_mode::recovery)
    parsed.rounds = 7;
  if (parsed.mode == bench_mode::restart) {
    parsed.rounds = 3;
    parsed.groups = 10'000;
    parsed.payload_bytes = 1024;
  }
  if (parsed.mode == bench_mode::collection || parsed.mode == bench_mode::snapshot) {
    parsed.rounds = 3;
    parsed.clients = {16};
    parsed.has_named_groups = true;
    // Snapshots are made when the measurement says.
    parsed.node.emplace_back("snapshot-log-bytes", std::to_string(uint64_t{1} << 40));
  }
  for (; next < words.size(); ++next) {
    auto word = words[next];
    if (word == "--help" || word == "-h") {
      parsed.mode = bench_mode::help;
      return parsed;
    }
    if (!word.starts_with("--"))
      return error{errc::invalid_option, "unexpected '" + std::string{word} + "'; see --help"};
    word.remove_prefix(2);
    if (bool* flag = find_flag(parsed, word)) {
      *flag = true;
      continue;
    }
    std::string_view text;
    if (auto equals = word.find('='); equals != std::string_view::npos) {
      text = word.substr(equals + 1);
      word = word.substr(0, equals);
    } else if (++next < words.size()) {
      text = words[next];
    } else {
      return error{errc::invalid_option, "--" + std::string{word} + " needs a value"};
    }
    if (auto done = set(parsed, word, text); !done)
      return done.reason();
  }
  if (parsed.data.empty())
    return error{errc::invalid_option, "--data DIR is missing: a directory on a real disk"};
  return parsed;
}

std::string help_text() {
  return R"(caucus-bench measures a cluster of real processes on this machine: loopback, real disks.

usage: caucus-bench          --data DIR [--clients 1,64,256,1000] [--payload 256] [--seconds 10]
                             [--nodes 3] [--json] [--keep]
       caucus-bench failover --data DIR [--rounds 20] [--nodes 3] [--json] [--keep]
       caucus-bench wal      --data DIR [--seconds 10] [--rounds 7] [--json] [--keep]
       caucus-bench recovery --data DIR [--bytes 1073741824] [--rounds 7] [--json] [--keep]
       caucus-bench restart  --data DIR [--groups 10000] [--bytes 1073741824] [--payload 1024]
                             [--rounds 3] [--json] [--keep]
       caucus-bench gc       --data DIR [--bytes 1073741824] [--clients 16] [--rate 200]
                             [--seconds 10] [--rounds 3] [--json] [--keep]
       caucus-bench snapshot --data DIR, as gc

The first starts a new cluster for each number of clients. Each client is an actor in the leader's
process with one command outstanding, answered by its own command's apply; the answer is checked.
After 1 s of warm-up it measures, then kills all processes with SIGKILL, restarts them, and counts
what the machines found in their logs: `verified`.
The second kills the leader with SIGKILL, again and again, and takes the time to the first write
that is acknowledged to a client that tries every 10 ms.
The third writes entries through the log's writer and, in turns with it, the same number of bytes
through raw loops that promise the same; the fourth opens a log again that is in the page cache.
The fifth fills the logs of three nodes, kills one with SIGKILL, starts it again 3 s later and takes
the time until each of its groups has applied what was committed before.
The last two take the latencies of clients that ask at a pace, alone for some seconds, then while
the log's garbage collector frees, or while a snapshot is made and sent to a follower.

  --data DIR     where the nodes' directories go; not on tmpfs. Removed afterwards unless --keep.
  --clients N,…  clients per measured point
  --payload N    bytes of a command, random
  --seconds N    time per point, after the warm-up
  --nodes N      processes
  --rounds N     kills, recoveries, or turns
  --bytes N      of the log that is recovered or freed, or of the snapshot
  --rate N       commands a second of all clients that ask at a pace
  --groups N     of the node that is restarted
  --json         one JSON object a line
  --keep         leave the nodes' directories and logs behind
  --NAME VALUE   any option of a node, such as --election-ticks 20
)";
}

result<uint64_t> segment_bytes_of(const bench_options& from) {
  node_options options;
  for (const auto& [name, text] : from.node)
    if (auto done = set_option(options, name, text); !done)
      return done.reason();
  return options.segment_bytes;
}

result<node_options> make_node_options(const bench_options& from) {
  node_options options;
  options.id = node_id{from.id};
  options.cluster = "caucus-bench";
  options.data_directory = from.data;
  auto members = parse_members(from.members);
  if (!members)
    return members.reason();
  options.members = *std::move(members);
  for (auto& [name, text] : from.node)
    if (auto done = set_option(options, name, text); !done)
      return done.reason();
  return options;
}

} // namespace caucus::bench
