#include "apps/sim/world.hpp"

#include <algorithm>

// What operators want: another leader, other members.

namespace caucus::sim {

void world::ask_leader_to_go(bool is_transfer) {
  auto* const leading = leader();
  if (leading == nullptr || leading->is_paused(now_us_))
    return;
  const request_id request{next_request_++};
  if (is_transfer)
    step(*leading, raft::transfer{request, luck_.permille(600) ? node_id{} : some_node().id()});
  else
    step(*leading, raft::step_down{request});
}

membership::member_change world::some_change() {
  using kind = enum membership::member_change::kind;
  const auto* drawn = &some_node();
  while (drawn->is_condemned && !members_->is_member(drawn->id())) // Nobody brings it back.
    drawn = &some_node();
  const auto& n = *drawn;
  membership::member_change x{.node = n.id()};
  // Everybody moves to a new address now and then; nothing here depends on where it is.
  x.address = {"node-" + std::to_string(n.number),
               static_cast<uint16_t>(luck_.between(1000, 9999))};
  if (members_->is_voter(n.id())) {
    const auto size = static_cast<int64_t>(members_->voters.size());
    x.kind = size > 1 && luck_.permille(700) ? kind::remove : kind::update;
    if (luck_.permille(200))
      x.kind = kind::make_learner;
  } else if (members_->learners.contains(n.id())) {
    x.kind = luck_.permille(700) ? kind::make_voter : kind::remove;
  } else {
    constexpr std::array kinds{kind::make_staging, kind::make_learner, kind::make_voter};
    x.kind = kinds[static_cast<size_t>(luck_.below(kinds.size()))];
  }
  return x;
}

void world::change_members(bool is_island) {
  auto* const leading = leader();
  if (is_island && leading != nullptr) {
    // Whoever applied the first removal at once would shrink to a quorum of one (S-67).
    const auto until_us = now_us_ + luck_.around(options_.trouble_us);
    for (uint8_t other = 1; other < nodes_.size(); ++other)
      if (other != leading->number) {
        network_.cut(other, leading->number, until_us);
        network_.cut(leading->number, other, until_us);
        ask_change(*leading, {.changes = {{.kind = membership::member_change::kind::remove,
                                           .node = node_id{other}}}});
      }
    return;
  }
  membership::change_request x;
  const auto count = luck_.permille(250) ? luck_.between(2, 4) : 1;
  for (int64_t i = 0; i < count; ++i)
    x.changes.push_back(some_change());
  x.even_if_behind = luck_.permille(500);
  if (luck_.permille(300))
    x.mode = membership::change_mode::joint;
  ask_change(leading != nullptr && luck_.permille(700) ? *leading : some_node(), std::move(x));
  if (luck_.permille(200)) // Somebody else wants something else at the same time.
    ask_change(leading != nullptr ? *leading : some_node(), {.changes = {some_change()}});
}

/// A leader is asked to add or remove a voter and cut off with about as few others as could commit
/// that: whoever leads the rest must have seen what they committed (Ongaro 2015, RELIABILITY S-61).
void world::change_and_split(sim_node& leading) {
  using kind = enum membership::member_change::kind;
  auto voters = members_->voters;
  const auto changed = some_node().id();
  const bool is_leaving = voters.contains(changed);
  if (changed == leading.id() || (is_leaving && voters.size() == 1))
    return;
  std::vector<uint8_t> side{leading.number};
  if (is_leaving) {
    voters.erase(changed);
  } else {
    voters.insert(changed);
    side.push_back(static_cast<uint8_t>(changed.value()));
  }
  const auto enough = voters.size() / 2 + (is_leaving ? 1 : 0);
  for (auto id : voters)
    if (side.size() < enough && id != leading.id() && id != changed && luck_.permille(600))
      side.push_back(static_cast<uint8_t>(id.value()));
  const auto is_inside = [&](uint8_t x) {
    return std::find(side.begin(), side.end(), x) != side.end();
  };
  const auto until_us = now_us_ + luck_.around(2 * options_.trouble_us);
  ++counts_.partitions;
  for (uint8_t x = 1; x < nodes_.size(); ++x)
    for (uint8_t y = 1; y < nodes_.size(); ++y)
      if (is_inside(x) != is_inside(y))
        network_.cut(x, y, until_us);
  const auto port = static_cast<uint16_t>(1000 + changed.value());
  ask_change(leading, {.changes = {{.kind = is_leaving ? kind::remove : kind::make_voter,
                                    .node = changed,
                                    .address = {"node-" + std::to_string(changed.value()), port}}},
                       .even_if_behind = true});
}

void world::ask_change(sim_node& n, membership::change_request x) {
  for (const auto& part : x.changes)
    if (auto& joining = nodes_[part.node.value()]; !joining.has_started)
      start(joining);
  if (!n.is_up() || n.is_paused(now_us_))
    return;
  const request_id request{next_request_++};
  trace_.note(now_us_, n.number, request.value(), x.changes.size());
  if (trace_.is_read())
    for (const auto& part : x.changes)
      say(n, "is asked to change node ", part.node, " kind ", static_cast<int>(part.kind));
  step(n, raft::propose_change{request, std::move(x)});
}

} // namespace caucus::sim
