#pragma once

#include <cstdint>
#include <deque>

namespace caucus::persistence {

/// How much of each segment the rows of all groups point to. A row's place is never older than the
/// oldest segment, so that a few numbers a segment are enough. Not thread-safe.
class segment_rows {
public:
  struct use {
    uint64_t rows = 0;
    uint64_t bytes = 0;
  };

  void add(uint64_t segment, uint64_t bytes) {
    auto& x = at(segment);
    ++x.rows;
    x.bytes += bytes;
  }
  void grow(uint64_t segment, uint64_t bytes) { at(segment).bytes += bytes; }
  void shrink(uint64_t segment, uint64_t bytes) { at(segment).bytes -= bytes; }
  void remove(uint64_t segment, uint64_t bytes) {
    auto& x = at(segment);
    --x.rows;
    x.bytes -= bytes;
  }
  /// The segment is gone; it and those before aren't counted any more.
  void forget_upto(uint64_t segment) {
    while (!uses_.empty() && first_ <= segment) {
      uses_.pop_front();
      ++first_;
    }
  }

  [[nodiscard]] use of(uint64_t segment) const {
    return segment < first_ || segment - first_ >= uses_.size() ? use{} : uses_[segment - first_];
  }

private:
  use& at(uint64_t segment) {
    if (uses_.empty())
      first_ = segment;
    for (; segment < first_; --first_)
      uses_.emplace_front();
    if (segment - first_ >= uses_.size())
      uses_.resize(segment - first_ + 1);
    return uses_[segment - first_];
  }

  uint64_t first_ = 0; ///< The segment that the first element is of.
  std::deque<use> uses_;
};

} // namespace caucus::persistence
