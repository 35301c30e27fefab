#include "membership/founding.hpp"

#include <doctest/doctest.h>

namespace caucus::membership {

TEST_CASE("a founding is that of its members' ids, whatever their order, and none is none") {
  const auto three = founded_by({node_id{3}, node_id{1}, node_id{2}});
  CHECK(three == founded_by({node_id{1}, node_id{2}, node_id{3}}));
  CHECK(three.members == "1,2,3");
  CHECK(three.id == founding_id{0x55250dc5d12730a9}); // On disks and wires: it must never change.
  CHECK(founded_by({}).id);
  CHECK(founded_by({node_id{1}, node_id{2}}).id != three.id);
  CHECK(founded_by({node_id{1}, node_id{2}, node_id{4}}).id != three.id);
}

TEST_CASE("a long founding is cut for people, not in its id") {
  std::set<node_id> many;
  for (uint64_t id = 1; id <= 200; ++id)
    many.insert(node_id{id});
  const auto all = founded_by(many);
  CHECK(all.members.size() <= founding_text_bytes_max);
  CHECK(all.members.starts_with("1,2,3,"));
  CHECK(all.members.ends_with(",... (200 nodes)"));
  many.erase(node_id{200});
  CHECK(founded_by(many).id != all.id);
}

TEST_CASE("who begins with something is of another cluster than who begins with anything else") {
  const std::set<node_id> three{node_id{1}, node_id{2}, node_id{3}};
  const auto from_backup = founded_by(three, {0x77, "backup 77"});
  CHECK(from_backup.members == "1,2,3 from backup 77");
  CHECK(from_backup == founded_by(three, {0x77, "backup 77"}));
  CHECK(from_backup.id == founding_id{0x510946bef9e0c39f}); // As docs/wal_format.md says it.
  CHECK(from_backup.id != founded_by(three).id);
  CHECK(from_backup.id != founded_by(three, {0x78, "backup 77"}).id);
  CHECK(from_backup.id != founded_by({node_id{1}, node_id{2}}, {0x77, "backup 77"}).id);
  CHECK(founded_by(three, {0, ""}).id != founded_by(three).id);
  std::set<node_id> many;
  for (uint64_t id = 1; id <= 200; ++id)
    many.insert(node_id{id});
  const auto cut = founded_by(many, {0x77, "backup 77"});
  CHECK(cut.members.size() <= founding_text_bytes_max);
  CHECK(cut.members.ends_with(",... (200 nodes) from backup 77"));
  CHECK(founded_by(many, {1, std::string(500, 'x')}).members.size() <= founding_text_bytes_max);
}

} // namespace caucus::membership
