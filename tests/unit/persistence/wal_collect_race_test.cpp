#include "tests/unit/persistence/collect_fixture.hpp"
#include "tests/unit/persistence/wal_workload.hpp"

#include <algorithm>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// One group whose entries lie in a closed segment, a collector and a truncation that race, and
/// what the group's log has to be.
class race {
public:
  /// `commits`: after each event, else only where one has to.
  explicit race(bool commits) : commits_{commits}, node_{start(disk_, tiny_segments())} {
    node_.log->add(descriptor(group_a));
    node_.log->add(group_a, hard(1, 1, 0));
    for (uint64_t index = 1; index <= 6; ++index) {
      node_.put(group_a, entries(index, index, 1, std::string(400, 'a')));
      expected_.push_back(1);
    }
    node_.log->add(descriptor(group_b, 8));
    while (node_.log->usage().segments.size() < 2)
      grow(node_, group_b, node_.log_last(group_b) + 1, node_.log_last(group_b) + 1);
    const auto last = node_.log_last(group_b);
    node_.log->add(group_b, mark(boundary(last, 1), boundary(last, 1)));
    node_.commit();
  }

  /// Events are letters: Append, Truncate and overwrite, Read candidates, Write them, Delete the
  /// segment, Crash.
  std::string run(const std::string& events) {
    for (const auto event : events) {
      happen(event);
      if (commits_)
        node_.commit();
      if (!failure_.empty())
        return failure_;
    }
    happen('C');
    return failure_;
  }

  [[nodiscard]] bool has_removed() const { return removed_; }

private:
  void happen(char event) {
    switch (event) {
      case 'A': return append(expected_.size() + 1);
      case 'T': return append(std::min<uint64_t>(expected_.size(), 4));
      case 'R': return read();
      case 'W':
        for (const auto& x : candidates_)
          node_.log->carry(x);
        return;
      case 'D': return remove();
      default: return crash();
    }
  }

  void append(uint64_t first) {
    ++term_;
    raft::persist_batch batch = entries(first, first + 1, term_);
    if (first <= expected_.size())
      batch.truncate_from = index_t{first};
    node_.log->add(group_a, batch);
    expected_.resize(first - 1);
    expected_.insert(expected_.end(), {term_, term_});
  }

  void read() {
    segment_collector collector{node_.log->reader()};
    candidates_.clear();
    while (node_.log->can_collect()) {
      auto next = collector.next(node_.log->oldest_segment(), 700);
      if (!next)
        failure_ = to_string(next.reason());
      if (!next || !*next)
        return;
      if (candidates_.size() == 8)
        return; // It begins again, as nothing was written.
      candidates_.push_back(**next);
    }
  }

  void remove() {
    while (node_.log->carry_metadata(1 << 20)) {
    }
    node_.commit();
    for (int step = 0; step < 3; ++step) {
      const auto done = node_.log->retire_oldest();
      if (!done)
        failure_ = to_string(done.reason());
      removed_ = removed_ || (done && *done == wal::retirement::removed);
      node_.commit();
    }
  }

  void crash() {
    node_.commit();
    node_ = {};
    disk_.crash(++seed_);
    auto started = try_start(disk_, tiny_segments());
    if (!started) {
      failure_ = to_string(started.reason());
      node_ = start(disk_, tiny_segments());
      return;
    }
    node_ = *std::move(started);
    std::string wanted;
    for (uint64_t i = 0; i < expected_.size(); ++i)
      wanted += (i == 0 ? "" : " ") + std::to_string(i + 1) + "@" + std::to_string(expected_[i]);
    const auto& group = node_.group(group_a);
    if (group.damaged)
      failure_ = to_string(*group.damaged);
    else if (ids(group.tail) != wanted)
      failure_ = "it has " + ids(group.tail) + " instead of " + wanted;
    else if (const auto all = node_.log->reader()->read(group_a, index_t{1}, group.last, 1 << 20);
             !all || ids(*all) != wanted)
      failure_ = "a reader finds something else than " + wanted;
  }

