#pragma once

#include "base/byte_io.hpp"
#include "membership/configuration.hpp"

#include <optional>

namespace caucus::membership {

// A configuration in bytes, as docs/wal_format.md says it. Equal configurations have equal bytes.

void encode(const configuration& x, byte_writer& out);

/// What `encode` wrote, and never more than `members_max` members; sets `in` to not ok if the bytes
/// are anything else. Says nothing of `find_flaw`.
configuration decode_configuration(byte_reader& in);

/// The payload of a configuration's entry: a version, then the configuration.
std::vector<std::byte> encode_payload(const configuration& x);

/// Nothing if the bytes are of another version, don't decode, or have a flaw.
std::optional<configuration> decode_payload(std::span<const std::byte> payload);

} // namespace caucus::membership
