#pragma once

#include "apps/sim/dice.hpp"
#include "apps/sim/machine.hpp"
#include "apps/sim/options.hpp"
#include "apps/sim/totals.hpp"
#include "apps/sim/waiting_requests.hpp"
#include "raft/input.hpp"

#include <functional>
#include <vector>

namespace caucus::sim {

/// How an attempt ended.
struct attempt_result {
  errc reason = errc::none; ///< none: `answer` (or `session`) is the answer.
  history::answer answer{};
  session_id session{};
};

/// What the simulated clients do and remember: each has one operation open at a time, within a
/// session, and repeats it until somebody answers (RELIABILITY P-21). Also writes the history that
/// is judged at the end.
class clients {
public:
  /// What the world does for them.
  struct surroundings {
    std::function<uint8_t(dice&)> some_node; ///< Whom to ask.
    std::function<bool(uint8_t node, caller who, const raft::command& body)>
      propose; ///< False: certainly not proposed.
    /// The same for a get that doesn't go through the log.
    std::function<bool(uint8_t node, caller who, uint32_t object, raft::consistency)> read;
    std::function<void(uint32_t client, int64_t at_us)> wake_at;
    std::function<void(uint32_t operation)> rejected;
  };

  clients(const options& x, uint64_t seed, surroundings world, totals& counts);

  void start();
  /// Its think time or its patience is over.
  void wake(uint32_t client, int64_t now_us);
  void answer(caller who, const attempt_result& x, int64_t now_us);
  /// No new operations from now on; what is open is still asked for.
  void stop() noexcept { is_stopping_ = true; }
  /// The last operations of all are answered or given up.
  [[nodiscard]] bool is_idle() const noexcept;
  /// From now on `is_served` tells whether a command that was called since has been answered.
  void mark() noexcept;
  [[nodiscard]] bool is_served() const noexcept { return is_served_; }

  /// What may be judged: all but what certainly never happened.
  [[nodiscard]] std::vector<history::operation> history() const;

private:
  enum class state : uint8_t { thinking, asking, waiting_to_ask_again };

  struct client {
    enum state state = state::thinking;
    session_id session;
    sequence_t sequence;     ///< Of the session's last command.
    uint32_t operation = 0;  ///< Open; 0: none.
    bool is_opening = false; ///< The operation is the opening of a session.
    bool has_session = true; ///< The operation uses one.
    /// How the operation is read, without the log.
    std::optional<raft::consistency> reads_by;
    bool was_maybe_done = false; ///< An earlier attempt's fate is unknown.
    uint32_t attempt = 0;
    int64_t due_us = 0;
    std::array<int64_t, machine::objects_max> seen{}; ///< What it knows of each object.
  };

  struct logged {
    history::operation what;
    bool is_rejected = false;
    bool is_session = false;
    bool is_stale = false; ///< A read that may see the past; its oracle is another.
  };

  void begin(uint32_t number, int64_t now_us);
  void attempt(uint32_t number, int64_t now_us);
  void fail(uint32_t number, errc reason, int64_t now_us);
  /// The client doesn't ask for it again, and knows no answer.
  void give_up(uint32_t number);
  void think(uint32_t number, int64_t now_us);
  void plan(uint32_t number, int64_t at_us);
  [[nodiscard]] raft::command command_of(const client& x) const;
  [[nodiscard]] bool send(uint8_t node, caller who);
  history::action some_action(const client& asker);
  void choose_way(client& x, const history::action& what);

  options options_;
  dice draw_;
  surroundings world_;
  totals& counts_;
  std::vector<client> clients_; ///< From 1.
  std::vector<logged> log_;     ///< By operation, from 1.
  int64_t moments_ = 0;         ///< Orders calls and returns, finer than time.
  int64_t marked_ = 0;
  bool is_served_ = false;
  bool is_stopping_ = false;
};

} // namespace caucus::sim
