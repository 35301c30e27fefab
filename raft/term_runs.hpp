#pragma once

#include "raft/persist_batch.hpp"

#include <vector>

namespace caucus::raft {

/// The term of every index of a log, as runs: one per leadership, so that it fits in memory however
/// long the log is.
///
///     before   [first run)   [second run)   ...   last
///
/// `before` is the entry just before the first one that is kept (0:0 if nothing was compacted).
class term_runs {
public:
  term_runs() = default;
  term_runs(entry_id before, std::vector<term_run> runs, index_t last);

  [[nodiscard]] entry_id before() const noexcept { return before_; }
  [[nodiscard]] index_t last() const noexcept { return last_; }
  [[nodiscard]] entry_id last_entry() const noexcept;

  /// Precondition: before().index <= index <= last().
  [[nodiscard]] term_t term_at(index_t index) const;
  /// Whether the log has exactly this entry; the one just before the log counts.
  [[nodiscard]] bool contains(entry_id id) const;
  /// The last entry at or below `limit` whose term is at most `term`: the furthest place where two
  /// logs may agree, given one entry of the other. `before()` if there is none.
  /// Precondition: limit >= before().index.
  [[nodiscard]] entry_id last_up_to(index_t limit, term_t term) const;

  /// Precondition: `term` isn't below the last entry's.
  void append(term_t term);
  /// Drops `from` and what follows. Precondition: before().index < from.
  void truncate_from(index_t from);
  /// Forgets `upto` and what comes before. Precondition: before().index <= upto <= last().
  void compact(index_t upto);

private:
  entry_id before_;
  std::vector<term_run> runs_; ///< Ascending in both fields; the first starts at before + 1.
  index_t last_;
};

} // namespace caucus::raft
