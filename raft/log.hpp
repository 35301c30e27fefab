#pragma once

#include "base/ring.hpp"
#include "raft/recovered_state.hpp"
#include "raft/term_runs.hpp"

#include <optional>
#include <span>

namespace caucus::raft {

/// A replica's log as its core sees it: the terms of all of it, the entries of its newest part, and
/// how far the disk has come.
///
///     before | on disk only | tail in memory                                |
///            | first ...    | tail_first ... persisted ... handed ... last  |
///
/// Entries leave the tail oldest first, and only once persisted.
class log {
public:
  explicit log(recovered_state& from_disk);

  // -- terms ------------------------------------------------------------------
  [[nodiscard]] entry_id before() const noexcept { return terms_.before(); }
  [[nodiscard]] index_t last() const noexcept { return terms_.last(); }
  [[nodiscard]] entry_id last_entry() const noexcept { return terms_.last_entry(); }
  [[nodiscard]] const term_runs& terms() const noexcept { return terms_; }

  // -- entries in memory ------------------------------------------------------
  [[nodiscard]] index_t tail_first() const noexcept { return tail_first_; }
  [[nodiscard]] uint64_t tail_bytes() const noexcept { return tail_bytes_; }
  [[nodiscard]] bool is_in_memory(index_t index) const noexcept {
    return index >= tail_first_ && index <= last();
  }
  /// Appends [first, last] to `out`: at least one, then no more than fit in `bytes_max`.
  /// @returns the cost of what was appended. Precondition: `first` is in memory, first <= last.
  uint64_t copy(index_t first, index_t last, uint64_t bytes_max, std::vector<entry_ptr>& out) const;
  /// Whether `entries`, read from the disk, are what the log holds from `first` on.
  [[nodiscard]] bool holds(index_t first, std::span<const entry_ptr> entries) const;
  /// How much of the tail may stay in memory.
  struct tail_limits {
    uint64_t bytes_max;  ///< In all, of what is persisted.
    uint64_t bytes_kept; ///< While its oldest entry is one that nobody waits for.
  };
  /// Forgets persisted entries, oldest first, until the tail fits. Nobody waits for `spent` and
  /// what comes before.
  void evict(tail_limits limits, index_t spent);

  // -- changes ----------------------------------------------------------------
  /// Precondition: the entry's index is last() + 1.
  void append(entry_ptr x);
  /// Drops `from` and what follows, in memory and, with the next batch, on disk.
  void truncate_from(index_t from);
  /// Frees `upto` and what comes before. Precondition: it is persisted.
  void compact(index_t upto);
  /// Empties the log, which goes on after `last`: a snapshot that ends there is durable.
  void restore(entry_id last);

  // -- the disk ---------------------------------------------------------------
  [[nodiscard]] index_t persisted() const noexcept { return persisted_; }
  [[nodiscard]] bool has_unwritten() const noexcept {
    return handed_ < last() || truncate_from_.has_value() || restored_.has_value();
  }
  /// Puts what is not handed over yet into `batch`, whose `seq` is set.
  void hand_over(persist_batch& batch);
  /// All batches up to `upto` are durable.
  void mark_durable(persist_seq upto);
  /// Which batch makes the log up to `index` durable, its beginning too: none (0) if it is, `next`
  /// if it was not handed over yet.
  [[nodiscard]] persist_seq durable_after(index_t index, persist_seq next) const noexcept;

private:
  friend class invariants;

  /// What becomes durable with a batch on its way: [.., last]. A truncation lowers `last`, so that
  /// a late acknowledgement never vouches for the entries that came in their place (RELIABILITY
  /// S-20, S-21).
  struct batch_in_flight {
    persist_seq seq;
    index_t last;
  };

  [[nodiscard]] const entry_ptr& in_memory(index_t index) const noexcept {
    return tail_[index - tail_first_];
  }

  term_runs terms_;
  ring<entry_ptr> tail_;
  index_t tail_first_; ///< last() + 1 if the tail is empty.
  uint64_t tail_bytes_ = 0;
  index_t persisted_; ///< Durable here. persisted <= handed.
  index_t handed_;    ///< Given to the disk. handed <= last.
  std::optional<index_t> truncate_from_;
  std::optional<entry_id> restored_; ///< The disk wasn't told yet that the log begins anew,
  persist_seq restored_with_;        ///< or with this batch, which is on its way.
  ring<batch_in_flight> in_flight_;  ///< Ascending by seq, `last` never descends.
};

} // namespace caucus::raft
