#pragma once

#include "actors/interfaces.hpp"
#include "base/rng.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

namespace caucus {

/// Which of the node's replicas need ticks. One that sleeps costs the node's timer nothing. Of one
/// that is awake at most one tick waits in its mailbox: a worker that is late takes what its peers
/// sent meanwhile, then one tick, and the time that it was late never counts as their silence.
///
/// Replicas without a leader wait for nothing but an election, so only some of them are ticked at a
/// time: where thousands lose, or never had, one, elections that all run at once are so slow that
/// they disturb each other for ever. Each node begins with others of its groups, so that mostly one
/// node alone campaigns. Of those that have one, only some are ticked at a time, too, where many
/// are awake, as while a member is away: each tick costs all the group's nodes some messages. All
/// members' nodes have about the same groups awake, so they slow down together.
///
/// Thread-safe: replicas come and go on their workers, the pulse asks on its own.
class tick_roster {
public:
  /// What a replica needs ticks for.
  struct needs {
    bool core = true;         ///< Its core is awake.
    bool leader = true;       ///< And knows no leader that can be reached.
    bool is_expected = false; ///< Somebody or something waits for time to pass.

    friend bool operator==(const needs&, const needs&) = default;
  };

  /// A replica's place in it.
  class place {
  public:
    place(replica_actor who, uint64_t turn) : who_{std::move(who)}, turn_{turn} {}

    /// The tick that waited is being looked at: the next may come.
    void take_tick() noexcept { is_tick_waiting_.store(false, std::memory_order_relaxed); }

  private:
    friend class tick_roster;

    [[nodiscard]] bool is_awake() const noexcept { return needs_.core || needs_.is_expected; }

    replica_actor who_;
    std::atomic<bool> is_tick_waiting_{false};
    uint64_t turn_;      ///< In which order this node's groups look for leaders.
    needs needs_;        ///< The roster's mutex guards this and the next.
    uint32_t tries_ = 0; ///< Ticks in its present turn to find a leader.
  };
  using place_ptr = std::shared_ptr<place>;

  /// How many look for a leader at a time, and for how many ticks if others wait for their turn.
  struct limits {
    size_t leaderless = 0;
    uint32_t tries = 0;
    /// Of those that have a leader: with more awake than this each takes every second tick only,
    /// with twice as many every third, and so on.
    size_t led = 2000;
  };

  place_ptr enter(group_id group, node_id self, replica_actor who) {
    const auto turn = rng::mix(rng::mix(self.value()) ^ group.value());
    auto entered = std::make_shared<place>(std::move(who), turn);
    const std::lock_guard guard{mutex_};
    all_.insert_or_assign(group, entered);
    awake_.insert_or_assign({turn, group}, entered);
    return entered;
  }

  void tell(group_id group, const place_ptr& who, const needs& now) {
    const std::lock_guard guard{mutex_};
    if (!now.leader)
      who->tries_ = 0;
    who->needs_ = now;
    if (who->is_awake())
      awake_.insert_or_assign({who->turn_, group}, who);
    else
      awake_.erase({who->turn_, group});
  }
  /// The replica ends.
  void leave(group_id group, const place_ptr& who) {
    const std::lock_guard guard{mutex_};
    who->who_ = nullptr; // A replica and its place own each other until now.
    if (auto found = all_.find(group); found == all_.end() || found->second != who)
      return;
    all_.erase(group);
    awake_.erase({who->turn_, group});
  }

  /// `visit(replica, counts)` for those to whom a tick is due and whose last one doesn't wait any
  /// more. One that doesn't count is for what waits beside the core.
  template <class F>
  void for_each_due(const limits& at_a_time, F&& visit) {
    const std::lock_guard guard{mutex_};
    size_t leaderless = 0;
    const uint64_t turns = 1 + awake_.size() / at_a_time.led;
    ++round_;
    for (auto& [turn, one] : awake_) {
      bool counts = one->needs_.core;
      if (counts && one->needs_.leader) {
        counts = leaderless < at_a_time.leaderless && one->tries_ < at_a_time.tries;
        if (counts) {
          ++leaderless;
          ++one->tries_;
        }
      } else if (counts) {
        counts = (one->turn_ + round_) % turns == 0;
      }
      if ((counts || one->needs_.is_expected)
          && !one->is_tick_waiting_.exchange(true, std::memory_order_relaxed))
        visit(one->who_, counts);
    }
    if (leaderless < at_a_time.leaderless) // All had their turn: it begins anew.
      for (auto& [turn, one] : awake_)
        one->tries_ = one->tries_ < at_a_time.tries ? one->tries_ : 0;
  }
  template <class F>
  void for_each_sleeper(F&& visit) const {
    const std::lock_guard guard{mutex_};
    for (const auto& [group, one] : all_)
      if (!one->is_awake())
        visit(one->who_);
  }
  template <class F>
  void for_each(F&& visit) const {
    const std::lock_guard guard{mutex_};
    for (const auto& [group, one] : all_)
      visit(one->who_);
  }

  [[nodiscard]] size_t awake() const {
    const std::lock_guard guard{mutex_};
    return awake_.size();
  }

private:
  mutable std::mutex mutex_;
  std::map<group_id, place_ptr> all_;
  std::map<std::pair<uint64_t, group_id>, place_ptr> awake_; ///< By turn.
  uint64_t round_ = 0;                                       ///< Of ticks.
};

} // namespace caucus
