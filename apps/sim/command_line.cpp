#include "apps/sim/command_line.hpp"

#include "apps/sim/options.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace caucus::sim {

namespace {

constexpr auto description =
  R"(Simulates clusters of real Raft cores on networks, disks and clocks that fail, from one seed.

  caucus-sim --seed 7 --trace run.txt     one run, every event as a line
  caucus-sim --seed 1 --seeds 1000        a thousand runs, until one breaks an invariant
  caucus-sim --seed 7 --set nodes=3 --set loss_permille=0      a run with other options than drawn

The first line names the options of a run. The exit status is 1 if an invariant was broken.)";

/// Several runs would write them on top of each other.
void refuse_files_of_many(const settings& x) {
  if (x.seeds == 1)
    return;
  for (const auto& [name, file] : {std::pair{"--trace", &x.trace_file},
                                   {"--history", &x.history_file},
                                   {"--dump", &x.dump_directory}})
    if (!file->empty())
      throw CLI::ValidationError{std::string{name} + " is of a single run; give --seed alone", 2};
}

} // namespace

command_line parse_command_line(int argc, char** argv) {
  command_line out;
  auto& x = out.settings;
  CLI::App app{description, "caucus-sim"};
  app.add_option("--seed", x.seed, "The first seed")
    ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 62))
    ->capture_default_str();
  app.add_option("--seeds", x.seeds, "How many seeds, one after the other")
    ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40))
    ->capture_default_str();
  app
    .add_option("--events", x.events,
                "Deliveries, disk completions, client operations and faults of a run (5000)")
    ->check(CLI::Range(uint64_t{0}, uint64_t{1'000'000'000}));
  app.add_option("--set", x.assignments, "name=value: an option that isn't left to the seed")
    ->allow_extra_args(false);
  std::string storage;
  app
    .add_option("--storage", storage,
                "What nodes store by: a model of the log, fast (the default), or the log itself: "
                "persistence's code on a simulated disk, as --set storage=1")
    ->check(CLI::IsMember({"model", "wal"}));
  app.add_option("--trace", x.trace_file, "Writes a line for every event to this file");
  app.add_option("--history", x.history_file,
                 "Writes what clients saw to this file, as JSON lines");
  app.add_option("--check-history", x.check_history_file,
                 "Runs nothing, judges the history in this file");
  app.add_option("--dump", x.dump_directory, "Writes the simulated disks into this directory");
  app.add_option(
    "--plant", x.plant,
    "Switches a known bug on, such as S-17 or canary; one of the storage with --storage wal");
  app.add_flag("--json", x.as_json, "Ends with one JSON object of totals");
  app.add_flag("--keep-going", x.keeps_going, "Goes on with the next seed after a failure");
  std::string checks = "on";
  app.add_option("--checks", checks, "off: no oracle looks, to measure the simulator itself")
    ->check(CLI::IsMember({"on", "off"}))
    ->capture_default_str();
  app.add_flag("--strict", x.is_strict,
               "Fails as well if a part of the protocol or a class of faults was met too rarely");
  app.add_flag("!--no-shrink", x.shrinks, "Doesn't look for a smaller run that fails as well");
  try {
    app.parse(argc, argv);
    x.is_checked = checks == "on";
    if (!storage.empty())
      x.assignments.insert(x.assignments.begin(), storage == "wal" ? "storage=1" : "storage=0");
    refuse_files_of_many(x);
    auto probe = drawn_options(x.seed);
    for (const auto& assignment : x.assignments)
      if (auto set = set_option(probe, assignment); !set)
        throw CLI::ValidationError{set.reason().what, 2};
  } catch (const CLI::Success& asked) {
    out.exit_code = app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    std::cerr << "caucus-sim: " << wrong.what() << "; --help explains\n";
    out.exit_code = 2;
  }
  return out;
}

} // namespace caucus::sim
