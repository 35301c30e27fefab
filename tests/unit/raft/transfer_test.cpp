#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

append_reply accepted(uint64_t match, uint8_t priority = priority_max) {
  return {.term = term_t{1}, .accepted = true, .match = index_t{match}, .priority = priority};
}

/// Leader of term 1; both peers have its no-op.
lone_core leader(lone_core::setup how = {}) {
  lone_core x{how};
  x.lead();
  x.sync();
  for (auto id : how.voters)
    if (id != how.self)
      x.receive(id, accepted(1));
  REQUIRE(x.status().commit == index_t{1});
  return x;
}

ready transfer_to(lone_core& x, uint64_t target, uint64_t request = 1) {
  return x.step(transfer{request_id{request}, node_id{target}});
}

std::vector<uint64_t> told_to_campaign(const ready& out) {
  std::vector<uint64_t> found;
  for (const auto& x : sent<timeout_now>(out))
    found.push_back(x.first);
  return found;
}

errc refused(const ready& out, uint64_t request) {
  for (const auto& x : out.refused)
    if (x.request == request_id{request})
      return x.reason;
  return errc::none;
}

using ids = std::vector<uint64_t>;

} // namespace

TEST_SUITE("raft/core: leadership transfer") {
  TEST_CASE("a transfer makes the target leader within a round trip, without waiting") {
    core_cluster x;
    x.elect(1);
    x.propose(1);
    const auto request = x.transfer(1, 3);
    x.settle();
    CHECK(x.leader() == 3);
    CHECK(x.status(1).leader == node_id{3});
    REQUIRE(x.transferred_to(request).has_value());
    CHECK(*x.transferred_to(request) == node_id{3});
    x.check_at_end();
  }

  TEST_CASE("M-14 S-15 a target that lags behind is caught up before it campaigns") {
    auto x = leader();
    x.propose(1, "a");
    x.sync();
    auto out = transfer_to(x, 3, 2);
    CHECK(told_to_campaign(out).empty());
    CHECK(told_to_campaign(x.receive(2, accepted(2))).empty());
    out = x.receive(3, accepted(2));
    CHECK(told_to_campaign(out) == ids{3});
    CHECK(sent<timeout_now>(out).at(0).second.term == term_t{1});
  }

  TEST_CASE("M-14 while it lasts nothing is proposed, here or from afar") {
    auto x = leader();
    transfer_to(x, 3);
    CHECK(refused(x.propose(2, "a"), 2) == errc::handing_over);
    CHECK(is_not_executed(errc::handing_over));
    auto out = x.receive(2, forward_proposal{request_id{9}, text_command("b")});
    REQUIRE(sent<forward_reply>(out).size() == 1);
    CHECK(sent<forward_reply>(out).at(0).second.refused == errc::handing_over);
    CHECK(x.status().last == index_t{1});
  }

  TEST_CASE("M-14 after an election timeout the leader gives up and goes on") {
    auto x = leader();
    transfer_to(x, 3);
    ready out;
    for (int i = 0; i < 10; ++i) {
      CHECK(refused(x.propose(100 + static_cast<uint64_t>(i), "a"), 100 + static_cast<uint64_t>(i))
            == errc::handing_over);
      x.receive(2, heartbeat_reply{term_t{1}, {}});
      out = x.tick();
    }
    CHECK(refused(out, 1) == errc::transfer_failed);
    CHECK(x.status().role == role::leader);
    CHECK(x.propose(200, "b").accepted.size() == 1);
  }

  TEST_CASE("a lost timeout_now is sent again") {
    auto x = leader();
    CHECK(told_to_campaign(transfer_to(x, 2)) == ids{2});
    CHECK(told_to_campaign(x.tick()) == ids{2});
  }

  TEST_CASE("M-14 leadership goes to a voter only, and to another one") {
    auto x = leader({.learners = {4}});
    CHECK(refused(transfer_to(x, 4), 1) == errc::invalid_target);
    CHECK(refused(transfer_to(x, 9), 1) == errc::invalid_target);
    CHECK(refused(transfer_to(x, 1), 1) == errc::invalid_target);
    CHECK(x.propose(2, "a").accepted.size() == 1);
    lone_core alone{{.voters = {1}}};
    alone.step(campaign{});
    alone.sync();
    REQUIRE(alone.status().role == role::leader);
    CHECK(refused(transfer_to(alone, 0), 1) == errc::invalid_target);
    lone_core follower{{}};
    CHECK(refused(transfer_to(follower, 2), 1) == errc::not_leader);
  }

  TEST_CASE("M-14 a second transfer to the same target is the same, to another replaces it") {
    auto x = leader();
    x.propose(9, "a");
    x.sync();
    transfer_to(x, 2, 1);
    CHECK(transfer_to(x, 2, 2).refused.empty());
    auto out = transfer_to(x, 3, 3);
    CHECK(refused(out, 1) == errc::transfer_failed);
    CHECK(refused(out, 2) == errc::transfer_failed);
    CHECK(told_to_campaign(x.receive(2, accepted(2))).empty());
    CHECK(told_to_campaign(x.receive(3, accepted(2))) == ids{3});
    out = x.receive(3, heartbeat{.term = term_t{2}});
    REQUIRE(out.transferred.size() == 1);
    CHECK(out.transferred[0].request == request_id{3});
    CHECK(out.transferred[0].leader == node_id{3});
  }

  TEST_CASE("if another than the target comes to lead, the transfer has failed") {
    auto x = leader();
    transfer_to(x, 3);
    CHECK(refused(x.receive(2, heartbeat{.term = term_t{2}}), 1) == errc::transfer_failed);
    auto y = leader();
    transfer_to(y, 3);
    y.receive(3, append_reply{.term = term_t{2}}); // It campaigns, but nobody comes to lead.
    CHECK(y.status().role == role::follower);
    errc reason = errc::none;
    for (int i = 0; i < 20 && reason == errc::none; ++i)
      reason = refused(y.tick(), 1);
    CHECK(reason == errc::transfer_failed);
  }

  TEST_CASE("a transfer's election passes over pre-vote and over loyalty to the leader") {
    lone_core loyal{{}};
    loyal.receive(2, heartbeat{.term = term_t{1}});
    loyal.receive(3, request_vote{.term = term_t{2}});
    CHECK(loyal.status().term == term_t{1});
    loyal.receive(3, request_vote{.term = term_t{2}, .is_transfer = true});
    CHECK(loyal.status().voted_for == node_id{3});
    lone_core target{{.self = 3}};
    target.receive(2, heartbeat{.term = term_t{1}});
    target.sync();
    target.receive(2, timeout_now{term_t{1}});
    CHECK(target.status().role == role::candidate);
    CHECK(target.status().term == term_t{2});
    auto out = target.sync();
    REQUIRE(sent<request_vote>(out).size() == 2);
    CHECK(sent<request_vote>(out).at(0).second.is_transfer);
    CHECK_FALSE(sent<request_vote>(out).at(0).second.is_pre_vote);
  }

  TEST_CASE("who is no voter, or told by an old leader, doesn't campaign") {
    lone_core learner{{.self = 4, .learners = {4}}};
    learner.receive(2, heartbeat{.term = term_t{1}});
    learner.receive(2, timeout_now{term_t{1}});
    CHECK(learner.status().role == role::follower);
    CHECK(learner.status().leader == node_id{2});
    lone_core x{{.term = 3}};
    x.receive(2, timeout_now{term_t{2}});
    CHECK(x.status().role == role::follower);
    CHECK(x.status().term == term_t{3});
  }

  TEST_CASE("a lease is not used during a transfer, and never again once the target was told") {
    constexpr int64_t ms = 1'000'000;
    core_options options{.lease = true, .tick_ns = 100 * ms};
    auto x = leader({.options = options});
    auto lease_read = [&x] {
      return !x.step(raft::read{request_id{7}, consistency::lease}).reads_ready.empty();
    };
    auto renew = [&x] {
      auto out = x.tick();
      REQUIRE_FALSE(out.heartbeats.empty());
      x.receive(2, heartbeat_reply{term_t{1}, out.heartbeats[0].context, 1000 * ms});
    };
    renew();
    REQUIRE(lease_read());
    x.propose(1, "a");
    x.sync();
    transfer_to(x, 3, 2); // It lags, so it isn't told yet.
    CHECK_FALSE(lease_read());
    SUBCASE("given up before") {
      for (int i = 0; i < 10; ++i)
        renew();
      CHECK(lease_read());
    }
    SUBCASE("given up after") {
      CHECK(told_to_campaign(x.receive(3, accepted(2))) == ids{3});
      for (int i = 0; i < 12; ++i)
        renew();
      CHECK(x.propose(3, "b").accepted.size() == 1);
      CHECK_FALSE(lease_read());
    }
  }

  TEST_CASE("M-14 a transfer to a dead node costs one election timeout and no acknowledged entry") {
    core_cluster x;
    x.elect(1);
    x.crash(3);
    const auto before = x.propose(1);
    x.settle();
    const auto request = x.transfer(1, 3);
    pass_time(x, 11);
    REQUIRE(x.answer_to(request).has_value());
    CHECK(x.answer_to(request)->refused == errc::transfer_failed);
    CHECK(x.leader() == 1);
    const auto after = x.propose(1);
    x.settle();
    CHECK(x.is_committed(before));
    CHECK(x.is_committed(after));
  }
}

