#pragma once

#include "persistence/log_visitor.hpp"

#include <nlohmann/json.hpp>

namespace caucus::wal_tool {

using json = nlohmann::ordered_json;

// What scripts read. docs/wal_format.md lists the fields; scripts/read_wal.py gives the same ones.

json to_json(const persistence::surveyed_segment& x);
json to_json(persistence::log_position at, const persistence::batch_header& x);
json to_json(const persistence::surveyed_record& x, bool shows_payloads);
json to_json(const persistence::log_problem& x);

/// A line of its own; bytes that are no UTF-8 are replaced.
std::string to_line(const json& x);

std::string to_hex(std::span<const std::byte> bytes);
std::string_view name_of(uint8_t entry_kind);

} // namespace caucus::wal_tool
