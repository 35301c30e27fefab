#pragma once

#include "persistence/file.hpp"

namespace caucus::persistence {

/// A file on the real disk. Owns its descriptor.
class posix_file final : public file {
public:
  /// `path` is for messages.
  posix_file(int descriptor, std::string path) noexcept;
  posix_file(const posix_file&) = delete;
  posix_file& operator=(const posix_file&) = delete;
  ~posix_file() override;

  result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override;
  result<void> write_at(uint64_t offset, std::span<const std::byte> bytes) override;
  result<void> sync() override;
  result<void> allocate(uint64_t bytes) override;
  result<uint64_t> size() override;
  void begin_writing(uint64_t offset, uint64_t bytes) override;
  result<void> await_writing(uint64_t offset, uint64_t bytes) override;
  void shrink(uint64_t bytes) override;

private:
  int descriptor_;
  std::string path_;
};

/// The failed call `action` on `path`, with the system's reason and what to do about it.
error posix_error(std::string_view action, std::string_view path, int number);

/// Makes the names in a directory durable, and closes its `descriptor`.
result<void> sync_and_close_directory(int descriptor, std::string_view path);

} // namespace caucus::persistence
