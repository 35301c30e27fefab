#pragma once

#include "caucus/error.hpp"
#include "caucus/snapshot.hpp"
#include "caucus/types.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace caucus {

/// What a machine may know about the command it executes: nothing that could differ between
/// replicas, except `is_replay`, which must not influence the state.
struct apply_context {
  index_t index;
  term_t term;
  int64_t wall_ns = 0;    ///< The leader's wall clock when it took the command; never backwards.
  bool is_replay = false; ///< The entry was in this replica's log when it started.
};

/// Either the machine's reply or its refusal: a refused command has changed nothing, on all
/// replicas alike, and its caller gets `not_executed` with this reason.
using apply_result = result<shared_bytes>;

/// The application's part of a group: executes committed commands in log order. Every replica has
/// one and all must reach the same state, so it uses no clock, randomness, address or unordered
/// iteration of its own. Lives in its machine actor: one thread at a time, free to take its time.
/// An exception quarantines this replica's group.
class state_machine {
public:
  virtual ~state_machine() = default;

  virtual apply_result apply(const apply_context& context, const shared_bytes& command) = 0;

  /// Answers without changing anything; refused unless the machine says how.
  [[nodiscard]] virtual apply_result query(const shared_bytes&) const {
    return error{errc::rejected_by_machine, "this machine answers no queries"};
  }

  /// A hash of the state: equal states, equal digests, on every platform.
  [[nodiscard]] virtual uint64_t digest() const = 0;

  /// One JSON object for people and dashboards.
  [[nodiscard]] virtual std::string describe() const { return "{}"; }

  /// A machine that keeps its own state on disk says up to which command that state is durable, and
  /// a restart executes only what comes after; on all replicas or on none. Nothing of the session
  /// rules is lost, but the replies to what isn't executed again are: a retry of such a command
  /// hears `unknown` with `reply_lost`.
  [[nodiscard]] virtual std::optional<index_t> applied_index() const { return std::nullopt; }

  /// The state as it is now, between two commands. Must be quick, since the next command waits for
  /// it; writing it out takes its time elsewhere. Null: this machine has no snapshots, and its log
  /// grows for ever.
  [[nodiscard]] virtual std::unique_ptr<snapshot_view> take_view() const { return nullptr; }

  /// Replaces the whole state, and what is kept of it on disk, by what a view of another replica,
  /// or of an earlier life, has written. An error or an exception quarantines this replica's group.
  /// To be read to its end.
  virtual result<void> restore(snapshot_source&) {
    return error{errc::machine_failed, "this machine has no snapshots, but is to load one"};
  }
};

using machine_factory = std::function<std::unique_ptr<state_machine>()>;

} // namespace caucus
