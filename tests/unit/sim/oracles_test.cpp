#include "apps/sim/oracles/committed_log.hpp"
#include "apps/sim/oracles/election_safety.hpp"
#include "apps/sim/oracles/executions.hpp"
#include "apps/sim/oracles/log_matching.hpp"
#include "apps/sim/oracles/match_monotony.hpp"
#include "apps/sim/oracles/monotony.hpp"
#include "apps/sim/oracles/promises.hpp"
#include "tests/support/lone_core.hpp"

#include <array>

using namespace caucus;
using namespace caucus::sim;
using test::at;

// Each oracle is given a trace that is right, then the same with one thing wrong.

namespace {

constexpr node_id a{1};
constexpr node_id b{2};
constexpr node_id c{3};

/// The invariant that the call finds broken; empty: none.
template <class Call>
std::string broken_by(Call&& call) {
  try {
    call();
  } catch (const violation& x) {
    return x.invariant();
  }
  return {};
}

log_mirror log_of(std::initializer_list<uint64_t> terms, std::string_view last_text = {}) {
  log_mirror out;
  uint64_t index = 0;
  for (auto term : terms) {
    ++index;
    out.append(
      test::make_entry(index, term, index == terms.size() ? last_text : std::string_view{}));
  }
  return out;
}

membership::configuration_ptr three() {
  membership::configuration x;
  x.voters = {a, b, c};
  return std::make_shared<const membership::configuration>(std::move(x));
}

/// A disk with this durable; `unsynced` are handed over only.
sim_disk disk_with(raft::hard_state hard, std::vector<raft::entry_ptr> entries,
                   std::vector<raft::entry_ptr> unsynced = {}) {
  sim_disk out;
  out.format(three());
  out.hand_over({.seq = persist_seq{1}, .hard = hard, .entries = std::move(entries)}, 0);
  out.start(0, 1);
  out.finish();
  if (!unsynced.empty())
    out.hand_over({.seq = persist_seq{2}, .entries = std::move(unsynced)}, 0);
  return out;
}

raft::envelope to_b(raft::message body) { return {b, std::move(body)}; }

/// The leader a in this term, by the configuration 1, knows so much of b.
raft::core_status leading(uint64_t term, uint64_t match, uint64_t next) {
  raft::core_status out{.self = a, .term = term_t{term}, .configuration_id = index_t{1}};
  out.peers.push_back({.id = b, .match = index_t{match}, .next = index_t{next}});
  return out;
}

} // namespace

