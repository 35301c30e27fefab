#include "tests/support/core_cluster.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace caucus;
using namespace caucus::test;

namespace {

using kind = enum membership::member_change::kind;

/// Everything that varies from run to run, drawn from the seed first (swarm testing).
struct weather {
  explicit weather(uint64_t seed) : dice{rng::mix(seed)} {
    const auto voters = 1 + dice.below(5);
    const auto learners = dice.below(2);
    cluster.voters.clear();
    for (uint64_t id = 1; id <= voters + learners; ++id)
      (id <= voters ? cluster.voters : cluster.learners).push_back(id);
    cluster.seed = seed;
    auto& x = cluster.core;
    x.pre_vote = !dice.chance(20);
    x.check_quorum = !dice.chance(20);
    x.forward_proposals = !dice.chance(20);
    x.heartbeat_ticks = 1 + static_cast<uint32_t>(dice.below(2));
    x.election_ticks = 5 + static_cast<uint32_t>(dice.below(6));
    x.inflight_messages_max = 1 + static_cast<uint32_t>(dice.below(8));
    x.append_bytes_max = dice.chance(50) ? 300 : 1 << 20;
    x.uncommitted_bytes_max = dice.chance(30) ? 1000 : 1 << 20;
    x.forwarded_max = dice.chance(30) ? 3 : 1000;
    x.tail_bytes_max = dice.chance(50) ? 400 : 1 << 20;
    x.tail_bytes_kept = x.tail_bytes_max / 4;
    x.apply_bytes_max = dice.chance(30) ? 250 : 1 << 20;
    if (dice.chance(40))
      for (uint64_t id = 1; id <= voters; ++id)
        cluster.priorities[id] = static_cast<uint8_t>(10 * (1 + dice.below(10)));
    x.reads_max = dice.chance(30) ? 2 : 1000;
    if (dice.chance(40)) {
      x.lease = x.check_quorum = true;
      x.tick_ns = 30'000;
      x.clock_drift_max_ns = 0; // All replicas look at one clock.
    }
    loss = dice.chance(50) ? dice.below(30) : 0;
    duplication = dice.chance(50) ? dice.below(40) : 0;
    is_reordering = dice.chance(50);
    crashes = dice.chance(60);
    partitions = dice.chance(50);
    snapshots = dice.chance(50);
    tail_kept = dice.below(8);
    if (x.pre_vote && dice.chance(40))
      x.quiesce_ticks = 1 + static_cast<uint32_t>(dice.below(4));
    if (dice.chance(60))
      for (auto more = 1 + dice.below(3); more > 0; --more)
        cluster.spares.push_back(voters + learners + more);
  }

  rng dice;
  core_cluster::options cluster;
  uint64_t loss = 0;
  uint64_t duplication = 0;
  bool is_reordering = false;
  bool crashes = false;
  bool partitions = false;
  bool snapshots = false;
  uint64_t tail_kept = 0;
};

/// One random run: storms first, then calm and the demand that all agree and move on.
class storm {
public:
  explicit storm(uint64_t seed) : weather_{seed}, cluster_{weather_.cluster} {
    cluster_.tail_of = [kept = weather_.tail_kept](size_t entries) {
      return std::min<size_t>(entries, kept);
    };
  }

  void rage(int events) {
    for (; events > 0; --events)
      one_event();
  }

