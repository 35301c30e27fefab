#pragma once

#include "transport/transport.hpp"

#include <sstream>
#include <string>

namespace caucus::transport {

/// Every field of a message as text, so that two messages can be compared and a difference be read.
struct message_dump {
  std::ostringstream out;

  template <class... Xs>
  void put(const char* name, const Xs&... xs) {
    out << name;
    ((out << ' ' << xs), ...);
    out << '\n';
  }
  void put_command(const raft::command& x) {
    put("command", static_cast<int>(x.kind), x.session.value(), x.sequence.value(),
        x.lowest_unanswered.value(), x.payload.size(), x.payload.view());
  }

  void operator()(const raft::request_vote& x) {
    put("request_vote", x.term.value(), x.last.index.value(), x.last.term.value(), x.is_pre_vote,
        x.is_transfer);
  }
  void operator()(const raft::vote_reply& x) {
    put("vote_reply", x.term.value(), x.is_pre_vote, x.granted, x.removed_by.value());
  }
  void operator()(const raft::append_entries& x) {
    put("append_entries", x.term.value(), x.prev.index.value(), x.prev.term.value(),
        x.leader_commit.value(), x.entries.size());
    for (const auto& e : x.entries) {
      put("entry", e->id.index.value(), e->id.term.value(), e->wall_ns);
      put_command(e->body);
    }
  }
  void operator()(const raft::append_reply& x) {
    put("append_reply", x.term.value(), x.accepted, x.match.value(), x.prev.value(),
        x.hint.index.value(), x.hint.term.value(), static_cast<int>(x.priority));
  }
  void operator()(const raft::heartbeat& x) {
    put("heartbeat", x.term.value(), x.commit.value(), x.context.value());
  }
  void operator()(const raft::heartbeat_reply& x) {
    put("heartbeat_reply", x.term.value(), x.context.value(), x.promise_ns);
  }
  void operator()(const raft::timeout_now& x) { put("timeout_now", x.term.value()); }
  void operator()(const raft::forward_proposal& x) {
    put("forward_proposal", x.request.value());
    put_command(x.body);
  }
  void operator()(const raft::forward_reply& x) {
    put("forward_reply", x.request.value(), static_cast<int>(x.refused), x.accepted.index.value(),
        x.accepted.term.value(), x.leader.value(), x.detail);
  }
  void operator()(const raft::read_index& x) { put("read_index", x.context.value()); }
  void operator()(const raft::quiesce& x) {
    put("quiesce", x.term.value(), x.last.index.value(), x.last.term.value());
  }
  void operator()(const raft::read_index_reply& x) {
    put("read_index_reply", x.context.value(), static_cast<int>(x.refused), x.index.value());
  }
};

inline std::string dump(const std::vector<routed_message>& messages) {
  message_dump all;
  for (const auto& x : messages) {
    all.put("group", x.group.value());
    std::visit(all, x.body);
  }
  return all.out.str();
}

inline raft::entry_ptr make_entry(uint64_t index, uint64_t term, std::string_view payload,
                                  raft::entry_kind kind = raft::entry_kind::command) {
  auto x = std::make_shared<raft::entry>();
  x->id = {index_t{index}, term_t{term}};
  x->wall_ns = 1'700'000'000'000'000'000 + static_cast<int64_t>(index);
  x->body = {kind, session_id{31}, sequence_t{32}, sequence_t{33}, shared_bytes::copy_of(payload)};
  return x;
}

inline raft::append_entries make_append(uint64_t prev, size_t count, size_t payload_bytes) {
  raft::append_entries x{term_t{9}, {index_t{prev}, term_t{8}}, index_t{prev}, {}};
  for (size_t i = 0; i < count; ++i) {
    std::string payload(payload_bytes, static_cast<char>('a' + i % 26));
    x.entries.push_back(make_entry(prev + 1 + i, 9, payload));
  }
  return x;
}

/// One of each kind, no field with its default value and no two fields alike.
inline std::vector<routed_message> one_of_each() {
  constexpr uint64_t huge = 0xfedc'ba98'7654'3210;
  std::vector<routed_message> all;
  uint64_t group = huge;
  auto add = [&](raft::message x) { all.push_back({group_id{group++}, std::move(x)}); };
  add(raft::request_vote{term_t{11}, {index_t{1 << 20}, term_t{10}}, true, false});
  add(raft::request_vote{term_t{11}, {index_t{1 << 20}, term_t{10}}, false, true});
  add(raft::vote_reply{term_t{200}, true, false, index_t{34}});
  add(raft::vote_reply{term_t{200}, false, true});
  auto append = make_append(70'000, 2, 5);
  append.entries.push_back(make_entry(70'003, 9, "", raft::entry_kind::no_op));
  append.entries.push_back(make_entry(70'004, 9, "c", raft::entry_kind::configuration));
  append.entries.push_back(make_entry(70'005, 9, "s", raft::entry_kind::session));
  append.entries.push_back(make_entry(70'006, 9, "i", raft::entry_kind::internal));
  add(append);
  add(raft::append_entries{term_t{9}, {index_t{3}, term_t{2}}, index_t{1}, {}});
  add(
    raft::append_reply{term_t{12}, true, index_t{13}, index_t{14}, {index_t{15}, term_t{16}}, 17});
  add(raft::append_reply{term_t{12}, false, index_t{huge}, index_t{14}, {index_t{15}, term_t{1}}});
  add(raft::heartbeat{term_t{17}, index_t{18}, read_context{19}});
  add(raft::heartbeat{term_t{huge}, index_t{0}, read_context{0}});
  add(raft::heartbeat_reply{term_t{20}, read_context{21}, 22'000'000'000});
  add(raft::timeout_now{term_t{22}});
  add(raft::forward_proposal{request_id{23},
                             {raft::entry_kind::command, session_id{24}, sequence_t{25},
                              sequence_t{26}, shared_bytes::copy_of("proposal")}});
  add(raft::forward_reply{request_id{27}, errc::not_leader, {}, node_id{28}});
  add(raft::forward_reply{
    request_id{27}, errc::invalid_change, {}, node_id{28}, "node 9 is no member"});
  add(raft::forward_reply{request_id{27}, errc::none, {index_t{29}, term_t{30}}, node_id{}});
  add(raft::read_index{read_context{huge}});
  add(raft::read_index_reply{read_context{34}, errc::none, index_t{35}});
  add(raft::read_index_reply{read_context{36}, errc::read_unconfirmed, {}});
  add(raft::quiesce{term_t{37}, {index_t{huge}, term_t{37}}});
  return all;
}

} // namespace caucus::transport