TEST_SUITE("sim/oracles") {
  TEST_CASE("election safety: two leaders of a term are seen, however far apart") {
    election_safety x;
    CHECK(x.on_leader(a, term_t{1}));
    CHECK(x.on_leader(b, term_t{2}));
    CHECK_FALSE(x.on_leader(b, term_t{2}));
    CHECK(broken_by([&] { x.on_leader(c, term_t{1}); }) == "election safety");
  }

  TEST_CASE("monotony: a peer's match that goes back within a leadership is seen") {
    const auto after_5 = [](const raft::core_status& now) {
      match_monotony x;
      x.on_progress(leading(3, 5, 6));
      return broken_by([&] { x.on_progress(now); });
    };
    CHECK(after_5(leading(3, 5, 9)).empty());
    CHECK(after_5(leading(3, 6, 7)).empty());
    CHECK(after_5(leading(3, 4, 6)) == "monotony");
    CHECK(after_5(leading(3, 7, 7)) == "monotony"); // It has what is sent next.
    CHECK(after_5(leading(4, 0, 6)).empty());
    auto changed = leading(3, 0, 6);
    changed.configuration_id = index_t{6};
    CHECK(after_5(changed).empty());
  }

  TEST_CASE("monotony: an older leadership's knowledge is none, also of a term that was seen") {
    match_monotony x;
    x.on_progress(leading(3, 5, 6));
    auto deposed = leading(4, 0, 1);
    deposed.peers.clear();
    x.on_progress(deposed); // It lost term 4 in a crash, and won it later.
    CHECK(broken_by([&] { x.on_progress(leading(4, 0, 6)); }).empty());
    x.on_progress(leading(4, 5, 6));
    CHECK(broken_by([&] { x.on_progress(leading(4, 4, 6)); }) == "monotony");
  }

  TEST_CASE("monotony: a term, a commit or a vote that goes back is seen") {
    const raft::hard_state now{term_t{3}, a, index_t{5}};
    const auto after = [&](raft::hard_state x) {
      return broken_by([&] { monotony::on_hard_state(a, now, x); });
    };
    CHECK(after({term_t{3}, a, index_t{6}}).empty());
    CHECK(after({term_t{4}, b, index_t{5}}).empty());
    CHECK(after({term_t{2}, a, index_t{5}}) == "monotony");
    CHECK(after({term_t{3}, a, index_t{4}}) == "monotony");
    CHECK(after({term_t{3}, b, index_t{5}}) == "monotony");
  }

  TEST_CASE("leader append-only: a leader that deletes, or begins anew, is seen") {
    const auto told = [](raft::persist_batch x) {
      return broken_by([&] { monotony::on_leader_batch(a, x); });
    };
    CHECK(told({.entries = {test::make_entry(1, 1)}}).empty());
    CHECK(told({.truncate_from = index_t{1}}) == "leader append-only");
    CHECK(told({.snapshot = at(3, 1)}) == "leader append-only");
  }

  TEST_CASE("log matching: another content under the same name is seen, also before it") {
    log_matching x;
    x.on_append(a, log_of({1, 1, 2}), index_t{1});
    x.on_append(b, log_of({1, 1, 3}), index_t{1}); // Another entry, of another name.
    CHECK(broken_by([&] {
            x.on_append(b, log_of({1, 1, 2}, "else"), index_t{3});
          })
          == "log matching");
    CHECK(broken_by([&] { x.on_append(b, log_of({1, 2, 2}), index_t{3}); }) == "log matching");
  }

  TEST_CASE("state machine safety: what was committed once is remembered for ever") {
    committed_log x;
    x.on_commit(a, term_t{1}, log_of({1, 1, 1}), index_t{3});
    x.on_commit(b, term_t{2}, log_of({1, 1, 1, 2}), index_t{4});
    CHECK(broken_by([&] {
            x.on_commit(c, term_t{9}, log_of({1, 1, 2}), index_t{3});
          })
          == "state machine safety");
    CHECK(broken_by([&] {
            x.on_commit(c, term_t{9}, log_of({1, 1}), index_t{3});
          })
          == "state machine safety");
    CHECK(broken_by([&] {
            x.on_restore(c, index_t{2}, log_of({1, 1}).hash_at(index_t{2}));
          }).empty());
    CHECK(broken_by([&] { x.on_restore(c, index_t{2}, 7); }) == "state machine safety");
    CHECK(broken_by([&] { x.on_restore(c, index_t{9}, 7); }) == "state machine safety");
  }

  TEST_CASE("leader completeness: a later leader without a committed entry is seen") {
    committed_log x;
    x.on_commit(a, term_t{2}, log_of({1, 2}), index_t{2});
    CHECK(broken_by([&] { x.on_leader(b, term_t{3}, log_of({1, 2, 2})); }).empty());
    CHECK(broken_by([&] { x.on_leader(b, term_t{2}, log_of({1})); }).empty()); // Not later.
    CHECK(broken_by([&] { x.on_leader(b, term_t{3}, log_of({1})); }) == "leader completeness");
    CHECK(broken_by([&] { x.on_leader(b, term_t{3}, log_of({1, 1})); }) == "leader completeness");
  }

  TEST_CASE("durable on a quorum: an entry that too few hold isn't committed") {
    committed_log x;
    x.on_commit(a, term_t{1}, log_of({1}), index_t{1});
    const std::array configurations{three()};
    const auto held_by = [&](std::vector<node_id> ids) {
      return broken_by([&] {
        x.check_quorum(index_t{1}, configurations, [&](node_id id, index_t, uint64_t) {
          return std::find(ids.begin(), ids.end(), id) != ids.end();
        });
      });
    };
    CHECK(held_by({a, c}).empty());
    CHECK(held_by({a}) == "durable on a quorum");
  }

  TEST_CASE("acknowledged is durable: an append answered before its sync is seen") {
    const auto disk =
      disk_with({term_t{2}, {}, {}}, {test::make_entry(1, 2)}, {test::make_entry(2, 2)});
    const auto says = [&](raft::append_reply x, const log_mirror& believed) {
      return broken_by([&] { promises::on_message(a, to_b(x), believed, disk); });
    };
    const auto log = log_of({2, 2});
    CHECK(says({.term = term_t{2}, .accepted = true, .match = index_t{1}}, log).empty());
    CHECK(says({.term = term_t{2}, .accepted = true, .match = index_t{2}}, log)
          == "acknowledged is durable");
    CHECK(says({.term = term_t{2}, .accepted = true, .match = index_t{1}}, log_of({1}))
          == "acknowledged is durable"); // Durable is another entry.
    CHECK(says({.term = term_t{3}}, log) == "acknowledged is durable");
  }

  TEST_CASE("acknowledged is durable: a vote or a campaign before its sync is seen") {
    const auto disk = disk_with({term_t{2}, b, {}}, {test::make_entry(1, 2)});
    const auto says = [&](node_id from, raft::envelope x) {
      return broken_by([&] { promises::on_message(from, x, log_of({2}), disk); });
    };
    CHECK(says(a, to_b(raft::vote_reply{.term = term_t{2}, .granted = true})).empty());
    CHECK(says(a, {c, raft::vote_reply{.term = term_t{2}, .granted = true}})
          == "acknowledged is durable");
    CHECK(says(a, to_b(raft::vote_reply{.term = term_t{3}})) == "acknowledged is durable");
    CHECK(says(b, to_b(raft::request_vote{.term = term_t{2}, .last = at(1, 2)})).empty());
    CHECK(says(b, to_b(raft::request_vote{.term = term_t{2}, .last = at(2, 2)}))
          == "acknowledged is durable");
    CHECK(says(a, to_b(raft::request_vote{.term = term_t{2}, .last = at(1, 2)}))
          == "acknowledged is durable");
    CHECK(broken_by([&] { promises::on_heartbeat_reply(a, {.to = b, .term = term_t{3}}, disk); })
          == "acknowledged is durable");
  }

  TEST_CASE("executions: states that differ, a snapshot's too, are seen") {
    executions x;
    x.on_apply(a, index_t{1}, {.verdict = {}, .answer = {}}, 11);
    x.on_apply(b, index_t{1}, {.verdict = {}, .answer = {}}, 11);
    x.on_restore(c, index_t{1}, 11);
    CHECK(broken_by([&] { x.on_apply(c, index_t{1}, {.verdict = {}, .answer = {}}, 12); })
          == "state machine agreement");
    CHECK(broken_by([&] { x.on_restore(c, index_t{1}, 12); }) == "state machine agreement");
  }

  TEST_CASE("executions: an operation executed at two places is seen") {
    const machine::outcome executed{
      .verdict = {}, .answer = {}, .is_executed_now = true, .operation = 5};
    executions x;
    x.on_apply(a, index_t{1}, executed, 11);
    x.on_apply(b, index_t{1}, executed, 11); // The same entry on another node.
    CHECK(broken_by([&] { x.on_apply(a, index_t{2}, executed, 12); }) == "exactly once");
  }

  TEST_CASE("executions: what a client was told isn't executed stays so") {
    const machine::outcome executed{
      .verdict = {}, .answer = {}, .is_executed_now = true, .operation = 5};
    executions before;
    before.on_rejected(5);
    CHECK(broken_by([&] { before.on_apply(a, index_t{1}, executed, 11); })
          == "rejected is never executed");
    executions after;
    after.on_apply(a, index_t{1}, executed, 11);
    CHECK(broken_by([&] { after.on_rejected(5); }) == "rejected is never executed");
  }
}
