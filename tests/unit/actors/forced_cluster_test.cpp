// A cluster that begins with what its last surviving node has.

#include "tests/unit/actors/new_cluster_fixture.hpp"

namespace caucus::testing::new_cluster {

TEST_CASE("a forced node keeps all it has and is the only member, in a later term") {
  memory_disk disk;
  make_old(disk);
  const auto options = options_of({1});
  REQUIRE(force(disk, options).ok());
  auto node = open(disk, options);
  const auto& group = node.found.groups.front();
  REQUIRE_FALSE(group.damaged);
  CHECK(group.last == index_t{6});
  CHECK(group.hard == raft::hard_state{term_t{5}, node_id{1}, index_t{3}});
  CHECK(group.descriptor.members == founding_members(options));
  REQUIRE(group.configurations.size() == 1);
  CHECK(group.configurations.front().id == index_t{6});
  CHECK(*group.configurations.front().members == founding_members(options));
  REQUIRE(group.tail.size() == 6);
  CHECK(group.tail.back()->id == raft::entry_id{index_t{6}, term_t{5}});
  CHECK(group.tail.back()->wall_ns == 5);
  CHECK(group.tail[4]->id == raft::entry_id{index_t{5}, term_t{4}});
  CHECK(node.found.founding.members.starts_with("1 from its own state"));
  CHECK(node.found.peers.empty());
}

TEST_CASE("the entry that makes a node alone has the time of the last thing before it") {
  backup from{100};
  memory_disk disk;
  REQUIRE(restore(disk, from, options_of({1, 2, 3})).ok());
  REQUIRE(force(disk, options_of({1})).ok());
  auto node = open(disk, options_of({1}));
  REQUIRE(node.found.groups.front().tail.size() == 1); // Behind the snapshot.
  CHECK(node.found.groups.front().tail.back()->wall_ns == 99);
}

TEST_CASE("a group whose log is damaged isn't forced, and the others are") {
  memory_disk disk;
  make_old(disk);
  const auto lost = hash_group("lost", 1);
  {
    auto node = open(disk, options_of({1, 2, 3}));
    node.log->add(persistence::group_descriptor{lost, 1, "lost", replica_uid{2},
                                                founding_members(options_of({1, 2, 3}))});
    raft::persist_batch batch;
    batch.entries.push_back(entry_at(1, 1, "what rots"));
    node.log->add(lost, batch);
    REQUIRE(node.log->commit(true).ok());
    batch.entries.assign(1, entry_at(2, 1)); // So that the one before is no torn tail.
    node.log->add(lost, batch);
    REQUIRE(node.log->commit(true).ok());
  }
  disk.kill();
  const auto segment = disk.names().back();
  const auto bytes = disk.content(segment);
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  disk.overwrite(segment, text.find("what rots"), std::as_bytes(std::span{"WHAT", 4}));
  REQUIRE(force(disk, options_of({1})).ok());
  auto node = open(disk, options_of({1}));
  REQUIRE(node.found.groups.size() == 2);
  for (const auto& group : node.found.groups) {
    CHECK(group.damaged.has_value() == (group.descriptor.group == lost));
    CHECK(group.descriptor.members
          == founding_members(options_of(
            group.descriptor.group == lost ? std::set<uint64_t>{1, 2, 3} : std::set<uint64_t>{1})));
  }
}

TEST_CASE("a node that the others' removal left alone can still begin a cluster of its own") {
  memory_disk disk;
  make_old(disk);
  {
    auto node = open(disk, options_of({1, 2, 3}));
    raft::persist_batch batch;
    auto alone = std::make_shared<raft::entry>(*entry_at(6, 4));
    alone->body = {.kind = raft::entry_kind::configuration,
                   .payload = shared_bytes::copy_of(
                     membership::encode_payload(founding_members(options_of({1}))))};
    batch.entries.push_back(std::move(alone));
    node.log->add(hash_group(name, 1), batch);
    REQUIRE(node.log->commit(true).ok());
  }
  CHECK(force(disk, options_of({1})).ok());
}

TEST_CASE("two nodes that are forced, and one that is forced again, are of different clusters") {
  std::set<uint64_t> foundings;
  const auto options = options_of({1});
  for (uint64_t directory : {0xd1, 0xd2}) {
    memory_disk disk;
    make_old(disk, directory);
    REQUIRE(force(disk, options).ok());
    {
      auto node = open(disk, options);
      foundings.insert(node.found.founding.id.value());
      raft::persist_batch second; // Another has joined since, and is lost as well.
      auto joined = std::make_shared<raft::entry>(*entry_at(7, 5));
      joined->body = {.kind = raft::entry_kind::configuration,
                      .payload = shared_bytes::copy_of(
                        membership::encode_payload(founding_members(options_of({1, 2}))))};
      second.entries.push_back(std::move(joined));
      node.log->add(hash_group(name, 1), second);
      REQUIRE(node.log->commit(true).ok());
    }
    REQUIRE(force(disk, options).ok());
    foundings.insert(open(disk, options).found.founding.id.value());
  }
  CHECK(foundings.size() == 4);
}

TEST_CASE("a node without state, and one that is alone already, isn't forced") {
  memory_disk empty;
  auto nothing = force(empty, options_of({1}));
  REQUIRE_FALSE(nothing.ok());
  CHECK(nothing.reason().code == errc::not_found);
  CHECK(empty.names().empty());
  memory_disk disk;
  make_old(disk);
  REQUIRE(force(disk, options_of({1})).ok());
  auto again = force(disk, options_of({1}));
  REQUIRE_FALSE(again.ok());
  CHECK(again.reason().code == errc::already_exists);
}

} // namespace caucus::testing::new_cluster
