#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

/// Leader of term 1 whose own no-op is committed.
lone_core leader(lone_core::setup how = {}) {
  lone_core x{how};
  x.lead();
  x.sync();
  for (auto id : how.voters)
    if (id != how.self)
      x.receive(id, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{1}});
  REQUIRE(x.status().commit == index_t{1});
  return x;
}

lone_core follower(uint64_t boot = 0) {
  lone_core x{{.options = {.boot = boot}}};
  x.receive(2, heartbeat{.term = term_t{1}});
  x.sync();
  REQUIRE(x.status().leader == node_id{2});
  return x;
}

ready ask(lone_core& x, uint64_t request, consistency how = consistency::linearizable) {
  return x.step(raft::read{request_id{request}, how});
}

ready echo(lone_core& x, uint64_t from, uint64_t round, uint64_t term = 1) {
  return x.receive(from, heartbeat_reply{term_t{term}, read_context{round}});
}

/// The round that all heartbeats of the ready belong to; 0 for none.
uint64_t round_of(const ready& out) {
  if (out.heartbeats.empty())
    return 0;
  for (const auto& x : out.heartbeats)
    CHECK(x.context == out.heartbeats.front().context);
  return out.heartbeats.front().context.value();
}

std::vector<uint64_t> answered(const ready& out) {
  std::vector<uint64_t> requests;
  for (const auto& x : out.reads_ready)
    requests.push_back(x.request.value());
  return requests;
}

using numbers = std::vector<uint64_t>;

} // namespace

