// Members that become voters by themselves once they have caught up, and whole replacements.

#include "membership/configuration_codec.hpp"
#include "tests/support/changing_cluster.hpp"

using namespace caucus;
using namespace caucus::test;

namespace {

/// A leader of three with 20 entries and more, all committed, and a staging member 4.
lone_core staging_leader(raft::core_options how = {}) {
  lone_core x{{.options = how}};
  x.lead();
  const auto commit_all = [&] {
    x.sync();
    const auto now = x.status();
    x.receive(2, raft::append_reply{.term = now.term, .accepted = true, .match = now.last});
    x.receive(3, raft::append_reply{.term = now.term, .accepted = true, .match = now.last});
  };
  commit_all();
  for (uint64_t i = 1; i <= 20; ++i)
    x.propose(i, "x");
  x.propose_change(99, only(kind::make_staging, 4));
  commit_all();
  REQUIRE(x.status().commit == x.status().last);
  // The probe finds an empty log.
  const auto last = x.status().last;
  x.receive(4, raft::append_reply{.term = x.status().term, .prev = last - 1});
  return x;
}

void acknowledge(lone_core& x, uint64_t from, uint64_t match) {
  x.receive(from,
            raft::append_reply{.term = x.status().term, .accepted = true, .match = index_t{match}});
}

/// What an operator does, again and again, until 4 has taken the place of 3: looks, asks for the
/// next step, looks again.
bool replace(core_cluster& x) {
  const auto id = x.leader();
  if (id == 0)
    return false;
  const auto& now = x.members(id);
  if (!now.is_member(node_id{4}))
    x.change(id, only(kind::make_staging, 4));
  else if (now.voters.contains(node_id{4}) && now.is_member(node_id{3}))
    x.change(id, only(kind::remove, 3));
  else
    return !now.is_member(node_id{3}) && x.status(id).commit >= x.status(id).configuration_id;
  return false;
}

} // namespace

TEST_SUITE("raft/core: staging members") {
  TEST_CASE("M-06 a staging member has no vote until it has caught up, then it becomes a voter") {
    auto x = group_of({1, 2, 3}, {4});
    for (int i = 0; i < 30; ++i)
      x.propose(1);
    x.settle();
    x.hold = [](const auto& p) { return p.to == 4; };
    x.change(1, only(kind::make_staging, 4));
    x.settle();
    x.tick(1), x.settle();
    check_members(x, 2, {1, 2, 3}, {4});
    x.release();
    pass_time(x, 3);
    for (uint64_t id : {1, 2, 3, 4}) {
      check_members(x, id, {1, 2, 3, 4});
      CHECK(x.members(id).staging.empty());
    }
  }

  TEST_CASE("M-06 nine tenths of the leader's log are caught up, less is not") {
    auto x = staging_leader();
    const auto last = x.status().last.value();
    acknowledge(x, 4, last - last / 10 - 1);
    x.tick();
    CHECK(x.status().last == index_t{last});
    acknowledge(x, 4, last - last / 10);
    CHECK(x.status().members->voters == node_set({1, 2, 3}));
    x.tick();
    CHECK(x.status().members->voters == node_set({1, 2, 3, 4}));
    CHECK(x.status().configuration_id == index_t{last + 1});
  }

  TEST_CASE("M-06 nor does it become one while the group could lose its majority by it") {
    raft::core_options how;
    how.check_quorum = false;
    auto x = staging_leader(how);
    // 2 and 3 fall silent: of four, 1 and 4 would be too few.
    const auto hear = [&](std::vector<uint64_t> who) {
      for (auto id : who)
        x.receive(id, raft::heartbeat_reply{x.status().term, {}});
    };
    for (int i = 0; i < 25; ++i) {
      x.tick();
      hear({4});
    }
    acknowledge(x, 4, x.status().last.value());
    x.tick(2);
    CHECK(x.status().members->voters == node_set({1, 2, 3}));
    hear({2});
    x.tick();
    CHECK(x.status().members->voters == node_set({1, 2, 3, 4}));
  }

  TEST_CASE("M-06 nor while it isn't heard itself, though it had caught up") {
    auto x = staging_leader();
    // A change in flight keeps the promotion waiting, and meanwhile it falls silent.
    acknowledge(x, 4, x.status().last.value());
    x.propose_change(98, at_once({{kind::update, node_id{2}, {"elsewhere", 7}}}));
    x.sync();
    for (int i = 0; i < 25; ++i) {
      x.tick();
      for (uint64_t id : {2, 3})
        x.receive(id, raft::heartbeat_reply{x.status().term, {}});
    }
    acknowledge(x, 2, x.status().last.value());
    REQUIRE(x.status().commit == x.status().last);
    x.tick();
    CHECK(x.status().members->voters == node_set({1, 2, 3}));
    x.receive(4, raft::heartbeat_reply{x.status().term, {}});
    x.tick();
    CHECK(x.status().members->voters == node_set({1, 2, 3, 4}));
  }

  TEST_CASE("M-06 a new leader goes on with the promotion") {
    auto x = group_of({1, 2, 3}, {4});
    x.hold = [](const auto& p) { return p.to == 4; };
    x.change(1, only(kind::make_staging, 4));
    x.settle();
    x.crash(1);
    x.release();
    REQUIRE(x.tick_until_leader(200));
    pass_time(x, 5);
    for (uint64_t id : {2, 3, 4})
      check_members(x, id, {1, 2, 3, 4});
  }

  TEST_CASE("M-06 a leader that is to be promoted itself waits for another") {
    // Demoted and staged again, it has the longest log and doesn't know that others may lead.
    membership::configuration staged;
    staged.voters = node_set({2, 3});
    staged.learners = staged.staging = node_set({1});
    const auto entry = std::make_shared<const raft::entry>(
      raft::entry{.id = at(1, 1),
                  .body = {.kind = raft::entry_kind::configuration,
                           .payload = shared_bytes::copy_of(membership::encode_payload(staged))}});
    lone_core x{{.term = 1,
                 .log = {entry},
                 .configurations = {
                   {index_t{1}, std::make_shared<const membership::configuration>(staged)}}}};
    x.lead();
    x.sync();
    x.step(raft::transfer{request_id{1}, node_id{3}}); // So that it doesn't step down.
    acknowledge(x, 2, 2);
    acknowledge(x, 3, 2);
    for (uint32_t i = 0; i < 3 * raft::core_options{}.election_ticks; ++i) {
      x.tick();
      x.receive(2, raft::heartbeat_reply{x.status().term, {}});
    }
    CHECK(x.status().role == raft::role::follower);
  }

  TEST_CASE("M-06 several are promoted one after the other, each in an entry of its own") {
    auto x = group_of({1, 2, 3}, {4, 5});
    const auto added =
      x.change(1, at_once({change_of(kind::make_staging, 4), change_of(kind::make_staging, 5)}));
    x.settle();
    CHECK(refusal(x, added) == errc::none);
    const auto before = x.status(1).configuration_id;
    pass_time(x, 5);
    check_members(x, 1, {1, 2, 3, 4, 5});
    CHECK(x.status(1).configuration_id == before + 2);
  }

  TEST_CASE("M-06 one that is made a learner stays one") {
    auto x = group_of({1, 2, 3}, {4});
    x.hold = [](const auto& p) { return p.to == 4; };
    x.change(1, only(kind::make_staging, 4));
    x.settle();
    x.change(1, only(kind::make_learner, 4));
    x.settle();
    x.release();
    pass_time(x, 10);
    check_members(x, 4, {1, 2, 3}, {4});
  }
}

