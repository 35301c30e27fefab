#include "counter_client.hpp"

#include "counter_command.hpp"

namespace counter {

namespace {

constexpr std::chrono::milliseconds tick_period{5};
/// Refused for now: an election is on, or a limit reached.
constexpr std::chrono::milliseconds retry_after{10};
/// What a request gets at least that can't be taken back.
constexpr std::chrono::milliseconds last_try_min{200};
/// A person waits for it.
constexpr std::chrono::milliseconds leave_timeout{500};

/// Whether asking again would only bring the same answer.
bool is_final(caucus::errc reason) {
  switch (reason) {
    case caucus::errc::rejected_by_machine:
    case caucus::errc::invalid_change:
    case caucus::errc::change_without_majority:
    case caucus::errc::configuration_mismatch:
    case caucus::errc::invalid_proposal:
    case caucus::errc::invalid_target:
    case caucus::errc::transfer_failed:
    case caucus::errc::snapshot_failed: return true;
    default: return false;
  }
}

std::chrono::milliseconds time_until(clock::time_point deadline) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
  return std::max(left, std::chrono::milliseconds{1});
}

} // namespace

counter_client::counter_client(caf::actor_config& config, client_options options)
  : caf::event_based_actor{config},
    options_{std::move(options)},
    links_{this, options_, [this] { pump(); }},
    queue_{encode({verb::get}), retry_after} {}

caf::behavior counter_client::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) {
    if (auto via = links_.on_down(down)) {
      queue_.on_node_lost(*via);
      pump();
    }
  });
  set_default_handler(caf::drop);
  links_.reconnect(clock::now());
  delayed_send(this, tick_period, client_tick{});
  return {
    [this](perform& x) {
      queue_.add(std::move(x.what));
      pump();
    },
    [this](perform_raw& x) {
      raws_.push_back(std::move(x));
      pump();
    },
    [this](ask_status& x) {
      statuses_.push_back(std::move(x));
      pump();
    },
    [this](ask_group& x) {
      asks_.push_back(std::move(x));
      pump();
    },
    [this](ask_members& x) {
      members_.push_back(std::move(x));
      pump();
    },
    [this](const heard_leader& x) {
      if (!links_.on_heard(x))
        return;
      // What was sent elsewhere may wait for a leader that is no more. A retry does no harm.
      for (size_t via = 0; via < options_.nodes.size(); ++via)
        if (!links_.is_leader(via))
          queue_.on_node_lost(via);
      pump();
    },
    [this](end_session) { close_session(); },
    [this](client_tick) {
      auto now = clock::now();
      delayed_send(this, tick_period, client_tick{});
      links_.reconnect(now);
      queue_.expire(now, obstacle_);
      expire(raws_, now, [this](auto& x) {
        x.done({.kind = caucus::outcome_kind::not_executed,
                .reason = caucus::errc::unreachable,
                .detail = obstacle_});
      });
      expire(statuses_, now, [](auto& x) { x.done(std::nullopt); });
      expire(members_, now, [](auto& x) { x.done(std::nullopt); });
      expire(asks_, now, [this](auto& x) {
        if (x.obstacle.reason == caucus::errc::none) // Never sent.
          x.obstacle = {.kind = caucus::outcome_kind::not_executed,
                        .reason = caucus::errc::unreachable,
                        .detail = obstacle_};
        x.done(x.obstacle);
      });
      pump();
    },
  };
}

void counter_client::on_exit() {
  raws_.clear();
  statuses_.clear();
  members_.clear();
  asks_.clear();
}

template <class Waiting, class Refuse>
void counter_client::expire(std::vector<Waiting>& waiting, clock::time_point now, Refuse refuse) {
  std::erase_if(waiting, [&](auto& x) {
    if (x.deadline > now)
      return false;
    refuse(x);
    return true;
  });
}

void counter_client::pump() {
  auto via = links_.pick();
  if (!via) {
    obstacle_ = "unreachable";
    return;
  }
  auto now = clock::now();
  if (queue_.needs_session() && !is_opening_ && open_at_ <= now)
    open_session(*via);
  for (auto& next : queue_.take_sendable(now, *via))
    send_attempt(*via, std::move(next));
  for (auto& raw : std::exchange(raws_, {}))
    send_raw(*via, std::move(raw));
  for (auto& ask : std::exchange(statuses_, {}))
    send_question<caucus::status_request>(*via, std::move(ask), statuses_);
  for (auto& ask : std::exchange(members_, {}))
    send_question<caucus::members_request>(*via, std::move(ask), members_);
  if (ask_at_ <= now)
    for (auto& ask : std::exchange(asks_, {}))
      send_ask(*via, std::move(ask));
}

void counter_client::on_failure(size_t via, const caf::error& why) {
  obstacle_ = system().render(why);
  if (why == caf::sec::request_timeout) {
    obstacle_ = "timeout";
    links_.suspect(via);
  }
}

