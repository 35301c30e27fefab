#include "single_commands.hpp"

#include "ask_once.hpp"
#include "counter_command.hpp"
#include "status_text.hpp"

namespace counter {

int run_add(const client_options& options, int64_t amount) {
  auto result = ask_once<answer>(options, [&](auto deadline, auto done) {
    return perform{{encode({verb::add, amount}), deadline, done}};
  });
  if (result.kind != answer::kind::ok)
    return report_failure(result.kind == answer::kind::rejected, result.reason);
  std::cout << aligned({{"COUNT", "TERM", "INDEX"},
                        {std::to_string(decode_count(result.value).value_or(0)),
                         std::to_string(result.term), std::to_string(result.index)}});
  return 0;
}

std::vector<std::optional<caucus::group_status>> ask_statuses(const client_options& options) {
  std::vector<caf::actor> clients;
  std::vector<std::future<std::optional<caucus::group_status>>> told;
  for (auto& node : options.nodes) {
    auto one = options;
    one.nodes = {node};
    clients.push_back(client_system().spawn<counter_client>(one));
    auto promise = std::make_shared<std::promise<std::optional<caucus::group_status>>>();
    told.push_back(promise->get_future());
    caf::anon_send(clients.back(),
                   ask_status{clock::now() + options.timeout,
                              [promise](const std::optional<caucus::group_status>& x) {
                                promise->set_value(x);
                              }});
  }
  std::vector<std::optional<caucus::group_status>> answers;
  for (auto& one : told)
    answers.push_back(one.get());
  for (auto& client : clients)
    caf::anon_send_exit(client, caf::exit_reason::user_shutdown);
  return answers;
}

int run_status(const client_options& options, bool as_json) {
  auto told = ask_statuses(options);
  std::vector<status_row> rows;
  bool all_answered = true;
  for (size_t i = 0; i < told.size(); ++i) {
    auto& x = told[i];
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
  return all_answered ? 0 : 1;
}

} // namespace counter
