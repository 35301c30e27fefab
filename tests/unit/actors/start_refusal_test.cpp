// A start that can't be changes nothing.

#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

TEST_CASE("a start with other members than a group has is refused before anything is written") {
  auto with_fourth = false;
  virtual_cluster cluster{{.adjust = [&](node_options& x) {
    if (with_fourth)
      x.members.emplace(node_id{4}, endpoint{"memory", 4});
  }}};
  cluster.start_all();
  cluster.stop(1);
  auto before = cluster.disk(1).call_count();
  auto log = cluster.disk(1).content("wal-0000000000000001.log");
  with_fourth = true;
  auto refused = cluster.start(1);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.reason().code == errc::already_exists);
  CHECK(refused.reason().what.find("--members") != std::string::npos);
  CHECK(refused.reason().what.find("disk1") != std::string::npos);
  CHECK(cluster.disk(1).call_count() == before);
  CHECK(cluster.disk(1).content("wal-0000000000000001.log") == log);
  with_fourth = false;
  REQUIRE(cluster.start(1).ok());
}

} // namespace caucus::testing
