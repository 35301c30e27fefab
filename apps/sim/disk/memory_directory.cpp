#include "apps/sim/disk/memory_directory.hpp"

#include "apps/sim/disk/memory_disk_state.hpp"
#include "base/assert.hpp"

#include <cstring>
#include <utility>

namespace caucus::testing {

class memory_disk::open_file final : public persistence::file {
public:
  open_file(std::shared_ptr<state> disk, inode_ptr node, std::string name, uint64_t life)
    : disk_{std::move(disk)},
      node_{std::move(node)},
      name_{std::move(name)},
      life_{life},
      told_of_{node_->failed_syncs} {}

  result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    const std::lock_guard guard{disk_->mutex};
    if (auto failed = disk_->begin(life_, disk_call::kind::read, name_))
      return *std::move(failed);
    if (offset >= node_->size)
      return size_t{0};
    const auto count = std::min<uint64_t>(into.size(), node_->size - offset);
    const auto cached =
      offset < node_->cache.size() ? std::min(count, node_->cache.size() - offset) : 0;
    if (cached > 0)
      std::memcpy(into.data(), node_->cache.data() + offset, cached);
    if (count > cached)
      std::memset(into.data() + cached, 0, count - cached);
    return static_cast<size_t>(count);
  }

  result<void> write_at(uint64_t offset, std::span<const std::byte> bytes) override {
    const std::lock_guard guard{disk_->mutex};
    const auto failed = disk_->begin(life_, disk_call::kind::write, name_, bytes, offset);
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (!failed || disk_->calls == disk_->stops_at)
      node_->write(offset, text);
    else if (life_ == disk_->life && disk_->stops_at == 0)
      node_->write(offset, text.substr(0, text.size() / 2));
    if (failed)
      return *failed;
    ++disk_->writes;
    disk_->decide_fate(*node_, {disk_call::kind::write, name_, disk_->calls, bytes, offset});
    return {};
  }

  result<void> sync() override {
    std::unique_lock guard{disk_->mutex};
    disk_->syncs_released.wait(guard, [&] { return !disk_->holds_syncs || life_ != disk_->life; });
    if (auto failed = lost(disk_->begin(life_, disk_call::kind::sync, name_)))
      return *std::move(failed);
    ++disk_->syncs;
    if (!disk_->ignores_syncs)
      node_->sync();
    return {};
  }

  result<void> allocate(uint64_t bytes) override {
    const std::lock_guard guard{disk_->mutex};
    if (auto failed = disk_->begin(life_, disk_call::kind::allocate, name_))
      return *std::move(failed);
    node_->size = std::max(node_->size, bytes);
    return {};
  }

  result<void> await_writing(uint64_t offset, uint64_t bytes) override {
    const std::lock_guard guard{disk_->mutex};
    if (auto failed = lost(disk_->begin(life_, disk_call::kind::await, name_, {}, offset, bytes)))
      return *std::move(failed);
    return {};
  }

  result<uint64_t> size() override {
    const std::lock_guard guard{disk_->mutex};
    if (life_ != disk_->life)
      return gone();
    return node_->size;
  }

  void shrink(uint64_t bytes) override {
    const std::lock_guard guard{disk_->mutex};
    if (!disk_->begin(life_, disk_call::kind::shrink, name_, {}, bytes))
      node_->shrink(bytes);
  }

private:
  /// What is told of bytes that are lost: by this call, or since this descriptor was told last.
  std::optional<error> lost(std::optional<error> failed) {
    if (failed && life_ == disk_->life && disk_->stops_at == 0)
      node_->fail_sync();
    if (std::exchange(told_of_, node_->failed_syncs) != node_->failed_syncs && !failed)
      return error{errc::io_failed, name_ + ": what another descriptor synced was lost"};
    return failed;
  }

  std::shared_ptr<state> disk_;
  inode_ptr node_;
  std::string name_;
  uint64_t life_;
  uint64_t told_of_; ///< Of `memory_inode::failed_syncs`, so many.
};

class memory_disk::open_directory final : public persistence::directory {
public:
  open_directory(std::shared_ptr<state> disk, uint64_t life)
    : disk_{std::move(disk)}, life_{life} {}
  open_directory(const open_directory&) = delete;
  open_directory& operator=(const open_directory&) = delete;
  ~open_directory() override {
    const std::lock_guard guard{disk_->mutex};
    if (life_ == disk_->life)
      disk_->is_open = false;
  }

  std::string path() const override { return disk_->path; }

  result<std::vector<std::string>> list() override {
    const std::lock_guard guard{disk_->mutex};
    if (life_ != disk_->life)
      return gone();
    std::vector<std::string> names;
    for (const auto& [name, node] : disk_->names)
      names.push_back(name);
    return names;
  }

  result<std::unique_ptr<persistence::file>> open(std::string_view name) override {
    const std::lock_guard guard{disk_->mutex};
    if (auto failed = disk_->begin(life_, disk_call::kind::open, name))
      return *std::move(failed);
    const auto found = disk_->names.find(name);
    if (found == disk_->names.end())
      return error{errc::not_found, "no file " + disk_->path + "/" + std::string{name}};
    return view_of(found->second, name);
  }

