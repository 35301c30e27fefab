// What a disk in memory does that lies: nobody hears of it.

#include "apps/sim/disk/memory_disk_state.hpp"
#include "base/assert.hpp"

namespace caucus::testing {

void memory_disk::state::decide_fate(memory_inode& node, const disk_call& x) {
  if (!fate)
    return;
  const auto decided = fate(x);
  if (const auto other = names.find(decided.also_in); other != names.end()) {
    auto to = decided.at_sector;
    for (auto from = x.offset / sector_bytes; from * sector_bytes < x.offset + x.bytes.size();
         ++from, ++to)
      if (to * sector_bytes < other->second->size)
        other->second->smash(to, node.sector(from));
  }
  if (decided.is_lost)
    node.lose(x.offset, x.bytes.size());
}

void memory_disk::on_write(std::function<write_fate(const disk_call&)> fate) {
  const std::lock_guard guard{state_->mutex};
  state_->fate = std::move(fate);
}

void memory_disk::rot(std::string_view name, uint64_t offset, unsigned bit) {
  const std::lock_guard guard{state_->mutex};
  const auto found = state_->names.find(name);
  CAUCUS_ASSERT(found != state_->names.end() && offset < found->second->size);
  const auto number = offset / sector_bytes;
  auto bytes = found->second->platter(number);
  auto& byte = bytes[offset % sector_bytes];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
  found->second->smash(number, bytes);
}

disk_image memory_disk::image() const {
  const std::lock_guard guard{state_->mutex};
  disk_image out;
  for (const auto& [name, node] : state_->durable_names) {
    auto copy = std::make_shared<memory_inode>(*node);
    for (const auto& [number, sector_now] : copy->dirty)
      copy->put_sector(number, sector_now.versions[0]);
    copy->dirty.clear();
    copy->size = copy->durable_size;
    copy->cache.resize(std::min<size_t>(copy->cache.size(), copy->size));
    out.emplace(name, std::move(copy));
  }
  return out;
}

void memory_disk::roll_back(const disk_image& to) {
  const std::lock_guard guard{state_->mutex};
  CAUCUS_ASSERT(!state_->is_open);
  state_->names.clear();
  for (const auto& [name, node] : to)
    state_->names.emplace(name, std::make_shared<memory_inode>(*node));
  state_->durable_names = state_->names;
  state_->unsynced_names.clear();
}

bool memory_disk::roll_back(const disk_image& to, std::string_view name) {
  const std::lock_guard guard{state_->mutex};
  const auto then = to.find(name);
  const auto now = state_->names.find(name);
  if (then == to.end() || now == state_->names.end()
      || (then->second->size == now->second->size && then->second->cache == now->second->cache))
    return false;
  auto& node = *now->second;
  node.dirty.clear();
  node.cache = then->second->cache;
  node.size = node.durable_size = then->second->size;
  return true;
}

} // namespace caucus::testing
