#pragma once

#include "apps/sim/coverage.hpp"
#include "apps/sim/totals.hpp"

#include <string>
#include <vector>

namespace caucus::sim {

/// What happened in many runs, and in how many of them: a simulator in which little happens proves
/// nothing (RELIABILITY section 3.5).
class seed_statistics {
public:
  void add(const totals& counts, const coverage& reached);

  [[nodiscard]] const totals& sum() const noexcept { return sum_; }
  /// Per class: total, median of a seed, share of seeds with at least one.
  [[nodiscard]] std::string classes_table() const;
  [[nodiscard]] bool has_lying_disks() const noexcept { return reached_.has_lying_disks(); }
  [[nodiscard]] std::string coverage_table() const { return reached_.table(); }
  /// What was met too rarely, in words; empty if nothing.
  [[nodiscard]] std::string shortcomings() const;

private:
  [[nodiscard]] uint64_t median(uint64_t totals::*field) const;
  [[nodiscard]] uint64_t seeds_with(uint64_t totals::*field) const;

  std::vector<totals> seeds_;
  totals sum_;
  coverage reached_;
};

} // namespace caucus::sim
