#pragma once

#include "base/byte_io.hpp"
#include "base/endpoint.hpp"

namespace caucus::membership {

// A member's address in bytes, as docs/wal_format.md says it.

void encode(const endpoint& x, byte_writer& out);

/// What `encode` wrote; sets `in` to not ok if the host is longer than `host_bytes_max`.
endpoint decode_endpoint(byte_reader& in);

} // namespace caucus::membership
