#include "group_commands.hpp"

#include "client_system.hpp"
#include "counter_client.hpp"
#include "counter_command.hpp"
#include "status_text.hpp"

#include <future>
#include <iostream>

namespace counter {

namespace {

/// Asks through a client of its own and waits.
template <class Ask, class Told, class... Parts>
Told ask_once(const client_options& options, Parts... parts) {
  client_system_config config;
  caf::actor_system system{config};
  auto client = system.spawn<counter_client>(options);
  std::promise<Told> told;
  caf::anon_send(client, Ask{std::move(parts)..., clock::now() + options.timeout,
                             [&](Told x) { told.set_value(std::move(x)); }});
  auto result = told.get_future().get();
  caf::anon_send(client, end_session{}); // The actor system waits until it has ended.
  return result;
}

int fail(const caucus::outcome& told) {
  bool is_refused = told.kind == caucus::outcome_kind::not_executed;
  std::cerr << "caucus-counter: "
            << (is_refused ? "rejected (not executed): " : "unknown (may be executed): ")
            << to_string(told.reason) << (told.detail.empty() ? "" : ": ") << told.detail << '\n';
  return is_refused ? 1 : 3;
}

} // namespace

std::optional<caucus::freshness> to_freshness(std::string_view word) {
  if (word == "linearizable")
    return caucus::freshness::linearizable;
  if (word == "lease")
    return caucus::freshness::lease;
  return word == "stale" ? std::optional{caucus::freshness::stale} : std::nullopt;
}

int run_get(const client_options& options, caucus::freshness how) {
  caucus::query what{.how = how};
  what.payload = caucus::shared_bytes::copy_of(encode({verb::get}));
  auto told = ask_once<ask_group, caucus::outcome>(options, std::move(what));
  if (told.kind != caucus::outcome_kind::committed)
    return fail(told);
  auto count = std::to_string(decode_count(told.reply.view()).value_or(0));
  auto width = std::max<size_t>(count.size(), 5);
  std::cout << "COUNT" << std::string(width - 5 + 2, ' ') << "APPLIED\n"
            << count << std::string(width - count.size() + 2, ' ') << told.index << '\n';
  return 0;
}

int run_members(const client_options& options, bool as_json) {
  auto told = ask_once<ask_members, std::optional<caucus::group_members>>(options);
  if (!told) {
    std::cerr << "caucus-counter: no node of --nodes answers\n";
    return 1;
  }
  std::cout << (as_json ? to_json(*told) + "\n" : to_table(*told));
  return 0;
}

int run_change(const client_options& options, caucus::change_members what) {
  auto told = ask_once<ask_group, caucus::outcome>(options, std::move(what));
  if (told.kind != caucus::outcome_kind::committed)
    return fail(told);
  std::cout << "configuration " << told.index << '\n';
  return 0;
}

int run_transfer(const client_options& options, uint64_t target) {
  auto told =
    ask_once<ask_group, caucus::outcome>(options, caucus::transfer_leadership{.target = target});
  if (told.kind != caucus::outcome_kind::committed)
    return fail(told);
  std::cout << "leader " << told.leader << " term " << told.term << '\n';
  return 0;
}

int run_step_down(const client_options& options) {
  auto told = ask_once<ask_group, caucus::outcome>(options, caucus::step_down{});
  if (told.kind != caucus::outcome_kind::committed)
    return fail(told);
  std::cout << "stepped down in term " << told.term << '\n';
  return 0;
}

} // namespace counter