  void calm_down() {
    cluster_.heal();
    for (auto id : cluster_.ids()) {
      cluster_.set_disk_stuck(id, false);
      if (!cluster_.is_up(id))
        cluster_.restart(id);
    }
    cluster_.settle();
    const auto election = weather_.cluster.core.election_ticks;
    REQUIRE(cluster_.tick_until_leader(20 * election));
    // What the storm left behind may fill the leader's limits, and a candidate of a higher term
    // whose disk was stuck may still depose it: once.
    pass_time(2 * election);
    REQUIRE(cluster_.tick_until_leader(5 * election));
    // A snapshot whose report was lost is asked for again only after a while.
    const auto is_settled = [this] {
      const auto id = cluster_.leader();
      return id != 0 && cluster_.status(id).commit == cluster_.status(id).last;
    };
    for (auto rounds = 5; rounds > 0 && !is_settled(); --rounds)
      pass_time(election);
    REQUIRE(cluster_.tick_until_leader(5 * election));
    const auto request = cluster_.propose(cluster_.leader());
    pass_time(2 * election); // The last commit travels with heartbeats.
    const auto answer = cluster_.answer_to(request);
    REQUIRE(answer.has_value());
    CAPTURE(to_string(answer->refused));
    REQUIRE(cluster_.is_committed(request));
    const auto leader = cluster_.status(cluster_.leader());
    REQUIRE(leader.commit == leader.last);
    REQUIRE_FALSE(leader.members->is_joint());
    for (auto member : leader.members->members()) {
      const auto id = member.value();
      CAPTURE(id);
      REQUIRE(cluster_.members(id) == *leader.members);
      REQUIRE(cluster_.applied(id).size() == leader.last.value());
      const auto read = cluster_.read(id);
      cluster_.settle();
      REQUIRE(cluster_.read_at(read) == leader.last);
    }
    REQUIRE(cluster_.leader() == leader.self.value());
    cluster_.check_at_end();
  }

  core_cluster& cluster() { return cluster_; }

private:
  void pass_time(uint32_t ticks) {
    for (; ticks > 0; --ticks) {
      cluster_.tick_all();
      cluster_.settle();
    }
  }

  uint64_t anyone() { return cluster_.ids()[weather_.dice.below(cluster_.ids().size())]; }

  void one_event() {
    auto& dice = weather_.dice;
    const auto id = anyone();
    switch (dice.below(30)) {
      case 0: cluster_.tick(id); break;
      case 1: cluster_.tick(id); break;
      case 2: cluster_.propose(id); break;
      case 3: cluster_.sync(id, 1 + dice.below(3)); break;
      case 4: cluster_.sync(id); break;
      case 5: cluster_.apply(id); break;
      case 6: cluster_.answer_reads(id, dice.chance(20)); break;
      case 7: disturb(id); break;
      case 14:
        if (dice.chance(10) && cluster_.leader() != 0)
          cluster_.transfer(cluster_.leader(), anyone());
        break;
      case 8: cluster_.tick_all(); break;
      case 9: cluster_.propose(id); break;
      case 10: cluster_.sync(id); break;
      case 11: cluster_.read(id); break;
      case 12: cluster_.read(id, raft::consistency::lease); break;
      case 13: store(id); break;
      case 15:
        if (!weather_.cluster.spares.empty())
          change_members(dice.chance(50) && cluster_.leader() != 0 ? cluster_.leader() : id);
        break;
      default:
        for (auto packets = 1 + dice.below(6); packets > 0; --packets)
          carry();
        break;
    }
  }

  void store(uint64_t id) {
    auto& dice = weather_.dice;
    if (weather_.snapshots && dice.chance(30))
      cluster_.compact(id, dice.below(4));
    if (!cluster_.snapshots_wanted.empty() && dice.chance(50))
      cluster_.carry_snapshot(dice.chance(20), dice.chance(70));
  }

  void change_members(uint64_t id) {
    auto& dice = weather_.dice;
    membership::change_request asked;
    for (auto count = 1 + (dice.chance(40) ? dice.below(4) : 0); count > 0; --count) {
      const auto node = anyone();
      const auto what = dice.chance(20) ? static_cast<kind>(dice.below(5)) : sensible(id, node);
      asked.changes.push_back(change_of(what, node));
      if (what == kind::update || dice.chance(10))
        asked.changes.back().address.host = "elsewhere-" + std::to_string(dice.below(100));
    }
    asked.mode = static_cast<membership::change_mode>(dice.chance(60) ? 0 : dice.below(3));
    asked.even_if_behind = dice.chance(60);
    if (dice.chance(10))
      asked.expected_id = index_t{dice.below(100)};
    cluster_.change(id, std::move(asked));
  }

