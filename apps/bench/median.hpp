#pragma once

#include <algorithm>
#include <vector>

namespace caucus::bench {

/// Precondition: not empty.
inline double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  const auto half = x.size() / 2;
  return x.size() % 2 ? x[half] : (x[half - 1] + x[half]) / 2;
}

} // namespace caucus::bench
