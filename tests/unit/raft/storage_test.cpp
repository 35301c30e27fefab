// Disks without room for entries (E-05) and disks that hang (E-15, C4): who can't write doesn't
// lead.

#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

errc refused(const ready& out, uint64_t request) {
  for (const auto& x : out.refused)
    if (x.request == request_id{request})
      return x.reason;
  return errc::none;
}

} // namespace

TEST_SUITE("raft/core: storage") {
  TEST_CASE("E-05 a leader whose disk is full hands over, and nothing is lost") {
    core_cluster x;
    x.elect(1);
    const auto before = x.propose(1);
    x.settle();
    x.step(1, storage{false});
    x.settle();
    CHECK(x.leader() != 1);
    REQUIRE(x.leader() != 0);
    const auto after = x.propose(x.leader());
    x.settle();
    CHECK(x.is_committed(before));
    CHECK(x.is_committed(after)); // Two of three disks have room.
    CHECK(x.log_terms(1) == std::vector<uint64_t>{1, 1});
    x.check_at_end();
  }

  TEST_CASE("E-05 a follower whose disk is full takes no entry, votes, and catches up once it has "
            "room") {
    core_cluster x;
    x.elect(1);
    x.step(3, storage{false});
    for (int i = 0; i < 5; ++i) {
      x.propose(1);
      x.settle();
    }
    CHECK(x.log_terms(3) == std::vector<uint64_t>{1});
    CHECK(x.status(1).commit == index_t{6});
    const auto term = x.status(1).term;
    x.isolate(1);
    x.step(2, campaign{}); // Only node 3's vote can make it the leader.
    for (int i = 0; i < 40 && x.status(2).role != role::leader; ++i) {
      x.tick(2);
      x.tick(3);
      x.settle();
    }
    CHECK(x.status(2).role == role::leader);
    CHECK(x.status(3).term > term);
    x.heal();
    x.step(3, storage{true});
    for (int i = 0; i < 40; ++i) {
      x.tick_all();
      x.settle();
    }
    CHECK(x.log_terms(3) == x.log_terms(2));
    x.check_at_end();
  }

  TEST_CASE("E-05 nobody without room campaigns: by its timer, as a transfer's target, or asked") {
    core_options options;
    lone_core x{{.term = 1, .options = options}};
    x.step(storage{false});
    x.tick(10 * options.election_ticks);
    CHECK(x.status().role == role::follower);
    x.step(campaign{});
    CHECK(x.status().role == role::follower);
    x.receive(2, heartbeat{.term = term_t{1}});
    x.receive(2, timeout_now{term_t{1}});
    CHECK(x.status().role == role::follower);
    CHECK(x.status().leader == node_id{2});
    CHECK(x.status().term == term_t{1});
    x.step(storage{true});
    x.tick(3 * options.election_ticks);
    CHECK(x.status().role != role::follower);
    x.step(storage{false}); // It would begin its leadership with an entry.
    CHECK(x.status().role == role::follower);
  }

  TEST_CASE("E-05 what nobody can take is refused with the reason, not left open") {
    lone_core x{{.voters = {1}}};
    x.lead();
    x.sync();
    x.step(storage{false});
    CHECK(x.status().role == role::follower);
    CHECK(refused(x.propose(7, "add 1"), 7) == errc::storage_full);
    x.step(storage{true});
    x.tick(3 * core_options{}.election_ticks);
    x.sync();
    CHECK(x.status().role == role::leader);
    CHECK(refused(x.propose(8, "add 1"), 8) == errc::none);
  }

  TEST_CASE("E-15 a leader whose disk hangs for an election timeout gives way") {
    core_cluster x;
    x.elect(1);
    x.set_disk_stuck(1, true);
    const auto request = x.propose(1);
    const auto ticks = core_options{}.election_ticks;
    for (uint32_t i = 0; i < 3 * ticks && x.leader() == 1; ++i) {
      x.tick_all();
      x.settle();
    }
    REQUIRE(x.leader() != 0);
    CHECK(x.leader() != 1);
    CHECK(x.is_committed(request)); // The others' disks work.
    x.set_disk_stuck(1, false);
    for (int i = 0; i < 20; ++i) {
      x.tick_all();
      x.settle();
    }
    CHECK(x.log_terms(1) == x.log_terms(2));
    x.check_at_end();
  }

  TEST_CASE("E-15 a slow disk costs no leadership, and an idle one none either") {
    core_options options;
    lone_core x{{.options = options}};
    x.lead();
    x.sync();
    x.receive(2, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{1}});
    const auto live_on = [&](uint32_t ticks) {
      for (uint32_t i = 0; i < ticks; ++i) {
        const auto out = x.tick();
        for (const auto& beat : out.heartbeats)
          x.receive(beat.to.value(), heartbeat_reply{.term = term_t{1}, .context = beat.context});
      }
    };
    for (uint64_t i = 0; i < 5; ++i) { // Each sync takes nearly a timeout.
      x.propose(i + 1, "add 1");
      live_on(options.election_ticks - 1);
      CHECK(x.status().role == role::leader);
      x.sync();
    }
    // The commit index alone is a hint that the disk may keep to itself.
    x.receive(2, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{6}});
    live_on(4 * options.election_ticks);
    CHECK(x.status().role == role::leader);
  }
}
