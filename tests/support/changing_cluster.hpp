#pragma once

#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

#include <doctest/doctest.h>

namespace caucus::test {

// Shorthands for tests of membership changes.

using kind = enum membership::member_change::kind;
using membership::change_mode;
using membership::change_request;

/// The first voter leads. Spares run, and are members of nothing.
inline core_cluster group_of(std::vector<uint64_t> voters, std::vector<uint64_t> spares = {},
                             std::vector<uint64_t> learners = {}, raft::core_options how = {}) {
  core_cluster::options x;
  x.voters = std::move(voters);
  x.learners = std::move(learners);
  x.spares = std::move(spares);
  x.core = how;
  core_cluster made{x};
  made.elect(x.voters.front());
  return made;
}

/// Not joint, and exactly these.
inline void check_members(const core_cluster& x, uint64_t at, const std::vector<uint64_t>& voters,
                          const std::vector<uint64_t>& learners = {}) {
  CAPTURE(at);
  CHECK(x.members(at).voters == node_set(voters));
  CHECK(x.members(at).learners == node_set(learners));
  CHECK_FALSE(x.members(at).is_joint());
}

/// One change, taken at once.
inline change_request only(kind what, uint64_t node) { return at_once({change_of(what, node)}); }

/// Why a request was refused; `none` if it was accepted.
inline errc refusal(const core_cluster& x, uint64_t request) {
  const auto answer = x.answer_to(request);
  REQUIRE(answer.has_value());
  return answer->refused;
}

} // namespace caucus::test