TEST_SUITE("raft/core: reads on the leader") {
  TEST_CASE("a read is answered when a quorum echoes its round, and writes nothing") {
    auto x = leader();
    auto out = ask(x, 7);
    CHECK(out.reads_ready.empty());
    CHECK_FALSE(out.persist.has_value());
    CHECK(out.messages.empty());
    REQUIRE(out.heartbeats.size() == 2);
    REQUIRE(round_of(out) != 0);
    out = echo(x, 2, round_of(out));
    REQUIRE(answered(out) == numbers{7});
    CHECK(out.reads_ready[0].index == index_t{1});
    CHECK(x.status().last == index_t{1});
    CHECK(echo(x, 3, 1).reads_ready.empty()); // Once is enough.
  }

  TEST_CASE("reads that come before one ready share a round") {
    auto x = leader();
    x.feed(raft::read{request_id{1}});
    x.feed(raft::read{request_id{2}});
    auto out = ask(x, 3);
    CHECK(out.heartbeats.size() == 2);
    CHECK(answered(echo(x, 3, round_of(out))) == numbers{1, 2, 3});
  }

  TEST_CASE("P-16 an echo of a round that left before the read came confirms nothing") {
    auto x = leader();
    const auto first = round_of(ask(x, 1));
    const auto second = round_of(ask(x, 2));
    REQUIRE(first < second);
    CHECK(answered(echo(x, 2, first)) == numbers{1});
    CHECK(echo(x, 2, first).reads_ready.empty());
    CHECK(echo(x, 3, first).reads_ready.empty());
    CHECK(echo(x, 3, 0).reads_ready.empty());
    CHECK(answered(echo(x, 3, second)) == numbers{2});
  }

  TEST_CASE("an echo of a later round confirms what an earlier one asked for") {
    auto x = leader();
    ask(x, 1);
    const auto second = round_of(ask(x, 2));
    CHECK(answered(echo(x, 2, second)) == numbers{1, 2});
  }

  TEST_CASE("each read gets the commit index of its own round") {
    auto x = leader();
    const auto first = round_of(ask(x, 1));
    x.propose(10, "a");
    x.sync();
    x.receive(2, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{2}});
    REQUIRE(x.status().commit == index_t{2});
    const auto second = round_of(ask(x, 2));
    auto out = echo(x, 2, second);
    REQUIRE(answered(out) == numbers{1, 2});
    CHECK(out.reads_ready[0].index == index_t{1});
    CHECK(out.reads_ready[1].index == index_t{2});
    CHECK(first < second);
  }

  TEST_CASE("S-32 a lost round is repeated by the next heartbeat, with a number of its own") {
    auto x = leader();
    const auto first = round_of(ask(x, 1));
    const auto second = round_of(x.tick());
    REQUIRE(second > first);
    CHECK(answered(echo(x, 3, second)) == numbers{1});
    CHECK(round_of(x.tick()) == 0); // Nobody waits any more.
  }

  TEST_CASE("one peer's echoes count once, a learner's not at all") {
    auto x = leader({.voters = {1, 2, 3, 4, 5}, .learners = {6}});
    REQUIRE(x.status().role == role::leader);
    const auto round = round_of(ask(x, 1));
    CHECK(echo(x, 2, round).reads_ready.empty());
    CHECK(echo(x, 2, round).reads_ready.empty());
    CHECK(echo(x, 6, round).reads_ready.empty());
    CHECK(answered(echo(x, 5, round)) == numbers{1});
  }

  TEST_CASE("P-15 S-31 a fresh leader answers no read before its own entry is committed") {
    lone_core x{{.term = 1, .commit = 1, .log = make_log({1, 1})}};
    x.lead(); // Of term 2; entry 2 may have been committed and acknowledged.
    auto out = ask(x, 1);
    CHECK(round_of(out) == 0);
    out = x.tick();
    CHECK(echo(x, 2, round_of(out), 2).reads_ready.empty());
    x.sync();
    out = x.receive(2, append_reply{.term = term_t{2}, .accepted = true, .match = index_t{3}});
    REQUIRE(x.status().commit == index_t{3});
    const auto round = round_of(out);
    REQUIRE(round != 0);
    out = echo(x, 2, round, 2);
    REQUIRE(answered(out) == numbers{1});
    CHECK(out.reads_ready[0].index == index_t{3});
  }

  TEST_CASE("P-17 a sole voter answers at once, but at what was durable before its restart") {
    lone_core x{{.voters = {1}, .term = 1, .commit = 0, .log = make_log({1, 1})}};
    CHECK(ask(x, 1).refused.at(0).reason == errc::no_leader);
    x.step(campaign{});
    x.sync();
    REQUIRE(x.status().role == role::leader);
    CHECK(ask(x, 2).reads_ready.empty());
    auto out = x.sync();
    REQUIRE(answered(out) == numbers{2});
    CHECK(out.reads_ready[0].index == index_t{3});
    CHECK(answered(ask(x, 3)) == numbers{3});
  }

  TEST_CASE("a leader that steps down refuses its reads, and late echoes confirm none") {
    auto x = leader();
    const auto round = round_of(ask(x, 1));
    auto out = x.receive(3, heartbeat{.term = term_t{2}});
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].request == request_id{1});
    CHECK(is_not_executed(out.refused[0].reason));
    CHECK(echo(x, 2, round).reads_ready.empty());
    CHECK(x.status().waiting_reads == 0);
  }

  TEST_CASE("an echo of a round that was never sent is noise") {
    auto x = leader();
    const auto round = round_of(ask(x, 1));
    CHECK(echo(x, 2, round + 1).reads_ready.empty());
    CHECK(x.status().noise.beyond_sent == 1);
  }

  TEST_CASE("reads that wait are bounded in number and in time") {
    auto x = leader({.options = {.check_quorum = false, .reads_max = 2}});
    ask(x, 1), ask(x, 2);
    auto out = ask(x, 3);
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].reason == errc::proposal_dropped);
    out = x.receive(2, read_index{read_context{9}});
    REQUIRE(sent<read_index_reply>(out).size() == 1);
    CHECK(sent<read_index_reply>(out).at(0).second.refused == errc::proposal_dropped);
    x.feed(tick{});
    for (int i = 0; i < 18; ++i)
      x.feed(tick{});
    CHECK(x.take().refused.empty());
    CHECK(x.tick().refused.size() == 2);
    CHECK(x.status().waiting_reads == 0);
  }

  TEST_CASE("L-01 a leader whose peers are gone answers no read") {
    core_cluster x;
    x.elect(1);
    x.propose(1);
    x.settle();
    x.isolate(1);
    const auto read = x.read(1);
    const auto by_follower = x.read(2);
    for (int i = 0; i < 25; ++i) {
      x.tick_all();
      x.settle();
    }
    CHECK_FALSE(x.read_at(read).has_value());
    REQUIRE(x.answer_to(read).has_value());
    CHECK(x.answer_to(read)->refused == errc::read_unconfirmed);
    CHECK(x.answer_to(by_follower).has_value());
  }
}