  bool commits_;
  memory_disk disk_;
  storage node_;
  std::vector<uint64_t> expected_; ///< Terms.
  std::vector<carried> candidates_;
  uint64_t term_ = 1;
  uint64_t seed_ = 0;
  bool removed_ = false;
  std::string failure_;
};

} // namespace

TEST_SUITE("persistence/wal_collect_race") {

  TEST_CASE("moved entries racing a truncation never bring back what was overwritten") {
    uint64_t orders = 0;
    uint64_t removals = 0;
    // Each event twice would be 12!/64 orders; the second truncation and crash are what matters.
    std::string events = "ACDRTTW";
    std::sort(events.begin(), events.end());
    do {
      for (const bool commits : {true, false}) {
        CAPTURE(events);
        CAPTURE(commits);
        race one{commits};
        const auto failure = one.run(events);
        REQUIRE(failure == "");
        ++orders;
        removals += one.has_removed() ? 1 : 0;
      }
    } while (std::next_permutation(events.begin(), events.end()));
    CHECK(orders == 2 * 2520);
    CHECK(removals > 100);
  }

  TEST_CASE(
    "random logs with snapshots, deletions and a collector equal the model after each start") {
    uint64_t removed = 0;
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(seed);
      memory_disk disk;
      wal_workload load{seed, workload_kind::collecting};
      rng random{rng::mix(seed)};
      for (int life = 0; life < 6; ++life) {
        const bool starts = load.start_on(disk);
        REQUIRE(load.violation() == "");
        REQUIRE_MESSAGE(starts, to_string(load.failure()));
        load.run(40);
        load.stop();
        if (random.chance(50))
          disk.kill();
        else
          disk.crash(random.next());
      }
      removed += load.removed_segments();
    }
    CHECK(removed > 500);
  }

  TEST_CASE("under a long mixed load the log stays below twice what lives and three segments") {
    memory_disk disk;
    const auto options = tiny_segments();
    auto node = start(disk, options);
    rng random{7};
    constexpr uint64_t groups = 12;
    std::vector<uint64_t> last(groups);
    segment_collector collector{node.log->reader()};
    for (uint64_t i = 0; i < groups; ++i)
      node.log->add(descriptor(group_id{100 + i}, i + 1));
    double worst = 0;
    for (int step = 0; step < 6000; ++step) {
      // Half of the load is on two groups; one in eight groups is never touched again.
      const auto i = random.chance(50) ? random.below(2) : random.below(groups);
      if (step > 500 && i % 8 == 7)
        continue;
      const group_id group{100 + i};
      node.put(group, entries(last[i] + 1, last[i] + 2, 1, std::string(random.below(900), 'x')));
      last[i] += 2;
      if (random.chance(4)) {
        const auto begin = last[i] - random.below(last[i] < 20 ? 2 : 20);
        node.log->add(group, mark(boundary(last[i], 1), boundary(begin, 1)));
        node.commit();
      }
      auto usage = node.log->usage();
      for (int steps = 0; steps < 400 && usage.wants_collection(options.segment_bytes); ++steps) {
        REQUIRE(collect_step(*node.log, collector, 4 << 10).ok());
        usage = node.log->usage();
      }
      REQUIRE(usage.file_bytes() <= 2 * usage.live_bytes() + 3 * options.segment_bytes);
      worst = std::max(worst, static_cast<double>(usage.file_bytes())
                                / static_cast<double>(usage.live_bytes()));
    }
    CHECK(node.log->oldest_segment() > 100);
    MESSAGE("segments removed: ", node.log->oldest_segment() - 1, ", worst ratio: ", worst);
    node = restart(disk, std::move(node), options);
    for (uint64_t i = 0; i < groups; ++i) {
      REQUIRE_FALSE(node.group(group_id{100 + i}).damaged);
      CHECK(node.group(group_id{100 + i}).last == index_t{last[i]});
    }
  }

} // TEST_SUITE
