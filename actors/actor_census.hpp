#pragma once

#include <caf/actor_cast.hpp>
#include <caf/monitorable_actor.hpp>

#include <atomic>
#include <memory>

namespace caucus {

/// Counts the actors of a node that are still alive, so that a stop can wait for the last of them.
class actor_census {
public:
  template <class Handle>
  void add(const Handle& who) {
    alive_->fetch_add(1, std::memory_order_relaxed);
    who->attach_functor([alive = alive_] { alive->fetch_sub(1, std::memory_order_release); });
  }
  [[nodiscard]] bool is_empty() const noexcept {
    return alive_->load(std::memory_order_acquire) == 0;
  }

private:
  std::shared_ptr<std::atomic<size_t>> alive_ = std::make_shared<std::atomic<size_t>>(0);
};

} // namespace caucus