  result<std::unique_ptr<persistence::file>> create(std::string_view name) override {
    const std::lock_guard guard{disk_->mutex};
    if (auto failed = disk_->begin(life_, disk_call::kind::create, name))
      return *std::move(failed);
    auto node = std::make_shared<memory_inode>();
    disk_->change_name({{}, std::string{name}, node});
    return view_of(std::move(node), name);
  }

  result<void> rename(std::string_view from, std::string_view to) override {
    const std::lock_guard guard{disk_->mutex};
    if (auto failed = disk_->begin(life_, disk_call::kind::rename, from))
      return *std::move(failed);
    if (!disk_->names.contains(from))
      return error{errc::not_found, "no file " + disk_->path + "/" + std::string{from}};
    disk_->change_name({std::string{from}, std::string{to}, {}});
    return {};
  }

  result<void> remove(std::string_view name) override {
    const std::lock_guard guard{disk_->mutex};
    if (auto failed = disk_->begin(life_, disk_call::kind::remove, name))
      return *std::move(failed);
    if (!disk_->names.contains(name))
      return error{errc::not_found, "no file " + disk_->path + "/" + std::string{name}};
    disk_->change_name({std::string{name}, {}, {}});
    return {};
  }

  result<void> sync() override {
    const std::lock_guard guard{disk_->mutex};
    if (auto failed = disk_->begin(life_, disk_call::kind::sync_names, {}))
      return *std::move(failed);
    if (!disk_->ignores_syncs) {
      disk_->durable_names = disk_->names;
      disk_->unsynced_names.clear();
    }
    return {};
  }

private:
  std::unique_ptr<persistence::file> view_of(inode_ptr node, std::string_view name) {
    return std::make_unique<open_file>(disk_, std::move(node), std::string{name}, life_);
  }

  std::shared_ptr<state> disk_;
  uint64_t life_;
};

memory_disk::memory_disk(std::string path) : state_{std::make_shared<state>()} {
  state_->path = std::move(path);
}

memory_disk::~memory_disk() = default;

result<std::unique_ptr<persistence::directory>> memory_disk::open() {
  const std::lock_guard guard{state_->mutex};
  if (state_->is_open)
    return error{errc::in_use, "directory " + state_->path + " is in use"};
  state_->is_open = true;
  return std::unique_ptr<persistence::directory>{
    std::make_unique<open_directory>(state_, state_->life)};
}

void memory_disk::kill() {
  const std::lock_guard guard{state_->mutex};
  state_->end_life();
}

void memory_disk::on_call(std::function<std::optional<error>(const disk_call&)> fault) {
  const std::lock_guard guard{state_->mutex};
  state_->fault = std::move(fault);
}

void memory_disk::stop_at(uint64_t call_number) {
  const std::lock_guard guard{state_->mutex};
  state_->stops_at = call_number;
}

void memory_disk::hold_syncs(bool held) {
  const std::lock_guard guard{state_->mutex};
  state_->holds_syncs = held;
  state_->syncs_released.notify_all();
}

void memory_disk::ignore_syncs(bool ignored) {
  const std::lock_guard guard{state_->mutex};
  state_->ignores_syncs = ignored;
}

uint64_t memory_disk::sync_count() const {
  const std::lock_guard guard{state_->mutex};
  return state_->syncs;
}

uint64_t memory_disk::write_count() const {
  const std::lock_guard guard{state_->mutex};
  return state_->writes;
}

uint64_t memory_disk::call_count() const {
  const std::lock_guard guard{state_->mutex};
  return state_->calls;
}

std::vector<std::string> memory_disk::names() const {
  const std::lock_guard guard{state_->mutex};
  std::vector<std::string> names;
  for (const auto& [name, node] : state_->names)
    names.push_back(name);
  return names;
}

std::vector<std::byte> memory_disk::content(std::string_view name) const {
  const std::lock_guard guard{state_->mutex};
  const auto found = state_->names.find(name);
  CAUCUS_ASSERT(found != state_->names.end());
  std::vector<std::byte> bytes(found->second->size);
  const auto& cache = found->second->cache;
  if (!bytes.empty() && !cache.empty())
    std::memcpy(bytes.data(), cache.data(), std::min(bytes.size(), cache.size()));
  return bytes;
}

void memory_disk::overwrite(std::string_view name, uint64_t offset,
                            std::span<const std::byte> bytes) {
  const std::lock_guard guard{state_->mutex};
  const auto found = state_->names.find(name);
  CAUCUS_ASSERT(found != state_->names.end());
  found->second->write(offset, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  found->second->sync();
}

void memory_disk::put(std::string_view name, std::vector<std::byte> content) {
  const std::lock_guard guard{state_->mutex};
  auto node = std::make_shared<memory_inode>();
  node->write(0, {reinterpret_cast<const char*>(content.data()), content.size()});
  node->sync();
  state_->names[std::string{name}] = node;
  state_->durable_names[std::string{name}] = std::move(node);
}

void memory_disk::erase(std::string_view name) {
  const std::lock_guard guard{state_->mutex};
  std::erase_if(state_->names, [&](const auto& item) { return item.first == name; });
  std::erase_if(state_->durable_names, [&](const auto& item) { return item.first == name; });
}

} // namespace caucus::testing
