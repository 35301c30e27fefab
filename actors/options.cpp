#include "caucus/options.hpp"

#include "persistence/wal_options.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <fstream>

namespace caucus {

namespace {

using o = node_options;
constexpr uint64_t kib = 1024;
constexpr uint64_t mib = 1024 * kib;
constexpr uint64_t gib = 1024 * mib;

constexpr auto table = std::to_array<option_description>({
  {"tick-ms", "length of one logical tick", &o::tick_ms, 1, 10000},
  {"election-ticks", "election timeout, randomised in [n, 2n) ticks", &o::election_ticks, 2, 1000},
  {"heartbeat-ticks", "ticks between heartbeats", &o::heartbeat_ticks, 1, 500},
  {"quiesce-ticks", "ticks with nothing to do after which a group sleeps, with pre-vote; 0: never",
   &o::quiesce_ticks, 0, 1'000'000},
  {"pre-vote", "ask before disturbing a leader", &o::pre_vote, 0, 1},
  {"check-quorum", "a leader that hears no quorum steps down", &o::check_quorum, 0, 1},
  {"lease", "queries may be answered by lease, and this voter keeps still for one", &o::lease, 0,
   1},
  {"clock-drift-max-ms", "what two nodes' clocks may differ in an election timeout; for leases",
   &o::clock_drift_max_ms, 0, 60000},
  {"forward-proposals", "followers pass commands on to the leader", &o::forward_proposals, 0, 1},
  {"append-bytes-max", "payload of one append message", &o::append_bytes_max, 1, 4 * mib},
  {"inflight-messages-max", "unanswered appends per follower", &o::inflight_messages_max, 1, 65536},
  {"inflight-bytes-max", "unanswered bytes per follower", &o::inflight_bytes_max, kib, 4 * gib},
  {"uncommitted-bytes-max", "uncommitted bytes a group; more is dropped", &o::uncommitted_bytes_max,
   kib, 256 * mib},
  {"node-uncommitted-bytes-max", "waiting bytes of all groups", &o::node_uncommitted_bytes_max, kib,
   64 * gib},
  {"waiting-commands-max", "commands waiting in a group", &o::waiting_commands_max, 1, 1 << 24},
  {"proposal-bytes-max", "size of one command", &o::proposal_bytes_max, 1, 4 * mib},
  {"tail-bytes-max", "entries a group keeps in memory for peers that lag", &o::tail_bytes_max, kib,
   4 * gib},
  {"apply-bytes-max", "committed bytes handed to a machine at once", &o::apply_bytes_max, kib, gib},
  {"link-queue-bytes-max", "bytes waiting to be sent to one peer", &o::link_queue_bytes_max,
   64 * kib, 4 * gib},
  {"frame-bytes-max", "largest frame accepted from a peer", &o::frame_bytes_max, 64 * kib,
   64 * mib},
  {"inbound-bytes-max", "bytes received and not yet looked at", &o::inbound_bytes_max, 64 * kib,
   16 * gib},
  {"segment-bytes", "size of one log file", &o::segment_bytes, 64 * kib, 4 * gib},
  {"spare-segments", "log files nothing needs any more that are kept to be written over",
   &o::spare_segments, 0, 64},
  {"snapshot-log-bytes", "log of a group after which its machine's state is saved",
   &o::snapshot_log_bytes, kib, 1024 * gib},
  {"snapshot-entries", "entries after which it is saved at the latest; 0: however many",
   &o::snapshot_entries, 0, 1'000'000'000},
  {"snapshot-interval-ms", "and not sooner after the last time", &o::snapshot_interval_ms, 0,
   24 * 3600 * 1000},
  {"snapshot-bytes-per-second",
   "what all snapshots made, sent and read may take of disk and network; 0: no limit",
   &o::snapshot_bytes_per_second, 0, 1024 * gib},
  {"gc-bytes-per-second",
   "what is written again and given back to shorten the log, while it doesn't grow; 0: no limit",
   &o::gc_bytes_per_second, 0, 1024 * gib},
  {"proposal-timeout-ms", "when a command without a deadline of its own becomes unknown",
   &o::proposal_timeout_ms, 1, 3600000},
  {"session-timeout-ms", "idle sessions expire after it", &o::session_timeout_ms, 1000,
   uint64_t{30} * 24 * 3600 * 1000},
  {"sessions-max", "open sessions a group", &o::sessions_max, 1, 1000000},
  {"drain-timeout-ms", "how long a stop waits for running commands", &o::drain_timeout_ms, 0,
   600000},
  {"workers", "threads that run consensus", &o::workers, 1, 256},
});

error out_of_range(const option_description& option, std::string_view text) {
  return {errc::invalid_option, "option --" + std::string{option.name} + "=" + std::string{text}
                                  + " is not in its range " + std::to_string(option.min) + ".."
                                  + std::to_string(option.max)};
}

result<void> set_switch(node_options& options, const option_description& option,
                        bool node_options::*member, std::string_view text) {
  if (text != "true" && text != "false" && text != "1" && text != "0")
    return error{errc::invalid_option, "option --" + std::string{option.name}
                                         + " is a switch: true or false, not '" + std::string{text}
                                         + "'"};
  options.*member = text == "true" || text == "1";
  return {};
}

result<void> check_addresses(const node_options& options) {
  for (auto& [id, address] : options.members) {
    auto who = "the address of member " + std::to_string(id.value());
    if (is_unspecified(address))
      return error{errc::invalid_option, who + " is '" + to_string(address)
                                           + "', which no other node can reach: name a host or IP "
                                             "address in --members"};
    if (address.port == 0 && options.members.size() > 1)
      return error{errc::invalid_option, who + " has port 0: name the port in --members"};
    for (auto& [other, other_address] : options.members)
      if (other < id && other_address == address && address.port != 0)
        return error{errc::invalid_option, who + " is also that of member "
                                             + std::to_string(other.value()) + ": "
                                             + to_string(address)};
  }
  return {};
}

/// What one option allows, another must have room for.
result<void> check_sizes(const node_options& x) {
  auto text = [](std::string_view name, uint64_t value) {
    return "--" + std::string{name} + " " + std::to_string(value);
  };
  auto append_and_proposal = text("append-bytes-max", x.append_bytes_max) + " and "
                             + text("proposal-bytes-max", x.proposal_bytes_max);
  if (x.frame_bytes_max < x.append_bytes_max + 64 * kib
      || x.frame_bytes_max < x.proposal_bytes_max + 64 * kib)
    return error{errc::invalid_option, text("frame-bytes-max", x.frame_bytes_max) + " must exceed "
                                         + append_and_proposal + " by 64 KiB"};
  // A message that fits into no queue would be sent again and again and never arrive.
  for (auto [name, room] : {std::pair{"link-queue-bytes-max", x.link_queue_bytes_max},
                            std::pair{"inbound-bytes-max", x.inbound_bytes_max}})
    if (room < std::max(x.append_bytes_max, x.proposal_bytes_max) + kib)
      return error{errc::invalid_option,
                   text(name, room) + " must exceed " + append_and_proposal + " by 1 KiB"};
  // At worst all that is uncommitted is written at once, and one proposal may pass the limit.
  auto batch_bytes_max = persistence::wal_options{}.batch_bytes_max - 8 * mib;
  if (x.uncommitted_bytes_max + x.proposal_bytes_max > batch_bytes_max)
    return error{errc::invalid_option,
                 text("uncommitted-bytes-max", x.uncommitted_bytes_max) + " and "
                   + text("proposal-bytes-max", x.proposal_bytes_max) + " are together more than "
                   + std::to_string(batch_bytes_max)
                   + ", which is what one batch of the log holds"};
  return {};
}

result<void> check_accepted(const node_options& options) {
  for (auto peer : options.accept_directories) {
    auto who = std::to_string(peer.value());
    if (peer == options.id)
      return error{errc::invalid_option, "--accept-directory " + who
                                           + " is for the nodes that refuse node " + who
                                           + ": restart them with it, and this one without"};
    if (peer == node_id{}) // Any other may be one that joined later.
      return error{errc::invalid_option, "--accept-directory 0 is no node: ids count from 1"};
  }
  return {};
}

result<void> check_mode(const node_options& options) {
  const bool restores = !options.restore_file.empty();
  auto refuse = [](const std::string& what) { return error{errc::invalid_option, what}; };
  if (restores && options.force_new_cluster)
    return refuse("--restore begins with a backup in an empty directory, --force-new-cluster with "
                  "what this node's directory has: give one of them");
  if (options.join && restores)
    return refuse("--restore begins a new cluster, --join enters one that is there: give one of "
                  "them");
  if (options.join && options.force_new_cluster)
    return refuse("--force-new-cluster begins a new cluster, --join enters one that is there: give "
                  "one of them");
  if (options.force_new_cluster && options.members.size() != 1)
    return refuse("--force-new-cluster makes node " + std::to_string(options.id.value())
                  + " the only member: --members names it alone, others join later");
  return {};
}

} // namespace

std::span<const option_description> option_table() { return table; }

result<void> set_option(node_options& options, std::string_view name, std::string_view text) {
  for (auto& option : table) {
    if (option.name != name)
      continue;
    if (auto* as_switch = std::get_if<bool node_options::*>(&option.member))
      return set_switch(options, option, *as_switch, text);
    uint64_t value = 0;
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size() || value < option.min
        || value > option.max)
      return out_of_range(option, text);
    options.*std::get<uint64_t node_options::*>(option.member) = value;
    return {};
  }
  return error{errc::invalid_option, "there is no option '" + std::string{name} + "'"};
}

result<std::map<node_id, endpoint>> parse_members(std::string_view text) {
  std::map<node_id, endpoint> members;
  auto bad = [](std::string_view item, const std::string& why) {
    return error{errc::invalid_option, "--members has '" + std::string{item} + "': " + why
                                         + "; expected ID=HOST:PORT,ID=HOST:PORT,…"};
  };
  while (!text.empty()) {
    auto item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    auto equals = item.find('=');
    if (equals == std::string_view::npos)
      return bad(item, "no '=' between id and address");
    uint64_t id = 0;
    auto [end, status] = std::from_chars(item.data(), item.data() + equals, id);
    if (status != std::errc{} || end != item.data() + equals || id == 0)
      return bad(item, "the id is not a number from 1");
    auto address = parse_endpoint(item.substr(equals + 1));
    if (!address)
      return bad(item, address.reason().what);
    if (!members.emplace(node_id{id}, *address).second)
      return bad(item, "the id is there twice");
  }
  return members;
}

result<void> read_cluster_file(node_options& options, const std::string& path) {
  std::ifstream file{path};
  if (!file)
    return error{errc::not_found, "can't read the cluster file " + path};
  auto json = nlohmann::json::parse(file, nullptr, false);
  auto bad = [&](const std::string& why) {
    return error{errc::invalid_option, "cluster file " + path + ": " + why};
  };
  if (!json.is_object())
    return bad("not a JSON object");
  for (auto& [key, value] : json.items()) {
    if (key == "cluster" && value.is_string()) {
      options.cluster = value.get<std::string>();
    } else if (key == "members" && value.is_object()) {
      std::string list;
      for (auto& [id, address] : value.items()) {
        if (!address.is_string())
          return bad("the address of member " + id + " is not a string");
        list += (list.empty() ? "" : ",") + id + "=" + address.get<std::string>();
      }
      auto members = parse_members(list);
      if (!members)
        return bad(members.reason().what);
      options.members = *std::move(members);
    } else if (key == "options" && value.is_object()) {
      for (auto& [name, setting] : value.items())
        if (auto set = set_option(
              options, name, setting.is_string() ? setting.get<std::string>() : setting.dump());
            !set)
          return bad(set.reason().what);
    } else {
      return bad("'" + key + "' is not one of cluster (text), members and options (objects)");
    }
  }
  return {};
}

result<void> validate(const node_options& options) {
  for (auto& option : table) {
    auto* number = std::get_if<uint64_t node_options::*>(&option.member);
    if (number && (options.*(*number) < option.min || options.*(*number) > option.max))
      return out_of_range(option, std::to_string(options.*(*number)));
  }
  if (!options.id)
    return error{errc::invalid_option, "--id is missing: which of the members is this node?"};
  if (!options.members.contains(options.id))
    return error{errc::invalid_option,
                 "--id " + std::to_string(options.id.value()) + " is not in --members"};
  if (options.data_directory.empty())
    return error{errc::invalid_option, "--data is missing: where may this node keep its state?"};
  if (options.cluster.empty() || options.cluster.size() > 64)
    return error{errc::invalid_option, "--cluster-name must have 1 to 64 characters"};
  if (options.election_ticks < 2 * options.heartbeat_ticks)
    return error{errc::invalid_option, "--election-ticks " + std::to_string(options.election_ticks)
                                         + " must be at least twice --heartbeat-ticks "
                                         + std::to_string(options.heartbeat_ticks)};
  if (auto sized = check_sizes(options); !sized)
    return sized.reason();
  if (options.lease && !options.check_quorum)
    return error{errc::invalid_option, "--lease needs --check-quorum true: who checks no quorum "
                                       "would answer alone for ever"};
  if (options.lease && options.clock_drift_max_ms >= options.election_ticks * options.tick_ms)
    return error{errc::invalid_option,
                 "--clock-drift-max-ms " + std::to_string(options.clock_drift_max_ms)
                   + " leaves nothing of a lease: it must be less than --election-ticks times "
                     "--tick-ms"};
  if (auto accepted = check_accepted(options); !accepted)
    return accepted.reason();
  if (auto mode = check_mode(options); !mode)
    return mode.reason();
  return check_addresses(options);
}

cluster_id hash_cluster_name(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
  for (char c : name)
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return cluster_id{hash | 1}; // never 0, which means "none"
}

} // namespace caucus
