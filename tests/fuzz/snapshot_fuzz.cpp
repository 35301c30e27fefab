// libFuzzer: whatever bytes a snapshot file has, it is read as what a writer wrote or refused, and
// a receiver of the same bytes decides alike. Checksums are put right, so that what lies behind
// them is reached. Build with
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/snapshot_fuzz.cpp
//     apps/sim/disk/memory_directory.cpp persistence/snapshot_*.cpp
//     persistence/unfinished_snapshot.cpp
//     membership/{configuration,configuration_codec,endpoint_codec}.cpp
//     base/{assert,crc32c,errc,ids}.cpp
#include "apps/sim/disk/memory_directory.hpp"
#include "base/crc32c.hpp"
#include "persistence/snapshot_catalog.hpp"
#include "persistence/snapshot_receiver.hpp"
#include "persistence/snapshot_writer.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace caucus;
using namespace caucus::persistence;

namespace {

using file_bytes = std::vector<std::byte>;

void require(bool holds) {
  if (!holds)
    std::abort();
}

template <class T>
T get(const file_bytes& bytes, size_t offset) {
  T x = 0;
  std::memcpy(&x, bytes.data() + offset, sizeof x);
  return x;
}

void put(file_bytes& bytes, size_t offset, uint32_t x) {
  std::memcpy(bytes.data() + offset, &x, sizeof x);
}

/// Gives each part the checksum that its bytes have; how many parts is drawn from `choice`.
void mend(file_bytes& bytes, uint8_t choice) {
  if (bytes.size() < snapshot_header_head_bytes)
    return;
  const auto size = snapshot_header_bytes(bytes);
  if (!size || *size > bytes.size())
    return;
  const auto sum = crc32c(std::span{bytes}.first(*size - 4));
  put(bytes, *size - 4, sum);
  const auto encoded = std::span<const std::byte>{bytes}.first(*size);
  if ((choice & 1) == 0 || !decode_snapshot_header(encoded))
    return;
  const auto layout = snapshot_layout::of_file(encoded, bytes.size());
  if (!layout)
    return;
  uint32_t whole = 0;
  for (uint64_t i = 0; i < layout->chunks(); ++i) {
    const auto at = layout->chunk_offset(i);
    const auto part = std::span{bytes}.subspan(at, layout->chunk_size(i));
    put(bytes, at + 4, crc32c(part.subspan(8), sum));
    whole = crc32c(part.subspan(snapshot_layout::chunk_header_bytes), whole);
  }
  if ((choice & 2) == 0)
    put(bytes, layout->trailer_offset() + 4, whole);
  const auto trailer = std::span{bytes}.subspan(layout->trailer_offset(), 28);
  put(bytes, layout->trailer_offset() + 28, crc32c(trailer, sum));
}

/// The name that the header would give it, so that the reader finds it.
snapshot_identity claimed_identity(const file_bytes& bytes) {
  snapshot_identity x;
  if (bytes.size() >= 56) {
    x.cluster = cluster_id{get<uint64_t>(bytes, 16)};
    x.name.group = group_id{get<uint64_t>(bytes, 24)};
    x.uid = snapshot_uid{get<uint64_t>(bytes, 32)};
    x.name.last = {index_t{get<uint64_t>(bytes, 40)}, term_t{get<uint64_t>(bytes, 48)}};
  }
  return x;
}

bool is_received(const file_bytes& bytes, const snapshot_identity& identity, size_t piece) {
  testing::memory_disk disk;
  auto dir = *disk.open();
  auto receiver = snapshot_receiver::create(*dir, {identity, bytes.size()});
  if (!receiver)
    return false;
  while (!receiver->is_complete()) {
    const auto at = receiver->resume_at();
    const auto rest = std::span{bytes}.subspan(at);
    if (!receiver->take(at, rest.first(std::min(piece, rest.size()))))
      return false;
    require(receiver->resume_at() == at + std::min(piece, rest.size()));
  }
  require(receiver->publish().ok());
  require(disk.content(file_name(identity.name)) == bytes);
  return true;
}

/// The content, if all of it is sound.
std::optional<file_bytes> read(directory& dir, const snapshot_name& name,
                               std::optional<snapshot_header>& header) {
  auto reader = snapshot_reader::open(dir, name);
  if (!reader)
    return std::nullopt;
  file_bytes content(reader->content_bytes() + 1);
  const auto count = reader->read(content);
  require(reader->verify().ok() == count.ok());
  if (!count)
    return std::nullopt;
  require(*count == reader->content_bytes());
  content.resize(*count);
  header = reader->header();
  return content;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2)
    return 0;
  const auto input = std::as_bytes(std::span{data, size});
  const auto choice = data[0];
  file_bytes bytes(input.begin() + 2, input.end());
  if ((choice & 4) == 0)
    mend(bytes, choice);
  const auto identity = claimed_identity(bytes);
  testing::memory_disk disk;
  disk.put(file_name(identity.name), bytes);
  auto dir = *disk.open();
  std::optional<snapshot_header> header;
  const auto content = read(*dir, identity.name, header);
  require(is_received(bytes, identity, size_t{data[1]} + 1) == content.has_value());
  require(is_received(bytes, identity, bytes.size() + 1) == content.has_value());
  if (!content)
    return 0;
  // Only what a writer writes is accepted.
  testing::memory_disk again;
  auto to = *again.open();
  auto writer = *snapshot_writer::create(*to, *header);
  require(writer.write(*content).ok());
  require(writer.finish().ok());
  require(again.content(file_name(identity.name)) == bytes);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  // Without a corpus: now and then start over from a sound file.
  if (seed % 64 == 0 || size < 16) {
    membership::configuration members;
    members.voters = {node_id{1}, node_id{2}};
    members.addresses[node_id{1}] = {"host", 7001};
    snapshot_header header;
    header.at.last = {index_t{7}, term_t{2}};
    header.at.members = {index_t{3}, std::make_shared<const membership::configuration>(members)};
    header.chunk_bytes = 64;
    testing::memory_disk disk;
    auto dir = *disk.open();
    auto writer = *snapshot_writer::create(*dir, header);
    require(writer.write(file_bytes(seed / 64 % 300, std::byte{7})).ok());
    require(writer.finish().ok());
    const auto file = disk.content(file_name(header.name()));
    if (file.size() + 2 <= max_size) {
      data[0] = 1;
      data[1] = static_cast<uint8_t>(seed >> 16);
      std::memcpy(data + 2, file.data(), file.size());
      size = file.size() + 2;
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}
