#pragma once

#include "base/assert.hpp"
#include "raft/invariants.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>

namespace caucus::test {

/// Short spellings for tests; production code spells them out.
inline raft::entry_id at(uint64_t index, uint64_t term) { return {index_t{index}, term_t{term}}; }

inline raft::entry_ptr make_entry(uint64_t index, uint64_t term, std::string_view text = {}) {
  return std::make_shared<const raft::entry>(
    raft::entry{.id = at(index, term), .body = {.payload = shared_bytes::copy_of(text)}});
}

inline raft::command text_command(std::string_view text) {
  return {.payload = shared_bytes::copy_of(text)};
}

inline std::set<node_id> node_set(const std::vector<uint64_t>& ids) {
  std::set<node_id> out;
  for (auto id : ids)
    out.insert(node_id{id});
  return out;
}

/// The entries 1, 2, ... with these terms.
inline std::vector<raft::entry_ptr> make_log(std::initializer_list<uint64_t> terms) {
  std::vector<raft::entry_ptr> out;
  for (auto term : terms)
    out.push_back(make_entry(out.size() + 1, term));
  return out;
}

/// What recovery would tell of a disk with these entries.
inline raft::recovered_state recover(raft::hard_state hard,
                                     const std::vector<raft::entry_ptr>& entries, size_t tail,
                                     raft::entry_id compacted = {}) {
  raft::recovered_state out;
  out.hard = hard;
  out.compacted = compacted;
  out.last = compacted.index + entries.size();
  for (const auto& x : entries)
    if (out.runs.empty() || out.runs.back().term != x->id.term)
      out.runs.push_back({x->id.index, x->id.term});
  out.tail.assign(entries.end() - static_cast<std::ptrdiff_t>(tail), entries.end());
  return out;
}

/// One core without a cluster: the test plays network, disk and machine by hand. Its disk is done
/// only when the test says so. Invariants are checked after every step.
class lone_core {
public:
  struct setup {
    uint64_t self = 1;
    std::vector<uint64_t> voters = {1, 2, 3};
    std::vector<uint64_t> learners = {};
    uint64_t term = 0;
    uint64_t voted_for = 0;
    uint64_t commit = 0;
    std::vector<raft::entry_ptr> log = {};
    raft::entry_id compacted = {};
    size_t in_memory = ~size_t{0}; ///< Entries of the tail that recovery hands over.
    uint64_t applied = 0;
    std::vector<membership::numbered_configuration> configurations = {};
    raft::core_options options = {};
  };

  explicit lone_core(setup x) : core_{with_self(x), recovered(x)} {}

  /// Steps and takes the ready.
  raft::ready step(raft::input in) {
    feed(std::move(in));
    return take();
  }
  /// Steps without taking the ready.
  void feed(raft::input in) {
    const auto before = core_.describe();
    core_.step(std::move(in), now);
    raft::invariants::check(core_);
    raft::invariants::check_step(before, core_.describe());
  }
  raft::ready take() {
    const bool expected = core_.has_ready();
    auto out = core_.take_ready(now);
    const bool is_something = out.persist || !out.messages.empty() || !out.heartbeats.empty()
                              || !out.heartbeat_replies.empty() || !out.committed.empty()
                              || !out.accepted.empty() || !out.refused.empty() || !out.reads.empty()
                              || !out.reads_ready.empty() || !out.transferred.empty()
                              || !out.snapshots_wanted.empty() || out.restore
                              || !out.soft_changes.empty() || out.configuration;
    CHECK(expected == is_something);
    CHECK_FALSE(core_.has_ready()); // Nothing is left behind.
    if (out.persist)
      last_seq = out.persist->seq;
    raft::invariants::check(core_);
    return out;
  }
  raft::ready receive(uint64_t from, raft::message body) {
    return step(raft::received{node_id{from}, std::move(body)});
  }
  /// The disk has done everything it was given.
  raft::ready sync() { return step(raft::persisted{last_seq}); }
  raft::ready tick(uint32_t count = 1) {
    for (; count > 1; --count)
      feed(raft::tick{});
    return step(raft::tick{});
  }
  raft::ready propose_change(uint64_t request, membership::change_request change) {
    return step(raft::propose_change{request_id{request}, std::move(change)});
  }
  raft::ready propose(uint64_t request, std::string_view text) {
    return step(raft::propose{request_id{request}, text_command(text)});
  }

  /// Makes node 1 leader, with the answers of nodes 2, 3, ... as far as it takes.
  raft::ready lead() {
    step(raft::campaign{});
    const auto term = term_t{core_.describe().term.value()};
    for (uint64_t id = 2; status().role == raft::role::pre_candidate && id < 9; ++id)
      receive(id, raft::vote_reply{.term = term + 1, .is_pre_vote = true, .granted = true});
    sync();
    auto out = receive(2, raft::vote_reply{.term = term + 1, .granted = true});
    for (uint64_t id = 3; status().role == raft::role::candidate && id < 9; ++id)
      out = receive(id, raft::vote_reply{.term = term + 1, .granted = true});
    REQUIRE(core_.describe().role == raft::role::leader);
    return out;
  }

  [[nodiscard]] raft::core_status status() const { return core_.describe(); }
  [[nodiscard]] raft::snapshot_boundary boundary_at(uint64_t index) const {
    return core_.boundary_at(index_t{index});
  }
  [[nodiscard]] bool has_ready() const { return core_.has_ready(); }

  instant now{.mono_ns = 0, .wall_ns = 1000};
  persist_seq last_seq;

private:
  static raft::core_options with_self(const setup& x) {
    auto out = x.options;
    out.self = node_id{x.self};
    return out;
  }
  static raft::recovered_state recovered(const setup& x) {
    auto out = recover({term_t{x.term}, node_id{x.voted_for}, index_t{x.commit}}, x.log,
                       std::min(x.in_memory, x.log.size()), x.compacted);
    out.members.voters = node_set(x.voters);
    out.members.learners = node_set(x.learners);
    out.applied = index_t{x.applied};
    out.configurations = x.configurations;
    return out;
  }

  raft::core core_;
};

/// The messages of one kind in a ready, with whom they go to.
template <class Message>
std::vector<std::pair<uint64_t, Message>> sent(const raft::ready& out) {
  std::vector<std::pair<uint64_t, Message>> found;
  for (const auto& x : out.messages)
    if (const auto* body = std::get_if<Message>(&x.body))
      found.emplace_back(x.to.value(), *body);
  return found;
}

inline std::vector<raft::append_entries> appends_to(uint64_t to, const raft::ready& out) {
  std::vector<raft::append_entries> found;
  for (auto& [id, body] : sent<raft::append_entries>(out))
    if (id == to)
      found.push_back(body);
  return found;
}

inline raft::append_entries append(uint64_t term, raft::entry_id prev,
                                   std::vector<raft::entry_ptr> entries, uint64_t commit = 0) {
  return {term_t{term}, prev, index_t{commit}, std::move(entries)};
}

/// What a leader knows of a peer.
inline raft::peer_status peer(const lone_core& x, uint64_t id) {
  for (const auto& p : x.status().peers)
    if (p.id == node_id{id})
      return p;
  FAIL("no such peer");
  return {};
}

} // namespace caucus::test
