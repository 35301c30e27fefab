#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"
#include "caucus/state_machine.hpp"
#include "raft/sessions.hpp"

#include <optional>

namespace caucus {

/// Runs a group's state machine: executes committed commands in order, each of a session once, and
/// answers their callers. On a thread away from consensus, so that a slow machine delays only
/// itself.
class machine_host final : public on_worker<machine_actor::base> {
public:
  struct setup {
    std::string group;
    std::unique_ptr<state_machine> machine;
    replica_actor replica;
    index_t replay_until; ///< Entries up to here were in the log when the replica started.
  };

  machine_host(caf::actor_config& cfg, caf::execution_unit* home, setup how);

  machine_actor::behavior_type make_behavior() override;
  const char* name() const override { return "machine"; }
  void on_exit() override;

private:
  void apply_all(machine_work& batch);
  outcome apply(const raft::entry& next);
  outcome execute(const raft::entry& next);
  /// Up to where the machine's state has everything.
  [[nodiscard]] index_t seen() const;
  void answer(machine_query& asked);
  void tell_status(machine_status& asked);
  void take_view();
  result<void> load(const machine_restore& from);
  /// For the application's code: if it throws, the group is quarantined with the reason.
  template <class F>
  bool guarded(F&& work);
  void fail(error reason);

  setup how_;
  std::optional<index_t> kept_; ///< The machine's own state on disk holds everything up to here.
  raft::session_table sessions_;
  index_t applied_;
  int64_t wall_ns_ = 0; ///< Of the entry there.
};

} // namespace caucus
