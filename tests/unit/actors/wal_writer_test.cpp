// Whatever breaks inside the writer of the log is told with its reason, never died of in silence.

#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

/// Sends `messages` to node 1's writer; the node must then be out of service because of `why`.
template <class... Messages>
void check_failure(std::string_view why, Messages... messages) {
  virtual_cluster cluster{{}};
  cluster.start_all();
  auto& writer = cluster.node_of(1).context().wal;
  (caf::anon_send(writer, std::move(messages)), ...);
  cluster.settle();
  auto health = cluster.health(1);
  CAPTURE(health.reason);
  CHECK_FALSE(health.healthy);
  CHECK(health.reason.find(why) != std::string::npos);
  CHECK(health.reason.find("actor died") == std::string::npos);
  CHECK(cluster.status(1).role == "quarantined");
  cluster.stop(1);
  CHECK(cluster.start(1).ok());
}

} // namespace

TEST_CASE("a group described twice in different ways fails the node with the broken rule") {
  wal_describe first{{.group = group_id{77}, .name = "first"}};
  wal_describe other{{.group = group_id{77}, .name = "other"}};
  check_failure("found == st.groups.end()", first, other);
}

TEST_CASE("an exception behind the sync of a peer's directory fails the node with its text") {
  auto fail = [] { throw std::runtime_error{"planted in a pin"}; };
  check_failure("planted in a pin", wal_pin_peer{{node_id{9}, directory_id{9}}, {}, fail});
  check_failure("planted in a pin", wal_pin_peer{{node_id{9}, directory_id{9}}, {}, fail},
                wal_close{});
}

} // namespace caucus::testing
