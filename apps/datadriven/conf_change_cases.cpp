#include "apps/datadriven/arguments.hpp"
#include "apps/datadriven/interpreter.hpp"
#include "membership/conf_change.hpp"

#include <sstream>

namespace caucus::datadriven {

namespace {

using membership::changed_configuration;
using membership::member_change;

result<std::vector<member_change>> parse_changes(const test_case& next) {
  std::vector<member_change> changes;
  for (auto& line : next.input) {
    std::istringstream words{line};
    for (std::string word; words >> word;) {
      member_change change;
      switch (word.front()) {
        case 'v': change.kind = member_change::kind::make_voter; break;
        case 'l': change.kind = member_change::kind::make_learner; break;
        case 'r': change.kind = member_change::kind::remove; break;
        case 'u': change.kind = member_change::kind::update; break;
        default: return unknown_word(next, word);
      }
      auto id = parse_number(next, word.substr(1));
      if (!id)
        return id.reason();
      change.node = node_id{*id};
      changes.push_back(change);
    }
  }
  return changes;
}

std::string to_text(const std::set<node_id>& ids) {
  std::string text = "(";
  for (auto id : ids)
    text += (text.size() > 1 ? " " : "") + std::to_string(id.value());
  return text + ")";
}

result<bool> parse_auto_leave(const test_case& next) {
  if (!next.arguments.contains("autoleave"))
    return false;
  auto& values = values_of(next, "autoleave");
  if (values == std::vector<std::string>{"true"})
    return true;
  if (values == std::vector<std::string>{"false"})
    return false;
  return unknown_word(next, "autoleave");
}

} // namespace

std::vector<std::string> interpreter::describe() const {
  auto& x = members_;
  std::string first = "voters=" + to_text(x.voters);
  if (x.is_joint())
    first += "&&" + to_text(x.outgoing);
  if (!x.learners.empty())
    first += " learners=" + to_text(x.learners);
  if (!x.learners_next.empty())
    first += " learners_next=" + to_text(x.learners_next);
  if (x.auto_leave)
    first += " autoleave";
  std::vector<std::string> lines{first};
  for (auto& [id, next] : next_index_)
    lines.push_back(std::to_string(id.value()) + ": StateProbe match=0 next=" + std::to_string(next)
                    + (x.learners.contains(id) ? " learner" : ""));
  return lines;
}

result<void> interpreter::run_change(const test_case& next) {
  auto known =
    check_keys(next, next.command == "enter-joint" ? std::vector<std::string>{"autoleave"}
                                                   : std::vector<std::string>{});
  if (!known)
    return known;
  auto auto_leave = parse_auto_leave(next);
  auto changes = parse_changes(next);
  if (!auto_leave || !changes)
    return auto_leave ? changes.reason() : auto_leave.reason();
  if (next.command == "leave-joint" && !changes->empty())
    return unknown_word(next, next.input.front());

  auto after = [&]() -> result<changed_configuration> {
    if (next.command == "simple")
      return membership::change_simply(members_, *changes);
    if (next.command == "enter-joint")
      return membership::enter_joint(members_, *auto_leave, *changes);
    auto left = membership::leave_joint(members_);
    if (!left)
      return left.reason();
    return changed_configuration{*std::move(left), {}};
  }();

  std::vector<std::string> got;
  if (after) {
    members_ = std::move(after->members);
    std::erase_if(next_index_, [&](auto& x) { return !members_.is_member(x.first); });
    for (auto id : after->joined)
      next_index_[id] = std::max<uint64_t>(round_, 1);
    got = describe();
  } else {
    got = {after.reason().what};
  }
  ++round_;
  if (got == next.expected)
    return {};
  auto joined = [](const std::vector<std::string>& lines) {
    std::string text;
    for (auto& line : lines)
      text += (text.empty() ? "" : " | ") + line;
    return text;
  };
  return differs(next, joined(next.expected), joined(got));
}

result<void> interpreter::run(const test_case& next) {
  if (next.command == "committed")
    return run_committed(next);
  if (next.command == "vote")
    return run_vote(next);
  if (next.command == "simple" || next.command == "enter-joint" || next.command == "leave-joint")
    return run_change(next);
  return error{errc::malformed, "line " + std::to_string(next.line) + ": there is no command '"
                                  + next.command + "'"};
}

} // namespace caucus::datadriven
