#pragma once

#include "tests/support/elected_cluster.hpp"

#include <string>
#include <vector>

namespace caucus::testing {

/// As large as it is told to be, so that its snapshots are files.
class large_machine final : public state_machine {
public:
  apply_result apply(const apply_context&, const shared_bytes& command) override {
    state_.assign(state_.size(), command.view().front());
    ++count_;
    return shared_bytes::copy_of(std::to_string(count_));
  }
  [[nodiscard]] uint64_t digest() const override {
    return rng::mix(count_) ^ static_cast<uint8_t>(state_.front());
  }
  [[nodiscard]] std::string describe() const override { return std::to_string(count_); }
  [[nodiscard]] std::unique_ptr<snapshot_view> take_view() const override {
    struct view final : snapshot_view {
      explicit view(std::string x) : bytes{std::move(x)} {}
      result<void> write(snapshot_sink& into) const override {
        return into.write(std::as_bytes(std::span{bytes}));
      }
      std::string bytes;
    };
    return std::make_unique<view>(state_ + std::to_string(count_));
  }
  result<void> restore(snapshot_source& from) override {
    if (auto done = read_exactly(from, std::as_writable_bytes(std::span{state_})); !done)
      return done;
    std::string count(20, ' ');
    auto done = from.read(std::as_writable_bytes(std::span{count}));
    if (!done)
      return std::move(done).reason();
    count_ = std::stoull(count.substr(0, *done));
    return {};
  }

private:
  std::string state_ = std::string(1'000'000, '-');
  uint64_t count_ = 0;
};

class without_snapshots final : public state_machine {
public:
  apply_result apply(const apply_context&, const shared_bytes&) override { return shared_bytes{}; }
  [[nodiscard]] uint64_t digest() const override { return 0; }
};

struct snapshot_cluster : elected_cluster {
  explicit snapshot_cluster(options how = {}) : elected_cluster{std::move(how)} {}

  void propose(int count, char what = 'x') {
    REQUIRE(run_until([&] { return leader() != 0; }));
    for (int i = 0; i < count; ++i)
      REQUIRE(wait_for(client, client.propose(group(leader()), std::string(100, what))).kind
              == outcome_kind::committed);
  }
  outcome take(uint64_t id) { return wait_for(client, client.request(group(id), take_snapshot{})); }
  size_t segments(uint64_t id) {
    size_t count = 0;
    for (auto& name : disk(id).names())
      count += name.starts_with("wal-") && name.ends_with(".log") ? 1 : 0;
    return count;
  }
  std::vector<std::string> snapshot_files(uint64_t id) {
    std::vector<std::string> files;
    for (auto& name : disk(id).names())
      if (name.starts_with("snap-"))
        files.push_back(name);
    return files;
  }
  /// A follower that is down, and would need what the others' logs don't have any more.
  uint64_t away_while_log_is_cut() {
    const auto away = follower();
    crash(away);
    REQUIRE(run_until([&] { return leader() != 0; }));
    for (int i = 0; i < 3; ++i) {
      propose(10);
      REQUIRE(take(leader()).kind == outcome_kind::committed);
    }
    return away;
  }
  size_t offers_to(uint64_t id) const { return log(id).count("event=snapshot_offered"); }
  bool is_level(uint64_t id) {
    auto mine = status(id);
    auto theirs = status(leader());
    return mine.applied == theirs.applied && mine.digest == theirs.digest;
  }

  recording_client client{system()};
};

inline virtual_cluster::options with_large_machines() {
  return {.machine = [] { return std::make_unique<large_machine>(); }};
}

/// Small segments, and a snapshot every few of them.
inline virtual_cluster::options with_short_logs() {
  return {.adjust = [](node_options& x) {
    x.segment_bytes = 64 << 10;
    x.snapshot_log_bytes = 20 << 10;
    x.snapshot_interval_ms = 0;
  }};
}

/// One snapshot takes 1.5 s, so that something can happen meanwhile.
inline virtual_cluster::options with_slow_transfers() {
  auto how = with_large_machines();
  how.adjust = [](node_options& x) { x.snapshot_bytes_per_second = 500'000; };
  return how;
}

} // namespace caucus::testing
