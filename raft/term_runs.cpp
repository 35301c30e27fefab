#include "raft/term_runs.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::raft {

term_runs::term_runs(entry_id before, std::vector<term_run> runs, index_t last)
  : before_{before}, runs_{std::move(runs)}, last_{last} {
  CAUCUS_ASSERT(last_ >= before_.index);
  CAUCUS_ASSERT(runs_.empty() == (last_ == before_.index));
  CAUCUS_ASSERT(runs_.empty() || runs_.front().first == before_.index + 1);
  CAUCUS_ASSERT(runs_.empty() || runs_.front().term >= before_.term);
  CAUCUS_ASSERT(runs_.empty() || runs_.back().first <= last_);
  for (size_t i = 1; i < runs_.size(); ++i) {
    CAUCUS_ASSERT(runs_[i - 1].first < runs_[i].first);
    CAUCUS_ASSERT(runs_[i - 1].term < runs_[i].term);
  }
}

entry_id term_runs::last_entry() const noexcept {
  return runs_.empty() ? before_ : entry_id{last_, runs_.back().term};
}

term_t term_runs::term_at(index_t index) const {
  CAUCUS_ASSERT(index >= before_.index && index <= last_);
  if (index == before_.index)
    return before_.term;
  if (index >= runs_.back().first) // Nearly always the newest run is asked for.
    return runs_.back().term;
  auto after = std::upper_bound(runs_.begin(), runs_.end(), index,
                                [](index_t i, const term_run& run) { return i < run.first; });
  return std::prev(after)->term;
}

bool term_runs::contains(entry_id id) const {
  return id.index >= before_.index && id.index <= last_ && term_at(id.index) == id.term;
}

entry_id term_runs::last_up_to(index_t limit, term_t term) const {
  CAUCUS_ASSERT(limit >= before_.index);
  auto index = std::min(limit, last_);
  for (auto i = runs_.size(); i-- > 0;) {
    if (runs_[i].first > index)
      continue;
    if (runs_[i].term <= term)
      return {index, runs_[i].term};
    index = runs_[i].first - 1;
  }
  return before_;
}

void term_runs::append(term_t term) {
  CAUCUS_ASSERT(term >= last_entry().term);
  ++last_;
  if (runs_.empty() || runs_.back().term != term)
    runs_.push_back({last_, term});
}

void term_runs::truncate_from(index_t from) {
  CAUCUS_ASSERT(from > before_.index);
  while (!runs_.empty() && runs_.back().first >= from)
    runs_.pop_back();
  last_ = std::min(last_, from - 1);
}

void term_runs::compact(index_t upto) {
  before_ = {upto, term_at(upto)};
  auto kept = std::find_if(runs_.begin(), runs_.end(),
                           [upto](const term_run& run) { return run.first > upto; });
  if (upto < last_ && kept != runs_.begin() && (kept == runs_.end() || kept->first > upto + 1)) {
    --kept; // A run that goes on beyond.
    kept->first = upto + 1;
  }
  runs_.erase(runs_.begin(), kept);
}

} // namespace caucus::raft
