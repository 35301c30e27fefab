#include "base/assert.hpp"
#include "membership/quorum.hpp"
#include "tests/support/core_cluster.hpp"

namespace caucus::test {

using namespace raft;

// Nothing leaves before what it says is durable (RELIABILITY section 0, rule 2).
void core_cluster::check_message(uint64_t id, const envelope& x) const {
  const auto& r = at(id);
  if (const auto* m = std::get_if<append_reply>(&x.body)) {
    CAUCUS_ASSERT(m->term <= r.disk.hard.term);
    if (!m->accepted)
      return;
    const auto match = m->match.value();
    CAUCUS_ASSERT(match <= r.disk.log.size());
    CAUCUS_ASSERT(match == 0 || r.disk.log[match - 1]->id == r.shadow.log[match - 1]->id);
  } else if (const auto* v = std::get_if<vote_reply>(&x.body); v && !v->is_pre_vote) {
    CAUCUS_ASSERT(v->term <= r.disk.hard.term);
    CAUCUS_ASSERT(!v->granted || r.disk.hard.term != v->term || r.disk.hard.voted_for == x.to);
  } else if (const auto* q = std::get_if<request_vote>(&x.body); q && !q->is_pre_vote) {
    CAUCUS_ASSERT(q->term == r.disk.hard.term && r.disk.hard.voted_for.value() == id);
    CAUCUS_ASSERT(r.disk.log.size() >= q->last.index.value());
  }
}

// Log Matching by induction: whoever has an entry has the same one before it (thesis §3.5).
void core_cluster::check_batch(uint64_t id, const persist_batch& x) {
  const auto& log = at(id).shadow.log;
  for (const auto& e : x.entries) {
    const auto position = e->id.index.value() - 1;
    const auto before = position == 0 ? term_t{} : log[position - 1]->id.term;
    const auto [known, is_new] = known_.emplace(e->id, known_entry{before, e});
    CAUCUS_ASSERT(is_new || known->second.before == before);
    CAUCUS_ASSERT(is_new || known->second.entry->body.payload == e->body.payload);
  }
}

void core_cluster::check_status(uint64_t id) {
  const auto now = at(id).core->describe();
  const auto& log = at(id).shadow.log;
  if (now.role == role::leader)
    check_leader(id, now);
  // State Machine Safety, already at commit: nobody commits another entry there.
  CAUCUS_ASSERT(now.commit.value() <= log.size());
  for (auto i = committed_.size(); i < now.commit.value(); ++i) {
    committed_.push_back(log[i]);
    if (log[i]->body.kind == entry_kind::command)
      ++committed_payloads_[std::string{log[i]->body.payload.view()}];
    else if (log[i]->body.kind == entry_kind::configuration)
      ++changes_committed_;
  }
  if (now.role == role::leader)
    check_quorum(id, now);
  const auto commit = now.commit.value();
  CAUCUS_ASSERT(commit == 0 || log[commit - 1]->id == committed_[commit - 1]->id);
}

void core_cluster::check_leader(uint64_t id, const core_status& now) {
  const auto [first, is_new] = leader_of_term_.emplace(now.term, id);
  CAUCUS_ASSERT(first->second == id); // Election Safety, over the whole run.
  if (!is_new)
    return;
  const auto& log = at(id).shadow.log; // Leader Completeness.
  CAUCUS_ASSERT(log.size() >= committed_.size());
  for (size_t i = 0; i < committed_.size(); ++i)
    CAUCUS_ASSERT(log[i]->id == committed_[i]->id);
}

// Every quorum of the configuration in force has a member whose disk holds what is committed.
void core_cluster::check_quorum(uint64_t id, const core_status& now) const {
  const auto commit = now.commit.value();
  if (commit == 0)
    return;
  const auto& entry = at(id).shadow.log[commit - 1];
  const auto without = membership::tally_votes(*now.members, [&](node_id voter) {
    const auto& log = at(voter.value()).disk.log;
    const bool is_held = log.size() >= commit && log[commit - 1]->id == entry->id;
    return is_held ? membership::vote::refused : membership::vote::granted;
  });
  CAUCUS_ASSERT(without != membership::vote_result::won);
}

void core_cluster::check_at_end() const {
  for (const auto& [payload, count] : committed_payloads_)
    CAUCUS_ASSERT_MSG(count == 1, payload);
  for (const auto& [request, x] : answers_) {
    if (x.refused != errc::none)
      CAUCUS_ASSERT(!is_not_executed(x.refused) || !is_committed(request));
    else if (auto e = known_.find(x.place); changes_.contains(request))
      CAUCUS_ASSERT(e == known_.end() || e->second.entry->body.kind == entry_kind::configuration);
    else if (e != known_.end())
      CAUCUS_ASSERT(e->second.entry->body.payload.view() == "request-" + std::to_string(request));
  }
}

} // namespace caucus::test
