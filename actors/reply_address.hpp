#pragma once

#include "caucus/messages.hpp"

#include <caf/mailbox_element.hpp>
#include <caf/message_id.hpp>
#include <caf/monitorable_actor.hpp>

namespace caucus {

/// Who waits for an answer, as plain data: CAF's promise would hold an execution unit of ours and
/// is bound to the actor that made it, while a command's answer comes from whichever actor learns
/// its fate.
class reply_address {
public:
  reply_address() = default;

  /// Takes the duty to answer the message that is being handled. `from` appears as the answer's
  /// sender: the group's handle, which is what the asker knows.
  static reply_address of(caf::mailbox_element& asked, caf::strong_actor_ptr from) {
    reply_address result;
    if (asked.mid.is_request() && !asked.mid.is_answered()) {
      result.to_ = asked.stages.empty() ? asked.sender : asked.stages.front();
      result.id_ = asked.mid.response_id();
      result.from_ = std::move(from);
      asked.mid.mark_as_answered();
    } else {
      result.to_ =
        asked.sender; // Nobody to answer, but whose command it is still matters to `cancel`.
    }
    return result;
  }

  /// Answers once; later calls and answers to one-way messages do nothing. Any thread. `waker`
  /// queues the asker; none means the application's scheduler, to which it belongs.
  template <class T>
  void deliver(T&& answer, caf::execution_unit* waker = nullptr) {
    if (!from_ || !to_)
      return;
    auto* to = to_->get();
    to->enqueue(caf::make_mailbox_element(std::move(from_), id_, {}, std::forward<T>(answer)),
                waker);
    to_ = nullptr;
    from_ = nullptr;
  }

  [[nodiscard]] const caf::strong_actor_ptr& asker() const noexcept { return to_; }

private:
  caf::strong_actor_ptr to_;
  caf::strong_actor_ptr from_;
  caf::message_id id_;
};

} // namespace caucus
