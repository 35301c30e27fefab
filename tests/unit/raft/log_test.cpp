#include "raft/log.hpp"

#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

raft::log empty_log() {
  recovered_state nothing;
  return raft::log{nothing};
}

persist_batch hand_over(raft::log& x, uint64_t seq) {
  persist_batch out;
  out.seq = persist_seq{seq};
  x.hand_over(out);
  return out;
}

} // namespace

TEST_SUITE("raft/log") {
  TEST_CASE("hands each entry over once") {
    auto x = empty_log();
    x.append(make_entry(1, 1));
    x.append(make_entry(2, 1));
    CHECK(hand_over(x, 1).entries.size() == 2);
    CHECK_FALSE(x.has_unwritten());
    CHECK(hand_over(x, 2).entries.empty());
    x.append(make_entry(3, 1));
    CHECK(hand_over(x, 3).entries.size() == 1);
  }

  TEST_CASE("the disk truncates only what it was given") {
    auto x = empty_log();
    x.append(make_entry(1, 1));
    hand_over(x, 1);
    x.append(make_entry(2, 1));
    x.truncate_from(index_t{2}); // It never saw entry 2.
    x.append(make_entry(2, 2));
    auto batch = hand_over(x, 2);
    CHECK_FALSE(batch.truncate_from.has_value());
    CHECK(batch.entries.size() == 1);
  }

  TEST_CASE("two truncations before one batch are the deeper one") {
    auto x = empty_log();
    for (uint64_t i = 1; i <= 5; ++i)
      x.append(make_entry(i, 1));
    hand_over(x, 1);
    x.truncate_from(index_t{3});
    x.append(make_entry(3, 2));
    x.append(make_entry(4, 2));
    x.truncate_from(index_t{4});
    x.append(make_entry(4, 3));
    auto batch = hand_over(x, 2);
    CHECK(batch.truncate_from == index_t{3});
    REQUIRE(batch.entries.size() == 2);
    CHECK(batch.entries[0]->id == at(3, 2));
    CHECK(batch.entries[1]->id == at(4, 3));
    x.truncate_from(index_t{4});
    x.truncate_from(index_t{2});
    x.append(make_entry(2, 4));
    batch = hand_over(x, 3);
    CHECK(batch.truncate_from == index_t{2});
    CHECK(batch.entries.size() == 1);
  }

  TEST_CASE("S-20 batches on their way lose what is truncated under them") {
    auto x = empty_log();
    for (uint64_t i = 1; i <= 3; ++i)
      x.append(make_entry(i, 1));
    hand_over(x, 1);
    x.append(make_entry(4, 1));
    hand_over(x, 2);
    x.truncate_from(index_t{2});
    x.append(make_entry(2, 2));
    CHECK(x.durable_after(index_t{1}, persist_seq{3}) == persist_seq{1});
    CHECK(x.durable_after(index_t{2}, persist_seq{3}) == persist_seq{3});
    hand_over(x, 3);
    x.mark_durable(persist_seq{2});
    CHECK(x.persisted() == index_t{1});
    x.mark_durable(persist_seq{3});
    CHECK(x.persisted() == index_t{2});
    CHECK(x.durable_after(index_t{2}, persist_seq{4}) == persist_seq{});
  }

  TEST_CASE("copies what fits, but at least one entry") {
    auto x = empty_log();
    for (uint64_t i = 1; i <= 5; ++i)
      x.append(make_entry(i, 1, "1234"));
    std::vector<entry_ptr> out;
    CHECK(x.copy(index_t{2}, index_t{5}, 1, out) == 100);
    CHECK(out.size() == 1);
    CHECK(x.copy(index_t{2}, index_t{5}, 300, out) == 300);
    CHECK(out.size() == 4);
    CHECK(x.copy(index_t{2}, index_t{5}, 10000, out) == 400);
    CHECK(out.back()->id == at(5, 1));
  }

  TEST_CASE("entries that were read back are its own or they aren't") {
    auto x = empty_log();
    for (uint64_t i = 1; i <= 3; ++i)
      x.append(make_entry(i, i));
    const std::vector<entry_ptr> right = {make_entry(2, 2), make_entry(3, 3)};
    const std::vector<entry_ptr> wrong_term = {make_entry(2, 2), make_entry(3, 2)};
    const std::vector<entry_ptr> beyond = {make_entry(3, 3), make_entry(4, 3)};
    CHECK(x.holds(index_t{2}, right));
    CHECK_FALSE(x.holds(index_t{1}, right));
    CHECK_FALSE(x.holds(index_t{2}, wrong_term));
    CHECK_FALSE(x.holds(index_t{3}, beyond));
  }

  TEST_CASE("truncation below the tail in memory leaves the tail empty") {
    auto state = recover({term_t{1}}, make_log({1, 1, 1, 1}), 1);
    raft::log x{state};
    CHECK(x.tail_first() == index_t{4});
    x.truncate_from(index_t{2});
    CHECK(x.tail_bytes() == 0);
    CHECK(x.last() == index_t{1});
    x.append(make_entry(2, 2));
    CHECK(x.is_in_memory(index_t{2}));
    CHECK_FALSE(x.is_in_memory(index_t{1}));
    CHECK(hand_over(x, 1).truncate_from == index_t{2});
  }

  TEST_CASE("a recovered tail that isn't the log's is refused") {
    auto state = recover({term_t{1}}, make_log({1, 1, 1}), 2);
    state.tail[0] = make_entry(2, 9);
    CHECK_THROWS_AS(raft::log{state}, invariant_violation);
  }
}
