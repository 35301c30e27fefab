#pragma once

#include "actors/node_context.hpp"
#include "base/rng.hpp"
#include "membership/configuration.hpp"

#include <string_view>

namespace caucus {

/// FNV-1a of the name, mixed with the generation: a re-created group is another group.
inline group_id hash_group(std::string_view name, uint64_t generation) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : name)
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return group_id{rng::mix(hash + generation) | 1};
}

/// What a group begins with on those who found its cluster.
inline membership::configuration founding_members(const node_options& options) {
  membership::configuration members;
  members.voters = ids_of(options.members);
  members.addresses = options.members;
  return members;
}

} // namespace caucus
