#pragma once

#include <caucus/messages.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace counter {

using clock = std::chrono::steady_clock;

/// What became of an operation.
struct answer {
  enum class kind : uint8_t {
    ok,
    rejected, ///< Certainly not executed, now or ever.
    unknown,
  };

  enum kind kind = kind::unknown;
  std::string value; ///< ok: the machine's reply.
  std::string reason;
  uint64_t term = 0;  ///< ok
  uint64_t index = 0; ///< ok
};

/// One operation and who waits for it.
struct operation {
  std::string payload;
  clock::time_point deadline;
  std::function<void(answer)> done;
};

/// A client's operations in the order of their sequences, from the first whose fate isn't known:
/// decides what to send, again and again under the same session and sequence, and what may be told.
/// Knows no actors and no time of its own.
///
/// The rules it keeps (DESIGN.md section 4, Sessions; raft/sessions.hpp):
/// - An operation is `rejected` only if no attempt of it can be in any log. Once one attempt was
///   lost, a later attempt's `session_gap` proves nothing: the first may still arrive.
/// - A session is FIFO, so an operation of unknown fate is sent on and on, though its caller was
///   told `unknown` long ago: else nothing behind it would ever execute.
/// - An operation that certainly never executes gives its sequence away: to those behind it if
///   none of them is under way, else to a `get`, which nobody waits for.
class session_queue {
public:
  /// One message to a node. `via` is the node it goes to.
  struct attempt {
    uint64_t id = 0;
    uint64_t epoch = 0; ///< Which of this client's sessions it belongs to.
    caucus::command body;
  };

  /// `filler`: a command without effect. `retry_after`: how long to wait after a refusal.
  session_queue(std::string filler, clock::duration retry_after)
    : filler_{std::move(filler)}, retry_after_{retry_after} {}

  [[nodiscard]] bool is_empty() const noexcept { return slots_.empty(); }
  /// 0: none is open.
  [[nodiscard]] uint64_t session() const noexcept { return session_; }
  [[nodiscard]] bool needs_session() const noexcept { return session_ == 0 && !slots_.empty(); }

  void add(operation what);
  void opened(uint64_t session);

  /// Everything that may be sent now, in order; it is in flight from here on.
  std::vector<attempt> take_sendable(clock::time_point now, size_t via);
  /// A node's answer to an attempt, however late.
  void on_outcome(const attempt& which, const caucus::outcome& told, clock::time_point now);
  /// No answer came in time.
  void on_silence(const attempt& which);
  /// The node is gone, and with it all answers that were to come from it.
  void on_node_lost(size_t via);
  /// Answers those whose deadline has passed. `obstacle`: why nothing could be sent lately.
  void expire(clock::time_point now, const std::string& obstacle);

private:
  /// Sent and unanswered at a time; the nodes' own bound is 256.
  static constexpr size_t window = 240;

  struct slot {
    operation what;
    clock::time_point send_at{};  ///< Not before.
    uint64_t attempt = 0;         ///< In flight; 0: none.
    size_t via = 0;               ///< Where that went.
    bool may_be_executed = false; ///< An attempt's fate is unknown.
    bool is_settled = false;      ///< Its fate is known; only the front's leave the queue.
    std::string obstacle;         ///< Why the last attempt failed.
  };

  [[nodiscard]] static bool may_run(const slot& x) noexcept {
    return x.attempt != 0 || x.may_be_executed || x.is_settled;
  }
  slot* find(const attempt& which);
  void lose(slot& x);
  void settle(slot& x, answer result);
  void refuse(slot& x, const caucus::outcome& told, clock::time_point now);
  void forget_settled_front();
  void leave_session();
  void give_up(size_t position, const std::string& obstacle);

  std::string filler_;
  clock::duration retry_after_;
  std::deque<slot> slots_; ///< Sequences first_, first_ + 1, …
  uint64_t first_ = 1;
  uint64_t session_ = 0;
  uint64_t epoch_ = 1;
  uint64_t last_attempt_ = 0;
  bool is_expired_ = false; ///< The session is no more; it is left once nothing is in flight.
};

} // namespace counter
