#include "group_commands.hpp"

#include "ask_once.hpp"
#include "counter_command.hpp"
#include "members_answer.hpp"
#include "status_text.hpp"

#include <condition_variable>
#include <mutex>

namespace counter {

namespace {

caucus::outcome ask(const client_options& options, decltype(ask_group::what) what) {
  return ask_once<caucus::outcome>(options, [&](auto deadline, auto done) {
    return ask_group{std::move(what), deadline, done};
  });
}

int fail(const caucus::outcome& told) {
  std::string reason{to_string(told.reason)};
  return report_failure(told.kind == caucus::outcome_kind::not_executed,
                        told.detail.empty() ? reason : reason + ": " + told.detail);
}

/// Asks each node by a client of its own, until the leader has answered, or all have.
members_answers ask_all_members(const client_options& options) {
  struct round {
    std::mutex mutex;
    std::condition_variable changed;
    members_answers answers;
    size_t missing = 0;
  };
  auto asked = std::make_shared<round>();
  asked->missing = options.nodes.size();
  std::vector<caf::actor> clients;
  for (auto& node : options.nodes) {
    auto one = options;
    one.nodes = {node};
    clients.push_back(client_system().spawn<counter_client>(one));
    caf::anon_send(clients.back(), ask_members{clock::now() + options.timeout,
                                               [asked](std::optional<caucus::group_members> x) {
                                                 std::lock_guard guard{asked->mutex};
                                                 --asked->missing;
                                                 if (x)
                                                   asked->answers.add(*std::move(x));
                                                 asked->changed.notify_all();
                                               }});
  }
  std::unique_lock guard{asked->mutex};
  asked->changed.wait(guard,
                      [&] { return asked->missing == 0 || asked->answers.leaders() != nullptr; });
  auto answers = asked->answers;
  guard.unlock();
  for (auto& client : clients)
    caf::anon_send_exit(client, caf::exit_reason::user_shutdown);
  return answers;
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
  auto told = ask(options, std::move(what));
  if (told.kind != caucus::outcome_kind::committed)
    return fail(told);
  std::cout << aligned(
    {{"COUNT", "APPLIED"},
     {std::to_string(decode_count(told.reply.view()).value_or(0)), std::to_string(told.index)}});
  return 0;
}

int run_members(const client_options& options, bool as_json) {
  auto answers = ask_all_members(options);
  auto* told = answers.best();
  if (told == nullptr) {
    std::cerr << "caucus-counter: no node of --nodes answers\n";
    return 1;
  }
  if (auto warning = answers.warning(); !warning.empty())
    std::cerr << "caucus-counter: " << warning << '\n';
  std::cout << (as_json ? to_json(*told) + "\n" : to_table(*told));
  return 0;
}

int run_change(const client_options& options, caucus::change_members what) {
  auto told = ask(options, std::move(what));
  if (told.kind != caucus::outcome_kind::committed)
    return fail(told);
  std::cout << "configuration " << told.index << '\n';
  return 0;
}

int run_transfer(const client_options& options, uint64_t target) {
  auto told = ask(options, caucus::transfer_leadership{.target = target});
  if (told.kind != caucus::outcome_kind::committed)
    return fail(told);
  std::cout << "leader " << told.leader << " term " << told.term << '\n';
  return 0;
}

int run_step_down(const client_options& options) {
  auto told = ask(options, caucus::step_down{});
  if (told.kind != caucus::outcome_kind::committed)
    return fail(told);
  std::cout << "stepped down in term " << told.term << '\n';
  return 0;
}

} // namespace counter
