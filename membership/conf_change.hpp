#pragma once

#include "base/result.hpp"
#include "membership/configuration.hpp"

#include <span>

namespace caucus::membership {

/// One member's part of a change.
struct member_change {
  enum class kind : uint8_t {
    make_voter,   ///< Adds it, or promotes a learner.
    make_learner, ///< Adds it, or demotes a voter.
    remove,       ///< Removing a stranger is fine.
    update,       ///< Its address only.
    make_staging, ///< Adds it as a learner that becomes a voter by itself once it has caught up.
  };

  enum kind kind = kind::update;
  node_id node;
  endpoint address{}; ///< Where it is reached; ignored by `remove`.

  friend bool operator==(const member_change&, const member_change&) = default;
};

/// The configuration after a change, and who joined it: their progress starts anew, even if they
/// were removed a moment before.
struct changed_configuration {
  configuration members;
  std::set<node_id> joined;
};

// Pure functions from one configuration to the next; changes count from left to right and may
// repeat what is so already. A refusal is `invalid_argument` with its reason and changes nothing.

/// Without a joint phase: safe as long as at most one voter differs (thesis §4.1).
result<changed_configuration> change_simply(const configuration& before,
                                            std::span<const member_change> changes);

/// Any number at once: from now on majorities of both the old and the new voters decide (§4.3). A
/// voter that becomes a learner goes on voting in the old half until the joint phase ends.
result<changed_configuration> enter_joint(const configuration& before, bool auto_leave,
                                          std::span<const member_change> changes);

/// Ends the joint phase: the new voters alone decide.
result<configuration> leave_joint(const configuration& before);

/// Whether one step leads from `before` to `after`: at most one voter differs, or the joint phase
/// of `before`'s voters begins or ends. What one of both decided, the other then knows.
bool may_follow(const configuration& before, const configuration& after);

} // namespace caucus::membership
