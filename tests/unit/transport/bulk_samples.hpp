#pragma once

#include "transport/bulk_message.hpp"

#include <sstream>
#include <vector>

namespace caucus::transport {

/// Every field of a bulk message as text, so that two can be compared and a difference be read.
inline std::string dump(const bulk_message& x) {
  std::ostringstream out;
  out << x.group.value() << ' ' << x.transfer.value() << ' ';
  if (const auto* offer = std::get_if<snapshot_offer>(&x.body))
    out << "offer " << offer->total_bytes << ' ' << offer->boundary.view();
  else if (const auto* answer = std::get_if<snapshot_answer>(&x.body))
    out << "answer " << to_string(answer->refused) << ' ' << answer->resume_at << ' '
        << answer->reason;
  else if (const auto* chunk = std::get_if<snapshot_chunk>(&x.body))
    out << "chunk " << chunk->offset << ' ' << chunk->bytes.view();
  else if (const auto* progress = std::get_if<snapshot_progress>(&x.body))
    out << "progress " << progress->received_upto;
  else if (const auto* done = std::get_if<snapshot_done>(&x.body))
    out << "done " << to_string(done->failed) << ' ' << done->reason;
  return out.str();
}

/// A whole chunk of one group's transfer.
inline bulk_message make_chunk(uint64_t number, size_t bytes = snapshot_chunk_bytes_max) {
  const auto letter = static_cast<char>('a' + number % 26);
  return {group_id{1}, transfer_id{7},
          snapshot_chunk{number * snapshot_chunk_bytes_max,
                         shared_bytes::copy_of(std::string(bytes, letter))}};
}

inline std::vector<bulk_message> one_of_each_bulk() {
  const group_id group{0xcafe};
  const transfer_id transfer{UINT64_MAX};
  return {
    {group, transfer, snapshot_offer{uint64_t{5} << 30, shared_bytes::copy_of("boundary")}},
    {group, transfer, snapshot_answer{errc::no_space, "the disk is full", 0}},
    {group, transfer, snapshot_answer{errc::none, "", UINT64_MAX}},
    {group, transfer, snapshot_chunk{70'000, shared_bytes::copy_of("some of the state")}},
    {group, transfer, snapshot_progress{1 << 20}},
    {group, transfer, snapshot_done{errc::io_failed, "the checksum of the whole is wrong"}},
    {group, transfer, snapshot_done{}},
  };
}

} // namespace caucus::transport
