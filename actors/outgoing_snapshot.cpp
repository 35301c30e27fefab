#include "actors/outgoing_snapshot.hpp"

#include "actors/snapshot_boundary_codec.hpp"

#include <algorithm>

namespace caucus {

outgoing_snapshot::outgoing_snapshot(group_id group, transfer_id transfer,
                                     persistence::snapshot_reader from)
  : group_{group},
    transfer_{transfer},
    from_{std::move(from)},
    name_{from_.header().name()},
    file_bytes_{from_.offer().file_bytes} {}

result<bool> outgoing_snapshot::offer(const sender& send) {
  const auto identity = from_.header().identity();
  return send({group_, transfer_, transport::snapshot_offer{file_bytes_, encode(identity)}});
}

bool outgoing_snapshot::has_more() const noexcept {
  return !is_offered_ || (is_answered_ && sent_ < file_bytes_ && sent_ - received_ < window_bytes);
}

result<uint64_t> outgoing_snapshot::advance(const sender& send, uint64_t allowance) {
  if (!is_offered_) {
    auto offered = offer(send);
    if (!offered)
      return std::move(offered).reason();
    is_offered_ = *offered;
    return uint64_t{0};
  }
  const auto begin = sent_;
  while (has_more() && sent_ - begin < allowance) {
    const auto size = std::min<uint64_t>(transport::snapshot_chunk_bytes_max, file_bytes_ - sent_);
    auto memory = std::make_shared_for_overwrite<std::byte[]>(size);
    const std::span<std::byte> bytes{memory.get(), size};
    if (auto done = from_.read_raw(sent_, bytes); !done)
      return std::move(done).reason();
    if (!send({group_, transfer_,
               transport::snapshot_chunk{sent_, shared_bytes::window(std::move(memory), bytes)}}))
      break;
    sent_ += size;
  }
  return sent_ - begin;
}

bool outgoing_snapshot::on_answer(const transport::snapshot_answer& x) {
  if (!is_offered_ || is_answered_ || x.refused != errc::none || x.resume_at > file_bytes_)
    return false;
  is_answered_ = true;
  sent_ = received_ = x.resume_at;
  return true;
}

bool outgoing_snapshot::on_progress(const transport::snapshot_progress& x) {
  if (!is_answered_ || x.received_upto > sent_)
    return false;
  received_ = std::max(received_, x.received_upto);
  return true;
}

} // namespace caucus
