#pragma once

#include "base/result.hpp"
#include "membership/founding.hpp"
#include "persistence/group_descriptor.hpp"
#include "raft/persist_batch.hpp"

#include <optional>
#include <span>
#include <vector>

namespace caucus::persistence {

// Bodies of the small records (docs/wal_format.md, section 5). The group's id and the replica's uid
// are in the record's header. A decoder returns nothing unless the bytes are used up exactly.

std::optional<raft::hard_state> decode_hard_state(std::span<const std::byte> body);

std::vector<std::byte> encode_body(const group_descriptor& x);
std::optional<group_descriptor> decode_group_descriptor(group_id group, replica_uid uid,
                                                        std::span<const std::byte> body);

std::vector<std::byte> encode_body(const group_tombstone& x);
std::optional<group_tombstone> decode_group_tombstone(group_id group,
                                                      std::span<const std::byte> body);

std::vector<std::byte> encode_body(const membership::founding& x);
std::optional<membership::founding> decode_founding(std::span<const std::byte> body);

/// Bodies that are 64-bit numbers only: a hard state has three (term, voted for, commit), a
/// truncation one (the first index dropped), a peer's identity two (node, directory), a forgotten
/// peer one (node).
std::optional<std::vector<uint64_t>> decode_numbers(std::span<const std::byte> body, size_t count);

} // namespace caucus::persistence
