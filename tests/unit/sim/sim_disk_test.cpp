#include "apps/sim/sim_disk.hpp"
#include "apps/sim/violation.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::sim;
using test::at;

namespace {

sim_disk formatted() {
  sim_disk out;
  membership::configuration x;
  x.voters = {node_id{1}};
  out.format(std::make_shared<const membership::configuration>(std::move(x)));
  return out;
}

raft::persist_batch batch(uint64_t seq, uint64_t index, uint64_t term) {
  return {.seq = persist_seq{seq},
          .hard = raft::hard_state{term_t{term}, {}, {}},
          .entries = {test::make_entry(index, term, std::string(700, 'x'))}};
}

void write(sim_disk& x, raft::persist_batch what, bool is_synced = true) {
  x.hand_over(std::move(what), 0);
  x.start(0, 1);
  if (is_synced)
    x.finish();
}

snapshot_file file_upto(uint64_t index, uint64_t term) {
  snapshot_file out;
  out.at.last = at(index, term);
  out.at.members = {index_t{}, std::make_shared<const membership::configuration>()};
  out.bytes = std::make_shared<const std::vector<std::byte>>();
  return out;
}

} // namespace

TEST_SUITE("sim/disk") {
  TEST_CASE("a crash forgets what wasn't synced, and nothing else") {
    auto x = formatted();
    write(x, batch(1, 1, 1));
    write(x, batch(2, 2, 1), false);
    dice draw{1};
    CHECK(x.crash(draw, false).batches == 1);
    const auto found = x.recover();
    CHECK(found.log.last() == index_t{1});
    CHECK(found.hard.term == term_t{1});
  }

  TEST_CASE("a torn record is never read as a whole one, whatever sectors stay") {
    uint64_t torn = 0;
    for (uint64_t seed = 1; seed <= 200; ++seed) {
      auto x = formatted();
      write(x, batch(1, 1, 1));
      write(x, batch(2, 2, 1), false);
      dice draw{seed};
      torn += x.crash(draw, true).torn;
      const auto last = x.recover().log.last(); // Throws if what it reads wasn't written.
      CHECK((last == index_t{1} || last == index_t{2}));
      write(x, batch(3, last.value() + 1, 2)); // Goes on after whatever is left.
      CHECK(x.recover().log.last() == last + 1);
    }
    CHECK(torn > 20);
  }

  TEST_CASE("what is cut off below the newest snapshot is gone, above it that is a gap") {
    auto x = formatted();
    for (uint64_t i = 1; i <= 5; ++i)
      write(x, batch(i, i, 1));
    x.publish(file_upto(4, 1));
    x.cut(index_t{3});
    CHECK(x.recover().log.before() == index_t{3});
    x.cut(index_t{5});
    CHECK_THROWS_AS(x.recover(), violation);
  }

  TEST_CASE("S-59 a snapshot ahead of the log empties it, and the log goes on after it") {
    auto x = formatted();
    write(x, batch(1, 1, 1));
    x.publish(file_upto(9, 2));
    const auto found = x.recover();
    CHECK(found.log.before_id() == at(9, 2));
    CHECK(found.hard.term == term_t{2}); // Not below the log's.
    write(x, batch(2, 10, 2));
    CHECK(x.recover().log.last() == index_t{10});
  }
}