TEST_SUITE("raft/core: stepping down") {
  TEST_CASE("a leader that steps down hands over to the best voter") {
    core_cluster x;
    x.elect(1);
    x.isolate(2);
    x.propose(1);
    pass_time(x, 12); // So that it's known who answers.
    x.step(1, step_down{request_id{1000}});
    x.settle();
    CHECK(x.leader() == 3);
    CHECK(x.transferred_to(1000) == node_id{3});
  }

  TEST_CASE("with nobody to hand over to it becomes a follower at once") {
    lone_core x{{}};
    x.lead(); // Nobody has answered it as a leader yet.
    auto out = x.step(step_down{request_id{1}});
    CHECK(x.status().role == role::follower);
    REQUIRE(out.transferred.size() == 1);
    CHECK(out.transferred[0].leader == node_id{});
  }

  TEST_CASE("it steps down also if the other doesn't take over, and says so") {
    auto x = leader();
    auto out = x.step(step_down{request_id{1}});
    CHECK(told_to_campaign(out).size() == 1);
    transfer_to(x, 2, 7); // The same wish, but for who takes over.
    for (int i = 0; i < 10; ++i)
      out = x.tick();
    CHECK(x.status().role == role::follower);
    REQUIRE(out.transferred.size() == 1);
    CHECK(out.transferred[0].request == request_id{1});
    CHECK(out.transferred[0].leader == node_id{});
    CHECK(refused(out, 7) == errc::transfer_failed);
  }

  TEST_CASE("nobody whose link has failed is the best target") {
    auto x = leader();
    x.receive(2, accepted(1, 7));
    x.receive(3, accepted(1, 3));
    x.step(peer_unreachable{node_id{2}});
    CHECK(told_to_campaign(transfer_to(x, 0)) == ids{3});
  }

  TEST_CASE("only a leader can") {
    lone_core x{{}};
    CHECK(refused(x.step(step_down{request_id{1}}), 1) == errc::not_leader);
  }
}

