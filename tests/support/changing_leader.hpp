#pragma once

#include "tests/support/changing_cluster.hpp"

namespace caucus::test {

/// A leader of three, whose no-op is on its own disk.
inline lone_core leader(raft::core_options how = {}) {
  lone_core x{{.options = how}};
  x.lead();
  x.sync();
  return x;
}

inline void commit_all(lone_core& x) {
  const auto last = x.status().last;
  x.sync();
  x.receive(
    2, raft::append_reply{.term = x.status().term, .accepted = true, .match = x.status().last});
  REQUIRE(x.status().commit == last);
}

/// Why the change is refused, having left nothing in the log; `none` if it is an entry now.
inline errc answer(lone_core& x, change_request asked) {
  const auto before = x.status().last;
  const auto out = x.propose_change(9, std::move(asked));
  if (out.refused.empty()) {
    REQUIRE(out.accepted.size() == 1);
    CHECK(out.accepted[0].place.index == before + 1);
    return errc::none;
  }
  CHECK(out.accepted.empty());
  CHECK(x.status().last == before); // No log entry.
  return out.refused[0].reason;
}

} // namespace caucus::test
