#pragma once

#include "persistence/snapshot_reader.hpp"

namespace caucus::persistence {

/// Opens a snapshot's file wherever it is, whatever it is called. `not_found`; `malformed` with
/// file and offset; its content isn't checked yet.
result<snapshot_reader> open_snapshot_file(const std::string& path);

/// A file that is being written outside of any data directory. Without `publish` nothing is left of
/// it, save after a SIGKILL. One thread.
class backup_file {
public:
  /// `already_exists` if there is something called `path` and it may not be replaced.
  static result<backup_file> create(const std::string& path, bool may_replace);
  backup_file(backup_file&&) noexcept = default;
  backup_file& operator=(backup_file&&) = delete;
  ~backup_file();

  result<void> write_at(uint64_t offset, std::span<const std::byte> bytes) {
    return content_->write_at(offset, bytes);
  }
  /// What is written so far is durable, under the temporary name.
  result<void> sync() { return content_->sync(); }
  [[nodiscard]] const std::string& temporary_path() const noexcept { return temporary_; }
  /// It has its name, durably. Precondition: synced; once.
  result<void> publish();

private:
  backup_file(std::string path, std::string temporary, bool may_replace,
              std::unique_ptr<file> content)
    : path_{std::move(path)},
      temporary_{std::move(temporary)},
      may_replace_{may_replace},
      content_{std::move(content)} {}

  std::string path_;
  std::string temporary_;
  bool may_replace_;
  std::unique_ptr<file> content_; ///< Null: published, or moved from.
};

} // namespace caucus::persistence
