#include "persistence/scratch_directory.hpp"

#include <algorithm>
#include <cstring>

namespace caucus::persistence {

class scratch_directory::scratch_file final : public file {
public:
  explicit scratch_file(content bytes) : bytes_{std::move(bytes)} {}

  result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    if (offset >= bytes_->size())
      return size_t{0};
    const auto size = std::min<uint64_t>(into.size(), bytes_->size() - offset);
    std::memcpy(into.data(), bytes_->data() + offset, size);
    return static_cast<size_t>(size);
  }
  result<void> write_at(uint64_t offset, std::span<const std::byte> bytes) override {
    if (bytes_->size() < offset + bytes.size())
      bytes_->resize(offset + bytes.size());
    std::memcpy(bytes_->data() + offset, bytes.data(), bytes.size());
    return {};
  }
  result<void> sync() override { return {}; }
  result<void> allocate(uint64_t bytes) override {
    bytes_->resize(bytes);
    return {};
  }
  result<uint64_t> size() override { return uint64_t{bytes_->size()}; }

private:
  content bytes_;
};

result<std::vector<std::string>> scratch_directory::list() {
  std::vector<std::string> names;
  for (const auto& [name, _] : files_)
    names.push_back(name);
  return names;
}

result<std::unique_ptr<file>> scratch_directory::open(std::string_view name) {
  const auto found = files_.find(name);
  if (found == files_.end())
    return error{errc::not_found, std::string{name}};
  return std::unique_ptr<file>{std::make_unique<scratch_file>(found->second)};
}

result<std::unique_ptr<file>> scratch_directory::create(std::string_view name) {
  auto bytes = std::make_shared<std::vector<std::byte>>();
  files_.insert_or_assign(std::string{name}, bytes);
  return std::unique_ptr<file>{std::make_unique<scratch_file>(std::move(bytes))};
}

result<void> scratch_directory::rename(std::string_view from, std::string_view to) {
  const auto found = files_.find(from);
  if (found == files_.end())
    return error{errc::not_found, std::string{from}};
  files_.insert_or_assign(std::string{to}, std::move(found->second));
  files_.erase(found);
  return {};
}

result<void> scratch_directory::remove(std::string_view name) {
  const auto found = files_.find(name);
  if (found == files_.end())
    return error{errc::not_found, std::string{name}};
  files_.erase(found);
  return {};
}

} // namespace caucus::persistence
