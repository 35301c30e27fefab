#include "actors/group_handle.hpp"

#include <caf/actor_system.hpp>

namespace caucus {

namespace {

/// The room that a command or query takes.
template <class Request>
uint64_t cost_of(const Request& x) {
  return x.payload.size() + admission::overhead_bytes;
}

/// Takes a place among the commands, and nothing but the place.
bool is_without_payload(const caf::type_erased_tuple& content) {
  return content.match_elements<open_session>() || content.match_elements<close_session>()
         || content.match_elements<change_members>()
         || content.match_elements<transfer_leadership>() || content.match_elements<step_down>()
         || content.match_elements<take_snapshot>();
}

bool is_question(const caf::type_erased_tuple& content) {
  return content.match_elements<cancel>() || content.match_elements<status_request>()
         || content.match_elements<members_request>() || content.match_elements<leader_listener>();
}

} // namespace

group_handle::group_handle(caf::actor_config& cfg, limits bounds)
  : caf::monitorable_actor{cfg}, bounds_{std::move(bounds)} {}

void group_handle::attach(replica_actor replica) {
  std::unique_lock guard{mutex_};
  replica_ = std::move(replica);
}

void group_handle::close() {
  bounds_.room->close();
  std::unique_lock guard{mutex_};
  replica_ = nullptr;
}

void group_handle::quarantine(group_status told) {
  bounds_.room->abandon();
  std::unique_lock guard{mutex_};
  replica_ = nullptr;
  fault_ = std::move(told);
}

std::optional<group_status> group_handle::fault() const {
  std::shared_lock guard{mutex_};
  return fault_;
}

std::set<std::string> group_handle::message_types() const {
  caf::detail::type_list<group_actor> token;
  return home_system().message_types(token);
}

replica_actor group_handle::target() const {
  std::shared_lock guard{mutex_};
  return replica_;
}

outcome group_handle::admit(uint64_t commands, uint64_t bytes, uint64_t largest) {
  if (bounds_.room->is_closed()) {
    auto known = fault();
    return known ? refusal_of_quarantined(known->fault) : refusal(errc::stopping);
  }
  if (largest > bounds_.proposal_bytes_max)
    return refusal(errc::proposal_too_large, std::to_string(largest)
                                               + " bytes, more than proposal-bytes-max "
                                               + std::to_string(bounds_.proposal_bytes_max));
  if (!bounds_.room->can_ever_take(commands, bytes)) // Told to retry, its sender would for ever.
    return refusal(errc::proposal_too_large,
                   "a batch of " + std::to_string(commands) + " commands and "
                     + std::to_string(bytes)
                     + " bytes is more than waiting-commands-max or uncommitted-bytes-max");
  // A batch takes its room at once: half a batch would break its sender's order.
  if (!bounds_.room->take(commands, bytes))
    return refusal(errc::proposal_dropped, "too many commands or bytes wait in this group");
  return {.kind = outcome_kind::committed};
}

void group_handle::refuse(caf::mailbox_element& asked, outcome why) {
  auto reply = reply_address::of(asked, caf::strong_actor_ptr{ctrl()});
  if (asked.content().match_elements<command_batch>())
    reply.deliver(std::vector<outcome>(asked.content().get_as<command_batch>(0).commands.size(),
                                       std::move(why)));
  else
    reply.deliver(std::move(why));
}

void group_handle::enqueue(caf::mailbox_element_ptr element, caf::execution_unit* host) {
  auto& content = element->content();
  // A group is nobody's to end by a message, nor by the death of an actor that is linked to it.
  if (content.match_elements<caf::exit_msg>() || handle_system_message(*element, host, false))
    return;
  bool asks = false;
  outcome verdict{.kind = outcome_kind::committed};
  if (content.match_elements<command>()) {
    auto& asked = content.get_as<command>(0);
    verdict = admit(1, cost_of(asked), asked.payload.size());
  } else if (content.match_elements<query>()) {
    auto& asked = content.get_as<query>(0);
    verdict = admit(1, cost_of(asked), asked.payload.size());
  } else if (is_without_payload(content)) {
    verdict = admit(1, admission::overhead_bytes, 0);
  } else if (content.match_elements<read_snapshot>()) { // The answer is what takes memory.
    verdict = admit(1, snapshot_read_bytes_max + admission::overhead_bytes, 0);
  } else if (content.match_elements<command_batch>()) {
    auto& asked = content.get_as<command_batch>(0).commands;
    uint64_t bytes = 0;
    uint64_t largest = 0;
    for (auto& one : asked) {
      bytes += cost_of(one);
      largest = std::max<uint64_t>(largest, one.payload.size());
    }
    verdict = admit(asked.size(), bytes, largest);
  } else if ((asks = is_question(content))) {
    if (!bounds_.room->take_question()) {
      bounce(element, caf::make_error(caf::sec::runtime_error,
                                      std::string{"too many requests wait in this group"}));
      return;
    }
  } else {
    bounce(element, caf::make_error(caf::sec::unexpected_message));
    return;
  }
  if (verdict.kind != outcome_kind::committed) {
    refuse(*element, std::move(verdict));
    return;
  }
  if (auto to = target()) {
    caf::actor_cast<caf::abstract_actor*>(to)->enqueue(std::move(element), nullptr);
  } else {
    if (asks)
      bounds_.room->give_question_back();
    answer_without_replica(element);
  }
}

void group_handle::answer_without_replica(caf::mailbox_element_ptr& asked) {
  auto known = fault();
  auto& content = asked->content();
  if (known && content.match_elements<status_request>()) {
    reply_address::of(*asked, caf::strong_actor_ptr{ctrl()}).deliver(*std::move(known));
  } else if (known && content.match_elements<leader_listener>()) {
    auto& listener = content.get_as<leader_listener>(0);
    caf::actor_cast<caf::abstract_actor*>(listener)->enqueue(
      caf::make_mailbox_element(caf::strong_actor_ptr{ctrl()}, caf::make_message_id(), {},
                                leader_changed{.group = known->group}),
      nullptr);
  } else {
    bounce(asked, caf::make_error(caf::exit_reason::user_shutdown));
  }
}

void group_handle::on_cleanup(const caf::error&) { close(); }

} // namespace caucus
