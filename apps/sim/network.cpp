#include "apps/sim/network.hpp"

#include <algorithm>

namespace caucus::sim {

std::optional<int64_t> network::arrival(uint8_t from, uint8_t to, int64_t sent_us) {
  auto at = std::max(sent_us, clog_until_[from][to]) + options_.delay_min_us
            + draw_.around(options_.delay_mean_us);
  if (draw_.permille(options_.loss_permille)) {
    ++lost;
    return std::nullopt;
  }
  auto& newest = newest_[from][to];
  if (at < newest) {
    if (options_.reorder != 0)
      ++reordered;
    else
      at = newest;
  }
  newest = std::max(newest, at);
  return at;
}

void network::heal() {
  cut_until_ = {};
  clog_until_ = {};
  options_.loss_permille = 0;
  options_.duplicate_permille = 0;
  options_.delay_min_us = 20;
  options_.delay_mean_us = 50;
}

size_t network::put(packet&& x) {
  if (free_.empty()) {
    packets_.push_back(std::move(x));
    return packets_.size() - 1;
  }
  const auto slot = free_.back();
  free_.pop_back();
  packets_[slot] = std::move(x);
  return slot;
}

packet network::take(size_t slot) {
  auto out = std::move(packets_[slot]);
  free_.push_back(slot);
  return out;
}

} // namespace caucus::sim
