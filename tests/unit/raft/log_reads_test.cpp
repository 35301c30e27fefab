#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

append_reply accepted(uint64_t term, uint64_t match) {
  return {.term = term_t{term}, .accepted = true, .match = index_t{match}};
}

/// Leader of term 2 whose entries 1..8 are on disk only; node 2 has accepted up to 2.
lone_core leader_with_old_log(ready& out) {
  lone_core x{{.term = 1, .log = make_log({1, 1, 1, 1, 1, 1, 1, 1}), .in_memory = 0}};
  x.lead();
  x.receive(2, {append_reply{.term = term_t{2}, .prev = index_t{8}, .hint = at(2, 1)}});
  out = x.receive(2, accepted(2, 2));
  return x;
}

std::vector<entry_ptr> read_back(uint64_t first, uint64_t last, uint64_t term = 1) {
  std::vector<entry_ptr> out;
  for (auto i = first; i <= last; ++i)
    out.push_back(make_entry(i, term));
  return out;
}

size_t entry_appends_to(uint64_t to, const ready& out) {
  size_t count = 0;
  for (auto& [id, body] : sent<append_entries>(out))
    count += id == to && !body.entries.empty() ? 1 : 0;
  return count;
}

} // namespace

TEST_SUITE("raft/core: entries that left memory") {
  TEST_CASE("a probe needs none of them, only their terms") {
    lone_core x{{.term = 1, .log = make_log({1, 1, 1, 1}), .in_memory = 0}};
    x.lead();
    auto out = x.receive(2, append_reply{.term = term_t{2}, .prev = index_t{4}, .hint = at(2, 1)});
    auto probes = sent<append_entries>(out);
    REQUIRE(probes.size() == 1);
    CHECK(probes[0].second.prev == at(2, 1));
    CHECK(probes[0].second.entries.empty());
    CHECK(out.reads.empty());
  }

  TEST_CASE("for a peer that lags they are read, one read at a time, and sent") {
    ready out;
    auto x = leader_with_old_log(out);
    REQUIRE(out.reads.size() == 1);
    CHECK(out.reads[0].to == node_id{2});
    CHECK(out.reads[0].first == index_t{3});
    CHECK(out.reads[0].last == index_t{8});
    CHECK(x.propose(1, "a").reads.empty());

    out = x.step(log_read_done{node_id{2}, index_t{3}, read_back(3, 5)});
    auto appended = sent<append_entries>(out);
    REQUIRE(entry_appends_to(2, out) == 1);
    CHECK(appended[0].second.prev == at(2, 1));
    CHECK(appended[0].second.entries.size() == 3);
    REQUIRE(out.reads.size() == 1); // On it goes, within the window.
    CHECK(out.reads[0].first == index_t{6});
    out = x.step(log_read_done{node_id{2}, index_t{6}, read_back(6, 8)});
    CHECK(entry_appends_to(2, out) == 2); // From there on memory has the rest.
    CHECK(out.reads.empty());
  }

  TEST_CASE("a failed read is tried again after a tick or a heartbeat, not at once") {
    ready out;
    auto x = leader_with_old_log(out);
    out = x.step(log_read_done{node_id{2}, index_t{3}, {}});
    CHECK(out.reads.empty());
    CHECK(x.status().noise.failed_reads == 1);
    CHECK(x.propose(1, "a").reads.empty());
    SUBCASE("tick") { CHECK(x.tick().reads.size() == 1); }
    SUBCASE("heartbeat") {
      CHECK(x.receive(2, heartbeat_reply{.term = term_t{2}}).reads.size() == 1);
    }
  }

  TEST_CASE("what was read is not sent when it isn't what the log holds") {
    ready out;
    auto x = leader_with_old_log(out);
    SUBCASE("another term") {
      out = x.step(log_read_done{node_id{2}, index_t{3}, read_back(3, 5, 2)});
    }
    SUBCASE("a gap") {
      out = x.step(log_read_done{node_id{2}, index_t{3}, {make_entry(3, 1), make_entry(5, 1)}});
    }
    SUBCASE("more than asked") {
      out = x.step(log_read_done{node_id{2}, index_t{3}, read_back(3, 10)});
    }
    SUBCASE("another question's answer") {
      out = x.step(log_read_done{node_id{2}, index_t{4}, read_back(4, 5)});
    }
    SUBCASE("nobody's") { out = x.step(log_read_done{node_id{3}, index_t{3}, read_back(3, 5)}); }
    CHECK(entry_appends_to(2, out) == 0);
    CHECK(x.status().noise.stale_reads == 1);
  }

  TEST_CASE("a read that the leadership didn't outlive sends nothing") {
    ready out;
    auto x = leader_with_old_log(out);
    x.sync();
    x.receive(3,
              append_entries{.term = term_t{3}, .prev = at(2, 1), .entries = {make_entry(3, 3)}});
    x.sync();
    REQUIRE(x.status().role == role::follower);
    out = x.step(log_read_done{node_id{2}, index_t{3}, read_back(3, 5)});
    CHECK(out.messages.empty());
  }

  TEST_CASE("a peer that moved meanwhile gets what it needs now") {
    ready out;
    auto x = leader_with_old_log(out);
    x.step(peer_unreachable{node_id{2}});
    out = x.step(log_read_done{node_id{2}, index_t{3}, read_back(3, 5)});
    CHECK(entry_appends_to(2, out) == 0);
  }

  TEST_CASE("after a restart what is to be applied is read from disk, in pieces") {
    core_options options;
    options.apply_bytes_max = 250;
    lone_core x{{.term = 1,
                 .commit = 6,
                 .log = make_log({1, 1, 1, 1, 1, 1}),
                 .in_memory = 1,
                 .applied = 2,
                 .options = options}};
    auto out = x.take();
    REQUIRE(out.reads.size() == 1);
    CHECK(out.reads[0].to == node_id{1});
    CHECK(out.reads[0].first == index_t{3});
    CHECK(out.reads[0].last == index_t{5});
    CHECK(out.reads[0].bytes_max == 250);
    CHECK(x.tick().reads.empty());
    out = x.step(log_read_done{node_id{1}, index_t{3}, read_back(3, 4)});
    REQUIRE(out.committed.size() == 2);
    CHECK(out.committed[0]->id == at(3, 1));
    REQUIRE(out.reads.size() == 1); // 58 bytes of the window are left: at least one entry.
    out = x.step(log_read_done{node_id{1}, index_t{5}, read_back(5, 5)});
    CHECK(out.committed.size() == 1);
    out = x.step(applied{index_t{4}});
    REQUIRE(out.committed.size() == 1); // The tail was in memory.
    CHECK(out.committed[0]->id == at(6, 1));
  }

  TEST_CASE("a read for the machine that failed is tried again after a tick") {
    lone_core x{{.term = 1, .commit = 2, .log = make_log({1, 1}), .in_memory = 0}};
    REQUIRE(x.take().reads.size() == 1);
    CHECK(x.step(log_read_done{node_id{1}, index_t{1}, {}}).reads.empty());
    CHECK(x.tick().reads.size() == 1);
    auto out = x.step(log_read_done{node_id{1}, index_t{1}, read_back(1, 2, 9)});
    CHECK(out.committed.empty()); // Not what was committed.
    CHECK(out.reads.empty());
    CHECK(x.tick().reads.size() == 1);
  }

  TEST_CASE("a slow machine has no more than its limit on the way") {
    core_options options;
    options.apply_bytes_max = 300;
    lone_core x{
      {.term = 1, .commit = 9, .log = make_log({1, 1, 1, 1, 1, 1, 1, 1, 1}), .options = options}};
    auto out = x.take();
    CHECK(out.committed.size() == 4); // 96 bytes each; the fourth passes the limit.
    CHECK(x.step(applied{index_t{2}}).committed.empty()); // Their batch isn't done.
    CHECK(x.step(applied{index_t{3}}).committed.size() == 3);
  }

  TEST_CASE("S-34 applied beyond the log is clamped, and raises a commit that lags on disk") {
    lone_core x{{.term = 1, .commit = 2, .log = make_log({1, 1, 1}), .applied = 9}};
    CHECK(x.status().applied == index_t{3});
    CHECK(x.status().commit == index_t{3});
    lone_core y{{.term = 1, .commit = 9, .log = make_log({1, 1, 1})}};
    CHECK(y.status().commit == index_t{3});
    CHECK(y.take().committed.size() == 3);
  }

  TEST_CASE("only persisted entries leave memory, oldest first") {
    core_options options;
    options.tail_bytes_max = 200;
    lone_core x{{.options = options}};
    x.lead();
    for (uint64_t i = 1; i <= 9; ++i)
      x.propose(i, "");
    CHECK(x.status().tail_bytes == 960);
    x.sync();
    CHECK(x.status().tail_bytes == 192);
  }

  TEST_CASE("what nobody waits for leaves memory long before the limit") {
    core_cluster x{core_cluster::options{.core = {.tail_bytes_kept = 300}}};
    x.elect(1);
    const auto propose = [&] {
      for (int i = 0; i < 20; ++i) {
        x.propose(1);
        x.settle();
      }
    };
    propose();
    for (const uint64_t id : {1, 2, 3})
      CHECK(x.status(id).tail_bytes <= 300);
    x.isolate(3); // Its leader doesn't know yet, and keeps what it hasn't acknowledged.
    propose();
    CHECK(x.status(1).tail_bytes > 20 * 96);
    CHECK(x.status(2).tail_bytes <= 300);
  }

  TEST_CASE("a peer that was away for long catches up from disk") {
    core_cluster x{core_cluster::options{
      .core = {.append_bytes_max = 500, .tail_bytes_max = 300, .apply_bytes_max = 400}}};
    x.elect(1);
    x.crash(3);
    for (int i = 0; i < 100; ++i) {
      x.propose(1);
      x.settle();
    }
    x.restart(3);
    for (int i = 0; i < 5; ++i) {
      x.tick(1);
      x.settle();
    }
    CHECK(x.applied(3).size() == 101);
    CHECK(x.status(3).tail_bytes <= 300);
  }
}
