#include "transport/message_decoder.hpp"

#include "transport/message_encoder.hpp"
#include "transport/message_tag.hpp"

#include <cstring>

namespace caucus::transport {

namespace {

/// A frame's memory is kept for payloads that are at least this part of it.
constexpr size_t window_share = 4;

std::optional<raft::entry_kind> read_kind(msgpack_reader& in) {
  const auto kind = in.read_uint();
  if (kind >= raft::entry_kind_count)
    return std::nullopt;
  return static_cast<raft::entry_kind>(kind);
}

raft::entry_id read_id(msgpack_reader& in) {
  const index_t index{in.read_uint()};
  const term_t term{in.read_uint()};
  return {index, term};
}

/// All but the payload.
bool read_command(msgpack_reader& in, raft::command& into) {
  const auto kind = read_kind(in);
  into.session = session_id{in.read_uint()};
  into.sequence = sequence_t{in.read_uint()};
  into.lowest_unanswered = sequence_t{in.read_uint()};
  if (kind)
    into.kind = *kind;
  return kind.has_value() && in.ok();
}

raft::message read_request_vote(msgpack_reader& in) {
  raft::request_vote x;
  x.term = term_t{in.read_uint()};
  x.last = read_id(in);
  x.is_pre_vote = in.read_bool();
  x.is_transfer = in.read_bool();
  return x;
}

raft::message read_vote_reply(msgpack_reader& in) {
  raft::vote_reply x;
  x.term = term_t{in.read_uint()};
  x.is_pre_vote = in.read_bool();
  x.granted = in.read_bool();
  x.removed_by = index_t{in.read_uint()};
  return x;
}

std::optional<raft::message> read_append_reply(msgpack_reader& in) {
  raft::append_reply x;
  x.term = term_t{in.read_uint()};
  x.accepted = in.read_bool();
  x.match = index_t{in.read_uint()};
  x.prev = index_t{in.read_uint()};
  x.hint = read_id(in);
  const auto priority = in.read_uint();
  if (priority > UINT8_MAX)
    return std::nullopt;
  x.priority = static_cast<uint8_t>(priority);
  return x;
}

/// A refusal means "certainly not executed": only codes that say so are believed.
bool read_refusal(msgpack_reader& in, errc& into) {
  const auto code = in.read_uint();
  into = code > UINT8_MAX ? errc::malformed : static_cast<errc>(code);
  return into == errc::none || (is_not_executed(into) && to_string(into) != "unknown_code");
}

std::optional<raft::message> read_forward_reply(msgpack_reader& in) {
  raft::forward_reply x;
  x.request = request_id{in.read_uint()};
  if (!read_refusal(in, x.refused))
    return std::nullopt;
  x.accepted = read_id(in);
  x.leader = node_id{in.read_uint()};
  x.detail = in.read_str();
  if (x.detail.size() > detail_bytes_max)
    return std::nullopt;
  return x;
}

std::optional<raft::message> read_read_index_reply(msgpack_reader& in) {
  raft::read_index_reply x;
  x.context = read_context{in.read_uint()};
  if (!read_refusal(in, x.refused))
    return std::nullopt;
  x.index = index_t{in.read_uint()};
  return x;
}

raft::message read_quiesce(msgpack_reader& in) {
  raft::quiesce x;
  x.term = term_t{in.read_uint()};
  x.last = read_id(in);
  return x;
}

uint32_t fields_of(message_tag tag) {
  switch (tag) {
    case message_tag::request_vote: return request_vote_fields;
    case message_tag::vote_reply: return vote_reply_fields;
    case message_tag::append_entries: return append_entries_fields;
    case message_tag::append_reply: return append_reply_fields;
    case message_tag::timeout_now: return timeout_now_fields;
    case message_tag::forward_proposal: return forward_proposal_fields;
    case message_tag::forward_reply: return forward_reply_fields;
    case message_tag::read_index: return read_index_fields;
    case message_tag::read_index_reply: return read_index_reply_fields;
    case message_tag::quiesce: return quiesce_fields;
    case message_tag::heartbeats:
    case message_tag::heartbeat_replies: break; // Of variable length.
  }
  return 0;
}

} // namespace

result<std::vector<routed_message>>
message_decoder::decode(bytes body, const std::shared_ptr<const void>& owner) {
  body_ = body;
  owner_ = &owner;
  std::vector<routed_message> messages;
  msgpack_reader in{body};
  while (in.remaining() > 0)
    if (!decode_item(in, messages) || !in.ok() || messages.size() > frame_messages_max)
      return error{errc::malformed, "message " + std::to_string(messages.size() + 1)
                                      + " of a frame of " + std::to_string(body.size())
                                      + " bytes does not decode"};
  if (messages.empty())
    return error{errc::malformed, "a frame has no messages"};
  return messages;
}

bool message_decoder::decode_item(msgpack_reader& in, std::vector<routed_message>& out) {
  const auto fields = in.read_array();
  const auto tag = in.read_uint();
  if (!in.ok() || tag > UINT8_MAX)
    return false;
  if (tag == static_cast<uint8_t>(message_tag::heartbeats))
    return decode_heartbeats(in, fields - 1, out);
  if (tag == static_cast<uint8_t>(message_tag::heartbeat_replies))
    return decode_heartbeat_replies(in, fields - 1, out);
  const group_id group{in.read_uint()};
  auto body = decode_body(in, static_cast<uint8_t>(tag), fields);
  if (!body || !in.ok())
    return false;
  out.push_back({group, *std::move(body)});
  return true;
}

std::optional<raft::message> message_decoder::decode_body(msgpack_reader& in, uint8_t tag,
                                                          uint32_t fields) {
  const auto known = static_cast<message_tag>(tag);
  if (fields == 0 || fields_of(known) != fields)
    return std::nullopt;
  switch (known) {
    case message_tag::request_vote: return read_request_vote(in);
    case message_tag::vote_reply: return read_vote_reply(in);
    case message_tag::append_entries: return decode_append(in);
    case message_tag::append_reply: return read_append_reply(in);
    case message_tag::timeout_now: return raft::timeout_now{term_t{in.read_uint()}};
    case message_tag::forward_proposal: return decode_proposal(in);
    case message_tag::forward_reply: return read_forward_reply(in);
    case message_tag::read_index: return raft::read_index{read_context{in.read_uint()}};
    case message_tag::read_index_reply: return read_read_index_reply(in);
    case message_tag::quiesce: return read_quiesce(in);
    case message_tag::heartbeats:
    case message_tag::heartbeat_replies: break; // Not of one group; handled before.
  }
  return std::nullopt;
}

bool message_decoder::decode_heartbeats(msgpack_reader& in, uint32_t fields,
                                        std::vector<routed_message>& out) {
  const auto rows = fields / heartbeat_row_fields;
  if (fields % heartbeat_row_fields != 0 || rows == 0 || rows > frame_messages_max - out.size())
    return false;
  out.reserve(out.size() + rows);
  for (uint32_t i = 0; i < rows && in.ok(); ++i) {
    const group_id group{in.read_uint()};
    raft::heartbeat x;
    x.term = term_t{in.read_uint()};
    x.commit = index_t{in.read_uint()};
    x.context = read_context{in.read_uint()};
    out.push_back({group, x});
  }
  return in.ok();
}

bool message_decoder::decode_heartbeat_replies(msgpack_reader& in, uint32_t fields,
                                               std::vector<routed_message>& out) {
  const auto rows = fields / heartbeat_reply_row_fields;
  if (fields % heartbeat_reply_row_fields != 0 || rows == 0
      || rows > frame_messages_max - out.size())
    return false;
  out.reserve(out.size() + rows);
  for (uint32_t i = 0; i < rows && in.ok(); ++i) {
    const group_id group{in.read_uint()};
    raft::heartbeat_reply x;
    x.term = term_t{in.read_uint()};
    x.context = read_context{in.read_uint()};
    x.promise_ns = in.read_int();
    out.push_back({group, x});
  }
  return in.ok();
}

std::optional<raft::message> message_decoder::decode_append(msgpack_reader& in) {
  raft::append_entries x;
  x.term = term_t{in.read_uint()};
  x.prev = read_id(in);
  x.leader_commit = index_t{in.read_uint()};
  if (!decode_entries(in, x))
    return std::nullopt;
  return x;
}

bool message_decoder::decode_entries(msgpack_reader& in, raft::append_entries& into) {
  const auto count = in.read_array();
  if (!in.ok() || count > in.remaining() / entry_bytes_min)
    return false;
  if (count == 0)
    return true;
  auto block = std::make_shared<raft::entry[]>(count);
  payloads_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    auto& x = block[i];
    if (in.read_array() != entry_fields)
      return false;
    x.id = read_id(in);
    x.wall_ns = in.read_int();
    // The core may rely on it: entries follow `prev` without a gap.
    if (!read_command(in, x.body) || x.id.index != into.prev.index + i + 1)
      return false;
    payloads_.push_back(in.read_bin());
    if (!in.ok())
      return false;
  }
  attach_payloads({block.get(), count});
  into.entries.reserve(count);
  for (uint32_t i = 0; i < count; ++i)
    into.entries.emplace_back(block, &block[i]);
  return true;
}