TEST_SUITE("raft/core: replacing a member") {
  TEST_CASE("M-13 a crash at any step of a replacement only delays it, and asking again is safe") {
    for (uint64_t victim : {1, 2, 3, 4, 0}) // 0: whoever leads.
      for (int moment = 0; moment < 60; ++moment) {
        CAPTURE(victim);
        CAPTURE(moment);
        auto x = group_of({1, 2, 3}, {4});
        for (int i = 0; i < 5; ++i)
          x.propose(1);
        int events = 0;
        uint64_t dead = 0;
        bool is_done = false;
        for (int round = 0; round < 400 && !is_done; ++round) {
          is_done = replace(x);
          for (int i = 0; i < 4 && !x.wire.empty(); ++i) {
            x.deliver(0);
            for (auto id : x.ids())
              x.sync(id, 1), x.apply(id);
            if (++events == moment) {
              dead = victim == 0 ? x.leader() : victim;
              if (dead != 0)
                x.crash(dead);
            }
          }
          if (round % 3 == 0)
            x.tick_all();
          if (dead != 0 && round == moment / 4 + 60)
            x.restart(std::exchange(dead, 0));
        }
        if (dead != 0)
          x.restart(dead);
        CHECK(is_done);
        pass_time(x, 60);
        for (uint64_t id : {1, 2, 4})
          check_members(x, id, {1, 2, 4});
        const auto request = x.propose(x.leader());
        pass_time(x, 3);
        CHECK(x.is_committed(request));
        x.check_at_end();
      }
  }

  TEST_CASE("M-10 who was removed and is added again starts anew in the leader's eyes") {
    auto x = lone_core{{}};
    x.lead();
    x.sync();
    for (uint64_t id : {2, 3})
      acknowledge(x, id, 1);
    x.propose_change(1, only(kind::remove, 3));
    x.sync();
    acknowledge(x, 2, 2);
    acknowledge(x, 3, 2);
    REQUIRE(x.status().peers.size() == 2); // 3 is still being told.
    x.propose_change(2, only(kind::make_learner, 3));
    CHECK(x.status().peers[1].match == index_t{}); // Its disk may be another by now.
    CHECK_FALSE(x.status().peers[1].is_leaving);
  }
}
