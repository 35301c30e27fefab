#pragma once

#include "actors/admission.hpp"
#include "actors/reply_address.hpp"

#include <mutex>

namespace caucus {

/// The outcomes of a batch, answered together once the last is known.
class batch_answer {
public:
  batch_answer(reply_address reply, size_t size)
    : reply_{std::move(reply)}, outcomes_(size), missing_{size} {}

  void set(size_t position, outcome result, caf::execution_unit* waker) {
    std::lock_guard guard{mutex_};
    outcomes_[position] = std::move(result);
    if (--missing_ == 0)
      reply_.deliver(std::move(outcomes_), waker);
  }

private:
  std::mutex mutex_;
  reply_address reply_;
  std::vector<outcome> outcomes_;
  size_t missing_;
};

/// Who waits for one command's outcome, and the room it takes in the group's admission until then.
/// Answered exactly once: one that is dropped answers `unknown` by itself, so that no path can
/// forget a caller.
class caller {
public:
  caller() = default;
  caller(reply_address reply, std::shared_ptr<admission> room, uint64_t cost)
    : reply_{std::move(reply)}, room_{std::move(room)}, cost_{cost} {}
  caller(std::shared_ptr<batch_answer> batch, size_t position, caf::strong_actor_ptr asker,
         std::shared_ptr<admission> room, uint64_t cost)
    : batch_{std::move(batch)},
      position_{position},
      batch_asker_{std::move(asker)},
      room_{std::move(room)},
      cost_{cost} {}

  caller(caller&& other) noexcept = default;
  caller& operator=(caller&& other) noexcept {
    if (this != &other) {
      abandon();
      reply_ = std::move(other.reply_);
      batch_ = std::move(other.batch_);
      position_ = other.position_;
      batch_asker_ = std::move(other.batch_asker_);
      room_ = std::move(other.room_);
      cost_ = other.cost_;
    }
    return *this;
  }
  ~caller() { abandon(); }

  /// `waker`: see `reply_address::deliver`.
  void answer(outcome result, caf::execution_unit* waker = nullptr) {
    if (!room_)
      return;
    room_->give_back(cost_);
    room_.reset();
    if (batch_)
      std::exchange(batch_, nullptr)->set(position_, std::move(result), waker);
    else
      reply_.deliver(std::move(result), waker);
  }

  [[nodiscard]] bool is_waiting() const noexcept { return room_ != nullptr; }
  [[nodiscard]] const caf::strong_actor_ptr& asker() const noexcept {
    return batch_ ? batch_asker_ : reply_.asker();
  }

private:
  void abandon() {
    if (room_)
      answer({.kind = outcome_kind::unknown, .reason = errc::node_stopped});
  }

  reply_address reply_;
  std::shared_ptr<batch_answer> batch_;
  size_t position_ = 0;
  caf::strong_actor_ptr batch_asker_;
  std::shared_ptr<admission> room_; ///< Null: answered, or nobody.
  uint64_t cost_ = 0;
};

inline outcome refusal(errc reason, std::string detail = {}) {
  return {.kind = is_not_executed(reason) ? outcome_kind::not_executed : outcome_kind::unknown,
          .reason = reason,
          .detail = std::move(detail)};
}

/// What is asked of a replica that can't go on.
inline outcome refusal_of_quarantined(const std::string& reason) {
  return refusal(errc::stopping, "this replica is quarantined: " + reason);
}

} // namespace caucus
