#include "apps/sim/sweep.hpp"

#include "apps/sim/history/checker.hpp"
#include "apps/sim/history/json_lines.hpp"
#include "apps/sim/planted.hpp"
#include "apps/sim/run.hpp"
#include "apps/sim/seed_statistics.hpp"
#include "apps/sim/shrink.hpp"
#include "apps/sim/violation.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

namespace caucus::sim {

namespace {

constexpr uint64_t last_events_shown = 200;

options options_of(const settings& asked, uint64_t seed) {
  auto x = drawn_options(seed);
  for (const auto& row : plant_table)
    if (row.name == asked.plant)
      x.storage = row.storage;
  if (asked.events)
    x.events = static_cast<int64_t>(*asked.events);
  for (const auto& assignment : asked.assignments)
    static_cast<void>(set_option(x, assignment)); // The command line was checked.
  return x;
}

/// Whether each seed's own options go with those that were set.
bool fit_together(const settings& asked) {
  for (uint64_t i = 0; i < asked.seeds && !asked.assignments.empty(); ++i)
    if (const auto fits = check_together(options_of(asked, asked.seed + i)); !fits) {
      std::cerr << "caucus-sim: seed " << asked.seed + i << ": " << fits.reason().what << '\n';
      return false;
    }
  return true;
}

std::string replay_command(const settings& asked, const options& x) {
  return "caucus-sim " + overrides(x) + (asked.plant.empty() ? "" : " --plant " + asked.plant);
}

/// The same run again, this time listening: it ends the same way.
void show_failure(const settings& asked, const run_report& failed) {
  std::cout << "FAILED seed=" << failed.what.seed << " invariant=\"" << failed.invariant
            << "\": " << failed.detail << "\nreplay: " << replay_command(asked, failed.what)
            << '\n';
  const auto smallest = asked.shrinks ? shrink(failed) : failed;
  std::ostringstream lines;
  const auto end = smallest.counts.events;
  run(smallest.what,
      {.trace_to = &lines, .trace_first = end > last_events_shown ? end - last_events_shown : 0});
  if (asked.shrinks)
    std::cout << "shrunk from " << failed.counts.events << " to " << end
              << " events: " << smallest.detail
              << "\nreplay: " << replay_command(asked, smallest.what) << '\n';
  std::cout << "options: " << to_string(smallest.what) << "\nlast events:\n"
            << lines.str() << std::flush; // A long sweep may be ended from outside.
}

nlohmann::ordered_json json_of(const totals& x, std::span<const totals_row> rows) {
  nlohmann::ordered_json out;
  for (const auto& row : rows)
    out[std::string{row.name}] = x.*row.field;
  return out;
}

bool switch_on(const std::string& name) {
  for (const auto& row : plant_table)
    if (row.name == name) {
      planted = row.which;
      return true;
    }
  std::cerr << "caucus-sim: no such bug can be planted: " << name << "; there are";
  for (const auto& row : plant_table)
    std::cerr << ' ' << row.name;
  std::cerr << '\n';
  return false;
}

void say_hello(const settings& asked) {
  std::cout << "caucus-sim " << CAUCUS_SIM_VERSION;
  if (asked.seeds > 1)
    std::cout << " seed=" << asked.seed << " seeds=" << asked.seeds << ", options drawn from each";
  else
    std::cout << ' ' << to_string(options_of(asked, asked.seed));
  for (const auto& x : asked.assignments)
    std::cout << (asked.seeds > 1 ? ", " + x : "");
  std::cout << (asked.plant.empty() ? "" : " plant=" + asked.plant) << std::endl;
}

bool open(std::ofstream& file, const std::string& name) {
  if (name.empty())
    return true;
  file.open(name);
  if (!file)
    std::cerr << "caucus-sim: can't write " << name << '\n';
  return file.is_open();
}

struct outcome {
  seed_statistics all;
  hasher hashes;
  uint64_t runs = 0;
  uint64_t failures = 0;
  std::string first_broken; ///< The invariant; empty: none.
};

void tell(const settings& asked, const outcome& x) {
  if (asked.seeds > 1)
    std::cout << "fault classes and totals over " << x.runs << " seeds:\n"
              << x.all.classes_table() << "coverage:\n"
              << x.all.coverage_table();
  if (!asked.as_json) {
    for (const auto& row : totals_table())
      std::cout << row.name << '=' << x.all.sum().*row.field << '\n';
    for (const auto& row : damage_table())
      if (x.all.has_lying_disks())
        std::cout << row.name << '=' << x.all.sum().*row.field << '\n';
    return;
  }
  nlohmann::ordered_json json{
    {"seed", asked.seed},     {"runs", x.runs},
    {"failures", x.failures}, {"trace_hash", text(x.hashes.value())},
    {"invariant", nullptr},   {"totals", json_of(x.all.sum(), totals_table())}};
  if (x.all.has_lying_disks())
    json["damage"] = json_of(x.all.sum(), damage_table());
  if (!x.first_broken.empty())
    json["invariant"] = x.first_broken;
  std::cout << json.dump() << '\n';
}

/// What to do when a run has ended; false: no more runs.
bool note_run(const settings& asked, const run_report& report, outcome& x) {
  ++x.runs;
  x.all.add(report.counts, report.reached);
  x.hashes.word(report.trace_hash);
  if (report.is_clean())
    return true;
  if (x.failures++ == 0)
    x.first_broken = report.invariant;
  show_failure(asked, report);
  return asked.keeps_going;
}

} // namespace

int judge_history(const std::string& name) {
  std::ifstream file{name};
  if (!file) {
    std::cerr << "caucus-sim: can't read " << name << '\n';
    return 2;
  }
  const auto given = history::read(file);
  if (!given) {
    std::cerr << "caucus-sim: " << name << ": " << given.reason().what << '\n';
    return 2;
  }
  const auto found = history::check(*given);
  static constexpr std::array verdicts{"linearizable", "not linearizable", "undecided"};
  std::cout << verdicts[static_cast<size_t>(found.verdict)]
            << (found.why.empty() ? "" : ": " + found.why) << '\n';
  return found.verdict == history::verdict::linearizable ? 0 : 1;
}

int sweep(const settings& asked) {
  if (!asked.plant.empty() && !switch_on(asked.plant))
    return 2;
  if (!fit_together(asked))
    return 2;
  say_hello(asked);
  std::ofstream trace_file;
  std::ofstream history_file;
  if (!open(trace_file, asked.trace_file) || !open(history_file, asked.history_file))
    return 2;
  outcome all;
  for (uint64_t i = 0; i < asked.seeds; ++i) {
    const auto report = run(options_of(asked, asked.seed + i),
                            {.is_checked = asked.is_checked,
                             .trace_to = trace_file.is_open() ? &trace_file : nullptr,
                             .keeps_history = history_file.is_open(),
                             .dump_to = asked.dump_directory});
    history::write(history_file, report.history);
    if (!note_run(asked, report, all))
      break;
  }
  tell(asked, all);
  if (const auto lacking = all.all.shortcomings(); asked.is_strict && !lacking.empty()) {
    std::cerr << "caucus-sim: too little happened: " << lacking << '\n';
    return 1;
  }
  return all.failures == 0 ? 0 : 1;
}

} // namespace caucus::sim
