#pragma once

#include "apps/sim/hash.hpp"
#include "apps/sim/history/operation.hpp"
#include "raft/sessions.hpp"

#include <array>

namespace caucus::sim {

/// A command of the simulated clients, as it travels in an entry's payload.
struct client_command {
  uint32_t operation = 0; ///< Unique in the run: which client operation this is (for the oracles).
  history::action what;
};

shared_bytes encode(const client_command& x, int64_t padding);
/// Nothing if the bytes are no command.
std::optional<client_command> decode_command(const shared_bytes& bytes);

/// The state machine of one replica with its session table: one counter (object 0) and registers.
class machine {
public:
  static constexpr size_t objects_max = 16;

  /// What a committed entry came to.
  struct outcome {
    raft::session_verdict verdict;
    history::answer answer; ///< If it was executed, now or before.
    bool is_executed_now = false;
    uint32_t operation = 0; ///< Of a command; 0 for other kinds of entries.
  };

  outcome apply(const raft::entry& next);
  [[nodiscard]] history::answer look(uint32_t object) const noexcept {
    return {.value = objects_[object], .is_ok = true};
  }

  [[nodiscard]] index_t applied() const noexcept { return applied_; }
  /// A hash of all states and answers so far: equal on replicas that applied the same entries.
  [[nodiscard]] uint64_t hash() const noexcept { return hash_; }

  /// The same bytes for the same state.
  [[nodiscard]] std::vector<std::byte> save() const;
  static machine load(std::span<const std::byte> bytes);

private:
  history::answer execute(const history::action& x);

  raft::session_table sessions_;
  std::array<int64_t, objects_max> objects_{};
  index_t applied_;
  uint64_t hash_ = 0;
};

} // namespace caucus::sim
