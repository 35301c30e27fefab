#pragma once

#include "base/assert.hpp"
#include "transport/wire_format.hpp"

#include <cstring>

namespace caucus::transport {

/// The stream under msgpack's packer: one allocation of a known upper bound, header in front.
class frame_writer {
public:
  explicit frame_writer(size_t body_bytes_max)
    : capacity_{frame_header_bytes + body_bytes_max},
      data_{std::make_unique_for_overwrite<std::byte[]>(capacity_)} {}

  /// Called by the packer.
  void write(const char* bytes, size_t size) {
    CAUCUS_ASSERT(size <= capacity_ - size_);
    std::memcpy(data_.get() + size_, bytes, size);
    size_ += size;
  }

  frame finish(frame_kind kind, bool is_urgent) && {
    write_header({data_.get(), size_}, kind);
    return {std::move(data_), static_cast<uint32_t>(size_), is_urgent};
  }

private:
  size_t capacity_;
  size_t size_ = frame_header_bytes;
  std::unique_ptr<std::byte[]> data_;
};

} // namespace caucus::transport
