// A cluster that begins with a backup.

#include "tests/unit/actors/new_cluster_fixture.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace caucus::testing::new_cluster {

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

} // namespace caucus::testing::new_cluster
