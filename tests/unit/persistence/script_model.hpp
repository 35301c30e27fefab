#pragma once

#include "base/rng.hpp"
#include "tests/unit/persistence/log_state.hpp"

namespace caucus::testing {

/// What a scripted storage was told, and what a start may therefore find.
struct script_model {
  /// The last acknowledged state and all that were attempted since.
  std::vector<log_state> possible{log_state{}};
  /// Of each group's log, as far as it was ever committed: index and term.
  std::map<uint64_t, std::map<uint64_t, uint64_t>> committed;
  uint64_t term = 1;
  uint64_t next_group = 1;
  boot_count boot;

  /// What the machine holds that has executed the committed entries up to this one. Another entry
  /// anywhere makes it another.
  [[nodiscard]] std::string machine(uint64_t group, uint64_t last) const {
    uint64_t digest = group;
    for (uint64_t index = 1; index <= last; ++index)
      digest = rng::mix(digest ^ (index << 32 | committed.at(group).at(index)));
    std::string content = std::to_string(group) + " " + std::to_string(last);
    for (const auto size = 60 + 90 * (last % 5); content.size() < size; digest = rng::mix(digest))
      content += " " + std::to_string(digest);
    return content;
  }

  /// Of an entry that is committed.
  [[nodiscard]] raft::entry_id id_of(uint64_t group, uint64_t index) const {
    return {index_t{index}, term_t{committed.at(group).at(index)}};
  }

  static std::string payload(uint64_t group, raft::entry_id id) {
    const auto random = rng::mix(group << 40 | id.index.value() << 20 | id.term.value());
    return std::string(40 + random % 500, 'p') + std::to_string(random);
  }
};

} // namespace caucus::testing
