#pragma once

#include "base/errc.hpp"
#include "base/result.hpp"
#include "raft/entry.hpp"
#include "raft/session_command.hpp"

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace caucus {
class byte_reader;
}

namespace caucus::raft {

/// How a command ended at the machine, kept so that a retry hears the same.
struct command_outcome {
  errc code = errc::none; ///< none, rejected_by_machine or reply_lost.
  shared_bytes reply;     ///< The machine's answer, or its reason for the refusal.

  friend bool operator==(const command_outcome&, const command_outcome&) = default;
};

/// What a committed entry means to the machine and to the client who waits for it.
struct session_verdict {
  enum class kind : uint8_t {
    nothing, ///< Not a client's entry: nothing to execute, nobody to answer.
    execute, ///< Hand it to the machine, then call `record`.
    answer,  ///< Executed before: answer with `outcome`.
    refuse,  ///< Not executed, now or ever by this entry: answer with `reason`.
    opened,  ///< Answer with `session`.
    closed,
  };

  enum kind kind = kind::nothing;
  command_outcome outcome{};    ///< answer
  errc reason = errc::none;     ///< refuse
  sequence_t expected{};        ///< refuse with session_gap: re-send from here.
  caucus::session_id session{}; ///< opened

  friend bool operator==(const session_verdict&, const session_verdict&) = default;
};

/// Who may execute what, once: part of every replica's state, driven only by committed entries, so
/// that all replicas decide alike (thesis §6.3, DESIGN.md section 4, RELIABILITY P-21, N-14). Owned
/// by the machine's actor; in the snapshot beside the machine's state.
///
/// Time is that of the log: an entry's `wall_ns`, which never runs backwards. A command costs one
/// hash lookup.
class session_table {
public:
  /// How far a session's commands may run ahead of the lowest one unanswered. Part of the
  /// replicated rules: to change it needs a new version of the open command.
  static constexpr uint64_t window = 256;

  /// What happens to a session's replies. Part of the replicated rules: alike on all replicas.
  enum class replies : uint8_t {
    kept,
    /// The machine keeps its own state, so a replica that restarted has no reply for what it
    /// needn't execute again (`reply_lost`). Then no rule may depend on the size of replies, which
    /// differs.
    may_be_lost,
  };

  session_table() = default;
  explicit session_table(replies rule) : replies_{rule} {}
  session_table(session_table&&) noexcept = default;
  session_table& operator=(session_table&&) noexcept = default;

  /// Expires what is due at the entry's time, then decides. To be called for every entry in the
  /// order of the log; after `execute` only once the outcome is recorded.
  session_verdict judge(const entry& next);
  /// The machine has executed the entry that was judged last.
  void record(const entry& executed, command_outcome outcome);

  [[nodiscard]] size_t size() const noexcept { return sessions_.size(); }
  /// The last entry judged; an older one is a bug of the caller.
  [[nodiscard]] index_t applied() const noexcept { return applied_; }
  /// Bytes of replies kept, of all sessions.
  [[nodiscard]] uint64_t reply_bytes() const noexcept { return reply_bytes_; }

  /// The same bytes for the same state, however it came about. Layout: sessions_codec.cpp.
  [[nodiscard]] std::vector<std::byte> save() const;
  static result<session_table> load(std::span<const std::byte> bytes, replies rule = replies::kept);
  /// A hash of `save()`: equal on replicas that applied the same entries.
  [[nodiscard]] uint64_t digest() const;

private:
  /// The outcomes of [floor, next), the oldest at `kept[head]`.
  struct session {
    int64_t timeout_ns = 0;
    int64_t active_ns = 0; ///< Log time of its last command.
    uint64_t reply_bytes_max = 0;
    uint64_t reply_bytes = 0;
    sequence_t next{1};  ///< The only sequence that executes.
    sequence_t floor{1}; ///< Outcomes below it are forgotten. floor <= next.
    std::vector<command_outcome> kept;
    size_t head = 0;
  };

  /// When a session may expire, never later than it does. Commands don't touch it: what is due by
  /// this and not by the session's own time is queued again, once a timeout at most.
  struct deadline {
    int64_t at_ns = 0;
    session_id id;

    friend auto operator<=>(const deadline&, const deadline&) = default;
  };

  session_verdict judge_command(const entry& next);
  session_verdict judge_session(const entry& next);
  session_verdict open(const entry& next, const open_session& limits);
  void expire();
  void erase(std::unordered_map<session_id, session>::iterator victim);
  [[nodiscard]] bool is_full(const session& owner, sequence_t sequence) const noexcept;
  void keep(session& owner, command_outcome outcome);
  void lose(session& owner, command_outcome& victim);
  void forget_below(session& owner, sequence_t floor);
  void schedule(session_id id, const session& owner);
  result<void> load_session(session_id id, byte_reader& in);

  replies replies_ = replies::kept;
  std::unordered_map<session_id, session> sessions_;
  std::vector<deadline> deadlines_; ///< A min-heap; one per session, and some of closed ones.
  int64_t now_ns_ = 0;
  index_t applied_;
  uint64_t reply_bytes_ = 0;
  session* executing_ = nullptr; ///< Whose command was judged `execute` and isn't recorded yet.
  index_t awaited_;              ///< That entry, also without a session; 0 if none.
};

} // namespace caucus::raft
