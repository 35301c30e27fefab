#include "apps/wal/commands.hpp"
#include "apps/wal/live_bytes.hpp"
#include "apps/wal/opened_log.hpp"
#include "apps/wal/record_json.hpp"
#include "apps/wal/text_table.hpp"
#include "persistence/log_survey.hpp"

#include <iostream>

namespace caucus::wal_tool {

using namespace persistence;

namespace {

std::string state_of(const recovered_group& group) { return group.damaged ? "damaged" : "sound"; }

std::string to_list(const std::set<node_id>& nodes) {
  std::string text;
  for (const auto id : nodes)
    text += (text.empty() ? "" : ",") + std::to_string(id.value());
  return text.empty() ? "-" : text;
}

const membership::configuration& members_of(const recovered_group& x) {
  return x.configurations.empty() ? x.members() : *x.configurations.back().members;
}

term_t term_of_last(const recovered_group& x) {
  return x.runs.empty() ? x.begins_after.last.term : x.runs.back().term;
}

std::string to_table(const live_bytes& counted) {
  std::vector<std::vector<std::string>> lines{
    {"SEGMENT", "EPOCH", "BATCHES", "RECORDS", "FILE", "USED", "LIVE", "PROBLEMS"}};
  for (const auto& x : counted.segments())
    lines.push_back({segment_name(x.segment.sequence),
                     x.segment.header ? std::to_string(x.segment.header->epoch.value()) : "?",
                     std::to_string(x.batches), std::to_string(x.records), to_size(x.segment.bytes),
                     to_size(x.used_bytes), to_size(x.live_bytes), std::to_string(x.problems)});
  return aligned(lines);
}

std::string to_table(const std::vector<recovered_group>& groups, const live_bytes& counted) {
  std::vector<std::vector<std::string>> lines{{"GROUP", "ENTRIES", "LAST TERM", "TERM", "VOTED FOR",
                                               "COMMIT", "LIVE", "VOTERS", "LEARNERS", "STATE"}};
  for (const auto& x : groups) {
    const auto count = counted.group(x.descriptor.group);
    lines.push_back({x.descriptor.name,
                     std::to_string(count.first.value()) + ".." + std::to_string(x.last.value()),
                     std::to_string(term_of_last(x).value()), std::to_string(x.hard.term.value()),
                     std::to_string(x.hard.voted_for.value()),
                     std::to_string(x.hard.commit.value()), to_size(count.live_bytes),
                     to_list(members_of(x).voters), to_list(members_of(x).learners), state_of(x)});
  }
  return aligned(lines);
}

std::string founding_text(const wal_recovery& x) {
  if (!x.founding.id)
    return "the node has met no cluster yet\n\n";
  return "the node's cluster was founded by " + x.founding.members + "\n\n";
}

void print_json(const live_bytes& counted, const result<recovered_log>& found) {
  for (const auto& x : counted.segments()) {
    auto out = to_json(x.segment);
    out["batches"] = x.batches;
    out["records"] = x.records;
    out["used_bytes"] = x.used_bytes;
    out["live_bytes"] = x.live_bytes;
    out["problems"] = x.problems;
    std::cout << to_line(out);
  }
  if (!found)
    return;
  if (const auto& founding = found->recovery.founding; founding.id)
    std::cout << to_line(
      {{"founding", to_hex(founding.id.value())}, {"members", founding.members}});
  for (const auto& x : found->recovery.groups) {
    const auto count = counted.group(x.descriptor.group);
    std::cout << to_line({{"group", x.descriptor.name},
                          {"id", to_hex(x.descriptor.group.value())},
                          {"replica", to_hex(x.descriptor.uid.value())},
                          {"first", count.first.value()},
                          {"last", x.last.value()},
                          {"last_term", term_of_last(x).value()},
                          {"term", x.hard.term.value()},
                          {"voted_for", x.hard.voted_for.value()},
                          {"commit", x.hard.commit.value()},
                          {"live_bytes", count.live_bytes},
                          {"state", state_of(x)}});
  }
}

} // namespace

int run_inspect(const settings& x) {
  auto dir = open_to_read(x.directory);
  if (!dir)
    return 2;
  live_bytes counted;
  if (auto done = log_survey{*dir, counted}.run(); !done) {
    std::cerr << "caucus-wal: " << done.reason().what << '\n';
    return 2;
  }
  auto found = recover(*dir, std::make_shared<log_index>());
  if (x.as_json)
    print_json(counted, found);
  else
    std::cout << to_table(counted) << '\n'
              << (found ? founding_text(found->recovery) + to_table(found->recovery.groups, counted)
                        : std::string{});
  if (!found)
    std::cerr << "caucus-wal: a start is refused, so its groups aren't shown: "
              << found.reason().what << '\n';
  bool is_damaged = !found;
  for (const auto& problem : counted.problems())
    is_damaged |= problem.is_damage;
  if (is_damaged)
    std::cerr << "caucus-wal: the log is damaged; verify tells where\n";
  return finish_output(is_damaged ? 1 : 0);
}

} // namespace caucus::wal_tool
