#include "apps/counter/session_queue.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace counter;
using namespace std::chrono_literals;

namespace {

/// A queue with its answers.
struct client {
  session_queue queue{"filler", 10ms};
  clock::time_point now{1h};
  std::vector<std::optional<answer>> answers;

  /// Adds the operation; its number.
  size_t add(std::chrono::milliseconds patience = 1000ms) {
    auto number = answers.size();
    answers.emplace_back();
    queue.add({"op " + std::to_string(number), now + patience,
               [this, number](answer x) { answers[number] = std::move(x); }});
    return number;
  }
  std::vector<session_queue::attempt> send(size_t via = 0) { return queue.take_sendable(now, via); }
  session_queue::attempt send_one(size_t via = 0) {
    auto sent = send(via);
    REQUIRE(sent.size() == 1);
    return sent.front();
  }
  void refuse(const session_queue::attempt& x, caucus::errc reason) {
    queue.on_outcome(x, {.kind = caucus::outcome_kind::not_executed, .reason = reason}, now);
  }
  void commit(const session_queue::attempt& x) {
    queue.on_outcome(x,
                     {.kind = caucus::outcome_kind::committed,
                      .reply = caucus::shared_bytes::copy_of(x.body.payload.view())},
                     now);
  }
  void expire() { queue.expire(now, "no_leader"); }
  bool is(size_t number, enum answer::kind kind) const {
    return answers[number] && answers[number]->kind == kind;
  }
};

} // namespace

TEST_SUITE("counter/session_queue") {
  TEST_CASE("operations are numbered in their order and sent together") {
    client one;
    one.add();
    one.add();
    CHECK(one.send().empty());
    CHECK(one.queue.needs_session());
    one.queue.opened(7);
    auto sent = one.send();
    REQUIRE(sent.size() == 2);
    CHECK(sent[0].body.session == 7);
    CHECK(sent[0].body.sequence == 1);
    CHECK(sent[1].body.sequence == 2);
    CHECK(sent[1].body.lowest_unanswered == 1);
    CHECK(one.send().empty());
    one.commit(sent[0]);
    one.add();
    CHECK(one.send_one().body.lowest_unanswered == 2);
  }

  TEST_CASE("a refused operation is sent again, and nothing behind it before") {
    client one;
    auto first = one.add();
    one.queue.opened(7);
    one.refuse(one.send_one(), caucus::errc::no_leader);
    one.add();
    CHECK(one.send().empty());
    one.now += 10ms;
    CHECK(one.send().size() == 2);
    CHECK_FALSE(one.answers[first]);
  }

  TEST_CASE("what was never sent is rejected at its deadline") {
    client one;
    auto first = one.add(100ms);
    one.now += 100ms;
    one.expire();
    CHECK(one.is(first, answer::kind::rejected));
    CHECK(one.answers[first]->reason == "no_leader");
    CHECK(one.queue.is_empty());
  }

  TEST_CASE("what is in flight at its deadline is unknown, and still sent on") {
    client one;
    auto first = one.add(100ms);
    one.queue.opened(7);
    auto attempt = one.send_one();
    one.now += 100ms;
    one.expire();
    CHECK(one.is(first, answer::kind::unknown));
    one.queue.on_silence(attempt);
    auto again = one.send_one();
    CHECK(again.body.sequence == 1);
    CHECK(again.body.payload.view() == "op 0");
    one.commit(again);
    CHECK(one.queue.is_empty());
  }

  TEST_CASE("a lost attempt stays possible, whatever later attempts are told") {
    client one;
    auto first = one.add(100ms);
    one.queue.opened(7);
    one.queue.on_silence(one.send_one());
    one.refuse(one.send_one(), caucus::errc::session_gap);
    one.now += 100ms;
    one.expire();
    CHECK(one.is(first, answer::kind::unknown));
  }

  TEST_CASE("a late answer of a lost attempt counts") {
    client one;
    auto first = one.add();
    one.queue.opened(7);
    auto attempt = one.send_one(2);
    one.queue.on_node_lost(2);
    one.commit(attempt);
    CHECK(one.is(first, answer::kind::ok));
    CHECK(one.queue.is_empty());
  }

  TEST_CASE("a late refusal of a lost attempt says nothing about the one that is in flight") {
    client one;
    one.add();
    one.queue.opened(7);
    auto lost = one.send_one();
    one.queue.on_silence(lost);
    one.send_one();
    one.refuse(lost, caucus::errc::no_leader);
    one.now += 10ms;
    CHECK(one.send().empty());
  }

  TEST_CASE("only attempts through the lost node are lost") {
    client one;
    one.add();
    one.queue.opened(7);
    one.send_one(2);
    one.queue.on_node_lost(1);
    CHECK(one.send().empty());
    one.queue.on_node_lost(2);
    CHECK(one.send().size() == 1);
  }

  TEST_CASE("a rejected operation leaves its sequence to a filler when others are under way") {
    client one;
    auto first = one.add(100ms);
    auto second = one.add(1000ms);
    one.queue.opened(7);
    auto sent = one.send();
    one.refuse(sent[0], caucus::errc::proposal_dropped);
    one.now += 100ms;
    one.expire();
    CHECK(one.is(first, answer::kind::rejected));
    one.refuse(sent[1], caucus::errc::session_gap);
    one.now += 10ms;
    auto again = one.send();
    REQUIRE(again.size() == 2);
    CHECK(again[0].body.payload.view() == "filler");
    one.commit(again[0]);
    one.commit(again[1]);
    CHECK(one.is(second, answer::kind::ok));
  }

  TEST_CASE("a rejected operation leaves its sequence to the next one when none is under way") {
    client one;
    one.add(100ms);
    auto second = one.add(1000ms);
    one.now += 100ms;
    one.expire();
    one.queue.opened(7);
    auto sent = one.send_one();
    CHECK(sent.body.sequence == 1);
    CHECK(sent.body.payload.view() == "op 1");
    one.commit(sent);
    CHECK(one.is(second, answer::kind::ok));
  }

  TEST_CASE("the machine's refusal is final, also for an operation that was lost before") {
    client one;
    auto first = one.add();
    one.queue.opened(7);
    one.queue.on_silence(one.send_one());
    one.refuse(one.send_one(), caucus::errc::rejected_by_machine);
    CHECK(one.is(first, answer::kind::rejected));
    CHECK(one.queue.is_empty());
  }

  TEST_CASE("an expired session is left by what may have run, and moved from by what hasn't") {
    client one;
    auto lost = one.add();
    auto clean = one.add();
    one.queue.opened(7);
    auto sent = one.send();
    one.queue.on_silence(sent[0]);
    one.refuse(one.send_one(), caucus::errc::session_expired);
    CHECK_FALSE(one.answers[clean]);
    one.refuse(sent[1], caucus::errc::session_expired);
    CHECK(one.is(lost, answer::kind::unknown));
    REQUIRE(one.queue.needs_session());
    one.queue.opened(8);
    auto again = one.send_one();
    CHECK(again.body.session == 8);
    CHECK(again.body.sequence == 1);
    // Whatever comes of the old session now is about the old one's sequence 1.
    one.commit(sent[0]);
    CHECK_FALSE(one.answers[clean]);
    one.commit(again);
    CHECK(one.is(clean, answer::kind::ok));
  }

  TEST_CASE("never more is unanswered than a session's window allows") {
    client one;
    for (int i = 0; i < 300; ++i)
      one.add();
    one.queue.opened(7);
    auto sent = one.send();
    CHECK(sent.size() == 240);
    one.commit(sent.front());
    CHECK(one.send().size() == 1);
  }
}
