#pragma once

#include "persistence/file.hpp"
#include "persistence/snapshot_name.hpp"

#include <optional>
#include <span>

namespace caucus::persistence {

/// A snapshot's file under its temporary name, until it is published or given up. After the first
/// failure the temporary is removed, as well as that goes, and everything else fails with the same
/// reason; other snapshots aren't touched (RELIABILITY E-06). The directory must outlive it.
class unfinished_snapshot {
public:
  static result<unfinished_snapshot> create(directory& dir, const snapshot_identity& identity);
  unfinished_snapshot(unfinished_snapshot&&) noexcept = default;
  unfinished_snapshot& operator=(unfinished_snapshot&&) = delete;
  ~unfinished_snapshot() { abandon(); }

  result<void> write_at(uint64_t offset, std::span<const std::byte> bytes);
  /// Once this returns well, the snapshot is there under its name after any crash. If the last step
  /// fails, it may be there or not after the next one.
  result<void> publish();
  void abandon() noexcept;

  [[nodiscard]] const std::optional<error>& failure() const noexcept { return failure_; }
  /// For messages.
  [[nodiscard]] std::string path() const { return directory_->path() + "/" + name_; }

private:
  unfinished_snapshot(directory& dir, const snapshot_identity& identity,
                      std::unique_ptr<file> content)
    : directory_{&dir},
      name_{unfinished_file_name(identity.name, identity.uid)},
      final_name_{file_name(identity.name)},
      content_{std::move(content)} {}

  /// The disk gets what was written at once, and little is under way to it at a time: the log's
  /// syncs wait behind that. A sync of its own it gets seldom, because that holds them up, too
  /// (ADR 0016), and still before much is left for the last one on a file system that can't wait
  /// for less.
  result<void> write_out(uint64_t offset, uint64_t bytes);
  result<void> fail(error reason);

  directory* directory_;
  std::string name_;
  std::string final_name_;
  std::unique_ptr<file> content_; ///< Null: published or removed.
  std::optional<error> failure_;
  uint64_t begun_ = 0; ///< From here on, what was written may be under way to the disk.
  uint64_t unsynced_bytes_ = 0;
};

} // namespace caucus::persistence
