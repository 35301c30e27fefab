#include "tests/support/session_replica.hpp"

#include "base/rng.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <set>

using namespace caucus;
using namespace caucus::raft;

namespace {

/// The rules once more, as naively as can be: nothing lazy, nothing incremental.
class naive_table {
public:
  session_verdict judge(const entry& next) {
    now_ = std::max(now_, next.wall_ns);
    std::erase_if(
      open_, [&](const auto& x) { return now_ - x.second.active > x.second.limits.timeout_ns; });
    session_verdict out;
    if (next.body.kind == entry_kind::session) {
      const auto body = decode_session_command(next.body.payload.span());
      if (const auto* limits = std::get_if<open_session>(&*body)) {
        if (open_.size() >= limits->sessions_max)
          return refused(errc::sessions_exhausted);
        const session_id id{next.id.index.value()};
        open_[id] = {*limits, now_, 1, 1, {}};
        out.kind = verdict_kind::opened;
        out.session = id;
        return out;
      }
      if (open_.erase(next.body.session) == 0)
        return refused(errc::session_expired);
      out.kind = verdict_kind::closed;
      return out;
    }
    if (!open_.contains(next.body.session))
      return refused(errc::session_expired);
    auto& x = open_[next.body.session];
    x.active = now_;
    x.lowest = std::max(x.lowest, std::min(next.body.lowest_unanswered.value(), x.next));
    std::erase_if(x.replies, [&](const auto& reply) { return reply.first < x.lowest; });
    const auto sequence = next.body.sequence.value();
    if (sequence < x.next) {
      if (!x.replies.contains(sequence))
        return refused(errc::session_stale);
      out.kind = verdict_kind::answer;
      out.outcome = x.replies[sequence];
      return out;
    }
    if (sequence > x.next)
      return refused(errc::session_gap, x.next);
    size_t bytes = 0;
    for (const auto& [_, reply] : x.replies)
      bytes += reply.reply.size();
    if (sequence >= x.lowest + 256 || bytes >= x.limits.reply_bytes_max)
      return refused(errc::session_window, x.next);
    out.kind = verdict_kind::execute;
    return out;
  }
  void record(const entry& executed, command_outcome outcome) {
    auto& x = open_[executed.body.session];
    x.replies[x.next++] = std::move(outcome);
  }
  [[nodiscard]] size_t size() const { return open_.size(); }

private:
  struct session {
    open_session limits;
    int64_t active = 0;
    uint64_t next = 1;
    uint64_t lowest = 1;
    std::map<uint64_t, command_outcome> replies;
  };

  static session_verdict refused(errc reason, uint64_t expected = 0) {
    session_verdict out;
    out.kind = verdict_kind::refuse;
    out.reason = reason;
    out.expected = sequence_t{expected};
    return out;
  }

  std::map<session_id, session> open_;
  int64_t now_ = 0;
};

/// A random step of a busy log: opens, closes, commands in and out of order, long pauses.
command random_command(rng& random, const std::deque<session_id>& known,
                       const std::map<session_id, uint64_t>& sent) {
  command body;
  if (known.empty() || random.chance(5)) {
    body.kind = entry_kind::session;
    body.payload =
      encode(open_session{static_cast<int64_t>(1 + random.below(20)) * second,
                          static_cast<uint32_t>(4 + random.below(4)), 1 + random.below(2000)});
    return body;
  }
  body.session = known[random.below(known.size())];
  if (random.chance(3)) {
    body.kind = entry_kind::session;
    body.payload = encode(close_session{});
    return body;
  }
  const auto next = sent.at(body.session) + 1;
  const auto back = random.chance(30) ? random.below(6) : 0;
  const auto ahead = random.chance(10) ? random.below(3) : 0;
  body.sequence = sequence_t{next > back ? next - back + ahead : next};
  if (random.chance(40))
    body.lowest_unanswered = sequence_t{next - std::min(next, random.below(5))};
  return body;
}

} // namespace

TEST_SUITE("raft/sessions_random") {
  TEST_CASE("random logs: as the naive rules say, alike on every replica, restarted or not") {
    std::set<std::pair<verdict_kind, errc>> reached;
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(seed);
      rng random{seed};
      session_replica one;
      session_replica restarted;
      naive_table naive;
      std::deque<session_id> known;
      std::map<session_id, uint64_t> sent;
      int64_t now = second;
      for (uint64_t index = 1; index <= 800; ++index) {
        now += static_cast<int64_t>(random.below(random.chance(5) ? 8 * second : second / 10));
        const entry next{{index_t{index}, term_t{1}}, now, random_command(random, known, sent)};
        const auto expected = naive.judge(next);
        if (expected.kind == verdict_kind::execute)
          naive.record(next,
                       {errc::none, shared_bytes::copy_of("reply of " + std::to_string(index))});
        reached.insert({expected.kind, expected.reason});
        REQUIRE(one.apply(next) == expected);
        REQUIRE(restarted.apply(next) == expected);
        REQUIRE(one.table.size() == naive.size());
        if (random.chance(2))
          restarted.restart();
        if (expected.kind == verdict_kind::opened) {
          known.push_back(expected.session);
          sent[expected.session] = 0;
          if (known.size() > 10)
            known.pop_front();
        }
        if (expected.kind == verdict_kind::execute)
          sent[next.body.session] = next.body.sequence.value();
      }
      CHECK(one.table.save() == restarted.table.save());
      CHECK(one.table.digest() == restarted.table.digest());
    }
    for (auto reason : {errc::session_expired, errc::session_gap, errc::session_window,
                        errc::session_stale, errc::sessions_exhausted})
      CHECK(reached.contains({verdict_kind::refuse, reason}));
    CHECK(reached.contains({verdict_kind::answer, errc::none}));
    CHECK(reached.contains({verdict_kind::closed, errc::none}));
  }
}
