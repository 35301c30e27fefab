#include "backup_command.hpp"

#include "ask_once.hpp"
#include "single_commands.hpp"
#include "status_text.hpp"

#include <caucus/backup.hpp>

namespace counter {

namespace {

caucus::outcome ask(waiting_client& client, decltype(ask_group::what) what) {
  return client.ask<caucus::outcome>([&](auto deadline, auto done) {
    return ask_group{std::move(what), deadline, std::move(done)};
  });
}

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
      x.group_name.empty() ? hex(x.group.value()) : x.group_name, hex(x.id),
      std::to_string(x.file_bytes), members, path}});
}

} // namespace

int run_snapshot(const client_options& options) {
  auto chosen = choose_node(options);
  if (!chosen)
    return fail_without_node();
  waiting_client node{*chosen};
  auto told = ask(node, caucus::take_snapshot{});
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
  waiting_client node{*chosen};
  auto taken = ask(node, caucus::take_snapshot{});
  if (taken.kind != caucus::outcome_kind::committed)
    return fail(reason_of(taken));
  auto written = caucus::write_backup(
    path, may_replace, [&](uint64_t offset) -> caucus::result<caucus::shared_bytes> {
      auto told = ask(node, caucus::read_snapshot{taken.index, offset});
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
