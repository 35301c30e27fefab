#pragma once

#include "base/crc32c.hpp"
#include "persistence/batch_header.hpp"
#include "persistence/segment_header.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace caucus::testing {

using fuzz_bytes = std::vector<std::byte>;

constexpr persistence::wal_identity fuzz_self{cluster_id{0xc1}, node_id{1}};
constexpr directory_id fuzz_directory{0xd1};

/// A finding ends the process, as libFuzzer wants it.
inline void require(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds)
    return;
  std::fprintf(stderr, "%s:%d: what is required doesn't hold\n", file, line);
  std::abort();
}

template <class T>
T get(std::span<const std::byte> bytes, size_t offset) {
  T x = 0;
  std::memcpy(&x, bytes.data() + offset, sizeof x);
  return x;
}

template <class T>
void put(std::span<std::byte> bytes, size_t offset, T x) {
  std::memcpy(bytes.data() + offset, &x, sizeof x);
}

/// What a batch's header has to say of itself at `place`.
inline uint32_t batch_checksum(std::span<const std::byte> header,
                               const persistence::batch_place& place) {
  const std::array<uint64_t, 3> where{place.directory.value(), place.segment, place.offset};
  return crc32c(header.first(persistence::batch_header_bytes - 4),
                crc32c(std::as_bytes(std::span{where})));
}

/// A header or a record's body, as one of the decoders gets it.
void check_batch_header(fuzz_bytes bytes, bool is_mended);
void check_record_header(fuzz_bytes bytes, bool is_mended);
void check_segment_header(fuzz_bytes bytes, bool is_mended);
void check_body(std::span<const std::byte> bytes);

/// A whole log of one or two segments; `flags` and `split` say how it is made of the bytes.
void check_log(fuzz_bytes area, uint8_t flags, uint8_t split);

} // namespace caucus::testing
