#pragma once

#include "base/rng.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace caucus::testing {

/// The unit that a power loss keeps whole or not at all.
inline constexpr uint64_t sector_bytes = 512;

/// What one sector held since it was last known to be on the disk.
struct dirty_sector {
  std::vector<std::string> versions; ///< [0] is on the disk; any may be after a crash.
  bool is_lost = false; ///< Its sync failed: the cache shows it, the disk will never have it.

  [[nodiscard]] uint32_t outcomes() const {
    return is_lost ? 1 : static_cast<uint32_t>(versions.size());
  }
};

/// The content of one file on a memory disk: what readers see and what a power loss may leave.
struct memory_inode {
  std::string cache; ///< What readers see; zeros follow up to `size`.
  uint64_t size = 0;
  uint64_t durable_size = 0;
  std::map<uint64_t, dirty_sector> dirty; ///< By sector number.
  uint64_t failed_syncs = 0;              ///< Of each every descriptor that was open is told once.

  std::string sector(uint64_t number) const {
    std::string bytes(sector_bytes, '\0');
    const auto from = number * sector_bytes;
    if (from < cache.size())
      cache.copy(bytes.data(), sector_bytes, from);
    return bytes;
  }

  void put_sector(uint64_t number, std::string_view bytes) {
    const auto from = number * sector_bytes;
    if (cache.size() < from + sector_bytes)
      cache.resize(from + sector_bytes);
    std::copy(bytes.begin(), bytes.end(), cache.begin() + static_cast<ptrdiff_t>(from));
  }

  void write(uint64_t offset, std::string_view bytes) {
    if (bytes.empty())
      return;
    const auto first = offset / sector_bytes;
    const auto last = (offset + bytes.size() - 1) / sector_bytes;
    for (auto number = first; number <= last; ++number) {
      auto& versions = dirty[number].versions;
      if (versions.empty())
        versions.push_back(sector(number));
    }
    if (cache.size() < offset + bytes.size())
      cache.resize(offset + bytes.size());
    std::copy(bytes.begin(), bytes.end(), cache.begin() + static_cast<ptrdiff_t>(offset));
    size = std::max(size, offset + bytes.size());
    for (auto number = first; number <= last; ++number) {
      auto& sector_now = dirty[number];
      if (auto bytes_now = sector(number); bytes_now != sector_now.versions.back())
        sector_now.versions.push_back(std::move(bytes_now));
      sector_now.is_lost = false;
    }
  }

  void shrink(uint64_t bytes) {
    size = std::min(size, bytes);
    durable_size = std::min(durable_size, bytes);
    cache.resize(std::min<uint64_t>(cache.size(), bytes));
    dirty.erase(dirty.lower_bound((bytes + sector_bytes - 1) / sector_bytes), dirty.end());
  }

  void sync() {
    durable_size = size;
    std::erase_if(dirty, [](const auto& item) { return !item.second.is_lost; });
  }

  void fail_sync() {
    ++failed_syncs;
    for (auto& [number, sector_now] : dirty)
      sector_now.is_lost = true;
  }

  /// The platter's version of a sector changes by itself; what the cache has newer, hides that.
  void smash(uint64_t number, std::string_view bytes) {
    if (const auto found = dirty.find(number); found != dirty.end())
      found->second.versions[0] = bytes;
    else
      put_sector(number, bytes);
  }
  /// As the platter has it.
  [[nodiscard]] std::string platter(uint64_t number) const {
    const auto found = dirty.find(number);
    return found != dirty.end() ? found->second.versions[0] : sector(number);
  }

  /// The disk says that it has written these bytes, and hasn't.
  void lose(uint64_t offset, uint64_t bytes) {
    for (auto number = offset / sector_bytes; number * sector_bytes < offset + bytes; ++number)
      if (const auto found = dirty.find(number); found != dirty.end())
        found->second.is_lost = true;
  }

  /// Adds how many ways each sector that isn't synced may turn out, and the size.
  void list_choices(std::vector<uint32_t>& choices) const {
    for (const auto& [number, sector_now] : dirty)
      if (const auto ways = sector_now.outcomes(); ways > 1)
        choices.push_back(ways);
    if (size != durable_size)
      choices.push_back(2);
  }

  /// As after a crash that chose so: takes as many decisions as there are choices.
  template <class Iterator>
  void decide(Iterator& next) {
    for (auto& [number, sector_now] : dirty) {
      const auto ways = sector_now.outcomes();
      put_sector(number, sector_now.versions[ways > 1 ? *next++ : 0]);
    }
    dirty.clear();
    if (size != durable_size && *next++ == 0)
      size = durable_size;
    become_durable();
  }

  void crash(rng& random) {
    for (auto& [number, sector_now] : dirty) {
      put_sector(number, sector_now.versions[random.below(sector_now.outcomes())]);
    }
    dirty.clear();
    if (size != durable_size && random.chance(50))
      size = durable_size;
    become_durable();
  }

private:
  void become_durable() {
    if (cache.size() > size)
      cache.resize(size);
    durable_size = size;
  }
};

} // namespace caucus::testing
