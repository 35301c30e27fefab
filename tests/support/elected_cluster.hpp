#pragma once

#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

/// Whole nodes in virtual time that have a leader already.
struct elected_cluster : virtual_cluster {
  explicit elected_cluster(options how = {}) : virtual_cluster{std::move(how)} {
    start_all();
    REQUIRE(run_until([&] { return leader() != 0; }));
  }

  uint64_t follower() { return leader() == 1 ? 2 : 1; }

  outcome wait_for(recording_client& client, size_t position) {
    REQUIRE(run_until([&] { return client.at(position).has_value(); }));
    return *client.at(position);
  }
};

inline command numbered(uint64_t session, uint64_t sequence, std::string_view payload,
                        uint64_t lowest_unanswered = 1) {
  command what;
  what.session = session;
  what.sequence = sequence;
  what.lowest_unanswered = lowest_unanswered;
  what.payload = shared_bytes::copy_of(payload);
  return what;
}

} // namespace caucus::testing
