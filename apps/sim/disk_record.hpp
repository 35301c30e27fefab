#pragma once

#include "raft/persist_batch.hpp"

#include <optional>
#include <span>

namespace caucus::sim {

/// One persist batch on the simulated disk.
struct disk_record {
  uint64_t number = 0;       ///< The previous one's + 1.
  uint64_t epoch = 0;        ///< Of the life that wrote it; never less than the previous one's.
  uint64_t durable_upto = 0; ///< The highest number known to be durable when this was written.
  raft::persist_batch batch;
};

/// Appends the record's bytes. Layout, little-endian:
///
///     crc u32 | bytes u32 | number u64 | epoch u64 | durable_upto u64 | batch ...
///
/// `bytes` counts all of it, the CRC32C covers what follows it.
void encode(const disk_record& x, std::vector<std::byte>& out);

struct decoded_record {
  disk_record record;
  size_t bytes = 0;
};

/// The record that starts at the first byte; nothing if there is no intact one.
std::optional<decoded_record> decode_record(std::span<const std::byte> bytes);

} // namespace caucus::sim
