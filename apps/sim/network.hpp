#pragma once

#include "apps/sim/dice.hpp"
#include "apps/sim/options.hpp"
#include "raft/message.hpp"

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace caucus::sim {

inline constexpr size_t nodes_max = 16; ///< Ids are 1 to nodes_max - 1.

/// A message on its way.
struct packet {
  uint8_t from = 0;
  uint8_t to = 0;
  uint32_t from_life = 0;
  int64_t sent_us = 0; ///< When it leaves; its sender may crash before.
  raft::message body;
};

/// Links between all pairs of nodes: when, and whether, a message arrives. Faults last until a
/// time, so that nothing has to end them.
class network {
public:
  network(const options& x, uint64_t seed) : options_{x}, draw_{seed} {}

  /// When a message that leaves at `sent_us` arrives; never if it is lost.
  std::optional<int64_t> arrival(uint8_t from, uint8_t to, int64_t sent_us);
  /// Whether the network makes a second copy of it.
  bool duplicates() { return draw_.permille(options_.duplicate_permille); }
  [[nodiscard]] bool is_cut(uint8_t from, uint8_t to, int64_t now_us) const noexcept {
    return now_us < cut_until_[from][to];
  }

  void cut(uint8_t from, uint8_t to, int64_t until_us) { cut_until_[from][to] = until_us; }
  void clog(uint8_t from, uint8_t to, int64_t until_us) { clog_until_[from][to] = until_us; }
  /// No more faults, and delays that are short against a heartbeat.
  void heal();

  size_t put(packet&& x);
  packet& at(size_t slot) noexcept { return packets_[slot]; }
  /// The slot is free afterwards.
  packet take(size_t slot);

  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;

private:
  template <class T>
  using per_link = std::array<std::array<T, nodes_max>, nodes_max>;

  options options_;
  dice draw_;
  per_link<int64_t> cut_until_{};
  per_link<int64_t> clog_until_{};
  per_link<int64_t> newest_{}; ///< Arrival of the last one sent.
  std::vector<packet> packets_;
  std::vector<size_t> free_;
};

} // namespace caucus::sim
