#pragma once

#include "caucus/state_machine.hpp"
#include "persistence/kept_snapshot.hpp"
#include "persistence/snapshot_writer.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace caucus {

/// Keeps a snapshot as a node keeps one: what it's given stays in memory while that is small, for
/// the log, and makes a file once it isn't. One thread. The directory must outlive it.
class spilling_sink final : public snapshot_sink {
public:
  using pacer = std::function<void(uint64_t bytes)>;

  /// `keep_pace` is told of what was written to the file, a little at a time, and may block.
  spilling_sink(persistence::directory& dir, persistence::snapshot_header header,
                pacer keep_pace = {})
    : directory_{dir}, header_{std::move(header)}, keep_pace_{std::move(keep_pace)} {}

  result<void> write(std::span<const std::byte> bytes) override;

  /// With the bytes of a small one; else the file is durable then. Once.
  result<persistence::kept_snapshot> finish();

  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }

private:
  result<void> spill();
  result<void> write_to_file(std::span<const std::byte> bytes);

  persistence::directory& directory_;
  persistence::snapshot_header header_;
  uint64_t bytes_ = 0;
  std::vector<std::byte> small_;
  std::optional<persistence::snapshot_writer> file_;
  pacer keep_pace_;
  uint64_t untold_bytes_ = 0;
};

} // namespace caucus
