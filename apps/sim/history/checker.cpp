#include "apps/sim/history/checker.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace caucus::sim::history {

namespace {

/// A set of pending operations, by their slots.
using slot_set = std::vector<uint64_t>;

bool contains(const slot_set& x, size_t slot) { return (x[slot / 64] >> (slot % 64) & 1) != 0; }
void insert(slot_set& x, size_t slot) { x[slot / 64] |= uint64_t{1} << (slot % 64); }
void erase(slot_set& x, size_t slot) { x[slot / 64] &= ~(uint64_t{1} << (slot % 64)); }

/// What the object may hold, given which of the pending operations have taken effect.
struct possibility {
  int64_t value = 0;
  slot_set placed;
};

struct moment {
  int64_t at = 0;
  bool is_return = false;
  const operation* what = nullptr;
};

class sweep {
public:
  sweep(std::vector<moment> moments, size_t possibilities_max)
    : moments_{std::move(moments)}, possibilities_max_{possibilities_max} {
    for (const auto& x : moments_)
      only_grows_ &= x.what->what.kind == action::kind::get
                     || (x.what->what.kind == action::kind::add && x.what->what.argument >= 0);
  }

  judgement run() {
    words_ = (pending_max() + 63) / 64;
    now_.push_back({0, slot_set(words_)});
    for (const auto& x : moments_) {
      if (!x.is_return) {
        call(*x.what);
        continue;
      }
      if (!settle(*x.what))
        return {verdict::undecided, describe(*x.what, "too many possibilities at")};
      if (now_.empty())
        return {verdict::not_linearizable, describe(*x.what, "no order explains")};
    }
    return {};
  }

private:
  [[nodiscard]] size_t pending_max() const {
    size_t pending = 0;
    size_t most = 1;
    for (const auto& x : moments_) {
      pending += x.is_return ? size_t(-1) : 1;
      most = std::max(most, pending);
    }
    return most;
  }

  void call(const operation& x) {
    auto free = std::find(pending_.begin(), pending_.end(), nullptr);
    if (free == pending_.end())
      free = pending_.insert(free, nullptr);
    *free = &x;
  }

  /// Keeps the possibilities in which `x` has taken effect by now and answered as it did.
  bool settle(const operation& x) {
    const auto slot =
      static_cast<size_t>(std::find(pending_.begin(), pending_.end(), &x) - pending_.begin());
    std::vector<possibility> after;
    seen_.clear();
    todo_ = std::move(now_);
    for (const auto& start : todo_)
      note(start);
    while (!todo_.empty()) {
      auto from = std::move(todo_.back());
      todo_.pop_back();
      if (contains(from.placed, slot)) {
        erase(from.placed, slot);
        add_unless_dominated(after, std::move(from));
        continue;
      }
      for (size_t next = 0; next < pending_.size(); ++next)
        if (is_useful(from, next, slot))
          place(from, next, x);
      if (todo_.size() + after.size() > possibilities_max_ || seen_size_ > 20 * possibilities_max_)
        return false;
    }
    seen_size_ = 0;
    pending_[slot] = nullptr;
    now_ = std::move(after);
    forget_used();
    return true;
  }

  /// An open operation that has taken effect in any case is over.
  void forget_used() {
    for (size_t slot = 0; slot < pending_.size(); ++slot)
      if (pending_[slot] != nullptr && pending_[slot]->is_open()
          && std::all_of(now_.begin(), now_.end(),
                         [&](const possibility& x) { return contains(x.placed, slot); })) {
        pending_[slot] = nullptr;
        for (auto& x : now_)
          erase(x.placed, slot);
      }
  }

