#include "apps/datadriven/arguments.hpp"
#include "apps/datadriven/interpreter.hpp"
#include "membership/quorum.hpp"

#include <utility>

namespace caucus::datadriven {

namespace {

using membership::configuration;
using membership::vote;
using membership::vote_result;

/// The voters of both halves in the order of the case, each once: so its values are listed.
result<std::vector<node_id>> read_halves(const test_case& next, configuration& members) {
  auto voters = parse_nodes(next, "cfg");
  if (!voters)
    return voters;
  std::vector<node_id> outgoing;
  if (auto& joint = values_of(next, "cfgj"); joint != std::vector<std::string>{"zero"}) {
    auto ids = parse_nodes(next, "cfgj");
    if (!ids)
      return ids;
    outgoing = *std::move(ids);
  }
  members.voters = {voters->begin(), voters->end()};
  members.outgoing = {outgoing.begin(), outgoing.end()};
  auto order = *std::move(voters);
  for (auto id : outgoing)
    if (std::ranges::find(order, id) == order.end())
      order.push_back(id);
  return order;
}

std::string to_text(index_t x) {
  return x == membership::unbounded_index ? "∞" : std::to_string(x.value());
}

std::string to_text(vote_result x) {
  switch (x) {
    case vote_result::pending: return "VotePending";
    case vote_result::won: return "VoteWon";
    case vote_result::lost: return "VoteLost";
  }
  return "?";
}

/// Every way to write the same quorum: neither the order of the halves nor an empty or equal second
/// one changes the outcome. Each has its name, for the report.
std::vector<std::pair<std::string, configuration>> spellings(const configuration& members) {
  const auto halves = [](const std::set<node_id>& voters, const std::set<node_id>& outgoing) {
    configuration out;
    out.voters = voters;
    out.outgoing = outgoing;
    return out;
  };
  const auto& one = members.voters;
  if (members.is_joint())
    return {{"its halves swapped", halves(members.outgoing, one)}};
  return {{"itself joined to it", halves(one, one)},
          {"the empty half joined to it", halves(one, {})},
          {"it joined to the empty half", halves({}, one)}};
}

template <class Value, class Evaluate>
result<void> check(const test_case& next, const configuration& members, Evaluate evaluate) {
  Value got = evaluate(members);
  if (next.expected.empty())
    return error{errc::malformed, "line " + std::to_string(next.line) + ": nothing is expected"};
  // Of the drawing only the last line counts, and of that what follows the empty quorum's mark.
  auto expected = next.expected.back();
  if (constexpr std::string_view mark = "<empty majority quorum>"; expected.starts_with(mark))
    expected.erase(0, mark.size());
  if (to_text(got) != expected)
    return differs(next, expected, to_text(got));
  for (const auto& [name, same] : spellings(members))
    if (const Value other = evaluate(same); other != got)
      return differs(next, to_text(got) + " as well with " + name, to_text(other));
  // The function of one set of voters is one of its own.
  if (const Value alone = evaluate(members.voters); !members.is_joint() && alone != got)
    return differs(next, to_text(got) + " as well without a second half", to_text(alone));
  return {};
}

} // namespace

result<void> interpreter::run_committed(const test_case& next) {
  if (auto known = check_keys(next, {"cfg", "cfgj", "idx"}); !known)
    return known;
  configuration members;
  auto order = read_halves(next, members);
  if (!order)
    return order.reason();
  auto& values = values_of(next, "idx");
  if (values.size() != order->size())
    return differs(next, std::to_string(order->size()) + " indexes", std::to_string(values.size()));
  std::map<node_id, index_t> known;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == "_")
      continue;
    auto index = parse_number(next, values[i]);
    if (!index)
      return index.reason();
    known[(*order)[i]] = index_t{*index};
  }
  return check<index_t>(next, members, [&](const auto& x) {
    return membership::committed_index(x, [&](node_id id) { return known[id]; });
  });
}

result<void> interpreter::run_vote(const test_case& next) {
  if (auto known = check_keys(next, {"cfg", "cfgj", "votes"}); !known)
    return known;
  configuration members;
  auto order = read_halves(next, members);
  if (!order)
    return order.reason();
  auto& values = values_of(next, "votes");
  if (values.size() != order->size())
    return differs(next, std::to_string(order->size()) + " votes", std::to_string(values.size()));
  std::map<node_id, vote> told;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] != "y" && values[i] != "n" && values[i] != "_")
      return unknown_word(next, values[i]);
    told[(*order)[i]] = values[i] == "y"   ? vote::granted
                        : values[i] == "n" ? vote::refused
                                           : vote::missing;
  }
  return check<vote_result>(next, members, [&](const auto& x) {
    return membership::tally_votes(x, [&](node_id id) { return told[id]; });
  });
}

} // namespace caucus::datadriven