void counter_client::open_session(size_t via) {
  is_opening_ = true;
  request(links_.group(via), options_.try_timeout, caucus::open_session{})
    .then(
      [this, via](const caucus::outcome& told) {
        links_.trust(via);
        is_opening_ = false;
        if (told.kind == caucus::outcome_kind::committed) {
          queue_.opened(told.session);
        } else { // Perhaps opened all the same: that one expires by itself.
          obstacle_ = to_string(told.reason);
          open_at_ = clock::now() + retry_after;
          links_.rotate();
        }
        pump();
      },
      [this, via](const caf::error& why) {
        is_opening_ = false;
        on_failure(via, why);
        pump();
      });
}

void counter_client::close_session() {
  // A normal end would leave the linked listeners behind.
  auto via = links_.pick();
  if (!via || queue_.session() == 0) {
    quit(caf::exit_reason::user_shutdown);
    return;
  }
  // Best effort: a session that isn't closed expires. What is still under way is told `unknown`.
  auto end = [this](auto&&) { quit(caf::exit_reason::user_shutdown); };
  request(links_.group(*via), leave_timeout, caucus::close_session{queue_.session()})
    .then([end](const caucus::outcome& x) { end(x); }, [end](const caf::error& x) { end(x); });
}

void counter_client::send_attempt(size_t via, session_queue::attempt next) {
  next.body.timeout_ms = static_cast<uint64_t>(options_.try_timeout.count());
  auto body = next.body;
  request(links_.group(via), options_.try_timeout, std::move(body))
    .then(
      [this, via, next](const caucus::outcome& told) {
        links_.trust(via);
        if (told.kind != caucus::outcome_kind::committed)
          links_.rotate();
        queue_.on_outcome(next, told, clock::now());
        pump();
      },
      [this, via, next](const caf::error& why) {
        on_failure(via, why);
        queue_.on_silence(next);
        pump();
      });
}

void counter_client::send_raw(size_t via, perform_raw raw) {
  auto tell = [this, told = raw.done](const caucus::outcome& x) {
    if (x.kind != caucus::outcome_kind::committed)
      links_.rotate();
    told(x);
  };
  auto lost = [this, via, told = raw.done](const caf::error& why) {
    on_failure(via, why);
    told({.reason = caucus::errc::timeout, .detail = obstacle_});
  };
  auto left = time_until(raw.deadline);
  if (auto* open = std::get_if<caucus::open_session>(&raw.what)) {
    request(links_.group(via), left, *open).then(tell, lost);
    return;
  }
  auto& body = std::get<caucus::command>(raw.what);
  body.timeout_ms = static_cast<uint64_t>(left.count());
  request(links_.group(via), left, std::move(body)).then(tell, lost);
}

template <class Question, class Ask>
void counter_client::send_question(size_t via, Ask ask, std::vector<Ask>& unsent) {
  request(links_.group(via), std::min(time_until(ask.deadline), options_.try_timeout), Question{})
    .then(
      [this, via, done = ask.done](const typename Ask::told& told) {
        links_.trust(via);
        done(told);
      },
      [this, via, ask, &unsent](const caf::error& why) {
        on_failure(via, why);
        unsent.push_back(ask); // The next tick tries another node, or gives up.
      });
}

void counter_client::send_ask(size_t via, ask_group ask) {
  auto patience = time_until(ask.deadline);
  auto is_query = std::holds_alternative<caucus::query>(ask.what);
  if (is_query) // Asking twice does no harm, and costs little.
    patience = std::min(patience, options_.try_timeout);
  auto changes_nothing = is_query || std::holds_alternative<caucus::take_snapshot>(ask.what)
                         || std::holds_alternative<caucus::read_snapshot>(ask.what);
  auto again = [this, ask, is_query, changes_nothing](const caucus::outcome& told) mutable {
    auto is_safe = changes_nothing || told.kind == caucus::outcome_kind::not_executed;
    if (told.kind == caucus::outcome_kind::committed || !is_safe || is_final(told.reason)) {
      ask.done(told);
      return;
    }
    // Cut short, another try would turn a certain refusal into an unknown outcome.
    if (!is_query && time_until(ask.deadline) < last_try_min) {
      ask.done(told);
      return;
    }
    ask.obstacle = told;
    asks_.push_back(std::move(ask));
    ask_at_ = clock::now() + retry_after;
    links_.rotate();
  };
  auto told = [this, via, again](const caucus::outcome& x) mutable {
    links_.trust(via);
    again(x);
  };
  auto lost = [this, via, again](const caf::error& why) mutable {
    on_failure(via, why);
    again({.reason = caucus::errc::timeout, .detail = obstacle_});
  };
  std::visit(
    [&](auto what) {
      if constexpr (requires { what.timeout_ms; })
        what.timeout_ms = static_cast<uint64_t>(patience.count());
      request(links_.group(via), patience, std::move(what)).then(told, lost);
    },
    ask.what);
}

} // namespace counter