TEST_SUITE("raft/core: priority") {
  TEST_CASE("a low priority waits longer before it campaigns") {
    uint32_t longest_of_high = 0;
    uint32_t shortest_of_low = 1000;
    for (uint64_t seed = 1; seed < 50; ++seed) {
      const auto waits = [seed](uint8_t priority) {
        lone_core x{{.options = {.priority = priority, .seed = seed}}};
        uint32_t ticks = 0;
        for (; x.status().role == role::follower && ticks < 100; ++ticks)
          x.tick();
        return ticks;
      };
      longest_of_high = std::max(longest_of_high, waits(priority_max));
      shortest_of_low = std::min(shortest_of_low, waits(1));
    }
    CHECK(longest_of_high <= 19);
    CHECK(shortest_of_low >= 19);
  }

  TEST_CASE("priority 0 campaigns only if it is asked to") {
    lone_core x{{.options = {.priority = 0}}};
    for (int i = 0; i < 200; ++i)
      x.tick();
    CHECK(x.status().role == role::follower);
    x.step(campaign{});
    CHECK(x.status().role == role::pre_candidate);
    auto l = leader();
    l.receive(2, accepted(1, 0));
    l.receive(3, accepted(1, 0));
    CHECK(refused(transfer_to(l, 0), 1) == errc::invalid_target); // Nobody volunteers,
    CHECK(told_to_campaign(transfer_to(l, 2)) == ids{2});         // but whoever is named, must.
  }

  TEST_CASE("the best target has the highest priority, then the longest log") {
    auto x = leader({.voters = {1, 2, 3, 4, 5}});
    x.propose(9, "a");
    x.receive(2, accepted(2, 50));
    x.receive(3, accepted(1, 60));
    x.receive(4, accepted(2, 60));
    x.receive(5, accepted(2, 10));
    CHECK(told_to_campaign(transfer_to(x, 0)) == ids{4});
  }

  TEST_CASE("a leader gives way to a higher priority once, when that one has caught up") {
    auto x = leader({.options = {.priority = 50}});
    for (uint64_t id : {2, 3})
      x.receive(id, accepted(1, 50));
    CHECK(told_to_campaign(x.tick()).empty());
    x.receive(3, accepted(1, 60));
    CHECK(told_to_campaign(x.tick()) == ids{3});
    for (int i = 0; i < 10; ++i) { // It doesn't take over.
      x.receive(2, accepted(1, 50));
      x.receive(3, accepted(1, 60));
      x.tick();
    }
    CHECK(x.propose(1, "a").accepted.size() == 1);
    x.sync();
    for (int i = 0; i < 30; ++i) {
      x.receive(2, accepted(2, 50));
      x.receive(3, accepted(2, 60));
      CHECK(told_to_campaign(x.tick()).empty());
    }
  }

  TEST_CASE("whoever leads first, the highest priority leads in the end, and stays") {
    core_cluster::options how;
    how.priorities = {{1, 20}, {2, 90}, {3, 50}};
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      how.seed = seed;
      core_cluster x{how};
      x.elect(1);
      pass_time(x, 30);
      CHECK(x.leader() == 2);
      const auto term = x.status(2).term;
      pass_time(x, 200);
      CHECK(x.status(2).term == term);
    }
  }
}
