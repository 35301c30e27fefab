#pragma once

#include "persistence/snapshot_reader.hpp"

namespace caucus {

/// Tells one backup from all others: the same for all copies of a file, never from its name.
uint64_t backup_identity(const persistence::snapshot_reader& from);

/// A backup's file, checked to its end; its content begins again.
result<persistence::snapshot_reader> open_sound_backup(const std::string& path);

} // namespace caucus
