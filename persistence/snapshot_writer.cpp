#include "persistence/snapshot_writer.hpp"

#include "base/crc32c.hpp"
#include "persistence/snapshot_layout.hpp"

#include <algorithm>
#include <cstring>

namespace caucus::persistence {

namespace {

constexpr size_t content_begin = snapshot_layout::chunk_header_bytes;

} // namespace

snapshot_writer::snapshot_writer(const snapshot_header& header, std::vector<std::byte> encoded,
                                 unfinished_snapshot target)
  : identity_{header.identity()},
    encoded_{std::move(encoded)},
    target_{std::move(target)},
    chunk_(content_begin + header.chunk_bytes),
    filled_{content_begin} {}

result<snapshot_writer> snapshot_writer::create(directory& dir, const snapshot_header& header) {
  auto encoded = encode(header);
  auto target = unfinished_snapshot::create(dir, header.identity());
  if (!target)
    return std::move(target).reason();
  if (auto done = target->write_at(0, encoded); !done)
    return std::move(done).reason();
  return snapshot_writer{header, std::move(encoded), *std::move(target)};
}

result<void> snapshot_writer::write(std::span<const std::byte> content) {
  if (target_.failure())
    return *target_.failure();
  while (!content.empty()) {
    // Only when more comes, so that a chunk that is full may still be the last one.
    if (filled_ == chunk_.size())
      if (auto done = write_chunk(); !done)
        return done;
    const auto count = std::min(content.size(), chunk_.size() - filled_);
    std::memcpy(chunk_.data() + filled_, content.data(), count);
    filled_ += count;
    content = content.subspan(count);
  }
  return {};
}

result<void> snapshot_writer::write_chunk() {
  if (chunks_ == snapshot_layout::chunks_max)
    return error{errc::invalid_argument, target_.path() + " would have more than "
                                           + std::to_string(chunks_)
                                           + " chunks; make the chunks larger"};
  const auto part = std::span{chunk_}.first(filled_);
  const auto content = part.subspan(content_begin);
  const auto layout = snapshot_layout::of_content(encoded_, content_bytes_ + content.size());
  layout.seal_chunk(chunks_, part);
  if (auto done = target_.write_at(layout.chunk_offset(chunks_), part); !done)
    return done;
  content_checksum_ = crc32c(content, content_checksum_);
  content_bytes_ += content.size();
  ++chunks_;
  filled_ = content_begin;
  return {};
}

result<snapshot_offer> snapshot_writer::finish() {
  if (target_.failure())
    return *target_.failure();
  if (filled_ > content_begin)
    if (auto done = write_chunk(); !done)
      return std::move(done).reason();
  const auto layout = snapshot_layout::of_content(encoded_, content_bytes_);
  const auto trailer = layout.make_trailer(content_checksum_);
  if (auto done = target_.write_at(layout.trailer_offset(), trailer); !done)
    return std::move(done).reason();
  if (auto done = target_.publish(); !done)
    return std::move(done).reason();
  return snapshot_offer{identity_, layout.file_bytes()};
}

} // namespace caucus::persistence
