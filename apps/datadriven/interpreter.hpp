#pragma once

#include "apps/datadriven/case_file.hpp"
#include "membership/configuration.hpp"

namespace caucus::datadriven {

/// Runs the cases of one file in order: what one leaves behind, the next one finds. Knows the
/// commands of the quorum and the configuration-change families.
class interpreter {
public:
  /// Checks the case against the library. `malformed` for a command, key or token that it doesn't
  /// know; `invalid_argument` says what was expected and what came.
  result<void> run(const test_case& next);

private:
  result<void> run_committed(const test_case& next);
  result<void> run_vote(const test_case& next);
  result<void> run_change(const test_case& next);
  [[nodiscard]] std::vector<std::string> describe() const;

  membership::configuration members_;
  std::map<node_id, uint64_t> next_index_; ///< By peer: the round in which it joined.
  uint64_t round_ = 0;
};

} // namespace caucus::datadriven
