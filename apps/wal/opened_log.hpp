#pragma once

#include "persistence/log_recovery.hpp"

namespace caucus::wal_tool {

/// The directory to look at. Says on standard error why it can't be, and is null then.
std::unique_ptr<persistence::directory> open_to_read(const std::string& path);

/// What a start of the directory's own node would find, without its writing anything.
result<persistence::recovered_log> recover(persistence::directory& dir,
                                           const std::shared_ptr<persistence::log_index>& index);

/// Whether a person means this group.
bool is_named(const persistence::group_descriptor& group, const std::string& name_or_number);

/// For people: bytes with their unit.
std::string to_size(uint64_t bytes);

/// For scripts: ids that are hashes or random have more digits than some readers' numbers.
std::string to_hex(uint64_t id);

/// Tells a broken standard output from a whole one: 0 or 2, with a message.
int finish_output(int status);

} // namespace caucus::wal_tool
