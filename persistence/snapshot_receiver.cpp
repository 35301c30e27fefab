#include "persistence/snapshot_receiver.hpp"

#include "base/assert.hpp"
#include "base/crc32c.hpp"

#include <algorithm>

namespace caucus::persistence {

result<snapshot_receiver> snapshot_receiver::create(directory& dir, const snapshot_offer& offer) {
  if (offer.file_bytes < snapshot_header_head_bytes + snapshot_layout::trailer_bytes)
    return error{errc::invalid_argument,
                 "no snapshot has " + std::to_string(offer.file_bytes) + " bytes, as is offered"};
  auto target = unfinished_snapshot::create(dir, offer.identity);
  if (!target)
    return std::move(target).reason();
  return snapshot_receiver{offer, *std::move(target)};
}

result<void> snapshot_receiver::take(uint64_t offset, std::span<const std::byte> bytes) {
  if (target_.failure())
    return *target_.failure();
  CAUCUS_ASSERT(!is_complete());
  if (offset != resume_at() || bytes.size() > offer_.file_bytes - offset)
    return refusal(errc::invalid_argument, std::to_string(bytes.size()) + " bytes came for offset "
                                             + std::to_string(offset));
  while (!bytes.empty()) {
    const auto wanted = part_size();
    if (!wanted)
      return std::move(wanted).reason();
    // A whole chunk that came as one is checked and written where it is.
    if (layout_ && part_.empty() && bytes.size() >= *wanted) {
      if (auto done = keep(bytes.first(*wanted)); !done)
        return done;
      bytes = bytes.subspan(*wanted);
      continue;
    }
    const auto count = std::min(*wanted - part_.size(), bytes.size());
    part_.insert(part_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    const auto now_wanted = part_size(); // The header tells its size when it has begun.
    if (!now_wanted) {
      part_.clear();
      return std::move(now_wanted).reason();
    }
    if (part_.size() < *now_wanted)
      continue;
    auto done = keep(part_);
    part_.clear();
    if (!done)
      return done;
  }
  return {};
}

result<size_t> snapshot_receiver::part_size() const {
  if (layout_)
    return chunks_ < layout_->chunks() ? layout_->chunk_size(chunks_)
                                       : snapshot_layout::trailer_bytes;
  if (part_.size() < snapshot_header_head_bytes)
    return snapshot_header_head_bytes;
  const auto size = snapshot_header_bytes(part_);
  if (!size || *size > offer_.file_bytes - snapshot_layout::trailer_bytes)
    return refusal(errc::malformed, "it does not begin like a snapshot");
  return *size;
}

result<void> snapshot_receiver::keep(std::span<const std::byte> part) {
  const bool is_header = !layout_;
  const bool is_chunk = layout_ && chunks_ < layout_->chunks();
  if (auto sound = is_header ? check_header(part) : check_part(part); !sound)
    return sound;
  if (auto done = target_.write_at(kept_, part); !done)
    return done;
  kept_ += part.size();
  if (is_chunk) {
    ++chunks_;
    content_checksum_ =
      crc32c(part.subspan(snapshot_layout::chunk_header_bytes), content_checksum_);
  }
  return {};
}

result<void> snapshot_receiver::check_header(std::span<const std::byte> part) {
  const auto header = decode_snapshot_header(part);
  if (!header)
    return refusal(header.reason().code, header.reason().what);
  if (header->identity() != offer_.identity)
    return refusal(errc::identity_mismatch, "it is another snapshot than was offered");
  layout_ = snapshot_layout::of_file(part, offer_.file_bytes);
  if (!layout_)
    return refusal(errc::malformed, "no snapshot with this header has as many bytes");
  return {};
}

result<void> snapshot_receiver::check_part(std::span<const std::byte> part) {
  const bool is_trailer = chunks_ == layout_->chunks();
  const auto flaw =
    is_trailer ? layout_->find_trailer_flaw(part) : layout_->find_chunk_flaw(chunks_, part);
  if (!flaw.empty())
    return refusal(errc::malformed, flaw);
  if (!is_trailer || snapshot_layout::content_checksum(part) == content_checksum_)
    return {};
  // Each part is sound, the whole isn't: which one is wrong can't be told.
  auto reason = refusal(errc::malformed, "the whole content has another checksum");
  start_over();
  return reason;
}

void snapshot_receiver::start_over() noexcept {
  // The file is written over from its beginning, up to the same size.
  layout_.reset();
  kept_ = 0;
  chunks_ = 0;
  content_checksum_ = 0;
}

result<void> snapshot_receiver::publish() {
  CAUCUS_ASSERT(is_complete());
  return target_.publish();
}

error snapshot_receiver::refusal(errc code, std::string_view reason) const {
  return {code, "received for " + target_.path() + " at offset " + std::to_string(kept_) + ": "
                  + std::string{reason}};
}

} // namespace caucus::persistence
