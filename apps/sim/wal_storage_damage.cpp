// The part of wal_storage that concerns a disk that lies.

#include "apps/sim/wal_storage.hpp"

#include "apps/sim/disk/memory_inode.hpp"

#include <algorithm>

namespace caucus::sim {

using testing::disk_call;
using testing::sector_bytes;

namespace {

constexpr int64_t images_permille = 30; ///< Of the syncs.
constexpr int tries_max = 16;

/// The name that a file has, or will have once it is whole.
std::string final_name(std::string_view name) {
  constexpr std::string_view unfinished = ".tmp";
  return std::string{name.ends_with(unfinished) ? name.substr(0, name.size() - unfinished.size())
                                                : name};
}

bool may_be_hit(std::string_view name) {
  return name.starts_with("wal-") || name.starts_with("snap-");
}

bool is_written(std::span<const std::byte> sector) {
  return std::any_of(sector.begin(), sector.end(), [](std::byte x) { return x != std::byte{}; });
}

} // namespace

std::string wal_storage::some_file() {
  auto names = disk_.names();
  std::erase_if(names, [](const auto& x) { return !may_be_hit(x) || final_name(x) != x; });
  if (names.empty())
    return {};
  // What a node lives by, its newest segment and snapshot, is hit more often than the others.
  const auto* kind = lies_.permille(500) ? "wal-" : "snap-";
  const auto newest = std::find_if(names.rbegin(), names.rend(),
                                   [kind](const auto& x) { return x.starts_with(kind); });
  if (newest != names.rend() && lies_.permille(700))
    return *newest;
  return names[static_cast<size_t>(lies_.below(static_cast<int64_t>(names.size())))];
}

bool wal_storage::rot() {
  for (int tries = 0; tries < tries_max; ++tries) {
    const auto name = some_file();
    if (name.empty())
      return false;
    const auto bytes = disk_.content(name);
    const auto sectors = static_cast<int64_t>((bytes.size() + sector_bytes - 1) / sector_bytes);
    const auto begin = static_cast<size_t>(lies_.below(sectors)) * sector_bytes;
    const auto size = std::min<size_t>(sector_bytes, bytes.size() - std::min(begin, bytes.size()));
    if (size == 0 || !is_written(std::span{bytes}.subspan(begin, size)))
      continue;
    const auto at = begin + static_cast<size_t>(lies_.below(static_cast<int64_t>(size)));
    disk_.rot(name, at, static_cast<unsigned>(lies_.below(8)));
    damage_.note(damage_kind::bit_rot, name, at, 1);
    return true;
  }
  return false;
}

testing::write_fate wal_storage::on_write(const disk_call& x) {
  if (!may_be_hit(x.name))
    return {};
  const auto name = final_name(x.name);
  damage_.note_write(name, x.offset, x.bytes);
  const auto kind = std::exchange(next_fate_, std::nullopt);
  if (!kind)
    return {};
  testing::write_fate out{.is_lost = *kind == damage_kind::lost_write || lies_.permille(500)};
  if (out.is_lost)
    damage_.note(*kind, name, x.offset, x.bytes.size());
  if (*kind == damage_kind::misdirected_write) {
    out.also_in = misdirected_to_;
    out.at_sector = misdirected_sector_;
    damage_.note(*kind, out.also_in, out.at_sector * sector_bytes, x.bytes.size());
  }
  return out;
}

void wal_storage::misdirect_next_write() {
  misdirected_to_ = some_file();
  if (misdirected_to_.empty())
    return;
  const auto bytes = disk_.content(misdirected_to_).size();
  misdirected_sector_ =
    static_cast<uint64_t>(lies_.below(static_cast<int64_t>(bytes / sector_bytes)));
  next_fate_ = damage_kind::misdirected_write;
}

void wal_storage::keep_image() {
  if (!how_.keeps_images || damage_.is_latent() || !lies_.permille(images_permille))
    return;
  old_image_ = disk_.image();
  old_batch_ = damage_.last_batch();
}

std::optional<damage_kind> wal_storage::roll_back() {
  if (old_image_.empty() || old_batch_ == damage_.last_batch())
    return std::nullopt;
  if (lies_.permille(400)) {
    disk_.roll_back(old_image_);
    damage_.note_rollback(old_batch_);
    return damage_kind::directory_rollback;
  }
  for (int tries = 0; tries < tries_max; ++tries) {
    const auto name = some_file();
    const auto now = name.empty() ? std::vector<std::byte>{} : disk_.content(name);
    if (name.empty() || !disk_.roll_back(old_image_, name))
      continue;
    const auto then = disk_.content(name);
    const auto same = std::mismatch(now.begin(), now.end(), then.begin(), then.end()).first;
    damage_.note(damage_kind::file_rollback, name, static_cast<uint64_t>(same - now.begin()),
                 std::max(now.size(), then.size()));
    return damage_kind::file_rollback;
  }
  return std::nullopt;
}

} // namespace caucus::sim
