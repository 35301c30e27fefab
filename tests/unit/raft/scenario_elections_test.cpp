// Hazards of RELIABILITY sections 2 and 4 that concern terms, votes and elections, each by its id.

#include "membership/configuration_codec.hpp"
#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

request_vote vote_for(uint64_t term, entry_id last) { return {.term = term_t{term}, .last = last}; }

entry_ptr configuration_entry(uint64_t index, uint64_t term, std::vector<uint64_t> voters) {
  membership::configuration x;
  x.voters = node_set(voters);
  for (auto id : voters)
    x.addresses[node_id{id}] = endpoint{"h", static_cast<uint16_t>(id)};
  auto made = std::make_shared<entry>(*make_entry(index, term));
  made->body = {.kind = entry_kind::configuration,
                .payload = shared_bytes::copy_of(membership::encode_payload(x))};
  return made;
}

} // namespace

TEST_SUITE("raft/core: scenarios of elections") {
  TEST_CASE("P-14 a new leader appends an entry of its own, and old ones commit only with it") {
    lone_core x{{.term = 1, .log = make_log({1, 1})}};
    auto out = x.lead();
    REQUIRE(out.persist.has_value());
    REQUIRE(out.persist->entries.size() == 1);
    CHECK(out.persist->entries[0]->id == at(3, 2));
    CHECK(out.persist->entries[0]->body.kind == entry_kind::no_op);
    x.sync();
    x.receive(2, append_reply{.term = term_t{2}, .accepted = true, .match = index_t{2}});
    CHECK(x.status().commit == index_t{});
    x.receive(2, append_reply{.term = term_t{2}, .accepted = true, .match = index_t{3}});
    CHECK(x.status().commit == index_t{3});
  }

  TEST_CASE("P-20 votes that are split don't stay split") {
    uint64_t elections = 0;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      core_cluster x{core_cluster::options{.voters = {1, 2, 3, 4}, .seed = seed}};
      for (auto id : x.ids()) // All at once, and none without its own vote.
        x.step(id, campaign{});
      REQUIRE(x.tick_until_leader(80));
      elections += x.status(x.leader()).term.value();
    }
    CHECK(elections <= 300);
  }

  TEST_CASE("S-05 a snapshot of an older term lowers no term and forgets no vote") {
    lone_core x{{.term = 3, .log = make_log({1})}};
    x.receive(3, vote_for(4, at(9, 3)));
    x.sync();
    REQUIRE(x.status().voted_for == node_id{3});
    auto members = std::make_shared<membership::configuration>();
    members->voters = node_set({1, 2, 3});
    x.step(snapshot_installed{.at = {at(9, 3), {index_t{}, members}}});
    x.sync();
    CHECK(x.status().last == index_t{9});
    CHECK(x.status().term == term_t{4});
    CHECK(x.status().voted_for == node_id{3});
    auto told = sent<vote_reply>(x.receive(2, vote_for(4, at(9, 3))));
    REQUIRE(told.size() == 1);
    CHECK_FALSE(told[0].second.granted);
  }

  TEST_CASE("S-06 nor does a leader that had to wait long for its own vote grant any") {
    core_options options;
    options.pre_vote = false;
    lone_core x{{.options = options}};
    x.step(campaign{});
    x.tick(50); // Its disk is slow: nobody has been asked.
    x.sync();
    x.receive(2, vote_reply{.term = term_t{1}, .granted = true});
    REQUIRE(x.status().role == role::leader);
    auto ask = vote_for(2, at(9, 1));
    CHECK(x.receive(3, ask).messages.empty());
    CHECK(x.status().term == term_t{1});
    ask.is_pre_vote = true;
    auto told = sent<vote_reply>(x.receive(3, ask));
    REQUIRE(told.size() == 1);
    CHECK_FALSE(told[0].second.granted);
  }

  TEST_CASE("S-09 nodes with pre-vote only and with check-quorum only still find a leader") {
    core_cluster::options how;
    how.adjust = [](uint64_t id, core_options& x) { x.pre_vote = !(x.check_quorum = id == 3); };
    core_cluster x{how};
    x.elect(1);
    x.isolate(3);
    pass_time(x, 100); // Its term rises, its log gets no longer.
    const auto first = x.propose(1);
    x.settle();
    REQUIRE(x.status(3).term > x.status(1).term);
    x.heal();
    pass_time(x, 60);
    REQUIRE(x.leader() != 0);
    CHECK(x.leader() != 3);
    const auto second = x.propose(x.leader());
    pass_time(x, 3);
    CHECK(x.is_committed(first));
    CHECK(x.is_committed(second));
    CHECK(x.log_terms(3) == x.log_terms(1));
  }

  TEST_CASE("S-10 long logs of a low term and short ones of a high term don't block each other") {
    core_cluster x{core_cluster::options{.voters = {1, 2, 3, 4, 5, 6}, .spares = {7}}};
    x.elect(1);
    pass_time(x, 2);
    for (uint64_t id : {4, 5, 6, 7}) // The joint configuration gets to 2 and 3 only.
      x.cut(1, id);
    x.change(1, at_once({change_of(membership::member_change::kind::make_voter, 7),
                         change_of(membership::member_change::kind::remove, 6)}));
    x.settle();
    REQUIRE(x.members(3).is_joint());
    REQUIRE_FALSE(x.members(4).is_joint());
    x.crash(1);
    for (uint64_t near : {2, 3})
      for (uint64_t far : {4, 5, 6})
        x.cut(near, far), x.cut(far, near);
    x.step(4, received{node_id{1}, timeout_now{x.status(4).term}});
    x.settle();
    REQUIRE(x.status(4).role == role::candidate); // Three of six.
    REQUIRE(x.status(5).term > x.status(2).term);
    pass_time(x, 25);
    REQUIRE(x.status(4).role != role::candidate); // Whose requests would tell the term.
    x.heal();
    REQUIRE(x.tick_until_leader(100));
    pass_time(x, 30);
    const auto leader = x.leader();
    CHECK(x.members(leader).voters == node_set({1, 2, 3, 4, 5, 7}));
    CHECK_FALSE(x.members(leader).is_joint());
  }

  TEST_CASE("N-11 S-60 who has installed a snapshot campaigns with it, once it is durable") {
    core_options options;
    options.pre_vote = false;
    lone_core x{{.term = 3, .log = make_log({1}), .options = options}};
    auto members = std::make_shared<membership::configuration>();
    members->voters = node_set({1, 2, 3});
    x.step(snapshot_installed{.at = {at(9, 3), {index_t{}, members}}});
    auto out = x.tick(20);
    REQUIRE(x.status().role == role::candidate);
    CHECK(sent<request_vote>(out).empty());
    auto asked = sent<request_vote>(x.sync());
    REQUIRE(asked.size() == 2);
    CHECK(asked.at(0).second.last == at(9, 3));
    x.feed(snapshot_installed{.at = {at(12, 3), {index_t{}, members}}});
    CHECK(sent<request_vote>(x.tick()).empty()); // Again, but not with what may get lost.
    x.sync();
    asked = sent<request_vote>(x.tick());
    REQUIRE_FALSE(asked.empty());
    CHECK(asked[0].second.last == at(12, 3));
    // And who isn't as far gets no vote.
    lone_core y{{.term = 3, .log = make_log({1})}};
    y.step(snapshot_installed{.at = {at(9, 3), {index_t{}, members}}});
    y.sync();
    y.receive(2, vote_for(4, at(8, 3)));
    auto told = sent<vote_reply>(y.sync());
    REQUIRE(told.size() == 1);
    CHECK_FALSE(told[0].second.granted);
    y.receive(2, vote_for(5, at(9, 3)));
    told = sent<vote_reply>(y.sync());
    REQUIRE(told.size() == 1);
    CHECK(told[0].second.granted);
  }

  TEST_CASE("S-66 a change counts from its entry on, not from when it is applied") {
    // The machine has applied nothing; the log's last entry makes four voters of three, or leaves
    // this node out.
    core_options options;
    options.pre_vote = false;
    auto four = std::make_shared<membership::configuration>();
    four->voters = node_set({1, 2, 3, 4});
    lone_core x{{.term = 1,
                 .log = {make_entry(1, 1), configuration_entry(2, 1, {1, 2, 3, 4})},
                 .configurations = {{index_t{2}, four}},
                 .options = options}};
    x.step(campaign{});
    CHECK(sent<request_vote>(x.sync()).size() == 3);
    x.receive(2, vote_reply{.term = term_t{2}, .granted = true});
    CHECK(x.status().role == role::candidate); // Two of three would have been enough.
    x.receive(3, vote_reply{.term = term_t{2}, .granted = true});
    CHECK(x.status().role == role::leader);
    lone_core y{{.term = 1, .log = make_log({1}), .options = options}};
    y.receive(2,
              append_entries{term_t{1}, at(1, 1), index_t{2}, {configuration_entry(2, 1, {2, 3})}});
    y.sync();
    y.tick(100);
    y.step(campaign{});
    CHECK(y.status().role == role::follower);
    CHECK(y.status().term == term_t{1});
  }

  TEST_CASE("C-01 the wall clock decides nothing") {
    constexpr int64_t day_ns = 86'400'000'000'000;
    lone_core x{{}};
    lone_core steady{{}};
    for (int i = 0; i < 60; ++i) {
      x.now.wall_ns = (i % 3 - 1) * day_ns;
      for (auto* each : {&x, &steady}) {
        each->tick();
        each->sync();
        each->receive(
          2, vote_reply{.term = each->status().term + 1, .is_pre_vote = true, .granted = true});
        each->sync();
        if (i > 50)
          each->receive(2, vote_reply{.term = each->status().term, .granted = true});
      }
      CHECK(x.status().role == steady.status().role);
      CHECK(x.status().term == steady.status().term);
    }
    CHECK(x.status().role == role::leader);
  }

  TEST_CASE("C-04 a burst of late ticks raises no term") {
    core_cluster x;
    x.elect(1);
    const auto term = x.status(1).term;
    x.tick(3, 60); // It was paused; the leader's messages come after.
    pass_time(x, 3);
    CHECK(x.leader() == 1);
    CHECK(x.status(1).term == term);
    CHECK(x.status(3).leader == node_id{1});
  }
}
