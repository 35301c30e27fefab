#include "single_commands.hpp"

#include "client_system.hpp"
#include "counter_client.hpp"
#include "counter_command.hpp"
#include "status_text.hpp"

#include <future>
#include <iostream>

namespace counter {

namespace {

answer perform_one(const client_options& options, const counter_command& command) {
  client_system_config config;
  caf::actor_system system{config};
  auto client = system.spawn<counter_client>(options);
  std::promise<answer> told;
  caf::anon_send(client, perform{{encode(command), clock::now() + options.timeout,
                                  [&](answer x) { told.set_value(std::move(x)); }}});
  auto result = told.get_future().get();
  caf::anon_send(client, end_session{}); // The actor system waits until it has ended.
  return result;
}

} // namespace

int run_add(const client_options& options, int64_t amount) {
  auto result = perform_one(options, {verb::add, amount});
  if (result.kind == answer::kind::ok) {
    auto count = std::to_string(decode_count(result.value).value_or(0));
    auto width = std::max<size_t>(count.size(), 5);
    std::cout << "COUNT" << std::string(width - 5 + 2, ' ') << "TERM  INDEX\n"
              << count << std::string(width - count.size() + 2, ' ') << std::left << result.term
              << std::string(6 - std::min<size_t>(5, std::to_string(result.term).size()), ' ')
              << result.index << '\n';
    return 0;
  }
  bool is_rejected = result.kind == answer::kind::rejected;
  std::cerr << "caucus-counter: "
            << (is_rejected ? "rejected (not executed): " : "unknown (may be executed): ")
            << result.reason << '\n';
  return is_rejected ? 1 : 3;
}

int run_status(const client_options& options, bool as_json) {
  client_system_config config;
  caf::actor_system system{config};
  std::vector<caf::actor> clients;
  std::vector<std::future<std::optional<caucus::group_status>>> told;
  for (auto& node : options.nodes) {
    auto one = options;
    one.nodes = {node};
    clients.push_back(system.spawn<counter_client>(one));
    auto promise = std::make_shared<std::promise<std::optional<caucus::group_status>>>();
    told.push_back(promise->get_future());
    caf::anon_send(clients.back(),
                   ask_status{clock::now() + options.timeout,
                              [promise](const std::optional<caucus::group_status>& x) {
                                promise->set_value(x);
                              }});
  }
  std::vector<status_row> rows;
  bool all_answered = true;
  for (size_t i = 0; i < told.size(); ++i) {
    auto x = told[i].get();
    status_row row{to_string(options.nodes[i]), x.has_value(), {}, "unreachable"};
    if (x)
      row.told = *std::move(x);
    else
      all_answered = false;
    if (as_json && row.is_answered)
      std::cout << to_json(row.told) << '\n';
    else if (as_json)
      std::cout << "{\"address\":\"" << row.address << "\",\"error\":\"unreachable\"}\n";
    rows.push_back(std::move(row));
  }
  if (!as_json)
    std::cout << to_table(rows);
  for (auto& client : clients)
    caf::anon_send_exit(client, caf::exit_reason::user_shutdown);
  return all_answered ? 0 : 1;
}

} // namespace counter
