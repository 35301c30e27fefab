#pragma once

#include "apps/sim/hash.hpp"
#include "base/assert.hpp"
#include "membership/configuration_codec.hpp"

#include <vector>

namespace caucus::sim {

/// The configuration that the entry brings. Precondition: it brings one.
inline membership::configuration_ptr members_of(const raft::entry& x) {
  auto decoded = membership::decode_payload(x.body.payload.span());
  CAUCUS_ASSERT(decoded.has_value());
  return std::make_shared<const membership::configuration>(*std::move(decoded));
}

/// A log as one who watches it knows it: its entries, for each a hash of everything up to it, so
/// that two logs agree up to an index iff they have the same hash there (Log Matching), and which
/// configurations it brings.
class log_mirror {
public:
  [[nodiscard]] index_t before() const noexcept { return before_.index; }
  [[nodiscard]] raft::entry_id before_id() const noexcept { return before_; }
  [[nodiscard]] index_t last() const noexcept { return before_.index + slots_.size(); }

  /// Precondition of both: before() < index <= last(), or index == before() for the hash.
  [[nodiscard]] const raft::entry_ptr& at(index_t index) const noexcept {
    return slots_[index - before() - 1].entry;
  }
  [[nodiscard]] uint64_t hash_at(index_t index) const noexcept {
    return index == before() ? before_hash_ : slots_[index - before() - 1].hash;
  }
  [[nodiscard]] bool has(index_t index) const noexcept {
    return index >= before() && index <= last();
  }
  /// Whether this is one of its entries, or the one before them.
  [[nodiscard]] bool contains(raft::entry_id id) const noexcept {
    return has(id.index) && (id.index == before() ? before_ : at(id.index)->id) == id;
  }
  /// Whether both have everything up to `index` and it is the same.
  [[nodiscard]] bool agrees(const log_mirror& x, index_t index) const noexcept {
    return has(index) && x.has(index) && hash_at(index) == x.hash_at(index);
  }

  /// In force at `index`, or the latest. Null: none is known.
  [[nodiscard]] membership::configuration_ptr members_at(index_t index) const {
    return numbered_members_at(index).members;
  }
  [[nodiscard]] membership::numbered_configuration numbered_members_at(index_t index) const {
    auto i = members_.rbegin();
    while (i != members_.rend() && i->id > index)
      ++i;
    return i == members_.rend() ? membership::numbered_configuration{} : *i;
  }
  [[nodiscard]] membership::configuration_ptr members() const { return members_at(last()); }
  /// Those of the entries, ascending; not the first.
  [[nodiscard]] std::vector<membership::numbered_configuration> later_members() const {
    std::vector<membership::numbered_configuration> out;
    for (const auto& x : members_)
      if (x.id > before())
        out.push_back(x);
    return out;
  }
  /// Frees `upto` and what comes before. Precondition: before() <= upto <= last().
  void compact(index_t upto) {
    CAUCUS_ASSERT(has(upto));
    if (upto == before())
      return;
    const auto& boundary = slots_[upto - before() - 1];
    before_hash_ = boundary.hash;
    const auto id = boundary.entry->id;
    slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(upto - before()));
    before_ = id;
    while (members_.size() > 1 && members_[1].id <= upto)
      members_.erase(members_.begin());
  }
  /// Empties it; it goes on after `last`, where the hash and the members were as given.
  void restore(raft::entry_id last, uint64_t hash, membership::numbered_configuration members) {
    slots_.clear();
    members_.assign(1, std::move(members));
    before_ = last;
    before_hash_ = hash;
  }

  /// As of before(), when it is empty.
  void set_first_members(membership::numbered_configuration x) {
    members_.insert(members_.begin(), std::move(x));
  }

  void append(raft::entry_ptr x) {
    CAUCUS_ASSERT(x->id.index == last() + 1);
    if (x->body.kind == raft::entry_kind::configuration)
      members_.push_back({x->id.index, members_of(*x)});
    const auto hash = hasher{hash_at(last())}.word(hash_of(*x)).value();
    slots_.push_back({std::move(x), hash});
  }
  /// Drops `from` and what follows.
  void truncate_from(index_t from) {
    CAUCUS_ASSERT(from > before());
    if (from > last())
      return;
    slots_.resize(from - before() - 1);
    while (!members_.empty() && members_.back().id >= from)
      members_.pop_back();
  }

private:
  struct slot {
    raft::entry_ptr entry;
    uint64_t hash = 0;
  };

  raft::entry_id before_;
  uint64_t before_hash_ = 0;
  std::vector<slot> slots_;
  std::vector<membership::numbered_configuration> members_; ///< Ascending.
};

} // namespace caucus::sim
