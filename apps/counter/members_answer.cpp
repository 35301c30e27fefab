#include "members_answer.hpp"

#include <algorithm>
#include <tuple>

namespace counter {

const caucus::group_members* members_answers::leaders() const {
  const caucus::group_members* found = nullptr;
  uint64_t term = 0;
  for (auto& x : told_) {
    term = std::max(term, x.term);
    if (x.is_leader && (found == nullptr || found->term < x.term))
      found = &x;
  }
  // One that was deposed and has not heard of it.
  return found != nullptr && found->term < term ? nullptr : found;
}

const caucus::group_members* members_answers::best() const {
  if (auto* leading = leaders())
    return leading;
  auto rank = [](const caucus::group_members& x) {
    return std::tuple{x.configuration, x.is_member, x.fault.empty(), x.term};
  };
  auto newest = std::max_element(told_.begin(), told_.end(),
                                 [&](auto& x, auto& y) { return rank(x) < rank(y); });
  return newest == told_.end() ? nullptr : &*newest;
}

std::string members_answers::warning() const {
  auto* told = best();
  if (told == nullptr || told == leaders())
    return {};
  std::string who;
  if (!told->fault.empty())
    who = ", which is quarantined (" + told->fault + "),";
  else if (!told->is_member)
    who = ", which is no member itself,";
  return "no leader answers: this is what node " + std::to_string(told->node) + who
         + " knows, and it may be out of date";
}

} // namespace counter
