#include "base/crc32c.hpp"
#include "persistence/snapshot_catalog.hpp"
#include "tests/unit/persistence/snapshot_fixture.hpp"

#include <cstring>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

constexpr group_id group_a{0xa};
constexpr group_id group_b{0xb};

struct snapshots {
  memory_disk disk;
  std::unique_ptr<directory> dir = *disk.open();

  void add(uint64_t index, group_id group = group_a) {
    REQUIRE(try_write(*dir, header_at(index, group.value()), content_of(200, index)).ok());
  }
  void damage(uint64_t index, uint64_t offset) {
    const auto name = file_name(header_at(index).name());
    const auto x = ~disk.content(name).at(offset);
    disk.overwrite(name, offset, std::span{&x, 1});
  }
  [[nodiscard]] snapshot_catalog catalog() const { return *snapshot_catalog::read(*dir); }
  [[nodiscard]] newest_snapshot newest() const {
    return *open_newest(*dir, catalog().of(group_a), snapshot_cluster);
  }
};

std::vector<uint64_t> indexes(std::span<const snapshot_name> names) {
  std::vector<uint64_t> all;
  for (const auto& name : names)
    all.push_back(name.last.index.value());
  return all;
}

snapshot_name name_at(uint64_t index, group_id group = group_a) {
  return header_at(index, group.value()).name();
}

using numbers = std::vector<uint64_t>;

} // namespace

