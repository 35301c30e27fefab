#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caucus::sim {

/// How a disk lies without saying so (RELIABILITY E-09 to E-14, E-17).
enum class damage_kind : uint8_t {
  bit_rot,
  misdirected_write, ///< Its bytes land somewhere else, as well or instead.
  lost_write,        ///< Reported as done, synced, and never there.
  file_rollback,     ///< A file is again as it once was.
  directory_rollback ///< All of them are.
};
inline constexpr size_t damage_kinds = 5;

/// What one node's disk was made to lie about, sector by sector, and which of the log's batches it
/// hits: so that it can be told what a start may make of it. Reads what is written by the format's
/// description alone (docs/wal_format.md, section 3), not by the code that is on trial.
class disk_damage {
public:
  /// A write to the file took effect.
  void note_write(std::string_view file, uint64_t offset, std::span<const std::byte> bytes);
  void note(damage_kind kind, std::string_view file, uint64_t offset, uint64_t bytes);
  /// Of a directory: nothing that was written after this batch is there any more.
  void note_rollback(uint64_t batch);

  [[nodiscard]] uint64_t last_batch() const noexcept {
    return batches_.empty() ? 0 : batches_.rbegin()->first;
  }
  /// Something isn't as it was written, or may not be.
  [[nodiscard]] bool is_latent() const noexcept { return !files_.empty() || rolled_back_to_ != 0; }
  [[nodiscard]] bool is_rolled_back() const noexcept { return rolled_back_to_ != 0; }
  [[nodiscard]] bool is_rolled_back_to(uint64_t batch) const noexcept {
    return rolled_back_to_ != 0 && rolled_back_to_ == batch;
  }
  /// Whether a log may end behind `from` and before `upto`, two batches after which something was
  /// durable: where it ends one is damaged, and so are all those up to `synced` that say that it
  /// was durable. What came later, the power failure may have taken.
  [[nodiscard]] bool may_end_between(uint64_t from, uint64_t upto, uint64_t synced) const;
  /// Bits have turned over there: what isn't zero is left, and has to be reported.
  [[nodiscard]] bool has_rotten_batch(uint64_t from) const;

  /// Since the last one that was judged.
  [[nodiscard]] bool is_first_start() const noexcept { return starts_ == 1; }
  /// A start begins: what it writes doesn't count before it is known what it has found.
  void begin_start();
  /// It has read all of the log, from the platter or not, and goes on with it. `files`: that there
  /// are now.
  void end_start(bool was_from_platter, const std::vector<std::string>& files);

  [[nodiscard]] uint64_t count(damage_kind x) const noexcept {
    return counts_[static_cast<size_t>(x)];
  }

private:
  struct batch_place {
    std::string file;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint64_t durable_upto = 0;
  };
  struct damaged_file {
    std::set<uint64_t> sectors;
    std::set<uint64_t> rotten;
  };
  using batch_places = std::map<uint64_t, batch_place>;

  [[nodiscard]] bool is_hit(const batch_place& x, std::set<uint64_t> damaged_file::*by) const;
  [[nodiscard]] const batch_places& judged() const noexcept {
    return starts_ > 0 ? before_start_ : batches_;
  }

  batch_places batches_;      ///< By number.
  batch_places before_start_; ///< As of the first start that wasn't judged.
  uint64_t starts_ = 0;       ///< Not judged.
  std::map<std::string, damaged_file, std::less<>> files_;
  uint64_t rolled_back_to_ = 0;
  std::array<uint64_t, damage_kinds> counts_{};
};

} // namespace caucus::sim
