#include "apps/sim/oracles/committed_log.hpp"

#include "apps/sim/violation.hpp"
#include "membership/quorum.hpp"

namespace caucus::sim {

void committed_log::on_commit(node_id node, term_t term, const log_mirror& log, index_t upto) {
  if (!log.has(upto))
    throw violation{"state machine safety",
                    text("node ", node, " commits ", upto, " but its log ends at ", log.last())};
  const auto known = std::min(upto, last());
  // One hash speaks for everything before it.
  if (known >= log.before() && log.hash_at(known) != hash_at(known))
    throw violation{"state machine safety", text("node ", node, " commits another entry ", known,
                                                 " than another node, or another before it")};
  for (auto i = last() + 1; i <= upto; ++i)
    slots_.push_back({log.hash_at(i), term});
}

void committed_log::on_restore(node_id node, index_t index, uint64_t hash) const {
  if (index > last() || hash_at(index) != hash)
    throw violation{"state machine safety", text("node ", node, " restores a snapshot up to ",
                                                 index, " that isn't what was committed")};
}

const membership::configuration_ptr&
committed_log::check_quorum(index_t upto,
                            std::span<const membership::configuration_ptr> configurations,
                            const is_durable& holds) const {
  for (const auto& members : configurations)
    if (membership::tally_votes(*members,
                                [&](node_id id) {
                                  return holds(id, upto, hash_at(upto)) ? membership::vote::granted
                                                                        : membership::vote::refused;
                                })
        == membership::vote_result::won)
      return members;
  throw violation{"durable on a quorum",
                  text("entry ", upto, " is committed and not durable on a majority")};
}

void committed_log::on_leader(node_id node, term_t term, const log_mirror& log) const {
  // What was committed in this or a later term, its leader need not have had at its election.
  auto i = last();
  while (i > index_t{} && slots_[i.value() - 1].in >= term)
    i = i - 1;
  const bool is_compacted = i < log.before();
  if (!is_compacted && (!log.has(i) || log.hash_at(i) != hash_at(i)))
    throw violation{"leader completeness",
                    text("node ", node, " leads term ", term, " without entry ", i,
                         ", committed in term ", slots_[i.value() - 1].in)};
}

} // namespace caucus::sim
