#pragma once

#include "persistence/file.hpp"
#include "persistence/snapshot_layout.hpp"
#include "persistence/snapshot_offer.hpp"

namespace caucus::persistence {

/// An open snapshot file. One thread. Header, size and trailer were checked when it was opened,
/// each chunk is before any of it is handed out (RELIABILITY E-11). It goes on reading the same
/// bytes if the file is replaced or removed meanwhile (N-05). Holds one chunk in memory.
///
/// `malformed`: the file is damaged; the reason names file and offset. Others: it can't be read.
class snapshot_reader {
public:
  /// `not_found`; `version_mismatch` for a newer format.
  static result<snapshot_reader> open(directory& dir, const snapshot_name& name);
  /// One that may be called anything; `path` is for messages.
  static result<snapshot_reader> open(std::unique_ptr<file> content, std::string path);

  [[nodiscard]] const snapshot_header& header() const noexcept { return header_; }
  [[nodiscard]] uint64_t content_bytes() const noexcept { return layout_.content_bytes(); }
  [[nodiscard]] uint64_t chunks() const noexcept { return layout_.chunks(); }
  /// Of the whole content, by the trailer.
  [[nodiscard]] uint32_t content_checksum() const noexcept { return expected_checksum_; }
  /// For a receiver.
  [[nodiscard]] snapshot_offer offer() const { return {header_.identity(), layout_.file_bytes()}; }

  /// More of the content in order, a chunk or its rest, without a copy; empty at the end. Valid
  /// until the next call. The last of it is only handed out if the whole content's checksum is
  /// right.
  result<std::span<const std::byte>> next();
  /// The same, copied: fills `into` unless the end comes first, and tells how much there is.
  result<size_t> read(std::span<std::byte> into);
  /// The content begins again.
  void rewind() noexcept;
  /// Checks all of it; the content then begins again.
  result<void> verify();

  /// The file's bytes as they are, for a receiver, which checks them. Fills `into`: a file that has
  /// become shorter is an error, not an end. Precondition: it ends within the offer's `file_bytes`.
  result<void> read_raw(uint64_t offset, std::span<std::byte> into);

private:
  snapshot_reader(std::string path, std::unique_ptr<file> content, snapshot_header header,
                  const snapshot_layout& layout, uint32_t content_checksum)
    : path_{std::move(path)},
      file_{std::move(content)},
      header_{std::move(header)},
      layout_{layout},
      expected_checksum_{content_checksum} {}

  result<void> load_chunk();

  std::string path_;
  std::unique_ptr<file> file_;
  snapshot_header header_;
  snapshot_layout layout_;
  uint32_t expected_checksum_; ///< Of the whole content, by the trailer.
  std::vector<std::byte> chunk_;
  std::span<const std::byte> rest_; ///< Of its content: not handed out yet.
  uint64_t next_chunk_ = 0;
  uint32_t checksum_ = 0; ///< Of the content up to there.
};

} // namespace caucus::persistence
