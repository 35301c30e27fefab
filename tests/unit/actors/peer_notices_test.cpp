#include "actors/peer_notices.hpp"

#include <doctest/doctest.h>

namespace caucus {

namespace {

using namespace std::chrono_literals;

constexpr peer_notices::time_point start{1h};

} // namespace

TEST_CASE("news of a peer is said once for each kind, then once a minute") {
  peer_notices notices;
  int said = 0;
  for (auto passed = 0s; passed < 3min; passed += 1s)
    for (auto kind : {errc::unreachable, errc::identity_mismatch})
      said += notices.is_due(node_id{3}, kind, start + passed) ? 1 : 0;
  CHECK(said == 6);
  CHECK(notices.is_due(node_id{4}, errc::unreachable, start + 3min));
  CHECK_FALSE(notices.is_due(node_id{4}, errc::unreachable, start + 3min));
  notices.clear();
  CHECK(notices.is_due(node_id{4}, errc::unreachable, start + 3min));
}

TEST_CASE("strangers that claim ever new ids are said to be there, not each of them") {
  peer_notices notices;
  size_t said = 0;
  for (uint64_t id = 1; id <= 10000; ++id)
    said += notices.is_due(node_id{id}, errc::identity_mismatch, start) ? 1 : 0;
  CHECK(said == peer_notices::kinds_max + 1);
  // They are forgotten in time.
  CHECK(notices.is_due(node_id{10001}, errc::identity_mismatch, start + 1min));
}

} // namespace caucus
