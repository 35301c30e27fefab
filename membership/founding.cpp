#include "membership/founding.hpp"

#include "base/rng.hpp"

namespace caucus::membership {

namespace {

std::string describe(const std::set<node_id>& members, size_t bytes_max) {
  const auto rest = ",... (" + std::to_string(members.size()) + " nodes)";
  std::string text;
  for (auto id : members) {
    const auto next = (text.empty() ? "" : ",") + std::to_string(id.value());
    if (text.size() + next.size() + rest.size() > bytes_max)
      return text + rest;
    text += next;
  }
  return text;
}

} // namespace

founding founded_by(const std::set<node_id>& members) {
  // On disk and on the wire: never to change.
  uint64_t hash = members.size();
  for (auto id : members) // Ascending, in whatever order they were named.
    hash = rng::mix(hash ^ rng::mix(id.value()));
  // Never 0, which means "none".
  return {founding_id{hash | 1}, describe(members, founding_text_bytes_max)};
}

founding founded_by(const std::set<node_id>& members, const founding_origin& origin) {
  const auto hash = rng::mix(founded_by(members).id.value() ^ rng::mix(origin.id));
  const auto from = (" from " + origin.name).substr(0, founding_text_bytes_max / 2);
  return {founding_id{hash | 1}, describe(members, founding_text_bytes_max - from.size()) + from};
}

} // namespace caucus::membership
