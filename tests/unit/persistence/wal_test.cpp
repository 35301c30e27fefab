#include "persistence/wal.hpp"

#include "base/assert.hpp"
#include "tests/unit/persistence/wal_fixture.hpp"

using namespace caucus;
using namespace caucus::testing;
using persistence::wal_options;

TEST_SUITE("persistence/wal") {

  TEST_CASE("a new directory is empty, at its first boot, with the identity it was given") {
    memory_disk disk;
    auto node = start(disk);
    CHECK(node.found.was_empty);
    CHECK(node.found.boot == boot_count{1});
    CHECK(node.found.directory == directory_id{0xd1});
    CHECK(node.found.groups.empty());
    CHECK(node.found.warnings.empty());
  }

  TEST_CASE("boots are counted and the directory keeps its identity") {
    memory_disk disk;
    auto node = start(disk);
    auto options = small_options();
    options.new_directory = directory_id{0xd2};
    for (uint64_t boot = 2; boot < 20; ++boot) {
      node = restart(disk, std::move(node), options);
      CHECK(node.found.boot == boot_count{boot});
      CHECK(node.found.directory == directory_id{0xd1});
      CHECK_FALSE(node.found.was_empty);
      CHECK(node.found.warnings.empty());
    }
    CHECK(disk.names().size() == 1);
  }

  TEST_CASE("a directory identity is drawn if none is given") {
    memory_disk one;
    memory_disk two;
    auto options = small_options();
    options.new_directory = {};
    const auto a = start(one, options).found.directory;
    const auto b = start(two, options).found.directory;
    CHECK(a);
    CHECK(a != b);
  }

  TEST_CASE("a group comes back with descriptor, hard state, terms and entries") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.log->add(group_a, hard(3, 2, 0));
    node.log->add(group_a, entries(1, 2, 1));
    node.commit();
    node.log->add(group_a, entries(3, 5, 3));
    node.log->add(group_a, hard(3, 2, 4));
    node.commit();

    node = restart(disk, std::move(node));
    REQUIRE(node.found.groups.size() == 1);
    const auto& group = node.group(group_a);
    CHECK(group.descriptor == descriptor(group_a));
    CHECK(group.hard == raft::hard_state{term_t{3}, node_id{2}, index_t{4}});
    CHECK(group.last == index_t{5});
    CHECK(group.runs
          == std::vector<raft::term_run>{{index_t{1}, term_t{1}}, {index_t{3}, term_t{3}}});
    CHECK_FALSE(group.damaged);
    REQUIRE(ids(group.tail) == "1@1 2@1 3@3 4@3 5@3");
    for (const auto& x : group.tail)
      CHECK(is_same(*x, *make_entry(x->id.index.value(), x->id.term.value())));
  }

  TEST_CASE("every kind of entry and an empty payload survive") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    raft::persist_batch batch;
    for (uint8_t kind = 0; kind < raft::entry_kind_count; ++kind) {
      auto x = std::make_shared<raft::entry>();
      x->id = {index_t{kind + 1u}, term_t{1}};
      x->body.kind = static_cast<raft::entry_kind>(kind);
      x->wall_ns = -1;
      if (x->body.kind == raft::entry_kind::configuration)
        x->body.payload = configuration_entry(x->id.index.value(), 1, {7})->body.payload;
      batch.entries.push_back(x);
    }
    node.put(group_a, batch);
    node = restart(disk, std::move(node));
    REQUIRE(node.group(group_a).tail.size() == batch.entries.size());
    for (size_t i = 0; i < batch.entries.size(); ++i)
      CHECK(is_same(*node.group(group_a).tail[i], *batch.entries[i]));
  }

  TEST_CASE("M-08 M-09 all configurations of the log come back, and those cut off don't") {
    memory_disk disk;
    auto options = small_options();
    options.recovered_tail_bytes = 0; // They are wanted however old.
    auto node = start(disk, options);
    node.log->add(descriptor(group_a));
    raft::persist_batch batch;
    batch.entries = {make_entry(1, 1), configuration_entry(2, 1, {1, 2}), make_entry(3, 1),
                     configuration_entry(4, 1, {1, 2, 3}), configuration_entry(5, 1, {9})};
    node.put(group_a, batch);
    raft::persist_batch overwrite;
    SUBCASE("by a truncation") { overwrite.truncate_from = index_t{5}; }
    SUBCASE("by entries in their place") { overwrite.entries = {make_entry(5, 2)}; }
    node.put(group_a, overwrite);
    for (uint64_t index = 6 - overwrite.truncate_from.has_value(); index < 400; ++index)
      node.put(group_a, entries(index, index, 2));
    node = restart(disk, std::move(node), options);
    const auto& found = node.group(group_a).configurations;
    REQUIRE(found.size() == 2);
    CHECK(found[0].id == index_t{2});
    CHECK(found[0].members->voters == std::set{node_id{1}, node_id{2}});
    CHECK(found[1].id == index_t{4});
    CHECK(found[1].members->voters == std::set{node_id{1}, node_id{2}, node_id{3}});
  }

  TEST_CASE("a configuration that doesn't decode quarantines its group") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.log->add(descriptor(group_b, 8));
    auto broken = std::make_shared<raft::entry>(*make_entry(1, 1, "x"));
    broken->body.kind = raft::entry_kind::configuration;
    raft::persist_batch batch;
    batch.entries = {broken};
    node.put(group_a, batch);
    node.put(group_b, entries(1, 2, 1));
    node = restart(disk, std::move(node));
    REQUIRE(node.group(group_a).damaged.has_value());
    CHECK(node.group(group_a).damaged->what.find("the configuration of entry 1 doesn't decode")
          != std::string::npos);
    CHECK_FALSE(node.group(group_b).damaged.has_value());
  }

  TEST_CASE("a truncation drops the tail, also of earlier batches (S-31)") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 6, 1));
    auto overwrite = entries(3, 4, 2);
    overwrite.truncate_from = index_t{3};
    node.put(group_a, overwrite);
    node = restart(disk, std::move(node));
    CHECK(ids(node.group(group_a).tail) == "1@1 2@1 3@2 4@2");
    CHECK(node.group(group_a).last == index_t{4});
    raft::persist_batch only_cut;
    only_cut.truncate_from = index_t{1};
    node.put(group_a, only_cut);
    node = restart(disk, std::move(node));
    CHECK(node.group(group_a).last == index_t{});
    CHECK(node.group(group_a).runs.empty());
    CHECK(node.group(group_a).tail.empty());
  }

  TEST_CASE("of one index written twice in one batch the later wins (W-09, S-40)") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.log->add(group_a, entries(1, 7, 1));
    node.log->add(group_a, entries(7, 8, 2)); // An overwrite without an explicit truncation (W-15).
    auto third = entries(6, 6, 3);
    third.truncate_from = index_t{6};
    node.log->add(group_a, third);
    node.commit();
    const auto expected = "1@1 2@1 3@1 4@1 5@1 6@3";
    auto read = node.log->reader()->read(group_a, index_t{1}, index_t{100}, 1 << 20);
    REQUIRE(read.ok());
    CHECK(ids(*read) == expected);
    node = restart(disk, std::move(node));
    CHECK(ids(node.group(group_a).tail) == expected);
  }

  TEST_CASE("a gap is refused and stages nothing (W-10, S-41)") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 3, 1));
    CHECK_THROWS_AS(node.log->add(group_a, entries(5, 6, 1)), invariant_violation);
    auto cut = entries(3, 3, 2);
    cut.truncate_from = index_t{2};
    CHECK_THROWS_AS(node.log->add(group_a, cut), invariant_violation);
    CHECK_THROWS_AS(node.log->add(group_b, entries(1, 1, 1)), invariant_violation);
    CHECK(node.log->staged_bytes() == 0);
    node = restart(disk, std::move(node));
    CHECK_THROWS_AS(node.log->add(group_a, entries(5, 5, 1)), invariant_violation);
    node.put(group_a, entries(4, 4, 1));
    node = restart(disk, std::move(node));
    CHECK(ids(node.group(group_a).tail) == "1@1 2@1 3@1 4@1");
  }

  TEST_CASE("a deleted group's records are skipped and it leaves a tombstone (W-13)") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.log->add(descriptor(group_b));
    node.log->add(group_a, entries(1, 9, 1));
    node.put(group_b, entries(1, 2, 1));
    node.log->add_deleted(group_a);
    node.log->add(group_a, entries(10, 10, 1)); // Its actor hasn't heard yet.
    node.commit();
    CHECK(node.log->reader()->read(group_a, index_t{1}, index_t{1}, 1).reason().code
          == errc::no_such_group);
    node = restart(disk, std::move(node));
    REQUIRE(node.found.groups.size() == 1);
    CHECK(node.found.groups[0].descriptor.group == group_b);
    REQUIRE(node.found.tombstones.size() == 1);
    CHECK(node.found.tombstones[0]
          == persistence::group_tombstone{group_a, 1, descriptor(group_a).name});
    CHECK_THROWS_AS(node.log->add(descriptor(group_a)), invariant_violation);
    node.log->add(group_a, entries(10, 10, 1));
    CHECK(node.log->staged_bytes() == 0);
  }

  TEST_CASE("adding an equal group again writes nothing, another of the same id is refused") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.commit();
    node.log->add(descriptor(group_a));
    CHECK(node.log->staged_bytes() == 0);
    CHECK_THROWS_AS(node.log->add(descriptor(group_a, 8)), invariant_violation);
  }

  TEST_CASE("peers' directories are remembered, replaced and forgotten") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(persistence::peer_identity{node_id{3}, directory_id{33}});
    node.log->add(persistence::peer_identity{node_id{2}, directory_id{22}});
    node.log->add(persistence::peer_identity{node_id{4}, directory_id{44}});
    node.commit();
    node.log->add(persistence::peer_identity{node_id{2}, directory_id{23}});
    node.log->add_forgotten(node_id{4});
    node.commit();
    node = restart(disk, std::move(node));
    CHECK(node.found.peers
          == std::vector<persistence::peer_identity>{{node_id{2}, directory_id{23}},
                                                     {node_id{3}, directory_id{33}}});
  }

  TEST_CASE("the founding is remembered") {
    memory_disk disk;
    auto node = start(disk);
    CHECK_FALSE(node.found.founding.id);
    const auto founding = membership::founded_by({node_id{1}, node_id{2}});
    node.log->add(founding);
    node.commit();
    node = restart(disk, std::move(node));
    CHECK(node.found.founding == founding);
  }

  TEST_CASE("a segment that is full is followed by the next, and all come back") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    const std::string payload(1000, 'x');
    for (uint64_t i = 1; i <= 400; ++i)
      node.put(group_a, entries(i, i, 1 + i / 100, payload));
    CHECK(disk.names().size() > 6);
    node = restart(disk, std::move(node));
    const auto& group = node.group(group_a);
    CHECK(group.last == index_t{400});
    CHECK(group.tail.size() == 400);
    CHECK(group.runs.size() == 5);
    auto read = node.log->reader()->read(group_a, index_t{1}, index_t{400}, 1 << 20);
    REQUIRE(read.ok());
    CHECK(read->size() == 400);
  }

  TEST_CASE("a batch larger than a segment gets a file of its own (W-11)") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 1, 1));
    node.put(group_a, entries(2, 4, 1, std::string(200'000, 'y')));
    node.put(group_a, entries(5, 5, 1));
    CHECK(disk.names().size() == 3);
    node = restart(disk, std::move(node));
    REQUIRE(ids(node.group(group_a).tail) == "1@1 2@1 3@1 4@1 5@1");
    CHECK(node.group(group_a).tail[2]->body.payload.size() == 200'000);
  }

  TEST_CASE("a batch beyond the limit is refused before anything is staged") {
    memory_disk disk;
    auto options = small_options();
    options.batch_bytes_max = 64 << 10;
    auto node = start(disk, options);
    node.log->add(descriptor(group_a));
    node.commit();
    CHECK_THROWS_AS(node.log->add(group_a, entries(1, 1, 1, std::string(70'000, 'z'))),
                    invariant_violation);
    CHECK(node.log->staged_bytes() == 0);
  }

  TEST_CASE("of long logs only the newest entries come back in memory, all of them by reading") {
    memory_disk disk;
    auto options = small_options();
    options.recovered_tail_bytes = 10'000;
    auto node = start(disk, options);
    node.log->add(descriptor(group_a));
    for (uint64_t i = 1; i <= 300; ++i)
      node.put(group_a, entries(i, i, 1, std::string(200, 'q')));
    node = restart(disk, std::move(node), options);
    const auto& group = node.group(group_a);
    CHECK(group.last == index_t{300});
    REQUIRE_FALSE(group.tail.empty());
    CHECK(group.tail.size() < 50);
    CHECK(group.tail.back()->id.index == index_t{300});
    CHECK(node.log->reader()->read(group_a, index_t{1}, index_t{300}, 1 << 20)->size() == 300);
  }

  TEST_CASE("a thousand interleaved groups come back exactly (W-14)") {
    memory_disk disk;
    auto options = small_options();
    options.segment_bytes = 1 << 20;
    auto node = start(disk, options);
    for (uint64_t id = 1; id <= 1000; ++id)
      node.log->add(descriptor(group_id{id}, id));
    node.commit();
    for (uint64_t round = 0; round < 12; ++round) {
      for (uint64_t id = 1; id <= 1000; ++id) {
        // Each third append is a duplicate or an overwrite of what was there.
        const auto first = round % 3 == 2 ? round * 2 - 1 : round * 2 + 1;
        auto batch = entries(first, round * 2 + 2, 1 + round);
        batch.truncate_from = index_t{first};
        batch.hard = raft::hard_state{term_t{1 + round}, node_id{id}, index_t{first - 1}};
        node.log->add(group_id{id}, batch);
      }
      node.commit();
    }
    node = restart(disk, std::move(node), options);
    REQUIRE(node.found.groups.size() == 1000);
    for (const auto& group : node.found.groups) {
      REQUIRE(group.last == index_t{24});
      REQUIRE(group.hard.voted_for.value() == group.descriptor.group.value());
      REQUIRE(ids(group.tail)
              == "1@1 2@1 3@3 4@3 5@3 6@3 7@4 8@4 9@6 10@6 11@6 12@6 13@7 14@7 15@9 16@9 17@9 "
                 "18@9 19@10 20@10 21@12 22@12 23@12 24@12");
    }
  }

  TEST_CASE("the commit index never exceeds what the log holds (W-19)") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.log->add(group_a, entries(1, 2, 1));
    node.put(group_a, hard(1, 0, 9));
    node = restart(disk, std::move(node));
    CHECK(node.group(group_a).hard.commit == index_t{2});
  }

  TEST_CASE("options out of range are refused by name, nothing is written") {
    memory_disk disk;
    auto options = small_options();
    options.segment_bytes = 100;
    const auto refused = try_start(disk, options);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::invalid_option);
    CHECK(refused.reason().what.find("segment_bytes is 100") != std::string::npos);
    CHECK(disk.call_count() == 0);
  }

  TEST_CASE("zeros written ahead change nothing that is read back") {
    memory_disk disk;
    auto options = small_options();
    options.zero_ahead_bytes = 16 << 10;
    auto node = start(disk, options);
    node.log->add(descriptor(group_a));
    for (uint64_t i = 1; i <= 300; ++i)
      node.put(group_a, entries(i, i, 1, std::string(700, 'q')));
    node = restart(disk, std::move(node), options);
    CHECK(node.found.warnings.empty());
    CHECK(node.group(group_a).tail.size() == 300);
  }

  TEST_CASE("only a commit that must sync syncs, and it covers those before") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.commit();
    const auto before = disk.sync_count();
    node.log->add(group_a, hard(0, 0, 0));
    node.commit(false);
    node.commit(false);
    CHECK(disk.sync_count() == before);
    node.commit(true); // Nothing is staged, but something isn't synced.
    CHECK(disk.sync_count() == before + 1);
    node.commit(true);
    CHECK(disk.sync_count() == before + 1);
  }

} // TEST_SUITE
