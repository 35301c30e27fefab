#pragma once

#include "actors/worker.hpp"

#include <caf/actor_config.hpp>
#include <caf/mailbox_element.hpp>

namespace caucus {

/// Makes an actor live on a worker of ours. Without one (`nullptr`: detached, or the testing
/// scheduler, where everything is cooperative) it behaves like any other actor.
template <class Base>
class on_worker : public Base {
public:
  on_worker(caf::actor_config& cfg, caf::execution_unit* home) : Base{cfg}, home_{home} {}

  using Base::enqueue;

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* host) override {
    Base::enqueue(std::move(element), home_ ? home_ : host);
  }

protected:
  /// Null: on no worker of ours.
  [[nodiscard]] caf::execution_unit* home() const noexcept { return home_; }

private:
  caf::execution_unit* home_;
};

} // namespace caucus
