#pragma once

#include "apps/sim/clients.hpp"
#include "apps/sim/coverage.hpp"
#include "apps/sim/event_queue.hpp"
#include "apps/sim/network.hpp"
#include "apps/sim/oracles/committed_log.hpp"
#include "apps/sim/oracles/election_safety.hpp"
#include "apps/sim/oracles/executions.hpp"
#include "apps/sim/oracles/log_matching.hpp"
#include "apps/sim/oracles/match_monotony.hpp"
#include "apps/sim/sim_node.hpp"
#include "apps/sim/totals.hpp"
#include "apps/sim/trace.hpp"
#include "apps/sim/violation.hpp"

#include <memory>

namespace caucus::sim {

/// What a run needs beside its options.
struct run_settings {
  bool is_checked = true;           ///< Else no oracle looks (to measure the simulator itself).
  std::ostream* trace_to = nullptr; ///< One line per event.
  uint64_t trace_first = 0;         ///< Lines only from this event on.
  bool keeps_history = false;       ///< What clients saw is wanted.
  std::string dump_to{};            ///< A directory that gets the disks at the end.
};

/// One simulated cluster: nodes with real cores, a network, disks, clients and bad luck, all from
/// one seed and in one thread. Every event leaves the whole in a state that the oracles judge.
///
/// A ready isn't executed at once: its batch is handed to the disk, its messages leave and its
/// entries are applied at times of their own, so that crashes and other inputs come between.
class world {
public:
  world(const options& x, const run_settings& how);

  /// Everything: the events, the healing if the options want it, the judgement. Throws `violation`.
  void run();

  [[nodiscard]] const totals& counts() const noexcept { return counts_; }
  [[nodiscard]] const coverage& reached() const noexcept { return reached_; }
  [[nodiscard]] uint64_t trace_hash() const noexcept { return trace_.hash(); }
  [[nodiscard]] const std::vector<sim_node>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] std::vector<history::operation> history() const { return clients_.history(); }

private:
  // -- the loop (world.cpp) ----------------------------------------------------
  void dispatch(const event& x);
  void on_node(const event& x, sim_node& n);
  void run_until(int64_t timeouts, const char* awaited, const std::function<bool()>& is_done);
  void heal_and_require();
  void end_faults();
  void heal();
  [[nodiscard]] std::vector<uint8_t> some_majority();
  [[nodiscard]] bool can_serve(const std::vector<uint8_t>& alive) const;
  [[nodiscard]] bool is_healed(uint8_t node) const;
  [[nodiscard]] bool has_converged() const;
  void judge();
  clients::surroundings for_clients();
  [[nodiscard]] int64_t soon(int64_t mean_us) { return now_us_ + timing_.around(mean_us); }
  void plan(event_kind kind, int64_t at_us, const sim_node& n, uint32_t arg = 0);
  /// For a trace that somebody reads; else its words aren't even put together.
  template <class... Words>
  void say(const sim_node& n, const Words&... words) {
    if (trace_.is_read())
      trace_.line(now_us_, counts_.events, n.number, text(words...));
  }

  // -- a node's life (world_nodes.cpp) ------------------------------------------
  void start(sim_node& n);
  void crash(sim_node& n, bool comes_back);
  void tick(sim_node& n);
  void tell_sleeper(sim_node& n);
  void deliver(const event& x);
  void start_disk(sim_node& n);
  void finish_disk(sim_node& n);
  void plan_disk(sim_node& n);
  void apply(sim_node& n);
  void answer(const machine::outcome& what, const raft::entry& applied, sim_node& n);
  void finish_read(sim_node& n);
  bool propose(uint8_t node, caller who, const raft::command& body);
  bool read(uint8_t node, caller who, uint32_t object, raft::consistency how);
  void answer_reads(sim_node& n);
  uint8_t some_node(dice& draw) const;

  // -- snapshots (world_snapshots.cpp) ---------------------------------------------
  void begin_snapshot(sim_node& n);
  void finish_snapshot(sim_node& n);
  void compact(sim_node& n, index_t upto);
  void send_snapshot(sim_node& n, const raft::snapshot_wanted& wanted);
  void receive_snapshot(const event& x);
  void store_snapshot(sim_node& n);
  void restore(sim_node& n, raft::entry_id upto);
  void note_file(const sim_node& n, const snapshot_file& x);