TEST_SUITE("raft/core: reads on a follower") {
  TEST_CASE("a follower asks its leader once for all that waits, and answers itself") {
    auto x = follower();
    x.feed(raft::read{request_id{1}});
    auto out = ask(x, 2);
    auto asked = sent<read_index>(out);
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].first == 2);
    out = x.receive(2, read_index_reply{.context = asked[0].second.context, .index = index_t{5}});
    REQUIRE(answered(out) == numbers{1, 2});
    CHECK(out.reads_ready[0].index == index_t{5});
  }

  TEST_CASE("the leader answers a follower with an index, once a quorum confirms") {
    auto x = leader();
    auto out = x.receive(3, read_index{read_context{77}});
    CHECK(out.messages.empty());
    out = echo(x, 2, round_of(out));
    auto told = sent<read_index_reply>(out);
    REQUIRE(told.size() == 1);
    CHECK(told[0].first == 3);
    CHECK(told[0].second.context == read_context{77});
    CHECK(told[0].second.refused == errc::none);
    CHECK(told[0].second.index == index_t{1});
    CHECK(out.reads_ready.empty());
  }

  TEST_CASE("S-32 an answer serves no read that came after its question") {
    auto x = follower();
    const auto first = sent<read_index>(ask(x, 1)).at(0).second.context;
    const auto second = sent<read_index>(ask(x, 2)).at(0).second.context;
    auto tell = [&](read_context context, uint64_t index) {
      return answered(x.receive(2, read_index_reply{context, errc::none, index_t{index}}));
    };
    CHECK(tell(first, 5) == numbers{1});
    CHECK(tell(first, 5) == numbers{});
    CHECK(tell(second, 6) == numbers{2});
  }

  TEST_CASE("a question that brings no answer is repeated under another number, then given up") {
    auto x = follower();
    const auto first = sent<read_index>(ask(x, 1)).at(0).second.context;
    std::vector<read_context> again;
    std::vector<refused_proposal> refused;
    for (int i = 0; i < 25; ++i) {
      x.feed(received{node_id{2}, heartbeat{.term = term_t{1}}});
      auto out = x.tick();
      for (auto& question : sent<read_index>(out))
        again.push_back(question.second.context);
      refused.insert(refused.end(), out.refused.begin(), out.refused.end());
    }
    REQUIRE(again.size() == 3);
    CHECK(first < again[0]);
    CHECK(again[0] < again[1]);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].reason == errc::read_unconfirmed);
    CHECK(x.status().waiting_reads == 0);
  }

  TEST_CASE("an answer that an earlier life asked for serves no read of this one") {
    auto before = follower(1);
    const auto old = sent<read_index>(ask(before, 1)).at(0).second.context;
    auto x = follower(2);
    ask(x, 1);
    CHECK(x.receive(2, read_index_reply{old, errc::none, index_t{1}}).reads_ready.empty());
    CHECK(x.status().noise.stale_reply == 1);
  }

  TEST_CASE("another leader, or none, ends the wait with a refusal") {
    auto x = follower();
    ask(x, 1);
    auto out = x.receive(3, heartbeat{.term = term_t{2}});
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].reason == errc::read_unconfirmed);
    ask(x, 2);
    out = x.tick(20);
    REQUIRE(out.refused.size() == 1);
    CHECK(ask(x, 3).refused.at(0).reason == errc::no_leader);
  }

  TEST_CASE("who doesn't lead says so, and a stranger gets no answer") {
    auto x = follower();
    auto out = x.receive(3, read_index{read_context{1}});
    REQUIRE(sent<read_index_reply>(out).size() == 1);
    CHECK(sent<read_index_reply>(out).at(0).second.refused == errc::not_leader);
    CHECK(x.receive(9, read_index{read_context{1}}).messages.empty());
    CHECK(x.status().noise.not_member == 1);
  }

  TEST_CASE("a stale read is answered at once, also without a leader") {
    lone_core x{{.term = 1, .log = make_log({1, 1}), .applied = 1}};
    auto out = ask(x, 4, consistency::stale);
    REQUIRE(answered(out) == numbers{4});
    CHECK(out.reads_ready[0].index == index_t{1});
  }

  TEST_CASE("reads on all nodes see what was acknowledged") {
    core_cluster x{core_cluster::options{.learners = {4}}};
    x.elect(1);
    for (auto id : x.ids()) {
      x.propose(id);
      x.settle();
      const auto read = x.read(id);
      x.settle();
      CHECK(x.read_at(read) == x.status(1).commit);
    }
  }
}
