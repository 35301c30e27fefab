#include "membership/conf_change.hpp"

#include <algorithm>
#include <iterator>

namespace caucus::membership {

namespace {

error refused(const char* why) { return {errc::invalid_argument, why}; }

/// Builds the next configuration change by change.
class change_builder {
public:
  explicit change_builder(configuration start) { next_.members = std::move(start); }

  void apply(const member_change& change) {
    if (change.node == node_id{})
      return; // Nobody.
    switch (change.kind) {
      case member_change::kind::make_voter: make_voter(change); break;
      case member_change::kind::make_learner: make_learner(change); break;
      case member_change::kind::remove: remove(change.node); break;
      case member_change::kind::update: set_address(change); break;
      case member_change::kind::make_staging: make_staging(change); break;
    }
  }

  result<changed_configuration> finish() && {
    if (next_.members.voters.empty())
      return refused("removed all voters");
    return std::move(next_);
  }

private:
  void make_voter(const member_change& change) {
    welcome(change);
    auto& x = next_.members;
    x.learners.erase(change.node);
    x.learners_next.erase(change.node);
    x.staging.erase(change.node);
    x.voters.insert(change.node);
  }

  void make_learner(const member_change& change) {
    welcome(change);
    auto& x = next_.members;
    x.voters.erase(change.node);
    x.staging.erase(change.node);
    // Who still votes in the old half can't be a learner yet: learners don't vote.
    (x.outgoing.contains(change.node) ? x.learners_next : x.learners).insert(change.node);
  }

  void make_staging(const member_change& change) {
    if (next_.members.is_voter(change.node))
      return; // Nothing to wait for.
    make_learner(change);
    next_.members.staging.insert(change.node);
  }

  void remove(node_id node) {
    auto& x = next_.members;
    x.voters.erase(node);
    x.learners.erase(node);
    x.learners_next.erase(node);
    x.staging.erase(node);
    if (x.outgoing.contains(node))
      return; // Still needed there, and so its progress and address.
    x.addresses.erase(node);
    next_.joined.erase(node);
  }

  void welcome(const member_change& change) {
    if (!next_.members.is_member(change.node))
      next_.joined.insert(change.node);
    if (!change.address.host.empty() || !next_.members.addresses.contains(change.node))
      next_.members.addresses.insert_or_assign(change.node, change.address);
  }

  void set_address(const member_change& change) {
    if (next_.members.is_member(change.node) && !change.address.host.empty())
      next_.members.addresses.insert_or_assign(change.node, change.address);
  }

  changed_configuration next_;
};

size_t differing(const std::set<node_id>& x, const std::set<node_id>& y) {
  std::vector<node_id> nodes;
  std::ranges::set_symmetric_difference(x, y, std::back_inserter(nodes));
  return nodes.size();
}

result<changed_configuration> apply_all(configuration start,
                                        std::span<const member_change> changes) {
  change_builder builder{std::move(start)};
  for (const auto& change : changes)
    builder.apply(change);
  return std::move(builder).finish();
}

} // namespace

result<changed_configuration> change_simply(const configuration& before,
                                            std::span<const member_change> changes) {
  if (before.is_joint())
    return refused("can't apply simple config change in joint config");
  auto after = apply_all(before, changes);
  if (!after)
    return after;
  // Majorities of sets that differ by more may not meet (thesis §4.1).
  if (differing(before.voters, after->members.voters) > 1)
    return refused("more than one voter changed without entering joint config");
  return after;
}

result<changed_configuration> enter_joint(const configuration& before, bool auto_leave,
                                          std::span<const member_change> changes) {
  if (before.is_joint())
    return refused("config is already joint");
  if (before.voters.empty())
    return refused("can't make a zero-voter config joint");
  auto start = before;
  start.outgoing = before.voters;
  start.auto_leave = auto_leave;
  return apply_all(std::move(start), changes);
}

result<configuration> leave_joint(const configuration& before) {
  if (!before.is_joint())
    return refused("can't leave a non-joint config");
  auto after = before;
  after.learners.merge(after.learners_next);
  after.learners_next.clear();
  after.outgoing.clear();
  after.auto_leave = false;
  std::erase_if(after.addresses, [&](const auto& x) { return !after.is_member(x.first); });
  return after;
}

bool may_follow(const configuration& before, const configuration& after) {
  if (before.is_joint())
    return after == *leave_joint(before);
  return after.is_joint() ? after.outgoing == before.voters
                          : differing(before.voters, after.voters) <= 1;
}

} // namespace caucus::membership
