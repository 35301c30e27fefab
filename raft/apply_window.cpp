#include "raft/apply_window.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::raft {

void apply_window::take(const log& from, index_t last, std::vector<entry_ptr>& out) {
  while (next() <= last && has_room() && from.is_in_memory(next())) {
    const auto before = out.size();
    const auto bytes = from.copy(next(), last, bytes_max_ - bytes_, out);
    hand_out(handed_ + (out.size() - before), bytes);
  }
}

void apply_window::take(std::vector<entry_ptr> read, std::vector<entry_ptr>& out) {
  CAUCUS_ASSERT(!read.empty());
  CAUCUS_ASSERT(read.front()->id.index == next());
  uint64_t bytes = 0;
  for (const auto& x : read)
    bytes += x->cost();
  auto last = read.back()->id.index;
  std::move(read.begin(), read.end(), std::back_inserter(out));
  hand_out(last, bytes);
}

void apply_window::hand_out(index_t last, uint64_t bytes) {
  handed_ = last;
  bytes_ += bytes;
  under_way_.push_back({last, bytes});
}

void apply_window::jump(index_t index) {
  CAUCUS_ASSERT(index > handed_);
  is_read_failed_ = false;
  hand_out(index, 0);
}

void apply_window::acknowledge(index_t upto) {
  CAUCUS_ASSERT(upto <= handed_); // Else the machine executed what it was never given.
  applied_ = std::max(applied_, upto);
  while (!under_way_.empty() && under_way_.front().last <= applied_)
    bytes_ -= under_way_.pop_front().bytes;
}

} // namespace caucus::raft
