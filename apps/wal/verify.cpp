#include "apps/wal/commands.hpp"
#include "apps/wal/live_bytes.hpp"
#include "apps/wal/opened_log.hpp"
#include "apps/wal/record_json.hpp"
#include "apps/wal/snapshot_files.hpp"
#include "persistence/log_survey.hpp"

#include <iostream>

namespace caucus::wal_tool {

using namespace persistence;

namespace {

void show(const log_problem& x, bool as_json) {
  if (as_json)
    std::cout << to_line(to_json(x));
  else
    std::cout << (x.is_damage ? "DAMAGED " : "note    ") << x.file << " at offset " << x.offset
              << ": " << x.part << ": " << x.what << '\n';
}

/// What a start does with the log: "usable", "usable without some groups" or "refused".
json verdict_of(const result<recovered_log>& found, const checked_snapshots& snapshots) {
  if (!found)
    return {{"start", "refused"}, {"reason", found.reason().what}};
  json lost = json::array();
  for (const auto& group : found->recovery.groups)
    if (group.damaged)
      lost.push_back({{"group", group.descriptor.name}, {"reason", group.damaged->what}});
  for (const auto& [group, reason] : snapshots.lost)
    lost.push_back({{"group", group}, {"reason", reason}});
  if (lost.empty())
    return {{"start", "usable"}};
  return {{"start", "usable without some groups"}, {"quarantined", std::move(lost)}};
}

void show_verdict(const json& verdict) {
  std::cout << "a start finds it " << verdict["start"].get<std::string>();
  if (verdict.contains("reason"))
    std::cout << ": " << verdict["reason"].get<std::string>();
  std::cout << '\n';
  if (verdict.contains("quarantined"))
    for (const auto& lost : verdict["quarantined"])
      std::cout << "  group " << lost["group"].get<std::string>()
                << " is quarantined: " << lost["reason"].get<std::string>() << '\n';
}

} // namespace

int run_verify(const settings& x) {
  auto dir = open_to_read(x.directory);
  if (!dir)
    return 2;
  live_bytes counted;
  if (auto done = log_survey{*dir, counted}.run(); !done) {
    std::cerr << "caucus-wal: " << done.reason().what << '\n';
    return 2;
  }
  const auto recovered = recover(*dir, std::make_shared<log_index>());
  const auto snapshots =
    recovered ? check_snapshots(*dir, recovered->recovery) : checked_snapshots{};
  size_t damages = 0;
  for (const auto* problems : {&counted.problems(), &snapshots.problems})
    for (const auto& problem : *problems) {
      damages += problem.is_damage ? 1 : 0;
      show(problem, x.as_json);
    }
  auto verdict = verdict_of(recovered, snapshots);
  uint64_t batches = 0;
  uint64_t bytes = 0;
  for (const auto& segment : counted.segments()) {
    batches += segment.batches;
    bytes += segment.used_bytes;
  }
  if (x.as_json) {
    verdict["segments"] = counted.segments().size();
    verdict["batches"] = batches;
    verdict["bytes"] = bytes;
    verdict["damages"] = damages;
    std::cout << to_line(verdict);
  } else {
    std::cout << counted.segments().size() << " segments, " << batches << " batches, "
              << to_size(bytes) << ": " << damages << " damages\n";
    show_verdict(verdict);
  }
  return finish_output(damages == 0 && verdict["start"] == "usable" ? 0 : 1);
}

} // namespace caucus::wal_tool
