#pragma once

#include "apps/sim/disk_damage.hpp"
#include "membership/configuration.hpp"
#include "raft/input.hpp"
#include "raft/ready.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace caucus::sim {

/// What a configuration's entry changes against the one before; one may be several of them.
enum class change_step : uint8_t {
  voter_added,
  learner_added,
  staging_added,
  learner_promoted,
  staging_promoted,
  voter_demoted,
  member_removed,
  address_changed,
  simple,
  joint_entered,
  joint_left,
  rolled_back, ///< Its entry was overwritten.
  restored,    ///< It came with a snapshot.
};
inline constexpr size_t change_step_count = 13;

/// Which parts of the protocol a run has reached, and how often: message kinds delivered, inputs,
/// changes of role, steps of configurations. What stays at zero over many seeds is not tested.
class coverage {
public:
  static constexpr size_t roles = 4;

  void message(size_t kind) noexcept { ++messages_[kind]; }
  void input(size_t kind) noexcept { ++inputs_[kind]; }
  void role(raft::role from, raft::role to) noexcept {
    ++roles_[static_cast<size_t>(from) * roles + static_cast<size_t>(to)];
  }
  void step(change_step x) noexcept { ++steps_[static_cast<size_t>(x)]; }
  void steps_between(const membership::configuration& before,
                     const membership::configuration& after);

  /// Of a disk that may lie: only where there is one, none counts as missing.
  void damage(damage_kind kind, uint64_t count) noexcept {
    has_lying_disks_ = true;
    damages_[static_cast<size_t>(kind)] += count;
  }

  [[nodiscard]] bool has_lying_disks() const noexcept { return has_lying_disks_; }

  void add(const coverage& x) noexcept;
  /// A line for each.
  [[nodiscard]] std::string table() const;
  /// The names of what was never reached, in one line; empty if all was.
  [[nodiscard]] std::string missing() const;

private:
  template <class Visit>
  void each(Visit&& visit) const;

  std::array<uint64_t, std::variant_size_v<raft::message>> messages_{};
  std::array<uint64_t, std::variant_size_v<raft::input>> inputs_{};
  std::array<uint64_t, roles * roles> roles_{};
  std::array<uint64_t, change_step_count> steps_{};
  std::array<uint64_t, damage_kinds> damages_{};
  bool has_lying_disks_ = false;
};

} // namespace caucus::sim
