#include "tests/support/golden/trace_text.hpp"

#include "membership/configuration_codec.hpp"
#include "raft/core_options.hpp"

namespace caucus::golden {

using namespace raft;

namespace {

template <class Tag>
std::string str(strong_u64<Tag> x) {
  return std::to_string(x.value());
}

std::string request_text(request_id x) { return "r" + str(x); }

/// A follower's number of an attempt says in its upper bits which of its lives asked.
std::string context_text(read_context x) {
  const auto life = x.value() >> 40;
  const auto number = x.value() & ((uint64_t{1} << 40) - 1);
  return x ? " context=" + (life ? std::to_string(life) + "." : "") + std::to_string(number) : "";
}

struct message_text {
  std::string kind;
  std::string rest;
};

message_text spell(const request_vote& x) {
  return {"request_vote", "term=" + str(x.term) + " last=" + to_text(x.last)
                            + (x.is_pre_vote ? " pre" : "") + (x.is_transfer ? " transfer" : "")};
}
message_text spell(const vote_reply& x) {
  return {"vote_reply", "term=" + str(x.term) + (x.granted ? " granted" : " refused")
                          + (x.is_pre_vote ? " pre" : "")
                          + (x.removed_by ? " removed_by=" + str(x.removed_by) : "")};
}
message_text spell(const append_entries& x) {
  return {"append_entries", "term=" + str(x.term) + " prev=" + to_text(x.prev)
                              + " commit=" + str(x.leader_commit) + " " + to_text(x.entries)};
}
message_text spell(const append_reply& x) {
  // What nearly everybody is goes without saying.
  const bool is_usual = x.priority == priority_max || !x.accepted;
  return {"append_reply", "term=" + str(x.term)
                            + (x.accepted ? " match=" + str(x.match)
                                          : " refuses=" + str(x.prev) + " hint=" + to_text(x.hint))
                            + (is_usual ? "" : " priority=" + std::to_string(x.priority))};
}
message_text spell(const heartbeat& x) {
  return {"heartbeat",
          "term=" + str(x.term) + " commit=" + str(x.commit) + context_text(x.context)};
}
message_text spell(const heartbeat_reply& x) {
  return {"heartbeat_reply", "term=" + str(x.term) + context_text(x.context)};
}
message_text spell(const timeout_now& x) { return {"timeout_now", "term=" + str(x.term)}; }
message_text spell(const forward_proposal& x) {
  const auto text = std::string{x.body.payload.view()};
  return {"forward_proposal",
          request_text(x.request)
            + (x.body.kind == entry_kind::command ? " \"" + text + "\"" : " change")};
}
message_text spell(const forward_reply& x) {
  if (x.refused == errc::none)
    return {"forward_reply", request_text(x.request) + " at " + to_text(x.accepted)};
  return {"forward_reply", request_text(x.request) + " " + std::string{to_string(x.refused)}
                             + (x.leader ? " leader=" + str(x.leader) : "")
                             + (x.detail.empty() ? "" : ": " + x.detail)};
}
message_text spell(const read_index& x) { return {"read_index", context_text(x.context)}; }
message_text spell(const read_index_reply& x) {
  return {"read_index_reply",
          context_text(x.context)
            + (x.refused == errc::none ? " index=" + str(x.index)
                                       : " " + std::string{to_string(x.refused)})};
}
message_text spell(const quiesce& x) {
  return {"quiesce", "term=" + str(x.term) + " last=" + to_text(x.last)};
}
/// Says at least that there is something to spell.
template <class Message>
message_text spell(const Message&) {
  return {"message", "without spelling"};
}

} // namespace

std::string to_text(const std::set<node_id>& x) {
  std::string out;
  for (auto id : x)
    out += (out.empty() ? "" : " ") + str(id);
  return "(" + out + ")";
}

std::string to_text(entry_id x) { return str(x.index) + "@" + str(x.term); }

std::string to_text(const entry& x) {
  const auto text = std::string{x.body.payload.view()};
  switch (x.body.kind) {
    case entry_kind::command: return to_text(x.id) + " \"" + text + "\"";
    case entry_kind::no_op: return to_text(x.id) + " no_op";
    case entry_kind::configuration: {
      const auto members = membership::decode_payload(x.body.payload.span());
      return to_text(x.id) + " " + (members ? to_text(*members) : "configuration");
    }
    case entry_kind::session: return to_text(x.id) + " session";
    case entry_kind::internal: return to_text(x.id) + " internal";
  }
  return "?";
}

std::string to_text(const std::vector<entry_ptr>& x) {
  std::string out;
  for (const auto& e : x)
    out += (out.empty() ? "" : ", ") + to_text(*e);
  return "[" + out + "]";
}

std::string kind_of(const message& x) {
  return std::visit([](const auto& body) { return spell(body).kind; }, x);
}

std::string to_text(const message& x) {
  const auto text = std::visit([](const auto& body) { return spell(body); }, x);
  return text.kind + (text.rest.starts_with(' ') ? "" : " ") + text.rest;
}

std::string to_text(const persist_batch& x) {
  std::string out = "writes #" + str(x.seq);
  if (x.snapshot)
    out += " after " + to_text(*x.snapshot);
  if (x.truncate_from)
    out += " cut=" + str(*x.truncate_from);
  if (!x.entries.empty())
    out += " " + to_text(x.entries);
  if (x.hard)
    out += " term=" + str(x.hard->term) + " vote=" + str(x.hard->voted_for)
           + " commit=" + str(x.hard->commit);
  return out + (x.must_sync ? "" : " unsynced");
}

std::string to_text(const membership::configuration& x) {
  std::string out = "voters=" + to_text(x.voters);
  if (x.is_joint())
    out += " outgoing=" + to_text(x.outgoing);
  if (!x.learners.empty())
    out += " learners=" + to_text(x.learners);
  if (!x.learners_next.empty())
    out += " learners_next=" + to_text(x.learners_next);
  if (!x.staging.empty())
    out += " staging=" + to_text(x.staging);
  return out + (x.auto_leave ? " auto_leave" : "");
}

std::string to_text(const core_status& x) {
  return std::string{to_string(x.role)} + " term=" + str(x.term) + " vote=" + str(x.voted_for)
         + " leader=" + str(x.leader) + " commit=" + str(x.commit) + " applied=" + str(x.applied)
         + " persisted=" + str(x.persisted) + " log=" + str(x.first) + ".." + str(x.last);
}

std::string to_text(const peer_status& x) {
  std::string out =
    std::string{to_string(x.state)} + " match=" + str(x.match) + " next=" + str(x.next);
  if (x.inflight_messages > 0)
    out += " inflight=" + std::to_string(x.inflight_messages);
  return out + (x.is_paused ? " paused" : "") + (x.is_active ? "" : " inactive")
         + (x.is_leaving ? " leaving" : "");
}

std::vector<std::string> describe(const ready& x) {
  std::vector<std::string> out;
  for (const auto& soft : x.soft_changes)
    out.push_back("is " + std::string{to_string(soft.role)} + " term=" + str(soft.term)
                  + (soft.leader ? " leader=" + str(soft.leader) : ""));
  for (const auto& p : x.accepted)
    out.push_back("accepted " + request_text(p.request) + " at " + to_text(p.place));
  for (const auto& p : x.refused)
    out.push_back("refused " + request_text(p.request) + " " + std::string{to_string(p.reason)}
                  + (p.leader ? " leader=" + str(p.leader) : "")
                  + (p.detail.empty() ? "" : ": " + p.detail));
  if (x.configuration)
    out.push_back((x.configuration->is_committed ? "has committed members " : "goes by members ")
                  + to_text(*x.configuration->members) + " of " + str(x.configuration->id));
  if (x.persist)
    out.push_back(to_text(*x.persist));
  if (x.restore)
    out.push_back("restores " + to_text(*x.restore));
  if (!x.committed.empty())
    out.push_back("commits " + to_text(x.committed));
  for (const auto& t : x.transferred)
    out.push_back("did " + request_text(t.request)
                  + (t.leader ? ": " + str(t.leader) + " leads" : ": nobody could take over"));
  for (const auto& r : x.reads_ready)
    out.push_back("may answer " + request_text(r.request) + " at " + str(r.index));
  for (const auto& r : x.reads)
    out.push_back("wants the log " + str(r.first) + ".." + str(r.last) + " for " + str(r.to));
  for (const auto& w : x.snapshots_wanted)
    out.push_back("wants a snapshot for " + str(w.to) + " upto " + str(w.at_least) + " or more");
  return out;
}

std::vector<std::string> grown(const noise_counters& before, const noise_counters& after) {
  std::vector<std::string> out;
  const auto compare = [&](const char* name, uint64_t noise_counters::*counter) {
    for (auto i = before.*counter; i < after.*counter; ++i)
      out.emplace_back(name);
  };
  compare("stale_term", &noise_counters::stale_term);
  compare("not_member", &noise_counters::not_member);
  compare("invalid", &noise_counters::invalid);
  compare("beyond_sent", &noise_counters::beyond_sent);
  compare("stale_reply", &noise_counters::stale_reply);
  compare("wrong_role", &noise_counters::wrong_role);
  compare("sticky", &noise_counters::sticky);
  compare("stale_reads", &noise_counters::stale_reads);
  compare("failed_reads", &noise_counters::failed_reads);
  return out;
}

} // namespace caucus::golden
