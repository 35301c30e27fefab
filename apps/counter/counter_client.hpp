#pragma once

#include "node_links.hpp"
#include "session_queue.hpp"

#include <functional>
#include <optional>
#include <variant>
#include <vector>

namespace counter {

/// To the client: performs an operation under its session.
struct perform {
  operation what;
};

/// To the client: sends one message to one node, once, and tells what it says.
struct perform_raw {
  std::variant<caucus::command, caucus::open_session> what;
  clock::time_point deadline;
  std::function<void(caucus::outcome)> done;
};

/// To the client: asks the node that it is connected to; others only if that one doesn't answer.
struct ask_status {
  using told = caucus::group_status;
  clock::time_point deadline;
  std::function<void(std::optional<told>)> done;
};

/// To the client: asks the group what needs no session, again and again while that is safe.
struct ask_group {
  std::variant<caucus::query, caucus::change_members, caucus::transfer_leadership,
               caucus::step_down, caucus::take_snapshot, caucus::read_snapshot>
    what;
  clock::time_point deadline;
  std::function<void(caucus::outcome)> done;
  caucus::outcome obstacle{}; ///< The last answer that isn't final.
};

/// To the client: as `ask_status`, for the members.
struct ask_members {
  using told = caucus::group_members;
  clock::time_point deadline;
  std::function<void(std::optional<told>)> done;
};

/// To the client: closes its session, so that it takes no room in the group any more, and ends.
struct end_session {};

struct client_tick {};

/// Talks to a counter: one session, opened when first needed; follows the leader, retries until
/// each operation's deadline. One per shell or command; callers on other threads send it the
/// messages above and are called back on its own.
class counter_client final : public caf::event_based_actor {
public:
  counter_client(caf::actor_config& config, client_options options);

  caf::behavior make_behavior() override;
  const char* name() const override { return "counter_client"; }
  void on_exit() override;

private:
  void pump();
  void open_session(size_t via);
  void send_attempt(size_t via, session_queue::attempt next);
  void send_raw(size_t via, perform_raw raw);
  /// Asks one node; if it doesn't answer, `ask` is in `unsent` again, which is one of ours.
  template <class Question, class Ask>
  void send_question(size_t via, Ask ask, std::vector<Ask>& unsent);
  void send_ask(size_t via, ask_group ask);
  void close_session();
  void on_failure(size_t via, const caf::error& why);
  template <class Waiting, class Refuse>
  void expire(std::vector<Waiting>& waiting, clock::time_point now, Refuse refuse);

  client_options options_;
  node_links links_;
  session_queue queue_;
  std::vector<perform_raw> raws_;    ///< Not sent yet.
  std::vector<ask_status> statuses_; ///< Not sent yet.
  std::vector<ask_group> asks_;      ///< Not sent yet, or to be sent again.
  std::vector<ask_members> members_; ///< Not sent yet.
  clock::time_point ask_at_{};       ///< Not before: the last answer was a refusal.
  bool is_opening_ = false;
  clock::time_point open_at_{}; ///< Not before.
  std::string obstacle_ = "unreachable";
};

} // namespace counter

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::perform)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::perform_raw)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::ask_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::ask_group)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::ask_members)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::end_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::client_tick)
