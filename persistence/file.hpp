#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caucus::persistence {

/// One open file. Not thread-safe, except that `read_at` may run beside one writer.
class file {
public:
  virtual ~file() = default;

  /// Fills `into` from `offset`; returns fewer bytes only at the end of the file.
  virtual result<size_t> read_at(uint64_t offset, std::span<std::byte> into) = 0;
  /// Writes all of `bytes` or fails; after a failure the range's content is unknown.
  virtual result<void> write_at(uint64_t offset, std::span<const std::byte> bytes) = 0;
  /// Everything written so far survives a power loss. After a failure nothing may be assumed, and a
  /// second call proves nothing (RELIABILITY E-02).
  virtual result<void> sync() = 0;
  /// Makes the file `bytes` long, zero-filled, with its blocks allocated, so that later writes
  /// inside need no file-system metadata.
  virtual result<void> allocate(uint64_t bytes) = 0;
  virtual result<uint64_t> size() = 0;
  /// Hints that the range should begin to go to the disk, so that a later `sync` has less to do.
  /// Waits for nothing and promises nothing.
  virtual void begin_writing(uint64_t /*offset*/, uint64_t /*bytes*/) {}
  /// Waits until the range has gone to the disk, as far as this file can tell. A power loss may
  /// still take it: only `sync` promises anything, and the fewer bytes are left for it, the shorter
  /// it is. A failure is one of `sync`, and told only once.
  virtual result<void> await_writing(uint64_t /*offset*/, uint64_t /*bytes*/) { return {}; }
  /// Gives back the blocks behind the first `bytes` of a file that was removed. Promises nothing:
  /// what is left goes when it is closed.
  virtual void shrink(uint64_t /*bytes*/) {}
};

/// One flat directory: a node's data directory. Names are ours, never from outside.
class directory {
public:
  virtual ~directory() = default;

  /// For messages to people.
  [[nodiscard]] virtual std::string path() const = 0;
  /// Names of the files in it, sorted.
  virtual result<std::vector<std::string>> list() = 0;
  virtual result<std::unique_ptr<file>> open(std::string_view name) = 0;   ///< not_found if absent
  virtual result<std::unique_ptr<file>> create(std::string_view name) = 0; ///< truncates
  virtual result<void> rename(std::string_view from, std::string_view to) = 0; ///< replaces `to`
  virtual result<void> remove(std::string_view name) = 0;
  /// Names created, renamed and removed so far survive a power loss.
  virtual result<void> sync() = 0;
};

/// Opens `path` on the real disk, making it (0700) if absent, and holds its exclusive lock until
/// the object dies (also at kill -9). `in_use` if another process holds it.
result<std::unique_ptr<directory>> open_posix_directory(const std::string& path);
/// Opens an existing directory to look at it: nothing in it can be changed, not even a lock file
/// made. `in_use` while a node runs on it; several readers may look at once.
result<std::unique_ptr<directory>> open_posix_directory_to_read(const std::string& path);

} // namespace caucus::persistence
