#pragma once

#include "persistence/file.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>

namespace caucus::testing {

/// One call on a memory disk, as a fault injector sees it.
struct disk_call {
  enum class kind : uint8_t {
    read,
    write,
    sync,
    allocate,
    open,
    create,
    rename,
    remove,
    sync_names,
    await,
    shrink
  };

  enum kind kind = kind::read;
  std::string_view name; ///< Of the file; of the source for a rename; empty for sync_names.
  uint64_t number = 0;   ///< Counts the disk's calls that change something, from 1; 0 for others.
  std::span<const std::byte> bytes{}; ///< Of a write.
  uint64_t offset = 0; ///< Of a write, or of what is awaited; the new size, of a file that shrinks.
  uint64_t size = 0;   ///< Of what is awaited.
};

/// What a disk that lies makes of a write that it reports as done, and of the sync after it.
struct write_fate {
  bool is_lost = false;   ///< The platter keeps what it had; the cache shows what was written.
  std::string also_in{};  ///< A file that gets its sectors, too; empty: none. It may be the same.
  uint64_t at_sector = 0; ///< Where in that.
};

struct memory_inode;
/// What was durable on a disk at some time.
using disk_image = std::map<std::string, std::shared_ptr<const memory_inode>, std::less<>>;

/// A disk in memory that knows what a power loss may do: whatever was not synced may be gone or
/// not, sector by sector (512 bytes), and so may names whose directory was not synced. It outlives
/// the nodes that are started on it. Thread-safe.
class memory_disk {
public:
  explicit memory_disk(std::string path = "memory");
  ~memory_disk();

  /// What a node opens: its view dies at the next `kill` or `crash`, as a process does. `in_use`
  /// while an earlier one lives.
  result<std::unique_ptr<persistence::directory>> open();

  /// The process ends, the machine doesn't: everything written is kept.
  void kill();
  /// The power fails: of everything unsynced a subset drawn from `seed` is kept.
  void crash(uint64_t seed);
  /// What a power loss now would decide, each in how many ways: of every unsynced change of a name
  /// whether it is kept, of every unsynced sector which of its versions is, of every file its size.
  [[nodiscard]] std::vector<uint32_t> crash_choices() const;
  /// A disk of its own, as the power loss leaves it that decides so; 0: nothing new is kept. This
  /// one stays as it is. Precondition: a decision for each choice.
  [[nodiscard]] memory_disk after_crash(std::span<const uint32_t> decisions) const;

  /// Called before every call takes effect; an error makes the call fail. A failing write may have
  /// written its first half; a failing sync has lost what it should have kept, every other
  /// descriptor of the file is told at its next one, and then syncs succeed without it
  /// (RELIABILITY E-02). Called under the disk's lock: must not call the disk.
  void on_call(std::function<std::optional<error>(const disk_call&)> fault);
  /// Asked about every write of a file that takes effect.
  void on_write(std::function<write_fate(const disk_call&)> fate);
  /// From the changing call with this number on, everything fails; a write with exactly this number
  /// still reaches the cache, so that a crash may keep any of its sectors. 0: never.
  void stop_at(uint64_t call_number);
  /// While held, `sync` of files blocks.
  void hold_syncs(bool held);
  /// Syncs report success and do nothing: shows that a test would notice a missing sync.
  void ignore_syncs(bool ignored);

  [[nodiscard]] uint64_t sync_count() const;  ///< Of files.
  [[nodiscard]] uint64_t write_count() const; ///< Of files.
  [[nodiscard]] uint64_t call_count() const;  ///< That change something, as `disk_call::number`.

  // -- what a lying disk does by itself, at any time (memory_disk_damage.cpp) -------
  /// A bit of a sector turns over on the platter; where the sector was written since and not
  /// synced, the cache hides it.
  void rot(std::string_view name, uint64_t offset, unsigned bit);
  /// What a power failure now leaves at least.
  [[nodiscard]] disk_image image() const;
  /// All is again as it was. Precondition: no node runs on it.
  void roll_back(const disk_image& to);
  /// One file is. False if it is now, or was then, not there, or is the same.
  bool roll_back(const disk_image& to, std::string_view name);

  // For tests that damage things; no node needs to be open.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<std::byte> content(std::string_view name) const;
  void overwrite(std::string_view name, uint64_t offset, std::span<const std::byte> bytes);
  void put(std::string_view name, std::vector<std::byte> content);
  void erase(std::string_view name);

private:
  struct state;
  class open_file;
  class open_directory;

  std::shared_ptr<state> state_;
};

} // namespace caucus::testing
