#pragma once

#include <cstdint>
#include <vector>

namespace caucus::sim {

/// What happens next, and to whom.
enum class event_kind : uint8_t {
  tick,
  deliver,    ///< `arg`: the packet's slot.
  flush,      ///< Take the ready that several inputs have filled.
  disk_start, ///< What was handed over is written.
  disk_done,  ///< What was written is durable.
  notice,     ///< `persisted` reaches the core.
  apply,
  read_done,
  client, ///< `arg`: which client wakes up.
  fault,
  restart,
  snapshot_made,
  snapshot_arrives, ///< `arg`: its place among those that travel.
  snapshot_stored,
  eager_change,
};

/// One entry of the queue; small, as sorting them is much of the work.
struct event {
  int64_t at_us = 0;
  uint32_t order = 0; ///< Of two at the same time the older one goes first.
  uint32_t arg = 0;
  uint32_t life = 0; ///< Of the node, when this was planned; a crash makes it void.
  event_kind kind = event_kind::tick;
  uint8_t node = 0;

  [[nodiscard]] bool before(const event& x) const noexcept {
    // Without a branch: which of two comes first can't be predicted.
    return (at_us < x.at_us) | ((at_us == x.at_us) & (order < x.order));
  }
};

/// Events by time, then by age: a heap with four children a node, which needs half the levels of a
/// binary one.
class event_queue {
public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] size_t size() const noexcept { return heap_.size(); }
  [[nodiscard]] const event& top() const noexcept { return heap_.front(); }

  void push(event x) {
    x.order = next_order_++;
    heap_.push_back(x);
    auto at = heap_.size() - 1;
    while (at > 0) {
      const auto parent = (at - 1) / arity;
      if (!x.before(heap_[parent]))
        break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = x;
  }

  /// Precondition: not empty.
  event pop() {
    const auto first = heap_.front();
    const auto last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty())
      sink(last);
    return first;
  }

private:
  static constexpr size_t arity = 4;

  void sink(const event& x) {
    size_t at = 0;
    for (;;) {
      const auto begin = at * arity + 1;
      if (begin >= heap_.size())
        break;
      const auto end = begin + arity < heap_.size() ? begin + arity : heap_.size();
      auto least = begin;
      for (auto i = begin + 1; i < end; ++i)
        if (heap_[i].before(heap_[least]))
          least = i;
      if (!heap_[least].before(x))
        break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = x;
  }

  std::vector<event> heap_;
  uint32_t next_order_ = 0;
};

} // namespace caucus::sim