  /// Something that changes something, as far as `id` knows.
  kind sensible(uint64_t id, uint64_t node) {
    constexpr kind of_voter[] = {kind::remove, kind::make_learner, kind::update};
    constexpr kind of_learner[] = {kind::make_voter, kind::make_staging, kind::remove};
    constexpr kind of_stranger[] = {kind::make_voter, kind::make_staging, kind::make_learner};
    const auto choice = weather_.dice.below(3);
    if (!cluster_.is_up(id) || !cluster_.members(id).is_member(node_id{node}))
      return of_stranger[choice];
    return cluster_.members(id).voters.contains(node_id{node}) ? of_voter[choice]
                                                               : of_learner[choice];
  }

  void carry() {
    auto& dice = weather_.dice;
    auto& wire = cluster_.wire;
    if (wire.empty())
      return;
    const auto position = weather_.is_reordering ? dice.below(wire.size()) : 0;
    // A link may lose proposals, but it never doubles them.
    const bool is_proposal = std::holds_alternative<raft::forward_proposal>(wire[position].body);
    if (!is_proposal && dice.chance(weather_.duplication))
      wire.push_back(wire[position]);
    if (dice.chance(weather_.loss))
      cluster_.drop(position);
    else
      cluster_.deliver(position);
  }

  void disturb(uint64_t id) {
    auto& dice = weather_.dice;
    if (!cluster_.is_up(id)) {
      cluster_.restart(id, dice.chance(50));
    } else if (weather_.crashes && dice.chance(30)) {
      cluster_.crash(id);
    } else if (weather_.partitions && dice.chance(40)) {
      if (dice.chance(50))
        cluster_.heal();
      else if (dice.chance(50))
        cluster_.isolate(id);
      else
        cluster_.cut(id, anyone());
    } else if (dice.chance(20)) {
      cluster_.step(id, raft::peer_unreachable{node_id{anyone()}});
    } else if (dice.chance(20)) {
      cluster_.set_disk_stuck(id, !cluster_.is_disk_stuck(id));
    } else if (dice.chance(20)) {
      cluster_.transfer(id, dice.chance(30) ? 0 : anyone());
    } else if (dice.chance(20)) { // Nobody wants anything: who may, falls asleep.
      cluster_.settle();
      for (auto lull = dice.below(12); lull > 0; --lull) {
        cluster_.tick_all();
        cluster_.settle();
      }
    } else if (dice.chance(10)) {
      cluster_.step(id, raft::step_down{});
    } else if (dice.chance(5)) {
      cluster_.step(id, raft::campaign{});
    }
  }

  weather weather_;
  core_cluster cluster_;
};

uint64_t number_from_env(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace

TEST_SUITE("raft/core: random runs") {
  TEST_CASE("L-06 no fault breaks a safety property, and calm brings agreement") {
    // Replay one: CAUCUS_SEED=<seed> CAUCUS_SEEDS=1.
    const auto first = number_from_env("CAUCUS_SEED", 1);
    const auto count = number_from_env("CAUCUS_SEEDS", 1000);
    uint64_t committed = 0;
    uint64_t reads = 0;
    uint64_t transfers = 0;
    uint64_t snapshots = 0;
    uint64_t changes = 0;
    uint64_t sleeps = 0;
    for (auto seed = first; seed < first + count; ++seed) {
      CAPTURE(seed);
      storm run{seed};
      run.rage(4000);
      run.calm_down();
      transfers += run.cluster().transfers_done();
      snapshots += run.cluster().snapshots_installed;
      changes += run.cluster().changes_committed();
      sleeps += run.cluster().sleeps;
      reads += run.cluster().reads_answered();
      committed += run.cluster().status(run.cluster().leader()).commit.value();
    }
    MESSAGE("entries committed in all runs: ", committed);
    CHECK(committed > count * 30); // The storms let some work through.
    MESSAGE("reads answered in all runs: ", reads);
    CHECK(reads > count * 20);
    MESSAGE("snapshots installed in all runs: ", snapshots);
    CHECK(snapshots > count / 10);
    MESSAGE("transfers done in all runs: ", transfers);
    CHECK(transfers > count / 20);
    MESSAGE("times that anybody fell asleep in all runs: ", sleeps);
    CHECK(sleeps > count);
    MESSAGE("configurations committed in all runs: ", changes);
    CHECK(changes > count);
  }
}
