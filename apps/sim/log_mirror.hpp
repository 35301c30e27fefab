#pragma once

#include "apps/sim/hash.hpp"
#include "base/assert.hpp"

#include <vector>

namespace caucus::sim {

/// A log as one who watches it knows it: its entries, and for each a hash of everything up to it,
/// so that two logs agree up to an index iff they have the same hash there (Log Matching).
class log_mirror {
public:
  [[nodiscard]] index_t before() const noexcept { return before_; }
  [[nodiscard]] index_t last() const noexcept { return before_ + slots_.size(); }
  [[nodiscard]] term_t last_term() const noexcept {
    return slots_.empty() ? before_term_ : slots_.back().entry->id.term;
  }

  /// Precondition of both: before() < index <= last(), or index == before() for the hash.
  [[nodiscard]] const raft::entry_ptr& at(index_t index) const noexcept {
    return slots_[index - before_ - 1].entry;
  }
  [[nodiscard]] uint64_t hash_at(index_t index) const noexcept {
    return index == before_ ? before_hash_ : slots_[index - before_ - 1].hash;
  }
  [[nodiscard]] bool has(index_t index) const noexcept {
    return index >= before_ && index <= last();
  }
  /// Whether both have everything up to `index` and it is the same.
  [[nodiscard]] bool agrees(const log_mirror& x, index_t index) const noexcept {
    return has(index) && x.has(index) && hash_at(index) == x.hash_at(index);
  }

  void append(raft::entry_ptr x) {
    CAUCUS_ASSERT(x->id.index == last() + 1);
    const auto hash = hasher{hash_at(last())}.word(hash_of(*x)).value();
    slots_.push_back({std::move(x), hash});
  }
  /// Drops `from` and what follows.
  void truncate_from(index_t from) {
    CAUCUS_ASSERT(from > before_);
    if (from <= last())
      slots_.resize(from - before_ - 1);
  }
  /// Forgets what comes up to and including `upto`. Precondition: before() <= upto <= last().
  void compact(index_t upto) {
    const auto hash = hash_at(upto);
    const auto count = upto - before_;
    if (count == 0)
      return;
    before_term_ = at(upto)->id.term;
    slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(count));
    before_ = upto;
    before_hash_ = hash;
  }
  /// Everything up to `before` is in a snapshot.
  void reset(raft::entry_id before, uint64_t hash) {
    slots_.clear();
    before_ = before.index;
    before_term_ = before.term;
    before_hash_ = hash;
  }
  [[nodiscard]] raft::entry_id before_id() const noexcept { return {before_, before_term_}; }

private:
  struct slot {
    raft::entry_ptr entry;
    uint64_t hash = 0;
  };

  index_t before_;
  term_t before_term_;
  uint64_t before_hash_ = 0;
  std::vector<slot> slots_;
};

} // namespace caucus::sim
