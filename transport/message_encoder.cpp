#include "transport/message_encoder.hpp"

#include "transport/frame_writer.hpp"
#include "transport/message_tag.hpp"

#define MSGPACK_NO_BOOST
#include <msgpack/pack.hpp>

namespace caucus::transport {

namespace {

using packer = msgpack::packer<frame_writer>;

// Upper bounds of encoded sizes: a number takes 9 bytes at most, the head of an array or of a
// payload 5.
constexpr size_t number_bytes_max = 9;
constexpr size_t head_bytes_max = 5;
constexpr size_t message_bytes_max = 2 * head_bytes_max + 9 * number_bytes_max;
constexpr size_t entry_bytes_max = 2 * head_bytes_max + 7 * number_bytes_max;

std::string_view detail_of(const raft::forward_reply& x) {
  return std::string_view{x.detail}.substr(0, detail_bytes_max);
}

size_t bound_of(const raft::message& x) {
  size_t bound = message_bytes_max;
  if (const auto* append = std::get_if<raft::append_entries>(&x))
    for (const auto& e : append->entries)
      bound += entry_bytes_max + e->body.payload.size();
  else if (const auto* reply = std::get_if<raft::forward_reply>(&x))
    bound += detail_of(*reply).size();
  else if (const auto* proposal = std::get_if<raft::forward_proposal>(&x))
    bound += proposal->body.payload.size();
  return bound;
}

bool is_heartbeat(const routed_message& x) {
  return std::holds_alternative<raft::heartbeat>(x.body);
}

bool is_heartbeat_reply(const routed_message& x) {
  return std::holds_alternative<raft::heartbeat_reply>(x.body);
}

void pack_bool(packer& out, bool x) {
  if (x)
    out.pack_true();
  else
    out.pack_false();
}

void pack_id(packer& out, const raft::entry_id& x) {
  out.pack_uint64(x.index.value());
  out.pack_uint64(x.term.value());
}

void pack_payload(packer& out, const shared_bytes& x) {
  out.pack_bin(static_cast<uint32_t>(x.size()));
  if (!x.empty())
    out.pack_bin_body(reinterpret_cast<const char*>(x.data()), static_cast<uint32_t>(x.size()));
}

void pack_command(packer& out, const raft::command& x) {
  out.pack_uint8(static_cast<uint8_t>(x.kind));
  out.pack_uint64(x.session.value());
  out.pack_uint64(x.sequence.value());
  out.pack_uint64(x.lowest_unanswered.value());
  pack_payload(out, x.payload);
}

/// Writes one message as an item of its own.
struct item_packer {
  packer& out;
  group_id group;

  void start(uint32_t fields, message_tag tag) const {
    out.pack_array(fields);
    out.pack_uint8(static_cast<uint8_t>(tag));
    out.pack_uint64(group.value());
  }

  void operator()(const raft::request_vote& x) const {
    start(request_vote_fields, message_tag::request_vote);
    out.pack_uint64(x.term.value());
    pack_id(out, x.last);
    pack_bool(out, x.is_pre_vote);
    pack_bool(out, x.is_transfer);
  }

  void operator()(const raft::vote_reply& x) const {
    start(vote_reply_fields, message_tag::vote_reply);
    out.pack_uint64(x.term.value());
    pack_bool(out, x.is_pre_vote);
    pack_bool(out, x.granted);
    out.pack_uint64(x.removed_by.value());
  }

  void operator()(const raft::append_entries& x) const {
    start(append_entries_fields, message_tag::append_entries);
    out.pack_uint64(x.term.value());
    pack_id(out, x.prev);
    out.pack_uint64(x.leader_commit.value());
    out.pack_array(static_cast<uint32_t>(x.entries.size()));
    for (const auto& e : x.entries) {
      out.pack_array(entry_fields);
      pack_id(out, e->id);
      out.pack_int64(e->wall_ns);
      pack_command(out, e->body);
    }
  }

  void operator()(const raft::append_reply& x) const {
    start(append_reply_fields, message_tag::append_reply);
    out.pack_uint64(x.term.value());
    pack_bool(out, x.accepted);
    out.pack_uint64(x.match.value());
    out.pack_uint64(x.prev.value());
    pack_id(out, x.hint);
    out.pack_uint8(x.priority);
  }

