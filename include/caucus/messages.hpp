#pragma once

// The messages of a group's interface. A CAF program that only talks to a group on another machine
// includes this header and links CAF; it needs nothing else of Caucus.

#include "base/errc.hpp"
#include "base/shared_bytes.hpp"

#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace caucus {

/// Something for the group's machine to execute, exactly once where it names a session.
struct command {
  uint64_t session = 0;  ///< From `open_session`; 0: no session, a retry may execute twice.
  uint64_t sequence = 0; ///< 1, 2, 3 … within the session.
  uint64_t lowest_unanswered = 0; ///< The caller has all replies below it.
  uint64_t timeout_ms = 0; ///< When to give up with `unknown`; 0: the node's `proposal-timeout-ms`.
  shared_bytes payload;    ///< The machine's own encoding.
};

/// Commands of one sender, proposed in this order; the answer has one outcome for each.
struct command_batch {
  std::vector<command> commands;
};

/// Opens a session through the log; `outcome::session` is its id.
struct open_session {
  uint64_t timeout_ms =
    0; ///< Idle time by the log's clock after which it expires; 0: the node's default.
};

/// Forgets a session through the log, once its caller has all replies that it wants: it takes room
/// until then, or until it expires.
struct close_session {
  uint64_t session = 0;
};

/// Gives up on a command that this sender sent: its outcome is `unknown` and its slot is free.
struct cancel {
  uint64_t session = 0;
  uint64_t sequence = 0;
};

/// How fresh the answer to a query must be.
enum class freshness : uint8_t {
  linearizable, ///< Of everything acknowledged before it was asked. Costs a round of heartbeats.
  lease,        ///< The same without the round, while the leader's lease holds (option `lease`).
  stale,        ///< What the asked replica has executed so far; also without a leader.
};

/// Asks the machine something that changes nothing; the log isn't touched. Answered by the asked
/// replica's own machine. `committed` with the answer; any other outcome is safe to ask again.
struct query {
  freshness how = freshness::linearizable;
  uint64_t timeout_ms = 0; ///< 0: the node's `proposal-timeout-ms`.
  shared_bytes payload;
};

enum class member_change_kind : uint8_t {
  add,         ///< As a voter, once it has caught up; a learner until then.
  add_learner, ///< Receives the log, doesn't vote.
  promote,     ///< A learner to a voter, once it has caught up.
  demote,      ///< A voter to a learner.
  remove,
  update, ///< Its address.
};

struct member_change {
  member_change_kind kind = member_change_kind::update;
  uint64_t node = 0;
  std::string address; ///< HOST:PORT where its peers reach it; for add, add_learner and update.
};

/// Changes who replicates the group, all of it at once. `committed` with the number of the new
/// configuration in `index`; a refusal says why in `detail`.
struct change_members {
  std::vector<member_change> changes;
  /// Refused unless it is the current one. 0 is a number like any other.
  std::optional<uint64_t> expected_configuration;
  uint64_t timeout_ms = 0;
};

/// Hands leadership over; `target` 0: to whom the leader finds best. `committed` once the leader
/// has heard that another leads.
struct transfer_leadership {
  uint64_t target = 0;
  uint64_t timeout_ms = 0;
};

/// The leader stops leading: hands over if somebody is fit for it, else just ends its leadership.
/// `committed` once it has.
struct step_down {
  uint64_t timeout_ms = 0;
};

/// Makes a snapshot of the asked replica's machine now, whatever its log's length. `committed` with
/// the index it ends at in `index`, once it is durable; `detail` tells how large it is.
struct take_snapshot {};

/// What one answer to `read_snapshot` has at most.
inline constexpr uint64_t snapshot_read_bytes_max = uint64_t{256} << 10;

/// Reads a part of the file of the asked replica's snapshot that ends at `index`
/// (docs/snapshot_format.md). `committed` with the bytes from `offset` on in `reply`, none at the
/// file's end; `snapshot_failed` if there is no such snapshot, or not any more. One that is being
/// read stays readable, unless nobody asks for a minute or four newer ones are read.
struct read_snapshot {
  uint64_t index = 0;
  uint64_t offset = 0;
};

struct members_request {};

/// One member, as the asked replica knows it.
struct member_info {
  uint64_t node = 0;
  std::string address;
  std::string role;       ///< voter, learner, staging, leaving
  uint64_t match = 0;     ///< Told by the leader only: how much of the log it is known to have.
  bool is_active = false; ///< Told by the leader only: it has answered lately.
};

