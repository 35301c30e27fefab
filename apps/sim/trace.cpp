#include "apps/sim/trace.hpp"

#include "apps/sim/violation.hpp"

namespace caucus::sim {

namespace {

std::string id_text(raft::entry_id x) { return text(x.index, ":", x.term); }

// One function a message. What has none yet is told apart by its kind only.

template <class Message>
void put(hasher&, const Message&) {}
template <class Message>
std::string say(const Message&) {
  return "message";
}

void put(hasher& to, const raft::request_vote& x) {
  to.word(x.term)
    .word(x.last.index)
    .word(x.last.term)
    .word((x.is_pre_vote ? 1u : 0u) | (x.is_transfer ? 2u : 0u));
}
void put(hasher& to, const raft::vote_reply& x) {
  to.word(x.term).word((x.is_pre_vote ? 1u : 0u) | (x.granted ? 2u : 0u)).word(x.removed_by);
}
void put(hasher& to, const raft::append_entries& x) {
  to.word(x.term).word(x.prev.index).word(x.prev.term).word(x.leader_commit);
  for (const auto& e : x.entries)
    to.word(hash_of(*e));
}
void put(hasher& to, const raft::append_reply& x) {
  to.word(x.term).word(x.accepted ? 1u : 0u).word(x.match).word(x.prev);
  to.word(x.hint.index).word(x.hint.term).word(uint64_t{x.priority});
}
void put(hasher& to, const raft::heartbeat& x) { to.word(x.term).word(x.commit).word(x.context); }
void put(hasher& to, const raft::heartbeat_reply& x) { to.word(x.term).word(x.context); }
void put(hasher& to, const raft::timeout_now& x) { to.word(x.term); }
void put(hasher& to, const raft::forward_proposal& x) {
  to.word(x.request).word(x.body.session).word(x.body.sequence).bytes(x.body.payload.span());
}
void put(hasher& to, const raft::forward_reply& x) {
  to.word(x.request).word(static_cast<uint64_t>(x.refused)).word(x.accepted.index);
  to.word(x.accepted.term).word(x.leader);
}
void put(hasher& to, const raft::read_index& x) { to.word(x.context); }
void put(hasher& to, const raft::read_index_reply& x) {
  to.word(x.context).word(static_cast<uint64_t>(x.refused)).word(x.index);
}
void put(hasher& to, const raft::quiesce& x) {
  to.word(x.term).word(x.last.index).word(x.last.term);
}

std::string say(const raft::request_vote& x) {
  return text(x.is_pre_vote ? "pre_vote" : "request_vote", " term=", x.term,
              " last=", id_text(x.last), x.is_transfer ? " transfer" : "");
}
std::string say(const raft::vote_reply& x) {
  return text(x.is_pre_vote ? "pre_vote_reply" : "vote_reply", " term=", x.term,
              x.granted ? " granted" : " refused", " removed_by=", x.removed_by);
}
std::string say(const raft::append_entries& x) {
  auto out = text("append_entries term=", x.term, " prev=", id_text(x.prev),
                  " commit=", x.leader_commit, " entries=", x.entries.size());
  for (const auto& e : x.entries)
    out += " " + to_string(*e);
  return out;
}
std::string say(const raft::append_reply& x) {
  return x.accepted ? text("append_reply term=", x.term, " match=", x.match)
                    : text("append_reply term=", x.term, " refused prev=", x.prev,
                           " hint=", id_text(x.hint));
}
std::string say(const raft::heartbeat& x) {
  return text("heartbeat term=", x.term, " commit=", x.commit, " context=", x.context);
}
std::string say(const raft::heartbeat_reply& x) {
  return text("heartbeat_reply term=", x.term, " context=", x.context);
}
std::string say(const raft::timeout_now& x) { return text("timeout_now term=", x.term); }
std::string say(const raft::forward_proposal& x) {
  return text("forward_proposal request=", x.request, " session=", x.body.session,
              " sequence=", x.body.sequence);
}
std::string say(const raft::forward_reply& x) {
  return x.refused == errc::none
           ? text("forward_reply request=", x.request, " accepted=", id_text(x.accepted))
           : text("forward_reply request=", x.request, " refused=", to_string(x.refused));
}
std::string say(const raft::read_index& x) { return text("read_index context=", x.context); }
std::string say(const raft::read_index_reply& x) {
  return text("read_index_reply context=", x.context, " refused=", to_string(x.refused),
              " index=", x.index);
}
std::string say(const raft::quiesce& x) {
  return text("quiesce term=", x.term, " last=", id_text(x.last));
}

} // namespace

void trace::note(const raft::message& x) noexcept {
  hash_.word(x.index());
  std::visit([this](const auto& body) { put(hash_, body); }, x);
}

void trace::line(int64_t at_us, uint64_t event, unsigned node, std::string_view what) {
  if (to_ != nullptr && event >= first_event_)
    *to_ << '#' << event << " t=" << at_us << "us node=" << node << ' ' << what << '\n';
}

std::string to_string(const raft::message& x) {
  return std::visit([](const auto& body) { return say(body); }, x);
}

std::string to_string(const raft::entry& x) {
  static constexpr const char* kinds[] = {"command", "no_op", "configuration", "session",
                                          "internal"};
  return text("[", id_text(x.id), " ", kinds[static_cast<size_t>(x.body.kind)],
              " session=", x.body.session, "/", x.body.sequence, "]");
}

std::string to_string(const membership::configuration& x) {
  std::string out;
  const auto list = [&](const char* name, const std::set<node_id>& ids) {
    if (ids.empty())
      return;
    out += text(out.empty() ? "" : " ", name);
    for (auto id : ids)
      out += text(" ", id);
  };
  list("voters", x.voters);
  list("outgoing", x.outgoing);
  list("learners", x.learners);
  list("next", x.learners_next);
  list("staging", x.staging);
  return out + (x.auto_leave ? " auto" : "");
}

} // namespace caucus::sim
