#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace caucus::transport {

/// Where a connection reads into. Small frames share one buffer that is used over and over; a frame
/// larger than it gets memory of its own, which grows with what was received and not with what was
/// announced (RELIABILITY X-02), and which payloads may keep. One thread.
class receive_buffer {
public:
  explicit receive_buffer(size_t chunk_bytes) : chunk_bytes_{chunk_bytes} {}

  /// The buffer's normal size, from the next time that it is empty.
  void set_chunk_bytes(size_t bytes) noexcept { chunk_bytes_ = bytes; }

  /// Room for the next read; never empty.
  std::span<std::byte> writable();
  void commit(size_t bytes) noexcept { end_ += bytes; }

  [[nodiscard]] std::span<const std::byte> readable() const noexcept {
    return {storage_.get() + begin_, end_ - begin_};
  }
  /// What has begun at `readable()` is so long, header included.
  void expect(size_t frame_bytes) noexcept { expected_ = frame_bytes; }
  void consume(size_t bytes) noexcept;

  /// Keeps `readable()` alive and unchanged; empty if the memory will be used again.
  [[nodiscard]] std::shared_ptr<const void> owner() const noexcept {
    return is_dedicated_ ? std::shared_ptr<const void>{storage_} : std::shared_ptr<const void>{};
  }

private:
  void move_to(size_t capacity);

  size_t chunk_bytes_;
  std::shared_ptr<std::byte[]> storage_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t expected_ = 0;
  bool is_dedicated_ = false; ///< Holds one large frame from its first byte, and nothing else.
};

} // namespace caucus::transport
