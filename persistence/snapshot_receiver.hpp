#pragma once

#include "persistence/snapshot_layout.hpp"
#include "persistence/snapshot_offer.hpp"
#include "persistence/unfinished_snapshot.hpp"

namespace caucus::persistence {

/// Takes the bytes of another node's snapshot file, as they are, and publishes the same file here.
/// One thread. A header, chunk or trailer is kept once it is whole and sound, and there is no
/// snapshot before all of them are (RELIABILITY N-03, N-05, S-56, S-57). Holds at most one of them
/// in memory, whatever is offered. Lives as long as its transfer: after a broken connection the
/// same snapshot is resumed; its end without `publish` removes what came (N-04). The directory
/// must outlive it.
class snapshot_receiver {
public:
  /// `invalid_argument` if no snapshot can be that short.
  static result<snapshot_receiver> create(directory& dir, const snapshot_offer& offer);

  /// Whether the sender may go on from `resume_at()` with what it offers now.
  [[nodiscard]] bool is_of(const snapshot_offer& offer) const { return offer == offer_; }
  /// Offset in the file of the next byte wanted.
  [[nodiscard]] uint64_t resume_at() const noexcept { return kept_ + part_.size(); }

  /// Precondition: not complete. `invalid_argument`: these aren't the bytes at `resume_at()`,
  /// nothing has changed. `malformed`, `version_mismatch`, `identity_mismatch`: the bytes before
  /// `resume_at()` are sound, those from there on weren't what was offered; whether to ask again is
  /// the caller's to limit. All others: the disk failed, this transfer is over.
  result<void> take(uint64_t offset, std::span<const std::byte> bytes);
  /// All parts are here and sound, the whole content's checksum included.
  [[nodiscard]] bool is_complete() const noexcept { return kept_ == offer_.file_bytes; }
  /// Precondition: complete; once.
  result<void> publish();

private:
  snapshot_receiver(const snapshot_offer& offer, unfinished_snapshot target)
    : offer_{offer}, target_{std::move(target)} {}

  [[nodiscard]] result<size_t> part_size() const;
  result<void> keep(std::span<const std::byte> part);
  result<void> check_header(std::span<const std::byte> part);
  result<void> check_part(std::span<const std::byte> part);
  void start_over() noexcept;
  [[nodiscard]] error refusal(errc code, std::string_view reason) const;

  snapshot_offer offer_;
  unfinished_snapshot target_;
  std::optional<snapshot_layout> layout_; ///< Once the header is kept.
  uint64_t kept_ = 0;                     ///< Bytes in the file, ending with a sound part.
  uint64_t chunks_ = 0;                   ///< Of them.
  uint32_t content_checksum_ = 0;         ///< Of their content.
  std::vector<std::byte> part_;           ///< The beginning of the next part.
};

} // namespace caucus::persistence
