#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

constexpr int64_t ms = 1'000'000;

/// A lease lasts 10 ticks of 100 ms less a drift of 200 ms: 800 ms from the send.
core_options with_lease() {
  return {.lease = true, .tick_ns = 100 * ms, .clock_drift_max_ns = 200 * ms};
}

/// Leader of term 1 whose own no-op is committed; its first heartbeats left at time 0.
lone_core leader(core_options options = with_lease()) {
  lone_core x{{.options = options}};
  x.lead();
  x.sync();
  for (uint64_t id : {2, 3})
    x.receive(id, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{1}});
  REQUIRE(x.status().commit == index_t{1});
  return x;
}

ready ask(lone_core& x, int64_t at_ns) {
  x.now.mono_ns = at_ns;
  return x.step(raft::read{request_id{1}, consistency::lease});
}

void echo(lone_core& x, const ready& round, uint64_t from = 2, int64_t promise_ns = 1000 * ms) {
  REQUIRE_FALSE(round.heartbeats.empty());
  REQUIRE(round.heartbeats[0].context != read_context{});
  x.receive(from,
            heartbeat_reply{round.heartbeats[0].term, round.heartbeats[0].context, promise_ns});
}

request_vote vote_for(uint64_t term, bool is_pre_vote = false) {
  return {.term = term_t{term}, .last = at(9, 1), .is_pre_vote = is_pre_vote};
}

} // namespace

TEST_SUITE("raft/core: lease reads") {
  TEST_CASE("within the lease a read is answered at once, without a message") {
    auto x = leader();
    echo(x, x.tick());
    auto out = ask(x, 799 * ms);
    REQUIRE(out.reads_ready.size() == 1);
    CHECK(out.reads_ready[0].index == index_t{1});
    CHECK(out.heartbeats.empty());
  }

  TEST_CASE("S-33 a lease counts from the send, however late the echo comes") {
    auto x = leader();
    const auto round = x.tick(); // At 0.
    x.now.mono_ns = 700 * ms;
    echo(x, round);
    x.tick(); // Nobody answers this one.
    CHECK(ask(x, 799 * ms).reads_ready.size() == 1);
    CHECK(ask(x, 800 * ms).reads_ready.empty());
  }

  TEST_CASE("S-33 C-03 a leader that was paused asks its peers instead") {
    auto x = leader();
    echo(x, x.tick());
    auto out = ask(x, 2000 * ms);
    CHECK(out.reads_ready.empty());
    echo(x, out);
    out = ask(x, 2001 * ms); // The round that was asked for gives a new lease.
    CHECK(out.reads_ready.size() == 1);
  }

  TEST_CASE("one echo of five voters is no quorum, and no lease") {
    lone_core x{{.voters = {1, 2, 3, 4, 5}, .options = with_lease()}};
    x.lead();
    x.sync();
    for (uint64_t id : {2, 3})
      x.receive(id, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{1}});
    const auto round = x.tick();
    echo(x, round);
    CHECK(ask(x, 1).reads_ready.empty());
    echo(x, round, 3);
    CHECK(ask(x, 2).reads_ready.size() == 1);
  }

  TEST_CASE("a lease counts only voters that keep still for as long as it lasts") {
    auto x = leader();
    const auto round = x.tick();
    SUBCASE("of those with shorter timeouts none") {
      echo(x, round, 2, 999 * ms);
      echo(x, round, 3, 999 * ms);
      CHECK(ask(x, 1 * ms).reads_ready.empty());
    }
    SUBCASE("nor those without leases") {
      echo(x, round, 2, 0);
      echo(x, round, 3, 0);
      CHECK(ask(x, 1 * ms).reads_ready.empty());
    }
    SUBCASE("a majority that does is enough") {
      echo(x, round, 2, 0);
      echo(x, round, 3, 5000 * ms);
      CHECK(ask(x, 799 * ms).reads_ready.size() == 1);
    }
    SUBCASE("for as long as they did: who was started with other options counts no more") {
      echo(x, round);
      echo(x, x.tick(), 2, 0);
      CHECK(ask(x, 799 * ms).reads_ready.size() == 1);
      CHECK(ask(x, 800 * ms).reads_ready.empty());
    }
  }

  TEST_CASE("an answer says for how long it promises to keep still, if it does") {
    auto promise_of = [](core_options options, uint64_t term) {
      lone_core x{{.term = 3, .options = options}};
      const auto out = x.receive(2, heartbeat{.term = term_t{term}});
      REQUIRE(out.heartbeat_replies.size() == 1);
      return out.heartbeat_replies[0].promise_ns;
    };
    CHECK(promise_of(with_lease(), 3) == 1000 * ms);
    CHECK(promise_of(with_lease(), 2) == 0); // An older leader gets no promise.
    CHECK(promise_of({.tick_ns = 100 * ms}, 3) == 0);
  }

  TEST_CASE("without the option every lease read asks a quorum") {
    auto x = leader({});
    x.tick();
    x.receive(2, heartbeat_reply{term_t{1}, read_context{}});
    auto out = ask(x, 1);
    CHECK(out.reads_ready.empty());
    CHECK(out.heartbeats.size() == 2);
  }

  TEST_CASE("a fresh leader has no lease before its own entry is committed") {
    lone_core x{{.term = 1, .commit = 1, .log = make_log({1, 1}), .options = with_lease()}};
    x.now.mono_ns = 2000 * ms; // Past the promise of its restart.
    x.tick();
    x.now.mono_ns = 4000 * ms;
    auto out = x.lead();
    echo(x, out);
    CHECK(ask(x, 4001 * ms).reads_ready.empty());
  }

  TEST_CASE("a lease needs check-quorum and a drift below the timeout") {
    auto options = with_lease();
    options.check_quorum = false;
    CHECK_THROWS_AS(lone_core{{.options = options}}, invariant_violation);
    options = with_lease();
    options.clock_drift_max_ns = 1000 * ms;
    CHECK_THROWS_AS(lone_core{{.options = options}}, invariant_violation);
  }
}

