#include "apps/sim/sweep.hpp"

#include "apps/sim/planted.hpp"
#include "apps/sim/run.hpp"
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
  if (asked.events)
    x.events = static_cast<int64_t>(*asked.events);
  for (const auto& assignment : asked.assignments)
    static_cast<void>(set_option(x, assignment)); // The command line was checked.
  return x;
}

std::string replay_command(const settings& asked, const options& x) {
  return "caucus-sim " + overrides(x) + (asked.plant.empty() ? "" : " --plant " + asked.plant);
}

/// The same run again, this time listening: it ends the same way.
void show_failure(const settings& asked, const run_report& failed) {
  std::ostringstream lines;
  const auto end = failed.counts.events;
  run(failed.what,
      {.trace_to = &lines, .trace_first = end > last_events_shown ? end - last_events_shown : 0});
  std::cout << "FAILED seed=" << failed.what.seed << " invariant=\"" << failed.invariant
            << "\": " << failed.detail << "\noptions: " << to_string(failed.what)
            << "\nlast events:\n"
            << lines.str() << "replay: " << replay_command(asked, failed.what) << '\n';
}

nlohmann::ordered_json json_of(const totals& x) {
  nlohmann::ordered_json out;
  for (const auto& row : totals_table())
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
  std::cout << "caucus-sim " << CAUCUS_SIM_VERSION << " seed=" << asked.seed;
  if (asked.seeds > 1)
    std::cout << " seeds=" << asked.seeds << ", options drawn from each";
  else
    std::cout << ' ' << to_string(options_of(asked, asked.seed));
  for (const auto& x : asked.assignments)
    std::cout << (asked.seeds > 1 ? ", " + x : "");
  std::cout << (asked.plant.empty() ? "" : " plant=" + asked.plant) << '\n';
}

} // namespace

int sweep(const settings& asked) {
  if (!asked.plant.empty() && !switch_on(asked.plant))
    return 2;
  say_hello(asked);
  std::ofstream trace_file;
  if (!asked.trace_file.empty()) {
    trace_file.open(asked.trace_file);
    if (!trace_file) {
      std::cerr << "caucus-sim: can't write " << asked.trace_file << '\n';
      return 2;
    }
  }
  totals all;
  hasher hashes;
  std::string first_broken;
  uint64_t failures = 0;
  uint64_t runs = 0;
  for (uint64_t i = 0; i < asked.seeds; ++i) {
    const auto x = options_of(asked, asked.seed + i);
    const auto report = run(x, {.is_checked = asked.is_checked,
                                .trace_to = trace_file.is_open() ? &trace_file : nullptr});
    ++runs;
    add(all, report.counts);
    hashes.word(report.trace_hash);
    if (report.is_clean())
      continue;
    ++failures;
    if (first_broken.empty())
      first_broken = report.invariant;
    show_failure(asked, report);
    if (!asked.keeps_going)
      break;
  }
  nlohmann::ordered_json json{{"seed", asked.seed},   {"runs", runs},
                              {"failures", failures}, {"trace_hash", text(hashes.value())},
                              {"invariant", nullptr}, {"totals", json_of(all)}};
  if (!first_broken.empty())
    json["invariant"] = first_broken;
  if (asked.as_json)
    std::cout << json.dump() << '\n';
  else
    for (const auto& row : totals_table())
      std::cout << row.name << '=' << all.*row.field << '\n';
  return failures == 0 ? 0 : 1;
}

} // namespace caucus::sim
