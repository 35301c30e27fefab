#pragma once

#include "tests/support/golden/scripted_replica.hpp"
#include "tests/support/golden/trace_command.hpp"

#include <map>
#include <set>

namespace caucus::golden {

/// A cluster that does what a trace's commands say, and writes down what each replica says to it.
/// Nothing moves by itself: time, disks, machines and the network are commands. Beyond what each
/// replica checks, no two may lead in one term, nor commit different entries at one index.
/// docs/testing.md describes the commands.
class trace_session {
public:
  struct packet {
    node_id from;
    node_id to;
    raft::message body;
    std::shared_ptr<const snapshot_file> snapshot{}; ///< Then there is no body.

    [[nodiscard]] std::string kind() const;
    [[nodiscard]] std::string text() const;
  };

  /// Executes one command and returns what came of it, line by line. Throws `script_error` if it
  /// makes no sense or requires what isn't so, `invariant_violation` if a core is wrong.
  std::vector<std::string> run(const std::string& text);

  [[nodiscard]] const std::map<node_id, scripted_replica>& replicas() const { return replicas_; }
  /// 0 if nobody has led that term so far.
  [[nodiscard]] node_id leader_of(term_t term) const {
    const auto found = leaders_.find(term);
    return found == leaders_.end() ? node_id{} : found->second;
  }

private:
  using handler = void (trace_session::*)(trace_command&);
  static const std::map<std::string, handler>& handlers();

  // -- the cluster (trace_session.cpp) --------------------------------------------
  void add(trace_command& x);
  void compact(trace_command& x);
  void crash(trace_command& x);
  void restart(trace_command& x);
  void set_automatic(trace_command& x);

  // -- inputs -----------------------------------------------------------------------
  void campaign(trace_command& x);
  void elect(trace_command& x);
  void tick(trace_command& x);
  void wait(trace_command& x);
  void pass_time(trace_command& x);

  // -- requests (trace_requests.cpp) -------------------------------------------------
  void propose(trace_command& x);
  void change(trace_command& x);
  void read(trace_command& x);
  void transfer(trace_command& x);
  void step_down(trace_command& x);
  void report_unreachable(trace_command& x);

  // -- work of a ready (trace_work.cpp) ----------------------------------------------
  void take(trace_command& x);
  void send(trace_command& x);
  void persist(trace_command& x);
  void apply(trace_command& x);
  void answer_read(trace_command& x);
  void work(trace_command& x);
  void settle(trace_command& x);

  // -- the network --------------------------------------------------------------------
  void deliver(trace_command& x);
  void drop(trace_command& x);
  void show_wire(trace_command& x);

  // -- facts (trace_facts.cpp) ---------------------------------------------------------
  void show_state(trace_command& x);
  void show_log(trace_command& x);
  void show_members(trace_command& x);
  void show_peers(trace_command& x);
  void show_machine(trace_command& x);
  void expect(trace_command& x);

  struct automatic_work {
    bool take = true;
    bool send = true;
    bool persist = false;
    bool apply = false;
  };
  /// Which packets a command is about.
  struct filter {
    std::set<node_id> to;   ///< Empty: any.
    std::set<node_id> from; ///< Empty: any.
    std::set<std::string> kinds;
    bool is_newest_first = false;
    bool keeps = false; ///< A duplicate stays on the wire.
    size_t count = ~size_t{0};

    [[nodiscard]] bool is_for(const packet& x) const;
  };
  filter read_filter(trace_command& x);
  /// Takes them off the wire, in order.
  std::vector<packet> pick(const filter& x);

  scripted_replica& at(uint64_t id);
  scripted_replica& running(uint64_t id);
  std::vector<uint64_t> ids_or_running(trace_command& x);
  void say(node_id who, const std::string& what);
  void step(uint64_t id, raft::input in);
  void take_from(uint64_t id);
  size_t send_from(uint64_t id, size_t count);
  size_t persist_at(uint64_t id, size_t count);
  size_t apply_at(uint64_t id, size_t count);
  /// One of those three, as the command says: where, and how much of what waits there.
  void work_off(trace_command& x, size_t (trace_session::*part)(uint64_t, size_t));
  /// Whatever the `automatic` command names, until there is nothing left of it.
  void work_automatically(uint64_t id, const automatic_work& which);
  bool work_at(uint64_t id);
  bool deliver_to(const filter& x);
  void deliver_one(const packet& x);
  void report_snapshot(const packet& x, bool has_arrived);
  void check_agreement(uint64_t id);

  std::map<node_id, scripted_replica> replicas_;
  std::deque<packet> wire_;
  std::vector<std::string> out_;
  automatic_work automatic_;
  std::set<uint64_t> waited_; ///< Who has waited in vain and heard nothing since.
  int64_t now_ns_ = 0;
  uint64_t last_request_ = 0;
  std::map<term_t, node_id> leaders_;
  std::map<index_t, raft::entry_id> committed_;
};

} // namespace caucus::golden
