// The starts at which a cluster begins with something, on a disk that forgets.

#include "actors/new_cluster.hpp"

#include "actors/backup_reader.hpp"
#include "actors/group_founding.hpp"
#include "apps/sim/disk/memory_directory.hpp"
#include "caucus/backup.hpp"
#include "membership/configuration_codec.hpp"
#include "membership/founding.hpp"
#include "persistence/snapshot_writer.hpp"
#include "persistence/wal.hpp"
#include "tests/support/recording_logger.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>

namespace caucus::testing {

namespace {

constexpr const char* name = "counter";

node_options options_of(std::set<uint64_t> members) {
  node_options x;
  x.id = node_id{1};
  x.restore_group = name;
  for (auto id : members)
    x.members[node_id{id}] = {"new", static_cast<uint16_t>(7000 + id)};
  return x;
}

persistence::wal_options small_log(uint64_t directory = 0xd1) {
  persistence::wal_options x;
  x.segment_bytes = 64 << 10;
  x.zero_ahead_bytes = 0;
  x.new_directory = directory_id{directory};
  return x;
}

/// A backup of the counter by old members, in memory.
struct backup {
  memory_disk disk;
  std::unique_ptr<persistence::directory> dir = *disk.open();
  std::vector<std::byte> content;
  std::optional<persistence::snapshot_reader> reader;
  std::string file;

