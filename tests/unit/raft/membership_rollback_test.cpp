// Which configuration is in force, whatever becomes of its entry.

#include "membership/configuration_codec.hpp"
#include "raft/configurations.hpp"
#include "tests/support/changing_cluster.hpp"

using namespace caucus;
using namespace caucus::test;
using raft::role;

namespace {

membership::configuration voters(std::vector<uint64_t> ids) {
  membership::configuration x;
  x.voters = node_set(ids);
  return x;
}

membership::numbered_configuration numbered(uint64_t id, std::vector<uint64_t> ids) {
  return {index_t{id}, std::make_shared<const membership::configuration>(voters(std::move(ids)))};
}

raft::entry_ptr change_entry(uint64_t index, uint64_t term, std::vector<uint64_t> ids) {
  return std::make_shared<const raft::entry>(raft::entry{
    .id = at(index, term),
    .body = {.kind = raft::entry_kind::configuration,
             .payload = shared_bytes::copy_of(membership::encode_payload(voters(ids)))}});
}

} // namespace

TEST_SUITE("raft/configurations") {
  TEST_CASE("the latest is in force, those from a cut on are gone") {
    raft::configurations x{numbered(0, {1, 2, 3}), {numbered(4, {1, 2, 3, 4})}};
    x.append(index_t{9}, voters({2, 3, 4}));
    CHECK(x.latest().id == index_t{9});
    CHECK_FALSE(x.truncate_from(index_t{10}));
    CHECK(x.truncate_from(index_t{9}));
    CHECK(x.latest().id == index_t{4});
    CHECK(x.latest().members->voters == node_set({1, 2, 3, 4}));
    CHECK(x.truncate_from(index_t{1}));
    CHECK(x.latest().id == index_t{});
    CHECK(x.latest().members->voters == node_set({1, 2, 3}));
  }

  TEST_CASE("N-13 what was in force at an index is the last one at or before it") {
    const raft::configurations x{numbered(3, {1}), {numbered(5, {1, 2}), numbered(9, {1, 2, 3})}};
    CHECK(x.as_of(index_t{3}).id == index_t{3});
    CHECK(x.as_of(index_t{4}).id == index_t{3});
    CHECK(x.as_of(index_t{5}).id == index_t{5});
    CHECK(x.as_of(index_t{8}).id == index_t{5});
    CHECK(x.as_of(index_t{100}).id == index_t{9});
    CHECK_THROWS_AS((void)x.as_of(index_t{2}), invariant_violation);
  }

  TEST_CASE("S-65 a voter of any configuration since the last committed one may be needed") {
    const raft::configurations x{numbered(0, {1, 2}),
                                 {numbered(4, {1, 2, 3}), numbered(9, {1, 2})}};
    CHECK(x.is_voter_since(index_t{9}, node_id{2}));
    CHECK(x.is_voter_since(index_t{8}, node_id{3}));
    CHECK(x.is_voter_since(index_t{2}, node_id{3})); // Commit may lag behind what is committed.
    CHECK_FALSE(x.is_voter_since(index_t{9}, node_id{3}));
    CHECK_FALSE(x.is_voter_since(index_t{2}, node_id{4}));
  }

  TEST_CASE("numbers ascend, and one below all can't be cut off") {
    raft::configurations x{numbered(3, {1}), {}};
    CHECK_THROWS_AS(x.append(index_t{3}, voters({1})), invariant_violation);
    CHECK_THROWS_AS(x.truncate_from(index_t{3}), invariant_violation);
    CHECK_THROWS_AS((raft::configurations{numbered(3, {1}), {numbered(3, {2})}}),
                    invariant_violation);
  }
}

