#pragma once

#include "raft/sessions.hpp"

#include <doctest/doctest.h>

#include <string>

namespace caucus::raft {

using verdict_kind = enum session_verdict::kind;
inline constexpr int64_t second = 1'000'000'000;

/// Makes the entries of one log and applies them to one table, the way a machine would: its reply
/// names the entry that executed.
struct session_replica {
  session_table table;
  uint64_t last = 0;
  int64_t now = second;
  int executed = 0;

  session_verdict apply(command body) {
    const entry next{{index_t{++last}, term_t{1}}, now, std::move(body)};
    return apply(next);
  }
  session_verdict apply(const entry& next) {
    last = next.id.index.value();
    auto verdict = table.judge(next);
    if (verdict.kind == verdict_kind::execute) {
      ++executed;
      table.record(next, {errc::none, shared_bytes::copy_of("reply of " + std::to_string(last))});
    }
    return verdict;
  }
  session_id open(open_session limits = {60 * second, 100}) {
    const auto verdict = apply(command{entry_kind::session, {}, {}, {}, encode(limits)});
    REQUIRE(verdict.kind == verdict_kind::opened);
    return verdict.session;
  }
  session_verdict close(session_id id) {
    return apply(command{entry_kind::session, id, {}, {}, encode(close_session{})});
  }
  session_verdict send(session_id id, uint64_t sequence, uint64_t lowest = 1) {
    return apply(command{entry_kind::command, id, sequence_t{sequence}, sequence_t{lowest},
                         shared_bytes::copy_of("add 1")});
  }
  void restart() {
    auto again = session_table::load(table.save());
    REQUIRE(again.ok());
    table = std::move(*again);
  }
};

inline bool is_refused(const session_verdict& x, errc reason) {
  return x.kind == verdict_kind::refuse && x.reason == reason;
}

} // namespace caucus::raft