  /// Whether to try `next` now; what changes nothing, or nothing that its twin wouldn't, is left.
  [[nodiscard]] bool is_useful(const possibility& from, size_t next, size_t wanted) const {
    const auto* x = pending_[next];
    if (x == nullptr || contains(from.placed, next))
      return false;
    auto value = from.value;
    const auto told = apply(value, x->what);
    if (!x->is_open())
      return told == x->told;
    if (value == from.value && next != wanted)
      return false;
    // Open operations that say the same are interchangeable: the first one goes first.
    for (size_t twin = 0; twin < next; ++twin)
      if (pending_[twin] != nullptr && pending_[twin]->is_open() && pending_[twin]->what == x->what
          && !contains(from.placed, twin))
        return false;
    return true;
  }

  void place(const possibility& from, size_t next, const operation& wanted) {
    auto to = from;
    apply(to.value, pending_[next]->what);
    // A counter never comes back to what the wanted operation has seen. Without this, open
    // operations that nobody needs would be tried in all their combinations.
    if (only_grows_ && to.value > wanted.told.value)
      return;
    insert(to.placed, next);
    if (note(to))
      todo_.push_back(std::move(to));
  }

  /// False if it was there before.
  bool note(const possibility& x) {
    auto& known = seen_[x.value];
    if (std::any_of(known.begin(), known.end(),
                    [&](const slot_set& y) { return dominates(y, x.placed); }))
      return false;
    known.push_back(x.placed);
    ++seen_size_;
    return true;
  }

  /// Of equal values, the one that has used up fewer open operations can do all that the other
  /// can; what must return has to be the same.
  [[nodiscard]] bool dominates(const slot_set& fewer, const slot_set& more) const {
    for (size_t i = 0; i < words_; ++i) {
      auto differing = fewer[i] ^ more[i];
      if ((fewer[i] & ~more[i]) != 0)
        return false;
      for (; differing != 0; differing &= differing - 1) {
        const auto slot = i * 64 + static_cast<size_t>(__builtin_ctzll(differing));
        if (pending_[slot] != nullptr && !pending_[slot]->is_open())
          return false;
      }
    }
    return true;
  }

  void add_unless_dominated(std::vector<possibility>& to, possibility x) const {
    for (const auto& y : to)
      if (y.value == x.value && dominates(y.placed, x.placed))
        return;
    std::erase_if(to, [&](const possibility& y) {
      return y.value == x.value && dominates(x.placed, y.placed);
    });
    to.push_back(std::move(x));
  }

  [[nodiscard]] std::string describe(const operation& x, const char* prefix) const {
    static constexpr const char* names[] = {"get", "add", "put", "cas"};
    return std::string{prefix} + " object " + std::to_string(x.what.object) + ": client "
           + std::to_string(x.client) + "'s " + names[static_cast<size_t>(x.what.kind)] + "("
           + std::to_string(x.what.argument) + "), called at " + std::to_string(x.called)
           + ", told " + std::to_string(x.told.value) + " at " + std::to_string(x.returned);
  }

  std::vector<moment> moments_;
  size_t possibilities_max_;
  bool only_grows_ = true; ///< The object is a counter.
  size_t words_ = 1;
  std::vector<const operation*> pending_; ///< By slot; null: free.
  std::vector<possibility> now_;
  std::vector<possibility> todo_;
  std::map<int64_t, std::vector<slot_set>> seen_;
  size_t seen_size_ = 0;
};

} // namespace

judgement check(std::span<const operation> history, size_t possibilities_max) {
  std::map<uint32_t, std::vector<moment>> objects;
  for (const auto& x : history) {
    if (x.is_open() && x.what.kind == action::kind::get)
      continue; // Says nothing and changes nothing.
    auto& moments = objects[x.what.object];
    moments.push_back({x.called, false, &x});
    if (!x.is_open())
      moments.push_back({x.returned, true, &x});
  }
  for (auto& [object, moments] : objects) {
    std::stable_sort(moments.begin(), moments.end(), [](const moment& a, const moment& b) {
      return a.at != b.at ? a.at < b.at : a.is_return < b.is_return;
    });
    if (auto found = sweep{std::move(moments), possibilities_max}.run();
        found.verdict != verdict::linearizable)
      return found;
  }
  return {};
}

} // namespace caucus::sim::history
