#include "apps/counter/session_queue.hpp"
#include "base/rng.hpp"
#include "raft/sessions.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace counter;
using namespace std::chrono_literals;
namespace raft = caucus::raft;

namespace {

/// One client before the real session table, with a network in between that loses, delays and
/// reorders attempts and answers.
class world {
public:
  explicit world(uint64_t seed) : rng_{seed} {}

  void step() {
    now_ += std::chrono::milliseconds{rng_.below(8)};
    switch (rng_.below(10)) {
      case 0:
      case 1: add(); break;
      case 2: queue_.expire(now_, "no_leader"); break;
      case 3:
        if (rng_.chance(30))
          queue_.on_node_lost(rng_.below(3));
        break;
      case 4:
        if (!on_way_.empty())
          queue_.on_silence(on_way_[rng_.below(on_way_.size())]);
        break;
      case 5:
        if (rng_.chance(5) && session_ != 0)
          apply({raft::entry_kind::session,
                 caucus::session_id{session_},
                 {},
                 {},
                 raft::encode(raft::close_session{})});
        break;
      case 6: send(); break;
      default: arrive(rng_.chance(70));
    }
  }

  /// The network heals: everything that is still under way arrives, and what it leads to.
  void settle() {
    for (int i = 0; i < 10000 && (!queue_.is_empty() || !on_way_.empty()); ++i) {
      now_ += 10ms;
      send(false);
      while (!on_way_.empty())
        arrive(true);
      // What was lost before still counts as in flight until someone says that it is lost.
      for (size_t via = 0; via < 3; ++via)
        queue_.on_node_lost(via);
    }
    CHECK(queue_.is_empty());
  }

  void check() const {
    for (auto& answered : answers_) {
      auto& name = answered.first; // clang 14 captures no structured binding.
      auto& told = answered.second;
      auto ran = executed_.contains(name) ? executed_.at(name) : 0;
      CAPTURE(name);
      REQUIRE(told.size() == 1);
      CHECK(ran <= 1);
      if (told.front().kind == answer::kind::ok) {
        CHECK(ran == 1);
        CHECK(told.front().value == "reply to " + name);
      }
      if (told.front().kind == answer::kind::rejected)
        CHECK(ran == 0);
      ++kinds[static_cast<size_t>(told.front().kind)];
    }
  }

  static inline size_t kinds[3] = {};

private:
  void add() {
    auto name = "op " + std::to_string(answers_.size());
    answers_[name];
    queue_.add({name, now_ + std::chrono::milliseconds{rng_.below(200)},
                [this, name](answer x) { answers_[name].push_back(std::move(x)); }});
  }

  void send(bool may_refuse = true) {
    if (queue_.needs_session()) {
      session_ = apply({raft::entry_kind::session,
                        {},
                        {},
                        {},
                        raft::encode(raft::open_session{int64_t{1} << 50, 100})})
                   .session;
      queue_.opened(session_);
    }
    for (auto& next : queue_.take_sendable(now_, rng_.below(3))) {
      if (may_refuse && rng_.chance(20))
        queue_.on_outcome(
          next, {.kind = caucus::outcome_kind::not_executed, .reason = caucus::errc::no_leader},
          now_);
      else
        on_way_.push_back(std::move(next));
    }
  }

  /// One attempt reaches the log; its answer may not reach the client.
  void arrive(bool is_answered) {
    if (on_way_.empty())
      return;
    std::swap(on_way_[rng_.below(on_way_.size())], on_way_.back());
    auto attempt = std::move(on_way_.back());
    on_way_.pop_back();
    auto& x = attempt.body;
    auto told =
      apply({raft::entry_kind::command, caucus::session_id{x.session},
             caucus::sequence_t{x.sequence}, caucus::sequence_t{x.lowest_unanswered}, x.payload});
    if (is_answered)
      queue_.on_outcome(attempt, told, now_);
  }

  caucus::outcome apply(raft::command body) {
    using verdict = enum raft::session_verdict::kind;
    raft::entry next{{caucus::index_t{++last_}, caucus::term_t{1}}, int64_t(last_), body};
    auto judged = table_.judge(next);
    caucus::outcome told{.kind = caucus::outcome_kind::committed};
    if (judged.kind == verdict::execute) {
      std::string name{next.body.payload.view()};
      if (name != "filler")
        ++executed_[name];
      told.reply = caucus::shared_bytes::copy_of("reply to " + name);
      table_.record(next, {caucus::errc::none, told.reply});
    } else if (judged.kind == verdict::answer) {
      told.reply = judged.outcome.reply;
    } else if (judged.kind == verdict::refuse) {
      told.kind = caucus::outcome_kind::not_executed;
      told.reason = judged.reason;
    } else if (judged.kind == verdict::opened) {
      told.session = judged.session.value();
    }
    return told;
  }

  caucus::rng rng_;
  clock::time_point now_{1h};
  session_queue queue_{"filler", 10ms};
  raft::session_table table_;
  uint64_t last_ = 0;
  uint64_t session_ = 0;
  std::vector<session_queue::attempt> on_way_;
  std::map<std::string, std::vector<answer>> answers_;
  std::map<std::string, int> executed_;
};

} // namespace

TEST_SUITE("counter/session_queue") {
  TEST_CASE("whatever the network does, ok ran once, rejected never, unknown at most once") {
    for (uint64_t seed = 1; seed <= 500; ++seed) {
      CAPTURE(seed);
      world all{seed};
      for (int i = 0; i < 600; ++i)
        all.step();
      all.settle();
      all.check();
    }
    for (auto count : world::kinds)
      CHECK(count > 100); // Else the world is too kind to test anything.
  }
}