struct group_members {
  uint64_t node = 0; ///< Who tells.
  uint64_t term = 0;
  bool is_member = false;     ///< It is one itself. Who was removed may know nothing newer.
  bool is_leader = false;     ///< Only a leader's answer is of now.
  std::string fault;          ///< Why it is quarantined, and hears of nothing; empty when healthy.
  uint64_t configuration = 0; ///< Its number: index of its entry; 0: the group began with it.
  bool is_joint = false;      ///< Between two configurations: majorities of both decide.
  uint64_t leader = 0;
  std::vector<member_info> members;
};

enum class outcome_kind : uint8_t {
  committed,    ///< Executed; `reply` is the machine's.
  not_executed, ///< And never will be: safe to send again, here or elsewhere.
  unknown,      ///< May or may not be executed: send again only with the same session and sequence.
};

struct outcome {
  outcome_kind kind = outcome_kind::unknown;
  errc reason = errc::none; ///< `none` when committed.
  uint64_t index = 0;       ///< Committed: place in the log.
  uint64_t term = 0;
  uint64_t session = 0;  ///< Answer to `open_session`.
  uint64_t expected = 0; ///< With `session_gap`: the sequence to send again from.
  uint64_t leader = 0;   ///< Node that leads, if known and not this one.
  std::string detail;    ///< For people.
  shared_bytes reply;
};

struct status_request {};

/// A snapshot on its way between two nodes, as one of them sees it.
struct snapshot_transfer {
  uint64_t peer = 0;        ///< The other node.
  bool is_incoming = false; ///< From it; else to it.
  uint64_t index = 0;       ///< Up to where the snapshot goes.
  uint64_t bytes = 0;       ///< Of its file; so many the receiver has.
  uint64_t file_bytes = 0;
};

/// One replica, as seen by itself.
struct group_status {
  std::string group;
  uint64_t node = 0;
  std::string role; ///< follower, pre_candidate, candidate, leader, quarantined
  uint64_t term = 0;
  uint64_t leader = 0; ///< 0: none known.
  uint64_t commit = 0;
  uint64_t applied =
    0; ///< By this replica's own machine; `digest` and `machine` are of this index.
  uint64_t persisted = 0;
  uint64_t last = 0;
  uint64_t snapshot = 0; ///< Up to where its newest snapshot goes; 0: there is none.
  uint64_t digest = 0;   ///< Of the machine's state: equal on replicas with equal `applied`.
  std::string machine;   ///< What the machine tells about itself, one JSON object.
  std::string fault;     ///< Why it is quarantined; empty when healthy.
  std::vector<snapshot_transfer> transfers;
};

/// Every change of (term, leader), once, in order; the current value comes first.
struct leader_changed {
  std::string group;
  uint64_t term = 0;
  uint64_t leader = 0; ///< 0: nobody known.
};

template <class F>
auto inspect(F& f, command& x) {
  return f(x.session, x.sequence, x.lowest_unanswered, x.timeout_ms, x.payload);
}
template <class F>
auto inspect(F& f, command_batch& x) {
  return f(x.commands);
}
template <class F>
auto inspect(F& f, open_session& x) {
  return f(x.timeout_ms);
}
template <class F>
auto inspect(F& f, close_session& x) {
  return f(x.session);
}
template <class F>
auto inspect(F& f, cancel& x) {
  return f(x.session, x.sequence);
}
template <class F>
auto inspect(F& f, query& x) {
  return f(x.how, x.timeout_ms, x.payload);
}
template <class F>
auto inspect(F& f, member_change& x) {
  return f(x.kind, x.node, x.address);
}
template <class F>
auto inspect(F& f, transfer_leadership& x) {
  return f(x.target, x.timeout_ms);
}
template <class F>
auto inspect(F& f, step_down& x) {
  return f(x.timeout_ms);
}
template <class F>
auto inspect(F& f, take_snapshot&) {
  return f();
}
template <class F>
auto inspect(F& f, read_snapshot& x) {
  return f(x.index, x.offset);
}
template <class F>
auto inspect(F& f, members_request&) {
  return f();
}
template <class F>
auto inspect(F& f, member_info& x) {
  return f(x.node, x.address, x.role, x.match, x.is_active);
}
template <class F>
auto inspect(F& f, group_members& x) {
  return f(x.node, x.term, x.is_member, x.is_leader, x.fault, x.configuration, x.is_joint, x.leader,
           x.members);
}
template <class F>
auto inspect(F& f, outcome& x) {
  return f(x.kind, x.reason, x.index, x.term, x.session, x.expected, x.leader, x.detail, x.reply);
}
template <class F>
auto inspect(F& f, status_request&) {
  return f();
}
template <class F>
auto inspect(F& f, snapshot_transfer& x) {
  return f(x.peer, x.is_incoming, x.index, x.bytes, x.file_bytes);
}
template <class F>
auto inspect(F& f, group_status& x) {
  return f(x.group, x.node, x.role, x.term, x.leader, x.commit, x.applied, x.persisted, x.last,
           x.snapshot, x.digest, x.machine, x.fault, x.transfers);
}
template <class F>
auto inspect(F& f, leader_changed& x) {
  return f(x.group, x.term, x.leader);
}

