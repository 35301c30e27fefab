#include "persistence/snapshot_reader.hpp"

#include "base/assert.hpp"
#include "base/crc32c.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace caucus::persistence {

namespace {

error damaged(const std::string& path, uint64_t offset, std::string_view what) {
  return {errc::malformed, "snapshot " + path + " is damaged at offset " + std::to_string(offset)
                             + ": " + std::string{what}};
}

/// Fills `into`, or tells that the file ends before.
result<void> read_exactly(file& from, const std::string& path, uint64_t offset,
                          std::span<std::byte> into) {
  auto done = from.read_at(offset, into);
  if (!done)
    return std::move(done).reason();
  if (*done < into.size())
    return damaged(path, offset + *done, "the file ends here");
  return {};
}

/// The header's bytes, as many as it says and the file has.
result<std::vector<std::byte>> read_header(file& from, const std::string& path,
                                           uint64_t file_bytes) {
  std::array<std::byte, snapshot_header_head_bytes> head{};
  if (auto done = read_exactly(from, path, 0, head); !done)
    return std::move(done).reason();
  const auto size = snapshot_header_bytes(head);
  if (!size || *size > file_bytes)
    return damaged(path, 0, "it does not begin like a snapshot");
  std::vector<std::byte> encoded(*size);
  if (auto done = read_exactly(from, path, 0, encoded); !done)
    return std::move(done).reason();
  // The disk may say something else at a second reading.
  if (snapshot_header_bytes(encoded) != size)
    return damaged(path, 0, "it does not begin like a snapshot");
  return encoded;
}

} // namespace

result<snapshot_reader> snapshot_reader::open(directory& dir, const snapshot_name& name) {
  auto path = dir.path() + "/" + file_name(name);
  auto content = dir.open(file_name(name));
  if (!content)
    return std::move(content).reason();
  auto opened = open(*std::move(content), path);
  if (opened && opened->header().name() != name)
    return damaged(path, 0, "it says that it is " + file_name(opened->header().name()));
  return opened;
}

result<snapshot_reader> snapshot_reader::open(std::unique_ptr<file> content, std::string path) {
  auto size = content->size();
  if (!size)
    return std::move(size).reason();
  auto encoded = read_header(*content, path, *size);
  if (!encoded)
    return std::move(encoded).reason();
  auto header = decode_snapshot_header(*encoded);
  if (!header && header.reason().code == errc::version_mismatch)
    return error{errc::version_mismatch, path + ": " + std::move(header).reason().what};
  if (!header)
    return damaged(path, 0, header.reason().what);
  const auto layout = snapshot_layout::of_file(*encoded, *size);
  if (!layout)
    return damaged(path, *size, "the file ends here");
  std::array<std::byte, snapshot_layout::trailer_bytes> trailer{};
  if (auto done = read_exactly(*content, path, layout->trailer_offset(), trailer); !done)
    return std::move(done).reason();
  if (const auto flaw = layout->find_trailer_flaw(trailer); !flaw.empty())
    return damaged(path, layout->trailer_offset(), flaw);
  return snapshot_reader{std::move(path), std::move(content), *std::move(header), *layout,
                         snapshot_layout::content_checksum(trailer)};
}

result<std::span<const std::byte>> snapshot_reader::next() {
  if (rest_.empty())
    if (auto done = load_chunk(); !done)
      return std::move(done).reason();
  return std::exchange(rest_, {});
}

result<size_t> snapshot_reader::read(std::span<std::byte> into) {
  size_t filled = 0;
  while (filled < into.size()) {
    if (rest_.empty())
      if (auto done = load_chunk(); !done)
        return std::move(done).reason();
    if (rest_.empty())
      break;
    const auto count = std::min(rest_.size(), into.size() - filled);
    std::memcpy(into.data() + filled, rest_.data(), count);
    rest_ = rest_.subspan(count);
    filled += count;
  }
  return filled;
}

result<void> snapshot_reader::load_chunk() {
  const auto end = layout_.trailer_offset();
  if (next_chunk_ == layout_.chunks()) {
    // For content without any chunk; of others the last one was not handed out.
    if (checksum_ != expected_checksum_)
      return damaged(path_, end, "the whole content has another checksum");
    return {};
  }
  const auto offset = layout_.chunk_offset(next_chunk_);
  chunk_.resize(layout_.chunk_size(next_chunk_));
  if (auto done = read_exactly(*file_, path_, offset, chunk_); !done)
    return done;
  if (const auto flaw = layout_.find_chunk_flaw(next_chunk_, chunk_); !flaw.empty())
    return damaged(path_, offset, flaw);
  const auto content =
    std::span<const std::byte>{chunk_}.subspan(snapshot_layout::chunk_header_bytes);
  const auto checksum = crc32c(content, checksum_);
  if (next_chunk_ + 1 == layout_.chunks() && checksum != expected_checksum_)
    return damaged(path_, end, "the whole content has another checksum");
  checksum_ = checksum;
  ++next_chunk_;
  rest_ = content;
  return {};
}

void snapshot_reader::rewind() noexcept {
  rest_ = {};
  next_chunk_ = 0;
  checksum_ = 0;
}

result<void> snapshot_reader::verify() {
  rewind();
  auto part = next();
  while (part && !part->empty())
    part = next();
  rewind();
  if (!part)
    return std::move(part).reason();
  return {};
}

result<void> snapshot_reader::read_raw(uint64_t offset, std::span<std::byte> into) {
  CAUCUS_ASSERT(offset <= layout_.file_bytes() && into.size() <= layout_.file_bytes() - offset);
  return read_exactly(*file_, path_, offset, into);
}

} // namespace caucus::persistence