  void operator()(const raft::heartbeat&) const { CAUCUS_ASSERT(false); }
  void operator()(const raft::heartbeat_reply&) const { CAUCUS_ASSERT(false); }

  void operator()(const raft::timeout_now& x) const {
    start(timeout_now_fields, message_tag::timeout_now);
    out.pack_uint64(x.term.value());
  }

  void operator()(const raft::forward_proposal& x) const {
    start(forward_proposal_fields, message_tag::forward_proposal);
    out.pack_uint64(x.request.value());
    pack_command(out, x.body);
  }

  void operator()(const raft::forward_reply& x) const {
    start(forward_reply_fields, message_tag::forward_reply);
    out.pack_uint64(x.request.value());
    out.pack_uint8(static_cast<uint8_t>(x.refused));
    pack_id(out, x.accepted);
    out.pack_uint64(x.leader.value());
    const auto detail = detail_of(x);
    out.pack_str(static_cast<uint32_t>(detail.size()));
    out.pack_str_body(detail.data(), static_cast<uint32_t>(detail.size()));
  }

  void operator()(const raft::read_index& x) const {
    start(read_index_fields, message_tag::read_index);
    out.pack_uint64(x.context.value());
  }

  void operator()(const raft::read_index_reply& x) const {
    start(read_index_reply_fields, message_tag::read_index_reply);
    out.pack_uint64(x.context.value());
    out.pack_uint8(static_cast<uint8_t>(x.refused));
    out.pack_uint64(x.index.value());
  }

  void operator()(const raft::quiesce& x) const {
    start(quiesce_fields, message_tag::quiesce);
    out.pack_uint64(x.term.value());
    pack_id(out, x.last);
  }
};

using message_span = std::span<const routed_message>;

size_t run_length(message_span messages, bool (*belongs)(const routed_message&)) {
  size_t n = 0;
  while (n < messages.size() && belongs(messages[n]))
    ++n;
  return n;
}

void pack_heartbeats(packer& out, message_span run) {
  out.pack_array(static_cast<uint32_t>(1 + heartbeat_row_fields * run.size()));
  out.pack_uint8(static_cast<uint8_t>(message_tag::heartbeats));
  for (const auto& x : run) {
    const auto& beat = std::get<raft::heartbeat>(x.body);
    out.pack_uint64(x.group.value());
    out.pack_uint64(beat.term.value());
    out.pack_uint64(beat.commit.value());
    out.pack_uint64(beat.context.value());
  }
}

void pack_heartbeat_replies(packer& out, message_span run) {
  out.pack_array(static_cast<uint32_t>(1 + heartbeat_reply_row_fields * run.size()));
  out.pack_uint8(static_cast<uint8_t>(message_tag::heartbeat_replies));
  for (const auto& x : run) {
    const auto& reply = std::get<raft::heartbeat_reply>(x.body);
    out.pack_uint64(x.group.value());
    out.pack_uint64(reply.term.value());
    out.pack_uint64(reply.context.value());
    out.pack_uint64(static_cast<uint64_t>(reply.promise_ns));
  }
}

frame encode_frame(message_span messages, size_t bound) {
  frame_writer buffer{bound};
  packer out{buffer};
  bool is_urgent = true;
  while (!messages.empty()) {
    size_t packed = 1;
    if (auto beats = run_length(messages, is_heartbeat)) {
      pack_heartbeats(out, messages.first(packed = beats));
    } else if (auto replies = run_length(messages, is_heartbeat_reply)) {
      pack_heartbeat_replies(out, messages.first(packed = replies));
    } else {
      is_urgent = false;
      std::visit(item_packer{out, messages.front().group}, messages.front().body);
    }
    messages = messages.subspan(packed);
  }
  return std::move(buffer).finish(frame_kind::messages, is_urgent);
}

} // namespace

std::vector<frame> encode_messages(message_span messages, uint32_t body_bytes_max) {
  std::vector<frame> frames;
  while (!messages.empty()) {
    size_t count = 0;
    size_t bound = 0;
    for (; count < messages.size() && count < frame_messages_max; ++count) {
      const auto more = bound_of(messages[count].body);
      if (bound + more > body_bytes_max)
        break;
      bound += more;
    }
    if (count == 0)
      return {};
    frames.push_back(encode_frame(messages.first(count), bound));
    messages = messages.subspan(count);
  }
  return frames;
}

} // namespace caucus::transport