TEST_SUITE("raft/core: configurations and their entries") {
  TEST_CASE("M-08 S-63 a configuration whose entry is overwritten gives way to the one before") {
    auto x = group_of({1, 2, 3}, {4, 5});
    x.change(1, only(kind::make_voter, 4));
    x.settle();
    pass_time(x, 3);
    x.isolate(1);
    x.change(1, only(kind::make_voter, 5));
    x.settle();
    check_members(x, 1, {1, 2, 3, 4, 5});
    SUBCASE("at once") {}
    SUBCASE("across a restart") {
      x.crash(1);
      x.restart(1);
      check_members(x, 1, {1, 2, 3, 4, 5});
    }
    pass_time(x, 40);
    x.heal();
    pass_time(x, 60);
    REQUIRE(x.leader() != 0);
    check_members(x, 1, {1, 2, 3, 4});
    SUBCASE("and before the next one") {
      x.crash(1);
      x.restart(1);
      check_members(x, 1, {1, 2, 3, 4});
    }
  }

  TEST_CASE("M-08 S-63 also if the one before is left in the snapshot only") {
    auto x = group_of({1, 2, 3}, {4, 5});
    x.change(1, only(kind::make_voter, 4));
    x.settle();
    pass_time(x, 3);
    x.compact(1);
    REQUIRE(x.status(1).first > x.status(1).configuration_id);
    x.isolate(1);
    x.change(1, only(kind::make_voter, 5));
    x.settle();
    check_members(x, 1, {1, 2, 3, 4, 5});
    x.crash(1);
    x.restart(1);
    check_members(x, 1, {1, 2, 3, 4, 5});
    pass_time(x, 40);
    x.heal();
    pass_time(x, 60);
    check_members(x, 1, {1, 2, 3, 4});
    x.crash(1);
    x.restart(1);
    check_members(x, 1, {1, 2, 3, 4});
  }

  TEST_CASE("the shell is told of a configuration that comes back, and whether it is committed") {
    lone_core x{{.self = 1, .term = 1}};
    auto out = x.receive(
      2, raft::append_entries{term_t{1},
                              {},
                              index_t{1},
                              {make_entry(1, 1), change_entry(2, 1, {1, 2}), make_entry(3, 1)}});
    REQUIRE(out.configuration.has_value());
    CHECK(out.configuration->id == index_t{2});
    CHECK_FALSE(out.configuration->is_committed);
    out = x.receive(3, raft::append_entries{term_t{2}, at(1, 1), {}, {make_entry(2, 2)}});
    REQUIRE(out.configuration.has_value());
    CHECK(out.configuration->id == index_t{});
    CHECK(out.configuration->members->voters == node_set({1, 2, 3}));
    CHECK(out.configuration->is_committed);
    // Another one at the same place is another one.
    out = x.receive(
      2, raft::append_entries{term_t{3}, at(1, 1), index_t{2}, {change_entry(2, 3, {1, 2, 3, 4})}});
    REQUIRE(out.configuration.has_value());
    CHECK(out.configuration->members->voters == node_set({1, 2, 3, 4}));
    CHECK(out.configuration->is_committed);
  }

  TEST_CASE(
    "M-09 S-66 at a start the latest configuration of the log is in force, committed or not") {
    // Applied and committed end before the change: it decides none the less.
    lone_core x{{.term = 1,
                 .commit = 1,
                 .log = {make_entry(1, 1), change_entry(2, 1, {1, 2, 3, 4}), make_entry(3, 1)},
                 .applied = 1,
                 .configurations = {numbered(2, {1, 2, 3, 4})}}};
    CHECK(x.status().members->voters == node_set({1, 2, 3, 4}));
    CHECK(x.status().configuration_id == index_t{2});
    x.step(raft::campaign{});
    const auto grant = raft::vote_reply{.term = term_t{2}, .is_pre_vote = true, .granted = true};
    x.receive(2, grant);
    CHECK(x.status().role == role::pre_candidate); // Two of four.
    x.receive(4, grant);
    CHECK(x.status().role == role::candidate);
  }

  TEST_CASE("a configuration in a compacted log has its number") {
    raft::recovered_state found = recover({term_t{2}, {}, index_t{10}}, {}, 0, at(10, 2));
    found.members = voters({1, 2, 3, 4});
    found.members_id = index_t{7};
    found.applied = index_t{10};
    raft::core_options how;
    how.self = node_id{1};
    raft::core x{how, std::move(found)};
    raft::invariants::check(x);
    CHECK(x.describe().configuration_id == index_t{7});
    CHECK(x.describe().members->voters == node_set({1, 2, 3, 4}));
  }

  TEST_CASE("M-07 S-64 a learner that is asked to vote, votes") {
    // 1 was promoted, which 2 and 3 know; the leader 2 dies; 3 needs 1, which has not heard.
    auto x = group_of({2, 3}, {}, {1});
    x.cut(2, 1);
    x.change(2, only(kind::make_voter, 1));
    x.settle();
    check_members(x, 3, {1, 2, 3});
    check_members(x, 1, {2, 3}, {1});
    x.crash(2);
    REQUIRE(x.tick_until_leader(200));
    CHECK(x.leader() == 3);
    check_members(x, 1, {1, 2, 3});
  }

  TEST_CASE("S-65 a promoted learner whose log is the longest can win") {
    auto x = group_of({1, 2}, {}, {3});
    x.cut(1, 2);
    x.change(1, only(kind::make_voter, 3));
    x.settle();
    CHECK(x.status(1).commit == x.status(1).configuration_id); // By 1 and 3.
    x.crash(1);
    REQUIRE(x.tick_until_leader(300));
    CHECK(x.leader() == 3);
    check_members(x, 2, {1, 2, 3});
  }

  TEST_CASE("S-65 who may be out campaigns by itself, unasked") {
    lone_core x{{.self = 3,
                 .term = 1,
                 .commit = 1,
                 .log = make_log({1, 1}),
                 .configurations = {numbered(2, {1, 2})}}};
    CHECK_FALSE(sent<raft::request_vote>(x.tick(60)).empty());
  }

  // Found by caucus-sim --seed 44158: who counts on a learner's vote has the shorter log, and the
  // learner waits for somebody else to lead.
  TEST_CASE("S-65 a learner that can't give the vote it is asked for campaigns itself") {
    for (bool has_pre_votes : {true, false}) {
      const lone_core::setup learner{.self = 3,
                                     .voters = {1, 2},
                                     .learners = {3},
                                     .term = 2,
                                     .log = make_log({1, 2}),
                                     .options = {.pre_vote = has_pre_votes}};
      const raft::request_vote shorter{.term = term_t{3}, .last = at(2, 1)};
      lone_core x{learner};
      CHECK(sent<raft::request_vote>(x.tick(60)).empty()); // Nobody asks: it waits.
      x.receive(2, shorter);
      x.sync();
      auto asked = sent<raft::request_vote>(x.tick(60));
      if (asked.empty())
        asked = sent<raft::request_vote>(x.sync()); // Its own vote first.
      REQUIRE_FALSE(asked.empty());
      CHECK(asked.front().second.is_pre_vote == has_pre_votes);
      // A leader's word ends it.
      lone_core y{learner};
      y.receive(2, shorter);
      y.receive(1, raft::heartbeat{.term = term_t{4}});
      y.sync();
      CHECK(sent<raft::request_vote>(y.tick(60)).empty());
      CHECK(sent<raft::request_vote>(y.sync()).empty());
    }
  }

  TEST_CASE("S-68 who knows no configuration never campaigns, and learns it from the log") {
    auto x = group_of({1, 2, 3}, {4});
    x.step(4, raft::campaign{});
    pass_time(x, 100);
    CHECK(x.status(4).term == term_t{});
    CHECK(x.status(4).role == role::follower);
    x.change(1, only(kind::make_learner, 4));
    x.settle();
    pass_time(x, 3);
    check_members(x, 4, {1, 2, 3}, {4});
    CHECK(x.applied(4).size() == x.status(1).commit.value());
  }

  TEST_CASE("a joiner whose first configuration is overwritten knows none again, and waits") {
    lone_core x{{.self = 4, .voters = {}, .term = 1}};
    x.receive(1, raft::append_entries{term_t{1}, {}, {}, {change_entry(1, 1, {1, 2, 3, 4})}});
    CHECK(x.status().members->voters == node_set({1, 2, 3, 4}));
    x.receive(2, raft::append_entries{term_t{2}, {}, {}, {make_entry(1, 2)}});
    CHECK(x.status().members->voters.empty());
    x.sync();
    CHECK(sent<raft::request_vote>(x.tick(60)).empty());
  }

  TEST_CASE("an append with a configuration that doesn't decode is dropped whole") {
    lone_core x{{.self = 1, .term = 1}};
    auto broken = std::make_shared<raft::entry>(*make_entry(1, 1, "x"));
    broken->body.kind = raft::entry_kind::configuration;
    x.receive(2, raft::append_entries{term_t{1}, {}, {}, {broken}});
    CHECK(x.status().last == index_t{});
    CHECK(x.status().noise.invalid == 1);
  }
}
