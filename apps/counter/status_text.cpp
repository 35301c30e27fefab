#include "status_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace counter {

namespace {

std::string hex(uint64_t x) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(x));
  return text.data();
}

/// The machine tells its count as a JSON object of its own; a faulty replica has none.
nlohmann::ordered_json count_of(const caucus::group_status& x) {
  auto machine = nlohmann::ordered_json::parse(x.machine, nullptr, false);
  return machine.is_object() && machine.contains("count") ? machine["count"] : nullptr;
}

/// A line for people.
std::string describe(const caucus::snapshot_transfer& x) {
  return "snapshot up to entry " + std::to_string(x.index)
         + (x.is_incoming ? " from node " : " to node ") + std::to_string(x.peer) + ": "
         + std::to_string(x.bytes) + " of " + std::to_string(x.file_bytes) + " bytes";
}

} // namespace

std::string aligned(const table& lines) {
  std::vector<size_t> widths(lines.front().size());
  for (auto& line : lines)
    for (size_t i = 0; i + 1 < line.size(); ++i)
      widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size())
        text.append(widths[i] - line[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string to_json(const caucus::group_members& x) {
  nlohmann::ordered_json members = nlohmann::ordered_json::array();
  for (auto& one : x.members)
    members.push_back({{"id", one.node},
                       {"address", one.address},
                       {"role", one.role},
                       {"match", one.match},
                       {"active", one.is_active}});
  nlohmann::ordered_json json{{"node", x.node},
                              {"term", x.term},
                              {"member", x.is_member},
                              {"fault", x.fault},
                              {"configuration", x.configuration},
                              {"joint", x.is_joint},
                              {"leader", x.leader},
                              {"members", std::move(members)}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_table(const caucus::group_members& x) {
  table lines{{"NODE", "ADDRESS", "ROLE", "MATCH", "ACTIVE"}};
  for (auto& one : x.members) {
    auto leads = one.node == x.leader ? " (leader)" : "";
    // Only the leader knows how far the others are.
    auto is_known = x.is_leader;
    lines.push_back({std::to_string(one.node), one.address, one.role + leads,
                     is_known ? std::to_string(one.match) : "-",
                     is_known ? (one.is_active ? "yes" : "no") : "-"});
  }
  return "configuration " + std::to_string(x.configuration) + (x.is_joint ? ", joint" : "") + '\n'
         + aligned(lines);
}

std::string to_json(const caucus::group_status& x) {
  nlohmann::ordered_json transfers = nlohmann::ordered_json::array();
  for (auto& one : x.transfers)
    transfers.push_back({{"peer", one.peer},
                         {"direction", one.is_incoming ? "from" : "to"},
                         {"index", one.index},
                         {"bytes", one.bytes},
                         {"file_bytes", one.file_bytes}});
  nlohmann::ordered_json json{
    {"id", x.node},         {"role", x.role},          {"term", x.term},
    {"leader", x.leader},   {"commit", x.commit},      {"applied", x.applied},
    {"count", count_of(x)}, {"digest", hex(x.digest)}, {"persisted", x.persisted},
    {"last", x.last},       {"fault", x.fault},        {"transfers", std::move(transfers)}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_table(const std::vector<status_row>& rows) {
  table lines{
    {"NODE", "ADDRESS", "ROLE", "TERM", "LEADER", "COMMIT", "APPLIED", "COUNT", "DIGEST"}};
  for (auto& row : rows) {
    auto& x = row.told;
    if (row.is_answered)
      lines.push_back({std::to_string(x.node), row.address, x.role, std::to_string(x.term),
                       x.leader ? std::to_string(x.leader) : "none", std::to_string(x.commit),
                       std::to_string(x.applied), count_of(x).dump(), hex(x.digest)});
    else
      lines.push_back({"?", row.address, row.problem});
    if (!x.fault.empty())
      lines.push_back({"", "", x.fault});
    for (auto& one : x.transfers)
      lines.push_back({"", "", describe(one)});
  }
  return aligned(lines);
}

} // namespace counter
