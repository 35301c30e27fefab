#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

/// The only append reply in a ready.
append_reply answer(const ready& out) {
  auto found = sent<append_reply>(out);
  REQUIRE(found.size() == 1);
  return found[0].second;
}

/// Receives, syncs, answers.
append_reply answer_to(lone_core& x, append_entries request, uint64_t from = 2) {
  auto now = sent<append_reply>(x.receive(from, std::move(request)));
  auto later = sent<append_reply>(x.sync());
  now.insert(now.end(), later.begin(), later.end());
  REQUIRE(now.size() == 1);
  return now[0].second;
}

} // namespace

TEST_SUITE("raft/core: followers") {
  TEST_CASE("entries are acknowledged once they are durable, not before") {
    lone_core x{{.term = 1}};
    auto out = x.receive(2, append(1, {}, {make_entry(1, 1), make_entry(2, 1)}));
    CHECK(out.messages.empty());
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->entries.size() == 2);
    CHECK(out.persist->must_sync);
    auto reply = answer(x.sync());
    CHECK(reply.accepted);
    CHECK(reply.match == index_t{2});
  }

  TEST_CASE("P-09 an append across a gap is refused with a hint, and nothing of it kept") {
    lone_core x{{.term = 3, .log = make_log({1, 1})}};
    auto reply = answer(x.receive(2, append(3, at(7, 3), {make_entry(8, 3)}, 7)));
    CHECK_FALSE(reply.accepted);
    CHECK(reply.prev == index_t{7});
    CHECK(reply.hint == at(2, 1));
    CHECK(x.status().last == index_t{2});
    CHECK(x.status().commit == index_t{});
  }

  TEST_CASE("a refusal's hint skips all terms that are too new to match") {
    lone_core x{{.term = 6, .log = make_log({1, 2, 2, 4, 4, 5})}};
    CHECK(answer(x.receive(2, append(6, at(6, 3), {}))).hint == at(3, 2));
    CHECK(answer(x.receive(2, append(6, at(5, 6), {}))).hint == at(5, 4));
    lone_core y{{.term = 6, .log = make_log({5, 5})}};
    CHECK(answer(y.receive(2, append(6, at(2, 3), {}))).hint == entry_id{});
  }

  TEST_CASE("P-06 a delayed shorter append cuts nothing off that it doesn't contradict") {
    // S-26
    lone_core x{{.term = 2, .log = make_log({1, 1, 1})}};
    auto out = x.receive(2, append(2, {}, {make_entry(1, 1)}));
    CHECK(answer(out).match == index_t{1});
    CHECK_FALSE(out.persist.has_value());
    CHECK(x.status().last == index_t{3});
    out = x.receive(2, append(2, at(1, 1), {}));
    CHECK(answer(out).match == index_t{1});
    CHECK(x.status().last == index_t{3});
  }

  TEST_CASE("S-26 only from the first entry that differs the log is cut") {
    lone_core x{{.term = 3, .log = make_log({1, 1, 2, 2})}};
    auto out =
      x.receive(2, append(3, at(1, 1), {make_entry(2, 1), make_entry(3, 3), make_entry(4, 3)}));
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->truncate_from == index_t{3});
    REQUIRE(out.persist->entries.size() == 2);
    CHECK(out.persist->entries[0]->id == at(3, 3));
    CHECK(answer(x.sync()).match == index_t{4});
  }

  TEST_CASE("P-07 a conflict with a committed entry stops the replica") {
    lone_core x{{.term = 2, .commit = 2, .log = make_log({1, 1, 1})}};
    CHECK_THROWS_AS(x.feed(received{node_id{2}, append(2, at(1, 1), {make_entry(2, 2)})}),
                    invariant_violation);
  }

  TEST_CASE("P-08 what was compacted counts as matching, the rest is taken") {
    lone_core x{{.term = 2, .commit = 5, .compacted = at(5, 1), .applied = 5}};
    std::vector<entry_ptr> entries;
    for (uint64_t i = 3; i <= 7; ++i)
      entries.push_back(make_entry(i, i < 6 ? 1 : 2));
    CHECK(answer_to(x, append(2, at(2, 1), entries, 6)).match == index_t{7});
    CHECK(x.status().last == index_t{7});
    CHECK(x.status().commit == index_t{6});
    // Wholly below: true, and nothing new (S-54).
    CHECK(answer(x.receive(2, append(2, at(1, 1), {make_entry(2, 1)}))).match == index_t{2});
    CHECK(x.status().last == index_t{7});
    CHECK(answer(x.receive(2, append(2, {}, {}))).match == index_t{});
    // A previous entry that was compacted under another term is a refusal, not a match (S-53).
    CHECK_FALSE(answer(x.receive(2, append(2, at(5, 2), {}))).accepted);
  }

  TEST_CASE("P-10 commit moves to what the message proves and not further") {
    lone_core x{{.term = 2, .log = make_log({1, 1, 1, 1})}};
    answer_to(x, append(2, at(1, 1), {make_entry(2, 1)}, 4));
    CHECK(x.status().commit == index_t{2});
    answer_to(x, append(2, at(3, 1), {}, 4));
    CHECK(x.status().commit == index_t{3});
  }

  TEST_CASE("S-19 an acknowledgement says what the request proved, not what the log has") {
    lone_core x{{.term = 2, .log = make_log({1, 1, 1, 1, 1})}};
    CHECK(answer_to(x, append(2, at(3, 1), {})).match == index_t{3});
  }

  TEST_CASE("S-20 a late sync of overwritten entries confirms nothing of the new ones") {
    lone_core x{{.term = 1, .log = make_log({1, 1})}};
    x.receive(2, append(1, at(2, 1), {make_entry(3, 1), make_entry(4, 1)}));
    const auto first = x.last_seq;
    x.receive(3, append(2, at(2, 1), {make_entry(3, 2)}));
    const auto second = x.last_seq;
    auto out = x.receive(2, append(3, at(2, 1), {make_entry(3, 3)}));
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->truncate_from == index_t{3});
    const auto third = x.last_seq;
    CHECK(first < second);
    CHECK(second < third);

    CHECK(x.step(persisted{first}).messages.empty());
    CHECK(x.status().persisted == index_t{2});
    CHECK(x.step(persisted{second}).messages.empty());
    CHECK(x.status().persisted == index_t{2});
    CHECK(answer(x.step(persisted{third})).match == index_t{3});
    CHECK(x.status().persisted == index_t{3});
  }

  TEST_CASE("S-21 the durable index falls with a truncation") {
    lone_core x{{.term = 1, .log = make_log({1, 1, 1, 1, 1})}};
    REQUIRE(x.status().persisted == index_t{5});
    x.receive(2, append(2, at(3, 1), {make_entry(4, 2), make_entry(5, 2)}));
    CHECK(x.status().persisted == index_t{3});
    CHECK(x.receive(2, append(2, at(5, 2), {})).messages.empty()); // Waits as well.
    CHECK(answer(x.sync()).match == index_t{5});
  }

  TEST_CASE("S-07 an acknowledgement of the old term dies with the term") {
    lone_core x{{.term = 1}};
    x.receive(2, append(1, {}, {make_entry(1, 1)}));
    x.receive(3, request_vote{.term = term_t{2}, .is_transfer = true});
    CHECK(x.status().term == term_t{2});
    CHECK(sent<append_reply>(x.sync()).empty());
  }

  TEST_CASE("S-22 a refused append or an empty one moves no commit over our own junk") {
    lone_core x{{.term = 3, .log = make_log({1, 2, 2})}};
    x.receive(2, append(3, at(3, 3), {}, 3));
    CHECK(x.status().commit == index_t{});
    answer_to(x, append(3, at(1, 1), {}, 3));
    CHECK(x.status().commit == index_t{1});
    x.receive(2, heartbeat{.term = term_t{3}, .commit = index_t{9}});
    CHECK(x.status().commit == index_t{1});
    CHECK(x.status().noise.invalid == 1);
  }

  TEST_CASE("S-23 commit never moves backwards") {
    lone_core x{{.term = 2, .commit = 2, .log = make_log({1, 1, 1})}};
    x.receive(2, heartbeat{.term = term_t{2}, .commit = index_t{1}});
    CHECK(x.status().commit == index_t{2});
    answer_to(x, append(2, at(3, 1), {}, 1));
    CHECK(x.status().commit == index_t{2});
    x.receive(2, heartbeat{.term = term_t{2}, .commit = index_t{3}});
    CHECK(x.status().commit == index_t{3});
  }

  TEST_CASE("P-13 two leaders of one term stop the replica") {
    lone_core x{{.term = 2}};
    x.receive(2, heartbeat{.term = term_t{2}});
    SUBCASE("as a follower") {
      CHECK_THROWS_AS(x.feed(received{node_id{3}, heartbeat{.term = term_t{2}}}),
                      invariant_violation);
    }
    SUBCASE("also when it had forgotten the first one to campaign") {
      x.step(campaign{});
      CHECK_THROWS_AS(x.feed(received{node_id{3}, append(2, {}, {})}), invariant_violation);
    }
    SUBCASE("as a leader") {
      lone_core y{{}};
      y.lead();
      CHECK_THROWS_AS(y.feed(received{node_id{3}, append(1, {}, {})}), invariant_violation);
    }
  }

  TEST_CASE("P-22 absurd numbers, gaps and impossible terms are noise") {
    constexpr uint64_t huge = (uint64_t{1} << 63) - 1;
    lone_core x{{.term = 2, .log = make_log({1, 2})}};
    const message hostile[] = {
      append(huge, {}, {}),
      append(2, at(huge, 2), {}),
      append(2, at(2, huge), {}),
      append(2, at(2, 2), {}, huge),
      append(2, at(2, 3), {}),
      append(2, at(2, 2), {make_entry(4, 2)}),
      append(2, at(2, 2), {make_entry(3, 3)}),
      append(2, at(2, 2), {make_entry(3, 1)}),
      append(2, at(2, 2), {nullptr}),
      append(2, at(0, 1), {}),
      append(0, {}, {}),
      heartbeat{.term = term_t{2}, .commit = index_t{huge}},
      heartbeat{.term = term_t{huge}},
      heartbeat_reply{.term = term_t{huge}},
      request_vote{.term = term_t{huge}},
      request_vote{.term = term_t{3}, .last = at(huge, 2)},
      request_vote{.term = term_t{3}, .last = at(5, 4)},
      vote_reply{.term = term_t{huge}, .granted = true},
      append_reply{.term = term_t{2}, .accepted = true, .match = index_t{huge}},
      append_reply{.term = term_t{2}, .prev = index_t{huge}},
      timeout_now{.term = term_t{huge}},
      forward_reply{.request = request_id{1}, .accepted = at(huge, 1)},
      forward_reply{.request = request_id{1}, .refused = errc::timeout},
    };
    uint64_t count = 0;
    for (const auto& x_hostile : hostile) {
      CAPTURE(count);
      auto out = x.receive(2, x_hostile);
      CHECK(out.messages.empty());
      CHECK_FALSE(out.persist.has_value());
      CHECK(x.status().noise.invalid == ++count);
    }
    CHECK(x.receive(1, heartbeat{.term = term_t{2}}).heartbeat_replies.empty()); // From itself.
    CHECK(x.status().term == term_t{2});
    CHECK(x.status().last == index_t{2});
  }

  TEST_CASE("a stuck disk doesn't make repeated appends pile up answers") {
    lone_core x{{.term = 1}};
    for (int i = 0; i < 100; ++i)
      x.receive(2, append(1, {}, {make_entry(1, 1)}));
    CHECK(sent<append_reply>(x.sync()).size() == 1);
  }

  TEST_CASE("committed entries reach the machine only once they are durable here") {
    lone_core x{{.term = 1}};
    auto out = x.receive(2, append(1, {}, {make_entry(1, 1), make_entry(2, 1)}, 2));
    CHECK(x.status().commit == index_t{2});
    CHECK(out.committed.empty());
    out = x.sync();
    REQUIRE(out.committed.size() == 2);
    CHECK(out.committed[0]->id == at(1, 1));
  }

  TEST_CASE("only a moved commit needs no sync") {
    lone_core x{{.term = 1, .log = make_log({1, 1})}};
    auto out = x.receive(2, append(1, at(2, 1), {}, 2));
    REQUIRE(out.persist.has_value());
    CHECK_FALSE(out.persist->must_sync);
    CHECK(out.persist->hard->commit == index_t{2});
    CHECK(sent<append_reply>(out).size() == 1); // Nothing waits for it.
  }
}
