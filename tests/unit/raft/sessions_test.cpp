#include "tests/support/session_replica.hpp"

#include "base/assert.hpp"

#include <doctest/doctest.h>

using namespace caucus;
using namespace caucus::raft;

TEST_SUITE("raft/sessions") {
  TEST_CASE("a command without a session always executes and leaves no trace") {
    session_replica one;
    const auto empty = one.table.size();
    CHECK(one.send({}, 1).kind == verdict_kind::execute);
    CHECK(one.send({}, 1).kind == verdict_kind::execute);
    CHECK(one.executed == 2);
    CHECK(one.table.size() == empty);
    CHECK(one.table.reply_bytes() == 0);
  }

  TEST_CASE("a session is named by the index of the entry that opened it") {
    session_replica one;
    one.send({}, 1);
    CHECK(one.open() == session_id{2});
    CHECK(one.open() == session_id{3});
    CHECK(one.table.size() == 2);
  }

  TEST_CASE("P-21 a retry gets the first reply and is not executed again") {
    session_replica one;
    const auto id = one.open();
    CHECK(one.send(id, 1).kind == verdict_kind::execute);
    const auto again = one.send(id, 1);
    CHECK(again.kind == verdict_kind::answer);
    CHECK(again.outcome.reply.view() == "reply of 2");
    CHECK(one.executed == 1);
  }

  TEST_CASE("a refusal by the machine is the reply that a retry gets") {
    session_replica one;
    const auto id = one.open();
    const entry next{{index_t{2}, term_t{1}},
                     one.now,
                     {entry_kind::command, id, sequence_t{1}, sequence_t{1}, {}}};
    REQUIRE(one.table.judge(next).kind == verdict_kind::execute);
    const command_outcome refused{errc::rejected_by_machine, shared_bytes::copy_of("too poor")};
    one.table.record(next, refused);
    one.last = 2;
    CHECK(one.send(id, 1).outcome == refused);
  }

  TEST_CASE("a gap is not executed and names the sequence to send again from") {
    session_replica one;
    const auto id = one.open();
    one.send(id, 1);
    const auto gap = one.send(id, 3);
    CHECK(is_refused(gap, errc::session_gap));
    CHECK(gap.expected == sequence_t{2});
    CHECK(one.executed == 1);
    CHECK(one.send(id, 2).kind == verdict_kind::execute);
    CHECK(one.send(id, 3).kind == verdict_kind::execute);
  }

  TEST_CASE("replies below the lowest unanswered sequence are forgotten") {
    session_replica one;
    const auto id = one.open();
    for (uint64_t i = 1; i <= 4; ++i)
      one.send(id, i);
    CHECK(one.send(id, 5, 4).kind == verdict_kind::execute);
    CHECK(is_refused(one.send(id, 3), errc::session_stale));
    CHECK(one.send(id, 4).kind == verdict_kind::answer);
    CHECK(one.executed == 5);
  }

  TEST_CASE("an older lowest unanswered sequence brings nothing back and drops nothing") {
    session_replica one;
    const auto id = one.open();
    for (uint64_t i = 1; i <= 4; ++i)
      one.send(id, i, i);
    CHECK(one.send(id, 4, 1).kind == verdict_kind::answer);
    CHECK(is_refused(one.send(id, 3, 1), errc::session_stale));
  }

  TEST_CASE("a client can't give up replies to what was not executed") {
    session_replica one;
    const auto id = one.open();
    CHECK(one.send(id, 1, 100).kind == verdict_kind::execute);
    CHECK(one.send(id, 1, 1).outcome.reply.view() == "reply of 2");
    CHECK(is_refused(one.send(id, 0), errc::session_stale));
  }

  TEST_CASE("the window bounds how many replies are kept") {
    session_replica one;
    const auto id = one.open();
    for (uint64_t i = 1; i <= 256; ++i)
      CHECK(one.send(id, i).kind == verdict_kind::execute);
    const auto beyond = one.send(id, 257);
    CHECK(is_refused(beyond, errc::session_window));
    CHECK(beyond.expected == sequence_t{257});
    CHECK(one.executed == 256);
    CHECK(one.send(id, 257, 2).kind == verdict_kind::execute);
    CHECK(is_refused(one.send(id, 1), errc::session_stale));
    CHECK(one.send(id, 2).outcome.reply.view() == "reply of 3");
  }

  TEST_CASE("a long session that acknowledges keeps only its window") {
    session_replica one;
    const auto id = one.open();
    for (uint64_t i = 1; i <= 2000; ++i)
      REQUIRE(one.send(id, i, i > 200 ? i - 200 : 1).kind == verdict_kind::execute);
    CHECK(one.send(id, 1800, 1).outcome.reply.view() == "reply of 1801");
    CHECK(is_refused(one.send(id, 1799), errc::session_stale));
    CHECK(one.table.reply_bytes() == 201 * std::string_view{"reply of 1801"}.size());
  }

  TEST_CASE("replies beyond the session's byte limit make its next command wait") {
    session_replica one;
    const auto id = one.open({60 * second, 10, 15}); // A reply here has 10 bytes.
    CHECK(one.send(id, 1).kind == verdict_kind::execute);
    CHECK(one.send(id, 2).kind == verdict_kind::execute);
    CHECK(is_refused(one.send(id, 3), errc::session_window));
    CHECK(one.send(id, 3, 2).kind == verdict_kind::execute);
  }

  TEST_CASE("a command of an unknown session is never executed") {
    session_replica one;
    CHECK(is_refused(one.send(session_id{77}, 1), errc::session_expired));
    CHECK(one.executed == 0);
  }

  TEST_CASE("a session expires when log time passes its timeout since its last command") {
    session_replica one;
    const auto id = one.open({10 * second, 10});
    one.now += 10 * second;
    CHECK(one.send(id, 1).kind == verdict_kind::execute); // Not more than the timeout.
    one.now += 10 * second;
    CHECK(one.send(id, 2).kind == verdict_kind::execute);
    one.now += 10 * second + 1;
    CHECK(is_refused(one.send(id, 3), errc::session_expired));
    CHECK(one.table.size() == 0);
    CHECK(one.table.reply_bytes() == 0);
    CHECK(one.executed == 2);
  }

  TEST_CASE("a retry counts as activity") {
    session_replica one;
    const auto id = one.open({10 * second, 10});
    one.send(id, 1);
    for (int i = 0; i < 5; ++i) {
      one.now += 8 * second;
      CHECK(one.send(id, 1).kind == verdict_kind::answer);
    }
  }

  TEST_CASE("any entry's time expires sessions, also that of other kinds") {
    for (auto kind : {entry_kind::no_op, entry_kind::configuration, entry_kind::internal}) {
      session_replica one;
      one.open({10 * second, 10});
      one.now += 11 * second;
      CHECK(one.apply(command{kind, {}, {}, {}, {}}).kind == verdict_kind::nothing);
      CHECK(one.table.size() == 0);
    }
  }

  TEST_CASE("log time never runs backwards, whatever an entry says") {
    session_replica one;
    const auto id = one.open({10 * second, 10});
    one.now += 9 * second;
    one.send(id, 1);
    one.now = 0;
    one.send(id, 2);
    one.now = 19 * second;
    CHECK(one.send(id, 3).kind == verdict_kind::execute);
    one.now = 29 * second + 1;
    CHECK(is_refused(one.send(id, 4), errc::session_expired));
  }

  TEST_CASE("opening beyond the bound is refused until one expires or closes") {
    session_replica one;
    const open_session limits{10 * second, 2};
    const auto first = one.open(limits);
    one.open(limits);
    const command open{entry_kind::session, {}, {}, {}, encode(limits)};
    CHECK(is_refused(one.apply(open), errc::sessions_exhausted));
    CHECK(one.close(first).kind == verdict_kind::closed);
    CHECK(one.apply(open).kind == verdict_kind::opened);
    CHECK(is_refused(one.apply(open), errc::sessions_exhausted));
    one.now += 11 * second;
    CHECK(one.apply(open).kind == verdict_kind::opened);
    CHECK(one.table.size() == 1);
  }

  TEST_CASE("a closed session's commands are never executed and its replies are gone") {
    session_replica one;
    const auto id = one.open();
    one.send(id, 1);
    CHECK(one.close(id).kind == verdict_kind::closed);
    CHECK(is_refused(one.send(id, 1), errc::session_expired));
    CHECK(is_refused(one.close(id), errc::session_expired));
    CHECK(one.table.reply_bytes() == 0);
  }

  TEST_CASE("a session entry that doesn't decode changes nothing") {
    session_replica one;
    one.open();
    const auto before = one.table.size();
    const auto verdict =
      one.apply(command{entry_kind::session, {}, {}, {}, shared_bytes::copy_of("\x09nonsense")});
    CHECK(is_refused(verdict, errc::rejected_by_machine));
    CHECK(one.table.size() == before);
  }

  TEST_CASE(
    "N-14 a retry after restart gets the first reply, from the saved table and from the log") {
    session_replica one;
    const auto id = one.open();
    one.send(id, 1);
    session_replica replayed;
    REQUIRE(replayed.open() == id);
    replayed.send(id, 1);
    one.restart();
    const auto saved = one.send(id, 1);
    CHECK(saved.kind == verdict_kind::answer);
    CHECK(saved.outcome.reply.view() == "reply of 2");
    CHECK(saved == replayed.send(id, 1));
    CHECK(one.table.digest() == replayed.table.digest());
  }

  TEST_CASE("where replies may be lost, replicas with and without them still decide alike") {
    const open_session limits{.timeout_ns = 60 * second, .sessions_max = 9, .reply_bytes_max = 20};
    session_replica knows{session_table{session_table::replies::may_be_lost}};
    session_table lost{session_table::replies::may_be_lost};
    const auto id = knows.open(limits);
    lost.judge({{index_t{1}, term_t{1}},
                second,
                {entry_kind::session, {}, {}, {}, encode(session_command{limits})}});
    for (uint64_t i = 1; i <= session_table::window + 1; ++i) {
      const entry next{{index_t{knows.last + 1}, term_t{1}},
                       second,
                       {entry_kind::command, id, sequence_t{i}, sequence_t{1}, {}}};
      const auto one = knows.apply(next);
      const auto other = lost.judge(next);
      CHECK(one == other);
      CHECK((one.kind == verdict_kind::execute) == (i <= session_table::window));
      if (other.kind == verdict_kind::execute)
        lost.record(next, {errc::reply_lost, {}});
    }
    CHECK(knows.table.reply_bytes() <= 20);
    CHECK(knows.send(id, 1).outcome.code == errc::reply_lost);
    CHECK(knows.send(id, session_table::window).outcome.code == errc::none);
  }

  TEST_CASE("out of order and unrecorded entries are a bug of the caller") {
    session_replica one;
    const auto id = one.open();
    const entry second_entry{{index_t{2}, term_t{1}},
                             one.now,
                             {entry_kind::command, id, sequence_t{1}, sequence_t{1}, {}}};
    const entry third{{index_t{3}, term_t{1}}, one.now, {}};
    REQUIRE(one.table.judge(second_entry).kind == verdict_kind::execute);
    CHECK_THROWS_AS(one.table.judge(third), invariant_violation);
    CHECK_THROWS_AS(one.table.record(third, {}), invariant_violation);
    CHECK_THROWS_AS((void)one.table.save(), invariant_violation);
    one.table.record(second_entry, {});
    CHECK_THROWS_AS(one.table.record(second_entry, {}), invariant_violation);
    CHECK_THROWS_AS(one.table.judge(second_entry), invariant_violation);
  }
}
