#include "apps/wal/commands.hpp"
#include "apps/wal/log_rescue.hpp"
#include "apps/wal/opened_log.hpp"
#include "apps/wal/snapshot_files.hpp"
#include "apps/wal/text_table.hpp"
#include "persistence/log_survey.hpp"

#include <filesystem>
#include <iostream>

namespace caucus::wal_tool {

using namespace persistence;

namespace {

int fail(const error& why) {
  std::cerr << "caucus-wal: " << why.what << '\n';
  return 2;
}

result<wal_identity> identity_of(directory& dir) {
  struct first_header final : log_visitor {
    std::optional<wal_identity> found;
    void on_segment(const surveyed_segment& x) override {
      if (!found && x.header)
        found = x.header->identity;
    }
  } headers;
  if (auto done = log_survey{dir, headers}.run(); !done)
    return std::move(done).reason();
  if (!headers.found)
    return error{errc::wal_corrupt, "no segment in " + dir.path()
                                      + " has a header that can be read; nothing can be kept: let "
                                        "the node rejoin with an empty directory"};
  return *headers.found;
}

/// A directory that isn't there yet or is empty.
result<std::unique_ptr<directory>> open_new(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_empty(path, ignored))
    return error{errc::already_exists, "directory " + path + " isn't empty; name a new one"};
  return open_posix_directory(path);
}

bool is_loss(const log_rescue& x) {
  if (x.orphans() != 0)
    return true;
  for (const auto& problem : x.problems())
    if (problem.is_damage)
      return true;
  return false;
}

void show(const log_rescue& x) {
  for (const auto& problem : x.problems())
    std::cout << (problem.is_damage ? "DAMAGED " : "note    ") << problem.file << " at offset "
              << problem.offset << ": " << problem.part << ": " << problem.what << '\n';
  std::vector<std::vector<std::string>> lines{{"GROUP", "KEPT UP TO", "LOST", "DAMAGED RECORDS"}};
  for (const auto& [id, group] : x.groups())
    lines.push_back({group.name, std::to_string(group.kept.value()),
                     group.lost_first == 0
                       ? "none seen"
                       : std::to_string(group.lost_first) + ".." + std::to_string(group.lost_last),
                     std::to_string(group.damaged_records)});
  std::cout << aligned(lines);
  if (x.orphans() != 0)
    std::cout << x.orphans() << " records are of groups whose creation can't be read: lost\n";
}

/// Each is told: whether all of them could be copied.
bool copy_snapshots(const log_rescue& counted, directory& from, directory& into) {
  bool has_all = true;
  for (const auto& name : counted.snapshot_files())
    if (auto done = copy_snapshot(from, into, name); !done) {
      std::cout << "DAMAGED " << file_name(name) << " is not copied: " << done.reason().what
                << '\n';
      has_all = false;
    }
  if (!has_all)
    std::cout << "a group that no snapshot and no whole log is left of must join anew; verify the "
                 "new directory\n";
  return has_all;
}

constexpr auto consequence =
  "What is lost may have been acknowledged, and votes may be forgotten. So the new directory is\n"
  "another one to the node's peers: they refuse it until they are told --accept-directory for "
  "this\n"
  "node. That is safe only if a majority of each group's other voters have lost nothing; "
  "otherwise\n"
  "remove this node from its groups and let it join under a new id.\n";

} // namespace

int run_repair(const settings& x) {
  auto dir = open_to_read(x.directory);
  if (!dir)
    return 2;
  auto self = identity_of(*dir);
  if (!self)
    return fail(self.reason());
  log_rescue counted;
  if (auto done = log_survey{*dir, counted}.run(); !done)
    return fail(done.reason());
  if (!is_loss(counted)) {
    std::cout << "the log is sound; there is nothing to repair\n";
    return finish_output(0);
  }
  show(counted);
  std::cout << consequence;
  if (x.is_dry_run)
    return finish_output(1);
  if (!x.is_confirmed) {
    std::cerr << "caucus-wal: nothing was written; --accept-loss writes what is kept into "
              << x.into << '\n';
    return finish_output(1);
  }
  auto made = open_new(x.into);
  if (!made)
    return fail(made.reason());
  auto opened = wal::open(**made, *self);
  if (!opened)
    return fail(opened.reason());
  if (auto done = counted.write(*dir, *opened->log); !done)
    return fail(done.reason());
  const bool has_all = copy_snapshots(counted, *dir, **made);
  std::cout << x.into << " has what is kept; " << x.directory << " is unchanged\n";
  return finish_output(has_all ? 0 : 1);
}

} // namespace caucus::wal_tool