  // -- production storage (world_storage.cpp) ---------------------------------------
  void use_production_storage(sim_node& n, uint64_t stream) const;
  [[nodiscard]] bool open_storage(sim_node& n);
  [[nodiscard]] bool has_room(sim_node& n);
  void after_failed_write(sim_node& n);
  [[nodiscard]] bool finish_storage(sim_node& n);
  [[nodiscard]] std::vector<raft::entry_ptr> read_storage(sim_node& n, const raft::log_read& x,
                                                          bool fails);
  void make_in_storage(sim_node& n, snapshot_file made);
  [[nodiscard]] bool ship_from_storage(sim_node& n, snapshot_file& file);
  [[nodiscard]] bool receive_in_storage(sim_node& n, snapshot_file& file);
  void die_of_storage(sim_node& n);
  static void heal_storage(sim_node& n);

  // -- disks that lie (world_damage.cpp) ---------------------------------------------
  [[nodiscard]] std::vector<uint8_t> whole_nodes(uint8_t but = 0) const;
  void damage_disk(int64_t options::*chosen, sim_node& n);
  [[nodiscard]] bool accept_recovery(sim_node& n);
  [[nodiscard]] bool may_forget(const sim_node& n) const;
  void condemn(sim_node& n, const error& why);
  void replace(sim_node& n);
  void count_damage();

  // -- what a core wants done (world_ready.cpp) -----------------------------------
  void step(sim_node& n, raft::input&& in);
  void take(sim_node& n);
  void hand_over(sim_node& n, raft::persist_batch batch, bool was_leader);
  void note_hard_state(sim_node& n, const raft::hard_state& now,
                       const membership::configuration_ptr& before);
  [[nodiscard]] committed_log::is_durable durable_anywhere() const;
  void note_configurations(const sim_node& n, const raft::persist_batch& x);
  void note_roles(sim_node& n, const std::vector<raft::soft_state>& changes);
  void send(const sim_node& n, node_id to, raft::message body);
  void tell_callers(sim_node& n, const raft::ready& out);

  // -- bad luck (world_faults.cpp) -----------------------------------------------
  void inject();
  void partition();
  void cut_one_way();
  void reset_link();
  void strike(int64_t options::*chosen, sim_node& n, int64_t until_us);
  void ask_leader_to_go(bool is_transfer);
  void change_members(bool is_island);
  void change_and_split(sim_node& leading);
  void ask_change(sim_node& n, membership::change_request x);
  [[nodiscard]] membership::member_change some_change();
  sim_node& some_node() { return nodes_[static_cast<size_t>(luck_.between(1, nodes_total()))]; }
  sim_node* leader();
  [[nodiscard]] int64_t nodes_total() const noexcept {
    return static_cast<int64_t>(nodes_.size()) - 1;
  }

  struct travelling_snapshot {
    snapshot_file file;
    uint32_t from_life = 0;
    uint8_t from = 0;
    uint8_t to = 0;
    bool is_lost = false;
  };

  options options_;
  bool is_checked_;
  totals counts_;
  coverage reached_;
  trace trace_;
  dice timing_;
  dice disks_;
  dice luck_;
  network network_;
  event_queue queue_;
  std::vector<travelling_snapshot> travelling_;
  std::vector<sim_node> nodes_; ///< From 1, like their ids.
  membership::configuration first_members_;
  membership::configuration_ptr members_; ///< As of the last commit that anybody knew of.
  membership::configuration_ptr judges_;  ///< Whose majority has decided that.
  index_t commit_;
  int64_t now_us_ = 0;
  term_t newest_led_;
  uint8_t last_leader_ = 0; ///< Of that term; 0: nobody yet.
  uint64_t next_request_ = 1;
  bool is_healed_ = false;
  std::vector<uint8_t> healed_; ///< Who must serve then.

  election_safety leaders_;
  log_matching logs_;
  committed_log committed_;
  executions executed_;
  match_monotony matches_;
  clients clients_;
};

} // namespace caucus::sim