/// Not every CAF knows std::optional: it travels as a flag and a number.
template <class F>
typename F::result_type inspect(F& f, change_members& x) {
  bool is_expecting = x.expected_configuration.has_value();
  uint64_t expected = x.expected_configuration.value_or(0);
  const auto bring_back = [&] {
    if constexpr (!F::reads_state)
      x.expected_configuration = is_expecting ? std::optional{expected} : std::nullopt;
  };
  if constexpr (std::is_same_v<typename F::result_type, void>) {
    f(x.changes, is_expecting, expected, x.timeout_ms);
    bring_back();
  } else {
    auto status = f(x.changes, is_expecting, expected, x.timeout_ms);
    bring_back();
    return status;
  }
}

/// Payload bytes travel as a string of bytes; a copy is made only at the system's border.
template <class F>
typename F::result_type inspect(F& f, shared_bytes& x) {
  std::string bytes;
  if constexpr (F::reads_state) {
    bytes.assign(x.view());
    return f(bytes);
  } else {
    if constexpr (std::is_same_v<typename F::result_type, void>) {
      f(bytes);
      x = shared_bytes::copy_of(bytes);
    } else {
      auto status = f(bytes);
      x = shared_bytes::copy_of(bytes);
      return status;
    }
  }
}

/// Hears of a group's leaders.
using leader_listener = caf::typed_actor<caf::reacts_to<leader_changed>>;

/// A group, through any of its nodes: the replica there answers, or forwards to the leader. The
/// handle of a remote node is obtained with caf::io::remote_actor and dies with that node.
using group_actor = caf::typed_actor<
  // Executes one command.
  caf::replies_to<command>::with<outcome>,
  // Executes several in this order.
  caf::replies_to<command_batch>::with<std::vector<outcome>>,
  // Opens a session.
  caf::replies_to<open_session>::with<outcome>,
  // Closes one; `session_expired` if there is none by that number any more.
  caf::replies_to<close_session>::with<outcome>,
  // Gives up on a command.
  caf::reacts_to<cancel>,
  // Asks the machine without touching the log.
  caf::replies_to<query>::with<outcome>,
  // Changes the members.
  caf::replies_to<change_members>::with<outcome>,
  // Hands leadership over.
  caf::replies_to<transfer_leadership>::with<outcome>,
  // Ends the asked replica's leadership.
  caf::replies_to<step_down>::with<outcome>,
  // Makes a snapshot of the asked replica's machine.
  caf::replies_to<take_snapshot>::with<outcome>,
  // Reads a part of one.
  caf::replies_to<read_snapshot>::with<outcome>,
  // Tells who the members are.
  caf::replies_to<members_request>::with<group_members>,
  // Tells this replica's own state, also when there is no leader.
  caf::replies_to<status_request>::with<group_status>,
  // From now on the listener gets leader_changed messages.
  caf::reacts_to<leader_listener>>;

} // namespace caucus

CAF_BEGIN_TYPE_ID_BLOCK(caucus_messages, caf::first_custom_type_id + 300)

CAF_ADD_TYPE_ID(caucus_messages, (caucus::command))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::command_batch))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::open_session))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::cancel))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::outcome))
CAF_ADD_TYPE_ID(caucus_messages, (std::vector<caucus::outcome>))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::status_request))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::group_status))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::leader_changed))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::leader_listener))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::group_actor))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::close_session))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::query))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::member_change))
CAF_ADD_TYPE_ID(caucus_messages, (std::vector<caucus::member_change>))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::change_members))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::transfer_leadership))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::step_down))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::members_request))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::member_info))
CAF_ADD_TYPE_ID(caucus_messages, (std::vector<caucus::member_info>))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::group_members))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::take_snapshot))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::read_snapshot))
CAF_ADD_TYPE_ID(caucus_messages, (caucus::snapshot_transfer))
CAF_ADD_TYPE_ID(caucus_messages, (std::vector<caucus::snapshot_transfer>))

CAF_END_TYPE_ID_BLOCK(caucus_messages)