TEST_SUITE("persistence/snapshot_catalog") {

  TEST_CASE("lists each group's snapshots, the newest first, and opens none") {
    snapshots x;
    for (const uint64_t index : {5, 300, 20})
      x.add(index);
    x.add(7, group_b);
    x.disk.put("wal-0000000000000001.log", {});
    x.disk.put("notes.txt", {});
    x.disk.put(unfinished_file_name(name_at(9), snapshot_uid{1}), {});
    uint64_t opened = 0;
    x.disk.on_call([&](const disk_call& call) -> std::optional<error> {
      opened += call.kind == disk_call::kind::open ? 1 : 0;
      return std::nullopt;
    });
    const auto found = x.catalog();
    CHECK(opened == 0);
    CHECK(found.groups.size() == 2);
    CHECK(indexes(found.of(group_a)) == numbers{300, 20, 5});
    CHECK(indexes(found.of(group_b)) == numbers{7});
    CHECK(found.of(group_id{0xc}).empty());
    CHECK(found.leftovers.size() == 1);
  }

  TEST_CASE("temporaries are removed, and nothing else") {
    snapshots x;
    x.add(5);
    x.disk.put("other.tmp", {});
    x.disk.put("wal-0000000000000001.log.tmp", {});
    x.disk.put(unfinished_file_name(name_at(9), snapshot_uid{1}), {});
    REQUIRE(remove_leftovers(*x.dir, x.catalog()).ok());
    CHECK(x.disk.names()
          == std::vector<std::string>{"other.tmp", file_name(name_at(5)),
                                      "wal-0000000000000001.log.tmp"});
  }

  TEST_CASE("of a newer index is newer, whenever it was written (N-09, S-52)") {
    snapshots x;
    x.add(9); // Installed
    x.add(5); // before an older one that was made here has finished.
    CHECK(x.newest().reader->header().at.last.index == index_t{9});
    CHECK(find_superfluous(x.catalog(), {{{group_a, index_t{9}}}, {}, {}, 1})
          == std::vector{name_at(5)});
  }

  TEST_CASE("the newest sound one is found, and why others weren't is told (E-11)") {
    snapshots x;
    for (const uint64_t index : {5, 6, 7, 8})
      x.add(index);
    x.damage(8, 45);  // In the header,
    x.damage(7, 200); // in a chunk.
    auto found = x.newest();
    REQUIRE(found.reader);
    CHECK(found.reader->header().at.last.index == index_t{6});
    CHECK(*read_all(*found.reader) == content_of(200, 6));
    REQUIRE(found.damaged.size() == 2);
    CHECK(says(found.damaged.at(name_at(8)), "memory/" + file_name(name_at(8))));
    CHECK(says(found.damaged.at(name_at(8)), "at offset 0"));
    CHECK(says(found.damaged.at(name_at(7)),
               "at offset " + std::to_string(encode(header_at(7)).size())));
    for (const uint64_t index : {5, 6})
      x.damage(index, 200);
    CHECK_FALSE(x.newest().reader);
    CHECK(x.newest().damaged.size() == 4);
  }

  TEST_CASE("one that the disk can't read is passed over like a damaged one") {
    snapshots x;
    x.add(5);
    x.add(6);
    x.disk.on_call([](const disk_call& call) -> std::optional<error> {
      if (call.kind == disk_call::kind::read && call.name == file_name(name_at(6)))
        return error{errc::io_failed, "cannot read memory/" + std::string{call.name}};
      return std::nullopt;
    });
    const auto found = x.newest();
    REQUIRE(found.reader);
    CHECK(found.reader->header().at.last.index == index_t{5});
    CHECK(found.damaged.at(name_at(6)).code == errc::io_failed);
  }

  TEST_CASE("one of another cluster or a newer format is not passed over silently") {
    snapshots x;
    x.add(5);
    const auto names = x.catalog().groups.at(group_a);
    CHECK(open_newest(*x.dir, names, cluster_id{9}).reason().code == errc::identity_mismatch);
    auto file = x.disk.content(file_name(name_at(5)));
    auto header = encode(header_at(5));
    header[8] = std::byte{3};
    const auto sum = crc32c(std::span{header}.first(header.size() - 4));
    std::memcpy(header.data() + header.size() - 4, &sum, sizeof sum);
    x.disk.overwrite(file_name(name_at(5)), 0, header);
    const auto refused = open_newest(*x.dir, names, snapshot_cluster);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::version_mismatch);
    CHECK(says(refused.reason(), file_name(name_at(5))));
    CHECK(find_damaged(*x.dir, names).empty()); // So it isn't deleted either.
  }

  TEST_CASE("damage of header, size or trailer is found without reading the content") {
    snapshots x;
    for (const uint64_t index : {5, 6, 7, 8})
      x.add(index);
    const auto size = x.disk.content(file_name(name_at(5))).size();
    x.damage(5, 30);
    x.damage(6, size - 1);
    x.damage(7, 200); // In the content.
    uint64_t reads = 0;
    x.disk.on_call([&](const disk_call& call) -> std::optional<error> {
      reads += call.kind == disk_call::kind::read ? 1 : 0;
      return std::nullopt;
    });
    const auto damaged = find_damaged(*x.dir, x.catalog().of(group_a));
    CHECK(damaged.size() == 2);
    CHECK(damaged.contains(name_at(5)));
    CHECK(damaged.contains(name_at(6)));
    CHECK(reads <= 4 * 3);
  }

  TEST_CASE("the newest two stay, older ones may go once the log doesn't begin there") {
    snapshots x;
    for (const uint64_t index : {5, 6, 7, 8})
      x.add(index);
    x.add(3, group_b);
    snapshot_needs needs;
    needs.log_begins_after = {{group_a, index_t{7}}, {group_b, index_t{50}}};
    CHECK(indexes(find_superfluous(x.catalog(), needs)) == numbers{6, 5});
    needs.log_begins_after[group_a] = index_t{100};
    CHECK(indexes(find_superfluous(x.catalog(), needs)) == numbers{6, 5});
    needs.log_begins_after[group_a] = index_t{6}; // The log isn't cut yet (S-55).
    CHECK(indexes(find_superfluous(x.catalog(), needs)) == numbers{5});
    needs.log_begins_after[group_a] = index_t{0};
    CHECK(find_superfluous(x.catalog(), needs).empty());
  }

  TEST_CASE("a damaged one doesn't count as kept, and goes only when it is old") {
    snapshots x;
    for (const uint64_t index : {4, 5, 6, 7, 8})
      x.add(index);
    snapshot_needs needs;
    needs.log_begins_after = {{group_a, index_t{100}}};
    needs.damaged = {name_at(8), name_at(6), name_at(4)};
    CHECK(indexes(find_superfluous(x.catalog(), needs)) == numbers{4});
  }

  TEST_CASE("one in use is never deleted, of whatever group (N-05)") {
    snapshots x;
    for (const uint64_t index : {5, 6, 7, 8})
      x.add(index);
    x.add(3, group_b);
    x.add(4, group_b);
    snapshot_needs needs;
    needs.log_begins_after = {{group_a, index_t{100}}}; // Group b doesn't exist any more.
    needs.in_use = {name_at(5), name_at(3, group_b)};
    const auto found = find_superfluous(x.catalog(), needs);
    CHECK(found == std::vector{name_at(6), name_at(4, group_b)});
    REQUIRE(remove_snapshots(*x.dir, found).ok());
    CHECK(indexes(x.catalog().of(group_a)) == numbers{8, 7, 5});
    CHECK(indexes(x.catalog().of(group_b)) == numbers{3});
    x.disk.crash(1); // The removal was synced.
    x.dir = *x.disk.open();
    CHECK(indexes(x.catalog().of(group_a)) == numbers{8, 7, 5});
  }

  TEST_CASE("a removal that fails doesn't keep the others, and is told") {
    snapshots x;
    for (const uint64_t index : {5, 6, 7})
      x.add(index);
    x.disk.on_call([](const disk_call& call) -> std::optional<error> {
      if (call.kind == disk_call::kind::remove && call.name == file_name(name_at(5)))
        return error{errc::io_failed, "cannot remove"};
      return std::nullopt;
    });
    const auto failed = remove_snapshots(*x.dir, std::vector{name_at(5), name_at(6), name_at(99)});
    CHECK(failed.reason().what == "cannot remove");
    CHECK(indexes(x.catalog().of(group_a)) == numbers{7, 5});
  }

} // TEST_SUITE