  explicit backup(size_t size, uint64_t uid = 5, const std::string& group_name = name)
    : content(size, std::byte{7}) {
    membership::configuration members;
    members.voters = {node_id{1}, node_id{8}, node_id{9}};
    persistence::snapshot_header header;
    header.cluster = cluster_id{0xc1};
    header.group = hash_group(name, 2);
    header.uid = persistence::snapshot_uid{uid};
    header.at.last = {index_t{40}, term_t{6}};
    header.at.members = {index_t{3}, std::make_shared<const membership::configuration>(members)};
    header.wall_ns = 99;
    header.group_name = group_name;
    file = persistence::file_name(header.name());
    auto writer = persistence::snapshot_writer::create(*dir, header);
    REQUIRE(writer.ok());
    REQUIRE(writer->write(content).ok());
    REQUIRE(writer->finish().ok());
    auto opened = persistence::snapshot_reader::open(*dir, header.name());
    REQUIRE(opened.ok());
    reader.emplace(*std::move(opened));
  }
};

struct opened_node {
  std::unique_ptr<persistence::directory> dir;
  std::unique_ptr<persistence::wal> log;
  persistence::wal_recovery found;
};

opened_node open(memory_disk& disk, const node_options& options, uint64_t directory = 0xd1) {
  opened_node x;
  x.dir = *disk.open();
  auto opened = persistence::wal::open(*x.dir, {hash_cluster_name(options.cluster), options.id},
                                       small_log(directory));
  if (!opened)
    FAIL(to_string(opened.reason()));
  x.log = std::move(opened->log);
  x.found = std::move(opened->recovery);
  return x;
}

result<void> restore(memory_disk& disk, backup& from, const node_options& options) {
  recording_logger log;
  auto dir = *disk.open();
  from.reader->rewind();
  return restore_backup(*dir, *from.reader, options, small_log(), log);
}

result<void> force(memory_disk& disk, const node_options& options) {
  recording_logger log;
  auto dir = *disk.open();
  return force_new_cluster(*dir, options, small_log(), log);
}

/// What the power failing right after a success leaves.
std::vector<persistence::recovered_group> after_power_failure(memory_disk& disk, uint64_t seed,
                                                              const node_options& options) {
  disk.crash(seed);
  return open(disk, options).found.groups;
}

raft::entry_ptr entry_at(uint64_t index, uint64_t term, std::string_view payload = {}) {
  auto x = std::make_shared<raft::entry>();
  x->body.payload = shared_bytes::copy_of(payload);
  x->id = {index_t{index}, term_t{term}};
  x->wall_ns = static_cast<int64_t>(index);
  return x;
}

/// A member of 1, 2, 3 with five entries, of which it knows three committed.
void make_old(memory_disk& disk, uint64_t directory = 0xd1) {
  auto node = open(disk, options_of({1, 2, 3}), directory);
  auto old = founding_members(options_of({1, 2, 3}));
  const auto group = hash_group(name, 1);
  node.log->add(membership::founded_by(old.voters));
  node.log->add(persistence::peer_identity{node_id{2}, directory_id{0xd2}});
  node.log->add(persistence::group_descriptor{group, 1, name, replica_uid{1}, old});
  raft::persist_batch batch;
  batch.hard = raft::hard_state{term_t{4}, node_id{2}, index_t{3}};
  for (uint64_t i = 1; i <= 5; ++i)
    batch.entries.push_back(entry_at(i, 4));
  node.log->add(group, batch);
  REQUIRE(node.log->commit(true).ok());
}

} // namespace

TEST_CASE("a backup of another group is refused by its name, or by its id if it has none") {
  auto path = (std::filesystem::temp_directory_path() / "caucus-backup-XXXXXX").string();
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  const auto file = path + "/backup";
  const auto put = [&](const std::string& group_name) {
    backup from{100, 5, group_name};
    const auto bytes = from.disk.content(from.file);
    std::ofstream{file, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                static_cast<std::streamsize>(bytes.size()));
  };
  const auto refusal = [&](const std::string& group) {
    auto opened = open_backup_of(file, group);
    return opened ? std::string{} : opened.reason().what;
  };
  put(name);
  CHECK(refusal(name).empty());
  CHECK(inspect_backup(file)->group_name == name);
  CHECK(refusal("other").find("a backup of the group 'counter', not of 'other'")
        != std::string::npos);
  const auto by_id = "a backup of the group " + to_string(cluster_id{hash_group(name, 2).value()})
                     + ", not of 'other'";
  put("other"); // It says so, but the id isn't that of a group with this name.
  CHECK(refusal("other").find(by_id) != std::string::npos);
  put("");
  CHECK(refusal(name).empty());
  CHECK(refusal("other").find(by_id) != std::string::npos);
  std::filesystem::remove_all(path);
}

TEST_CASE("a restored group begins after the backup's last entry, with the new members") {
  for (size_t size : {size_t{0}, size_t{100}, persistence::small_snapshot_bytes_max + 1}) {
    CAPTURE(size);
    backup from{size};
    memory_disk disk;
    const auto options = options_of({1, 2, 3});
    REQUIRE(restore(disk, from, options).ok());
    auto node = open(disk, options);
    REQUIRE(node.found.groups.size() == 1);
    const auto& group = node.found.groups.front();
    CHECK_FALSE(group.damaged);
    CHECK(group.descriptor.group == hash_group(name, 2));
    CHECK(group.descriptor.generation == 2);
    CHECK(group.descriptor.name == name);
    CHECK(group.descriptor.members == founding_members(options));
    CHECK(group.members() == founding_members(options));
    CHECK(group.begins_after.last == raft::entry_id{index_t{40}, term_t{6}});
    CHECK(group.begins_after.members.id == index_t{40});
    CHECK(group.last == index_t{40});
    CHECK(group.hard == raft::hard_state{term_t{6}, {}, index_t{40}});
    REQUIRE(group.snapshots.size() == 1);
    const auto& kept = group.snapshots.front();
    CHECK(kept.wall_ns == 99);
    std::vector<std::byte> content{kept.bytes.span().begin(), kept.bytes.span().end()};
    if (!kept.is_small) {
      auto file =
        persistence::snapshot_reader::open(*node.dir, {hash_group(name, 2), kept.at.last});
      REQUIRE(file.ok());
      CHECK(file->header().cluster == hash_cluster_name(options.cluster));
      CHECK(file->header().group_name == name);
      content.resize(file->content_bytes());
      REQUIRE(file->read(content).ok());
    }
    CHECK(content == from.content);
    CHECK(node.found.founding.members.starts_with("1,2,3 from backup "));
  }
}

TEST_CASE("the founding is that of the file: equal for copies, for no other file, no other list") {
  const auto founding = [](backup& from, std::set<uint64_t> members) {
    memory_disk disk;
    const auto options = options_of(std::move(members));
    REQUIRE(restore(disk, from, options).ok());
    return open(disk, options).found.founding.id;
  };
  backup one{100};
  backup copy{100};
  backup other{100, 6};
  backup longer{101};
  const auto id = founding(one, {1, 2, 3});
  CHECK(id == founding(copy, {1, 2, 3}));
  CHECK(id != founding(other, {1, 2, 3}));
  CHECK(id != founding(longer, {1, 2, 3}));
  CHECK(id != founding(one, {1, 2}));
  CHECK(id != membership::founded_by({node_id{1}, node_id{2}, node_id{3}}).id);
}

TEST_CASE("a restore is there as a whole or can be done again, wherever the power fails") {
  const auto options = options_of({1, 2, 3});
  backup from{persistence::small_snapshot_bytes_max + 1};
  memory_disk whole;
  REQUIRE(restore(whole, from, options).ok());
  const auto calls = whole.call_count();
  for (uint64_t at = 1; at <= calls; ++at) {
    CAPTURE(at);
    memory_disk disk;
    disk.stop_at(at);
    (void)restore(disk, from, options);
    disk.crash(at);
    disk.stop_at(0);
    auto again = restore(disk, from, options);
    if (!again)
      CHECK(again.reason().code == errc::already_exists);
    auto node = open(disk, options);
    REQUIRE(node.found.groups.size() == 1);
    CHECK(node.found.groups.front().last == index_t{40});
    CHECK(node.found.founding.members.starts_with("1,2,3 from backup "));
  }
}

TEST_CASE("what was restored or forced is durable when that is said") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    backup from{persistence::small_snapshot_bytes_max + 1};
    memory_disk restored;
    REQUIRE(restore(restored, from, options_of({1, 2, 3})).ok());
    const auto found = after_power_failure(restored, seed, options_of({1, 2, 3}));
    REQUIRE(found.size() == 1);
    CHECK(found.front().last == index_t{40});
    memory_disk forced;
    make_old(forced);
    REQUIRE(force(forced, options_of({1})).ok());
    CHECK(after_power_failure(forced, seed, options_of({1})).front().last == index_t{6});
  }
}

TEST_CASE("a directory that has nothing but its cluster's founders isn't restored into either") {
  backup from{100};
  memory_disk disk;
  {
    auto node = open(disk, options_of({1, 2, 3}));
    node.log->add(membership::founded_by({node_id{1}, node_id{2}, node_id{3}}));
    REQUIRE(node.log->commit(true).ok());
  }
  auto refused = restore(disk, from, options_of({1, 2, 3}));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.reason().code == errc::already_exists);
  CHECK(refused.reason().what.find("a node's state") != std::string::npos);
}

TEST_CASE("nothing is restored over what is there") {
  backup from{100};
  memory_disk disk;
  make_old(disk);
  const auto before = disk.call_count();
  auto refused = restore(disk, from, options_of({1, 2, 3}));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.reason().code == errc::already_exists);
  CHECK(refused.reason().what.find("the group counter") != std::string::npos);
  CHECK(disk.call_count() == before);
}

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

} // namespace caucus::testing