void message_decoder::attach_payloads(std::span<raft::entry> entries) {
  size_t total = 0;
  for (const auto& payload : payloads_)
    total += payload.size();
  if (total == 0)
    return;
  // The stretch from the first payload to the last: one copy for all, fields between included.
  bytes source{payloads_.front().data(), payloads_.back().data() + payloads_.back().size()};
  if (*owner_ && total >= body_.size() / window_share) {
    for (size_t i = 0; i < entries.size(); ++i)
      if (!payloads_[i].empty())
        entries[i].body.payload = shared_bytes::window(*owner_, payloads_[i]);
    return;
  }
  auto storage = std::make_shared_for_overwrite<std::byte[]>(source.size());
  std::memcpy(storage.get(), source.data(), source.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto payload = payloads_[i];
    if (!payload.empty())
      entries[i].body.payload = shared_bytes::window(
        storage, {storage.get() + (payload.data() - source.data()), payload.size()});
  }
}

std::optional<raft::message> message_decoder::decode_proposal(msgpack_reader& in) {
  raft::forward_proposal x;
  x.request = request_id{in.read_uint()};
  if (!read_command(in, x.body))
    return std::nullopt;
  const auto payload = in.read_bin();
  if (*owner_ && payload.size() >= body_.size() / window_share)
    x.body.payload = shared_bytes::window(*owner_, payload);
  else
    x.body.payload = shared_bytes::copy_of(payload);
  return x;
}

} // namespace caucus::transport
