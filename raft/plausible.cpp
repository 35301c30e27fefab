#include "raft/plausible.hpp"

#include "membership/configuration_codec.hpp"
#include "raft/core_options.hpp"

namespace caucus::raft {

namespace {

/// No log and no election count gets here: a node that adds a million a second needs 146,000 years.
constexpr uint64_t number_max = uint64_t{1} << 62;

bool is_number(index_t x) noexcept { return x.value() <= number_max; }
bool is_number(entry_id x) noexcept {
  return is_number(x.index) && x.term.value() <= number_max
         && (x.index == index_t{}) == (x.term == term_t{});
}
/// Nobody speaks for term 0: it is the time before the first election.
bool is_term(term_t x) noexcept { return x != term_t{} && x.value() <= number_max; }

bool is_valid(const request_vote& x) noexcept {
  return is_term(x.term) && is_number(x.last) && x.last.term <= x.term;
}

bool is_valid(const vote_reply& x) noexcept {
  return x.term.value() <= number_max && is_number(x.removed_by)
         && (!x.granted || x.removed_by == index_t{});
}

/// What is in force once it is appended must be readable.
bool is_readable(const entry& x) {
  return x.body.kind != entry_kind::configuration
         || membership::decode_payload(x.body.payload.span()).has_value();
}

bool is_valid(const append_entries& x) {
  if (!is_term(x.term) || !is_number(x.prev) || !is_number(x.leader_commit) || x.prev.term > x.term)
    return false;
  auto before = x.prev;
  for (const auto& entry : x.entries) {
    if (entry == nullptr || entry->id.index != before.index + 1 || !is_term(entry->id.term)
        || entry->id.term < before.term || entry->id.term > x.term || !is_readable(*entry))
      return false;
    before = entry->id;
  }
  return true;
}

bool is_valid(const append_reply& x) noexcept {
  return is_term(x.term) && is_number(x.match) && is_number(x.prev) && is_number(x.hint)
         && x.priority <= priority_max;
}

bool is_valid(const heartbeat& x) noexcept { return is_term(x.term) && is_number(x.commit); }
bool is_valid(const heartbeat_reply& x) noexcept { return is_term(x.term) && x.promise_ns >= 0; }
bool is_valid(const timeout_now& x) noexcept { return is_term(x.term); }
bool is_valid(const forward_proposal&) noexcept { return true; }

bool is_valid(const forward_reply& x) noexcept {
  return x.refused == errc::none ? is_number(x.accepted) && x.accepted.index != index_t{}
                                 : is_not_executed(x.refused);
}

bool is_valid(const quiesce& x) noexcept {
  // Its leader has committed in its term, so that ends its log.
  return is_term(x.term) && is_number(x.last) && x.last.term == x.term;
}

bool is_valid(const read_index& x) noexcept { return x.context != read_context{}; }

bool is_valid(const read_index_reply& x) noexcept {
  return x.context != read_context{}
         && (x.refused == errc::none ? is_number(x.index) && x.index != index_t{}
                                     : is_not_executed(x.refused));
}

} // namespace

bool is_plausible(const message& x) {
  return std::visit([](const auto& body) { return is_valid(body); }, x);
}

} // namespace caucus::raft
