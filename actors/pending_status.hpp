#pragma once

#include "actors/admission.hpp"
#include "actors/reply_address.hpp"
#include "caucus/messages.hpp"

namespace caucus {

/// Who asked for a replica's status, with the replica's own part of it; the machine adds its part.
/// If the machine ends before that, the asker is told so: nobody waits for ever.
class pending_status {
public:
  pending_status(group_status known, reply_address reply, std::shared_ptr<admission> room)
    : known_{std::move(known)}, reply_{std::move(reply)}, room_{std::move(room)} {}
  pending_status(const pending_status&) = delete;
  pending_status& operator=(const pending_status&) = delete;
  ~pending_status() {
    known_.role = "quarantined";
    known_.leader = 0;
    known_.fault = "the machine's actor ended before it could tell its part of the status";
    reply_.deliver(std::move(known_)); // Does nothing if it was answered.
    room_->give_question_back();
  }

  void answer(uint64_t applied, uint64_t digest, std::string machine) {
    known_.applied = applied;
    known_.digest = digest;
    known_.machine = std::move(machine);
    reply_.deliver(std::move(known_));
  }

private:
  group_status known_;
  reply_address reply_;
  std::shared_ptr<admission> room_; ///< Until then it takes a question's place in it.
};

} // namespace caucus
