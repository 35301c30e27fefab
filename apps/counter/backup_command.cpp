#include "backup_command.hpp"

#include "ask_once.hpp"
#include "single_commands.hpp"
#include "status_text.hpp"

#include <caucus/backup.hpp>

namespace counter {

namespace {

/// One node, asked by one client for as long as the command takes.
class asked_node {
public:
  explicit asked_node(const client_options& options)
    : options_{options}, system_{config_}, client_{system_.spawn<counter_client>(options)} {}
  ~asked_node() { caf::anon_send(client_, end_session{}); }

  caucus::outcome ask(decltype(ask_group::what) what) {
    std::promise<caucus::outcome> told;
    caf::anon_send(client_, ask_group{what, clock::now() + options_.timeout,
                                      [&](caucus::outcome x) { told.set_value(std::move(x)); }});
    return told.get_future().get();
  }

private:
  client_options options_;
  client_system_config config_;
  caf::actor_system system_;
  caf::actor client_;
};

/// The given options with one node only; nothing if none answers.
std::optional<client_options> choose_node(client_options options) {
  auto asking = options;
  asking.timeout = std::min(asking.timeout, asking.try_timeout);
  auto told = ask_statuses(asking);
  std::optional<size_t> chosen;
  for (size_t i = 0; i < told.size(); ++i) {
    if (!told[i] || !told[i]->fault.empty())
      continue;
    if (!chosen || told[i]->role == "leader")
      chosen = i;
  }
  if (!chosen)
    return std::nullopt;
  options.nodes = {options.nodes[*chosen]};
  return options;
}

std::string reason_of(const caucus::outcome& told) {
  std::string reason{to_string(told.reason)};
  return told.detail.empty() ? reason : reason + ": " + told.detail;
}

/// Nothing that these commands ask changes the state, so that they have failed or not.
int fail(const std::string& reason) {
  std::cerr << "caucus-counter: " << reason << '\n';
  return 1;
}

int fail_without_node() { return fail("no node of --nodes answers, or all are quarantined"); }

std::string hex(uint64_t number) { return caucus::to_string(caucus::cluster_id{number}); }

std::string to_table(const std::string& path, const caucus::backup_info& x) {
  std::string members;
  for (auto& [id, address] : x.members)
    members += (members.empty() ? "" : ",") + std::to_string(id.value()) + "=" + to_string(address);
  return aligned(
    {{"INDEX", "TERM", "CLUSTER", "GROUP", "BACKUP", "BYTES", "MEMBERS", "FILE"},
     {std::to_string(x.index.value()), std::to_string(x.term.value()), hex(x.cluster.value()),
      hex(x.group.value()), hex(x.id), std::to_string(x.file_bytes), members, path}});
}

} // namespace

int run_snapshot(const client_options& options) {
  auto chosen = choose_node(options);
  if (!chosen)
    return fail_without_node();
  auto told = asked_node{*chosen}.ask(caucus::take_snapshot{});
  if (told.kind != caucus::outcome_kind::committed)
    return fail(reason_of(told));
  std::cout << aligned({{"INDEX", "SIZE", "NODE"},
                        {std::to_string(told.index), told.detail, to_string(chosen->nodes[0])}});
  return 0;
}

int run_backup(const client_options& options, const std::string& path, bool may_replace) {
  auto chosen = choose_node(options);
  if (!chosen)
    return fail_without_node();
  asked_node node{*chosen};
  auto taken = node.ask(caucus::take_snapshot{});
  if (taken.kind != caucus::outcome_kind::committed)
    return fail(reason_of(taken));
  auto written = caucus::write_backup(
    path, may_replace, [&](uint64_t offset) -> caucus::result<caucus::shared_bytes> {
      auto told = node.ask(caucus::read_snapshot{taken.index, offset});
      if (told.kind != caucus::outcome_kind::committed)
        return caucus::error{told.reason, reason_of(told)};
      return std::move(told.reply);
    });
  if (!written)
    return fail(written.reason().what);
  std::cout << to_table(path, *written);
  return 0;
}

} // namespace counter
