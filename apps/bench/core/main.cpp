// caucus-bench-core: what the pure core costs, without disk, network or actors. A three-replica
// group in one thread replicates 16-byte proposals in batches of 64.

#include "raft/core.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iostream>
#include <string_view>

namespace {

using namespace caucus;

constexpr size_t replicas = 3;
constexpr size_t batch = 64;
constexpr size_t payload_bytes = 16;

/// Every ready is executed at once: its batch is durable, its messages arrive, its entries are
/// applied, in that order.
class group {
public:
  group() {
    membership::configuration members;
    for (uint64_t id = 1; id <= replicas; ++id)
      members.voters.insert(node_id{id});
    for (uint64_t id = 1; id <= replicas; ++id) {
      raft::recovered_state blank;
      blank.members = members;
      raft::core_options options;
      options.group = group_id{1};
      options.self = node_id{id};
      cores_.emplace_back(options, std::move(blank));
    }
    step(0, raft::campaign{});
    settle();
  }

  /// @returns how many entries the leader has applied so far.
  uint64_t replicate_batch() {
    for (size_t i = 0; i < batch; ++i) {
      std::array<std::byte, payload_bytes> payload{};
      ++next_;
      std::memcpy(payload.data(), &next_, sizeof next_);
      step(0, raft::propose{request_id{next_}, {.payload = shared_bytes::copy_of(payload)}});
    }
    settle();
    return applied_;
  }

private:
  void step(size_t at, raft::input in) { cores_[at].step(std::move(in), instant{}); }

  void settle() {
    for (bool is_busy = true; is_busy;) {
      is_busy = false;
      for (size_t at = 0; at < replicas; ++at)
        if (cores_[at].has_ready()) {
          is_busy = true;
          execute(at, cores_[at].take_ready(instant{}));
        }
    }
  }

  void execute(size_t at, raft::ready out) {
    const node_id self{at + 1};
    for (auto& x : out.messages)
      step(x.to.value() - 1, raft::received{self, std::move(x.body)});
    for (const auto& x : out.heartbeats)
      step(x.to.value() - 1, raft::received{self, raft::heartbeat{x.term, x.commit, x.context}});
    for (const auto& x : out.heartbeat_replies)
      step(x.to.value() - 1, raft::received{self, raft::heartbeat_reply{x.term, x.context}});
    if (out.persist)
      step(at, raft::persisted{out.persist->seq});
    if (!out.committed.empty()) {
      if (at == 0)
        applied_ = out.committed.back()->id.index.value();
      step(at, raft::applied{out.committed.back()->id.index});
    }
  }

  std::vector<raft::core> cores_;
  uint64_t next_ = 0;
  uint64_t applied_ = 0;
};

} // namespace

int main(int argc, char** argv) {
  uint64_t proposals = 10'000'000;
  const std::string_view asked = argc == 2 ? argv[1] : "";
  const auto [end, failed] = std::from_chars(asked.data(), asked.data() + asked.size(), proposals);
  if (argc > 2 || (argc == 2 && (failed != std::errc{} || end != asked.data() + asked.size()))) {
    std::cerr << "usage: caucus-bench-core [PROPOSALS]\n";
    return 2;
  }
  group replicated;
  const auto cpu_begin = std::clock();
  const auto begin = std::chrono::steady_clock::now();
  uint64_t applied = 0;
  for (uint64_t sent = 0; sent < proposals; sent += batch)
    applied = replicated.replicate_batch();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto cpu_s = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
  const auto rate = [&](double seconds) {
    return static_cast<uint64_t>(static_cast<double>(applied) / seconds);
  };
  std::cout << "caucus-bench-core: 3 replicas in one thread, " << payload_bytes
            << " bytes, batches of " << batch << ": " << applied << " entries applied, "
            << rate(took.count()) << " a second, " << rate(cpu_s) << " a second of CPU\n";
  return applied >= proposals ? 0 : 1;
}
