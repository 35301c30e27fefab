#include "apps/sim/oracles/promises.hpp"

#include "apps/sim/violation.hpp"

namespace caucus::sim {

namespace {

[[noreturn]] void broken(node_id from, const std::string& what) {
  throw violation{"acknowledged is durable", text("node ", from, " ", what)};
}

void check_term(node_id from, term_t term, const sim_disk& disk) {
  if (term > disk.durable_hard().term)
    broken(from, text("speaks for term ", term, ", durable is ", disk.durable_hard().term));
}

} // namespace

void promises::on_message(node_id from, const raft::envelope& x, const log_mirror& believed,
                          const sim_disk& disk) {
  const auto& hard = disk.durable_hard();
  if (const auto* m = std::get_if<raft::append_reply>(&x.body)) {
    check_term(from, m->term, disk);
    if (m->accepted && m->match >= disk.durable().before() && m->match >= believed.before()
        && !believed.agrees(disk.durable(), m->match))
      broken(from, text("acknowledges entry ", m->match, ", durable is its log up to ",
                        disk.durable().last()));
  } else if (const auto* v = std::get_if<raft::vote_reply>(&x.body)) {
    if (v->is_pre_vote && v->granted)
      return; // Promises nothing.
    check_term(from, v->term, disk);
    if (v->granted && v->term == hard.term && hard.voted_for != x.to)
      broken(from, text("votes for ", x.to, " in term ", v->term, ", durable is its vote for ",
                        hard.voted_for));
  } else if (const auto* q = std::get_if<raft::request_vote>(&x.body); q && !q->is_pre_vote) {
    if (q->term != hard.term || hard.voted_for != from)
      broken(from, text("campaigns in term ", q->term, " before its own vote is durable"));
    if (q->last.index > disk.durable().last())
      broken(from, text("campaigns with entry ", q->last.index, " before it is durable"));
  }
}

void promises::on_heartbeat_reply(node_id from, const raft::heartbeat_out& x,
                                  const sim_disk& disk) {
  check_term(from, x.term, disk);
}

} // namespace caucus::sim
