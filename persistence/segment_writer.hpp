#pragma once

#include "persistence/batch_header.hpp"
#include "persistence/log_position.hpp"
#include "persistence/segment_header.hpp"
#include "persistence/wal_options.hpp"
#include "persistence/wal_sync.hpp"

#include <array>
#include <deque>

namespace caucus::persistence {

/// The file at the log's end: makes segments, appends to the newest. The WAL's thread. After any
/// failure but one of `reserve` it must not be used again.
class segment_writer {
public:
  /// `made_by` has what all segments of this start share; the directory must outlive the writer.
  segment_writer(directory& dir, const wal_options& options, const segment_header& made_by);

  struct recovered_end {
    log_position tail;
    uint64_t unproven = 0;    ///< What may not be on the disk from here on is written again.
    uint64_t dead_end = 0;    ///< What is left behind the tail up to here becomes zeros.
    bool is_recycled = false; ///< The file was another segment before.
  };

  /// Goes on in an existing segment behind its log's end.
  result<void> resume(const recovered_end& found);
  /// Sets blocks aside for the next segment, with room for a batch of `bytes`: a spare, or else new
  /// ones. After `no_space` it may be tried again, and there are no spares left (RELIABILITY E-05).
  result<void> reserve(uint64_t bytes);
  [[nodiscard]] bool has_reserve() const noexcept { return reserved_ != nullptr; }
  /// Writes a stretch of zeros into what was reserved, in step with what small batches appended:
  /// their syncs are faster over blocks that have been written. For a moment when nobody waits.
  /// After a failure, which concerns nothing that was appended, no more until the next segment.
  result<void> prepare();
  /// Whether a segment of this size that isn't needed any more is worth keeping, to be written
  /// over.
  [[nodiscard]] bool wants_spare(uint64_t bytes) const noexcept {
    return bytes == options_.segment_bytes && spares_.size() < options_.spare_segments_max;
  }
  /// It has its temporary name, durably, and nobody reads it any more.
  void keep_spare(uint64_t sequence) {
    spares_.push_back({sequence, unfinished_segment_name(sequence)});
  }
  /// Makes the next segment of what was reserved, or now. Its name appears only once its header is
  /// durable and all segments before are (RELIABILITY W-04 to W-06, S-45).
  result<void> start_next(uint64_t first_batch, uint64_t bytes);

  /// What the headers of segments made from now on say.
  void set_oldest(uint64_t segment) noexcept { header_.oldest_segment = segment; }
  [[nodiscard]] uint64_t file_bytes() const noexcept { return file_bytes_; }

  [[nodiscard]] bool fits(uint64_t bytes) const noexcept;
  /// Where the next batch goes.
  [[nodiscard]] batch_place place() const noexcept;

  result<void> append(std::span<const std::byte> batch);
  /// Everything appended is durable.
  result<void> sync();
  [[nodiscard]] bool is_synced() const noexcept { return is_synced_; }

  /// The current segment once more, for a thread that syncs it beside this one. Each has its own:
  /// of a write-back that failed the kernel tells every descriptor once.
  result<std::shared_ptr<file>> opened_for_sync(size_t thread);

private:
  struct spare {
    uint64_t sequence; ///< That it had.
    std::string name;  ///< Some segment's temporary one.
  };

  /// A spare, or else a new file; `reserved_bytes_` is what it has of blocks.
  result<void> take_spare_or_make(const std::string& name);
  /// Null if there is none.
  result<std::unique_ptr<file>> take_spare(const std::string& name);
  result<std::unique_ptr<file>> open_as(spare& next, const std::string& name);
  /// Its blocks are for others. False if there is none.
  result<bool> remove_spare();
  result<void> allocate_reserved(const std::string& name, uint64_t wanted);
  result<void> write_again(uint64_t begin, uint64_t end);
  result<void> write_zeros(file& into, uint64_t begin, uint64_t end) const;
  /// Of the current segment.
  result<void> zero(uint64_t begin, uint64_t end);

  directory& directory_;
  wal_options options_;
  segment_header header_; ///< Of the current segment; sequence 0: there is none yet.
  std::unique_ptr<file> file_;
  std::array<std::shared_ptr<file>, syncs_max> opened_for_sync_;
  uint64_t offset_ = 0;      ///< Where the next batch goes.
  uint64_t zeroed_upto_ = 0; ///< Blocks below were written, with zeros or batches of any segment.
  uint64_t file_bytes_ = 0;
  std::unique_ptr<file> reserved_; ///< The next segment, under its temporary name.
  uint64_t reserved_bytes_ = 0;
  uint64_t reserved_from_ = 0; ///< The segment that it was before; 0: none.
  std::deque<spare> spares_;   ///< All of a segment's usual size.
  uint64_t prepared_upto_ = 0; ///< Blocks of the next segment below were written before.
  uint64_t unprepared_ = 0;    ///< Bytes that small batches appended since.
  bool can_prepare_ = true;
  bool is_synced_ = true;
  std::vector<std::byte> zeros_;
};

} // namespace caucus::persistence
