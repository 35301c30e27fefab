#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace caucus {

/// A budget of bytes or pieces shared by threads.
class budget {
public:
  explicit budget(uint64_t max) noexcept : max_{max} {}

  [[nodiscard]] bool take(uint64_t amount) noexcept {
    if (used_.fetch_add(amount, std::memory_order_relaxed) + amount <= max_)
      return true;
    used_.fetch_sub(amount, std::memory_order_relaxed);
    return false;
  }
  void give_back(uint64_t amount) noexcept { used_.fetch_sub(amount, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t max() const noexcept { return max_; }
  [[nodiscard]] uint64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

private:
  std::atomic<uint64_t> used_{0};
  uint64_t max_;
};

/// Stands in front of a group's mailbox, which has no bound of its own: the handle takes from it on
/// the sender's thread, and whoever answers the command gives back.
class admission {
public:
  admission(uint64_t commands_max, uint64_t bytes_max, std::shared_ptr<budget> node_bytes)
    : commands_{commands_max}, bytes_{bytes_max}, node_bytes_{std::move(node_bytes)} {}

  /// What a command weighs beyond its payload: mailbox element, slot, entry.
  static constexpr uint64_t overhead_bytes = 256;
  /// How many requests that are no commands (status, members, listeners, cancel) may wait.
  static constexpr uint64_t questions_max = 4096;

  [[nodiscard]] bool take(uint64_t commands, uint64_t bytes) noexcept {
    if (!commands_.take(commands))
      return false;
    if (bytes_.take(bytes)) {
      if (node_bytes_->take(bytes))
        return true;
      bytes_.give_back(bytes);
    }
    commands_.give_back(commands);
    return false;
  }
  /// Whether `take` can ever succeed for these.
  [[nodiscard]] bool can_ever_take(uint64_t commands, uint64_t bytes) const noexcept {
    return commands <= commands_.max() && bytes <= bytes_.max() && bytes <= node_bytes_->max();
  }
  /// Of one command.
  void give_back(uint64_t bytes) noexcept {
    commands_.give_back(1);
    bytes_.give_back(bytes);
    // In this order a command that is answered while the rest is abandoned is counted out once or
    // never, not twice: a budget that went below zero would refuse everything for ever.
    if (!is_abandoned_.load())
      node_bytes_->give_back(bytes);
  }
  [[nodiscard]] uint64_t commands() const noexcept {
    return is_abandoned_.load() ? 0 : commands_.used();
  }

  /// For whatever is no command, and costs the replica no more than a place in its mailbox.
  [[nodiscard]] bool take_question() noexcept { return questions_.take(1); }
  void give_question_back() noexcept { questions_.give_back(1); }

  /// Once closed, handles refuse new commands at once; what was admitted before still runs.
  void close() noexcept { closed_.store(true, std::memory_order_release); }
  /// The replica died, and with it what was in its mailbox: nobody gives that back. The node's
  /// other groups get it.
  void abandon() noexcept {
    close();
    if (!is_abandoned_.exchange(true))
      node_bytes_->give_back(bytes_.used());
  }
  [[nodiscard]] bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }

private:
  budget commands_;
  budget bytes_;
  std::shared_ptr<budget> node_bytes_;
  budget questions_{questions_max};
  std::atomic<bool> closed_{false};
  std::atomic<bool> is_abandoned_{false};
};

} // namespace caucus
