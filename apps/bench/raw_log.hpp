#pragma once

#include "base/result.hpp"

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace caucus::bench {

/// How a raw loop makes batches durable in order.
enum class sync_way : uint8_t {
  fdatasync, ///< pwrite, then fdatasync.
  dsync,     ///< pwrite into a file opened with O_DSYNC.
  direct,    ///< The same with O_DIRECT, in whole blocks.
  two_syncs, ///< Two threads take turns: the next batch's pwrite and fdatasync begin before this
             ///< one's end. A batch counts once it and all before are durable.
  two_files, ///< The same, each thread with a file of its own.
  fdatasync_fresh, ///< As `fdatasync`, into blocks that are allocated and were never written.
  two_syncs_fresh, ///< As `two_syncs`, into such blocks.
};
inline constexpr std::array sync_ways{
  sync_way::fdatasync, sync_way::dsync,           sync_way::direct,         sync_way::two_syncs,
  sync_way::two_files, sync_way::fdatasync_fresh, sync_way::two_syncs_fresh};

/// Keeps all that it wrote. The others write over 64 MiB again and again, as a log can only where
/// it has old segments to write over.
constexpr bool is_fresh(sync_way way) {
  return way == sync_way::fdatasync_fresh || way == sync_way::two_syncs_fresh;
}

std::string_view name_of(sync_way way);

/// What this machine can do for a log at most: batches of bytes made durable, and nothing else.
/// The files are written once before, so that no block is left to allocate and no size to change;
/// but those of fresh blocks are only allocated.
class raw_log {
public:
  static result<raw_log> make(const std::string& directory);

  /// Batches a second.
  [[nodiscard]] result<double> measure(sync_way way, size_t batch_bytes,
                                       std::chrono::nanoseconds duration) const;

private:
  explicit raw_log(std::vector<std::string> paths) : paths_{std::move(paths)} {}

  std::vector<std::string> paths_;
};

} // namespace caucus::bench
