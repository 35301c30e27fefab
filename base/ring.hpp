#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace caucus {

/// A first-in-first-out queue with random access in one block that is reused: steady traffic
/// allocates nothing, and an empty one (most groups are idle) owns nothing. Gives memory back as it
/// drains.
template <class T>
class ring {
public:
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// Precondition of all four: the position exists.
  T& operator[](size_t position) noexcept { return slots_[slot(position)]; }
  const T& operator[](size_t position) const noexcept { return slots_[slot(position)]; }
  [[nodiscard]] const T& front() const noexcept { return slots_[head_]; }
  [[nodiscard]] T& back() noexcept { return slots_[slot(size_ - 1)]; }

  void push_back(T value) {
    if (size_ == slots_.size())
      resize(size_ == 0 ? size_min : size_ * 2);
    slots_[slot(size_)] = std::move(value);
    ++size_;
  }

  T pop_front() {
    auto value = std::exchange(slots_[head_], T{});
    head_ = slot(1);
    --size_;
    if (slots_.size() > size_kept && size_ * 8 < slots_.size())
      resize(slots_.size() / 2);
    return value;
  }

  void pop_back() {
    slots_[slot(size_ - 1)] = T{};
    --size_;
  }

  /// Keeps the order of the others. Costs as many moves as there are elements before it.
  void erase(size_t position) {
    for (; position > 0; --position)
      (*this)[position] = std::move((*this)[position - 1]);
    pop_front();
  }

  void clear() noexcept {
    slots_ = {};
    head_ = 0;
    size_ = 0;
  }

private:
  static constexpr size_t size_min = 8;
  static constexpr size_t size_kept = 1024;

  /// The block's size is a power of two.
  [[nodiscard]] size_t slot(size_t position) const noexcept {
    return (head_ + position) & (slots_.size() - 1);
  }

  void resize(size_t slots) {
    std::vector<T> fresh(slots);
    for (size_t i = 0; i < size_; ++i)
      fresh[i] = std::move((*this)[i]);
    slots_ = std::move(fresh);
    head_ = 0;
  }

  std::vector<T> slots_;
  size_t head_ = 0;
  size_t size_ = 0;
};

} // namespace caucus
