#include "apps/sim/seed_statistics.hpp"

#include <algorithm>
#include <array>

namespace caucus::sim {

namespace {

/// In at least half of the seeds each of these has to happen.
constexpr std::array expected{
  &totals::unsynced_lost,       &totals::partitions,         &totals::messages_lost,
  &totals::messages_duplicated, &totals::messages_reordered, &totals::conf_changes,
  &totals::snapshots_made,      &totals::transfers,          &totals::liveness_20_dead};

constexpr uint64_t faults_min = 10;
constexpr uint64_t acknowledged_min = 50;

std::string column(uint64_t x, size_t width) {
  const auto digits = std::to_string(x);
  return std::string(digits.size() < width ? width - digits.size() : 0, ' ') + digits;
}

} // namespace

void seed_statistics::add(const totals& counts, const coverage& reached) {
  seeds_.push_back(counts);
  sim::add(sum_, counts);
  reached_.add(reached);
}

uint64_t seed_statistics::median(uint64_t totals::*field) const {
  std::vector<uint64_t> values;
  for (const auto& x : seeds_)
    values.push_back(x.*field);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.empty() ? 0 : *middle;
}

uint64_t seed_statistics::seeds_with(uint64_t totals::*field) const {
  return static_cast<uint64_t>(
    std::count_if(seeds_.begin(), seeds_.end(), [=](const totals& x) { return x.*field > 0; }));
}

std::string seed_statistics::classes_table() const {
  std::string out = "  class                        total    median  seeds with\n";
  const auto tell = [&](const totals_row& row) {
    out += "  " + std::string{row.name} + std::string(22 - row.name.size(), ' ')
           + column(sum_.*row.field, 12) + column(median(row.field), 10)
           + column(seeds_with(row.field) * 100 / std::max<size_t>(seeds_.size(), 1), 11) + "%\n";
  };
  for (const auto& row : totals_table())
    tell(row);
  for (const auto& row : damage_table())
    if (has_lying_disks())
      tell(row);
  return out;
}

std::string seed_statistics::shortcomings() const {
  std::string out;
  const auto say = [&out](const std::string& x) { out += (out.empty() ? "" : "; ") + x; };
  if (const auto missing = reached_.missing(); !missing.empty())
    say("never reached: " + missing);
  for (const auto& row : totals_table())
    if (std::find(expected.begin(), expected.end(), row.field) != expected.end()
        && 2 * seeds_with(row.field) < seeds_.size())
      say("fewer than half of the seeds have " + std::string{row.name});
  if (median(&totals::faults) < faults_min)
    say("the median seed has fewer than 10 faults");
  if (median(&totals::acknowledged) < acknowledged_min)
    say("the median seed has fewer than 50 acknowledged operations");
  if (3 * (sum_.deliveries + sum_.client_operations) < sum_.events)
    say("fewer than a third of the events are deliveries or client operations");
  return out;
}

} // namespace caucus::sim