TEST_SUITE("raft/core: voters keep still for a lease") {
  TEST_CASE("a voter that answered a heartbeat votes for nobody for a whole timeout") {
    lone_core x{{.options = with_lease()}};
    x.receive(2, heartbeat{.term = term_t{1}});
    x.sync();
    x.receive(2, heartbeat{.term = term_t{1}}); // Answered at 0.
    // A higher term makes it forget its leader, but not its promise.
    x.receive(3, append_reply{.term = term_t{4}});
    x.sync();
    REQUIRE(x.status().leader == node_id{});
    x.now.mono_ns = 999 * ms;
    auto out = x.receive(3, vote_for(5, true));
    REQUIRE(sent<vote_reply>(out).size() == 1);
    CHECK_FALSE(sent<vote_reply>(out).at(0).second.granted);
    CHECK(x.receive(3, vote_for(5)).messages.empty());
    CHECK(x.status().noise.sticky == 1);
    x.receive(3, vote_for(4));
    CHECK(x.status().voted_for == node_id{});
    x.now.mono_ns = 1000 * ms;
    x.receive(3, vote_for(5));
    CHECK(x.status().voted_for == node_id{3});
  }

  TEST_CASE("for a transfer it votes: the leader has given its lease up") {
    lone_core x{{.options = with_lease()}};
    x.receive(2, heartbeat{.term = term_t{1}});
    x.sync();
    x.receive(2, heartbeat{.term = term_t{1}});
    auto ask = vote_for(2);
    ask.is_transfer = true;
    x.receive(3, ask);
    CHECK(x.status().voted_for == node_id{3});
  }

  TEST_CASE("nor does it vote for itself, whoever asks it to") {
    lone_core x{{.options = with_lease()}};
    x.receive(2, heartbeat{.term = term_t{1}});
    x.sync();
    x.receive(2, heartbeat{.term = term_t{1}});
    x.step(campaign{});
    x.feed(tick{});
    for (int i = 0; i < 40; ++i) // A burst of ticks is no time.
      x.feed(tick{});
    CHECK(x.status().role == role::follower);
    x.now.mono_ns = 1000 * ms;
    x.tick();
    CHECK(x.status().role == role::pre_candidate);
  }

  TEST_CASE("a restart forgets what was promised, so it keeps still once more") {
    lone_core x{{.term = 1, .options = with_lease()}};
    x.now.mono_ns = 5000 * ms;
    x.tick();
    x.now.mono_ns = 5999 * ms;
    x.receive(3, vote_for(2));
    CHECK(x.status().voted_for == node_id{});
    x.now.mono_ns = 6000 * ms;
    x.receive(3, vote_for(2));
    CHECK(x.status().voted_for == node_id{3});
  }

  TEST_CASE("the promise counts from when the answer leaves") {
    lone_core x{{.options = with_lease()}};
    x.receive(2, heartbeat{.term = term_t{1}});
    x.sync();
    x.feed(received{node_id{2}, heartbeat{.term = term_t{1}}});
    x.now.mono_ns = 300 * ms;
    REQUIRE(x.take().heartbeat_replies.size() == 1);
    x.receive(3, append_reply{.term = term_t{4}});
    x.now.mono_ns = 1299 * ms;
    x.receive(3, vote_for(5));
    CHECK(x.status().voted_for == node_id{});
  }
}
