#include "apps/sim/disk_damage.hpp"

#include "apps/sim/disk/memory_inode.hpp"

#include <algorithm>

namespace caucus::sim {

namespace {

using testing::sector_bytes;
constexpr size_t batch_header_bytes = 48;

uint64_t number_at(std::span<const std::byte> bytes, size_t offset) {
  uint64_t out = 0;
  for (size_t i = 8; i > 0; --i)
    out = out << 8 | std::to_integer<uint64_t>(bytes[offset + i - 1]);
  return out;
}

bool is_batch(std::span<const std::byte> bytes) {
  constexpr std::string_view magic = "CBAT";
  return bytes.size() >= batch_header_bytes
         && std::equal(magic.begin(), magic.end(), bytes.begin(),
                       [](char a, std::byte b) { return std::byte(a) == b; });
}

} // namespace

void disk_damage::note_write(std::string_view file, uint64_t offset,
                             std::span<const std::byte> bytes) {
  if (is_batch(bytes)) // What was there with these numbers is of an older epoch.
    batches_.erase(batches_.lower_bound(number_at(bytes, 8)), batches_.end());
  while (is_batch(bytes)) { // A start writes the end of what it has found again, in one piece.
    const auto size = std::min<uint64_t>(number_at(bytes, 32) & 0xffffffff, bytes.size());
    batches_[number_at(bytes, 8)] = {std::string{file}, offset, size, number_at(bytes, 24)};
    if (size == 0)
      return;
    offset += size;
    bytes = bytes.subspan(size);
  }
}

void disk_damage::note(damage_kind kind, std::string_view file, uint64_t offset, uint64_t bytes) {
  ++counts_[static_cast<size_t>(kind)];
  auto& hit = files_[std::string{file}];
  if (kind == damage_kind::file_rollback)
    hit.rotten.clear(); // It is as it was before that.
  for (auto x = offset / sector_bytes; x * sector_bytes < offset + bytes; ++x) {
    hit.sectors.insert(x);
    if (kind == damage_kind::bit_rot)
      hit.rotten.insert(x);
  }
}

void disk_damage::note_rollback(uint64_t batch) {
  ++counts_[static_cast<size_t>(damage_kind::directory_rollback)];
  rolled_back_to_ = batch;
}

bool disk_damage::is_hit(const batch_place& x, std::set<uint64_t> damaged_file::*by) const {
  const auto file = files_.find(x.file);
  if (file == files_.end())
    return false;
  const auto& sectors = file->second.*by;
  const auto first = sectors.lower_bound(x.offset / sector_bytes);
  return first != sectors.end() && *first * sector_bytes < x.offset + x.bytes;
}

bool disk_damage::may_end_between(uint64_t from, uint64_t upto, uint64_t synced) const {
  const auto& all = judged();
  for (auto hit = all.upper_bound(from); hit != all.end() && hit->first <= std::min(upto, synced);
       ++hit)
    if (is_hit(hit->second, &damaged_file::sectors))
      return std::all_of(hit, all.upper_bound(synced), [&](const auto& x) {
        return x.second.durable_upto < hit->first || is_hit(x.second, &damaged_file::sectors);
      });
  return false;
}

bool disk_damage::has_rotten_batch(uint64_t from) const {
  const auto& all = judged();
  return std::any_of(all.upper_bound(from), all.end(),
                     [&](const auto& x) { return is_hit(x.second, &damaged_file::rotten); });
}

void disk_damage::begin_start() {
  if (starts_++ == 0)
    before_start_ = batches_;
}

void disk_damage::end_start(bool was_from_platter, const std::vector<std::string>& files) {
  starts_ = 0;
  before_start_.clear();
  rolled_back_to_ = 0;
  std::erase_if(files_, [&](const auto& x) {
    const bool is_gone = std::find(files.begin(), files.end(), x.first) == files.end();
    return is_gone || (was_from_platter && x.first.starts_with("wal-"));
  });
}

} // namespace caucus::sim
