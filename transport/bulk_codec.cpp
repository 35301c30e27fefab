#include "transport/bulk_codec.hpp"

#include "transport/frame_writer.hpp"
#include "transport/msgpack_reader.hpp"

#define MSGPACK_NO_BOOST
#include <msgpack/pack.hpp>

#include <algorithm>
#include <string_view>

namespace caucus::transport {

namespace {

using packer = msgpack::packer<frame_writer>;

constexpr size_t reason_bytes_max = 255;
// Elements of a body's array, tag, group and transfer included.
constexpr uint32_t offer_fields = 5;
constexpr uint32_t answer_fields = 6;
constexpr uint32_t chunk_fields = 5;
constexpr uint32_t progress_fields = 4;
constexpr uint32_t done_fields = 5;

std::string_view cut(std::string_view reason) { return reason.substr(0, reason_bytes_max); }

/// How many bytes a body brings beside its numbers.
struct carried_bytes {
  size_t operator()(const snapshot_offer& x) const { return x.boundary.size(); }
  size_t operator()(const snapshot_answer& x) const { return cut(x.reason).size(); }
  size_t operator()(const snapshot_chunk& x) const { return x.bytes.size(); }
  size_t operator()(const snapshot_progress&) const { return 0; }
  size_t operator()(const snapshot_done& x) const { return cut(x.reason).size(); }
};

struct body_packer {
  packer& out;
  const bulk_message& whole;

  void start(uint32_t fields, bulk_tag tag) const {
    out.pack_array(fields);
    out.pack_uint8(static_cast<uint8_t>(tag));
    out.pack_uint64(whole.group.value());
    out.pack_uint64(whole.transfer.value());
  }
  void put_bytes(const shared_bytes& x) const {
    out.pack_bin(static_cast<uint32_t>(x.size()));
    if (!x.empty())
      out.pack_bin_body(x.view().data(), static_cast<uint32_t>(x.size()));
  }
  void put_reason(std::string_view x) const {
    out.pack_str(static_cast<uint32_t>(cut(x).size()));
    out.pack_str_body(x.data(), static_cast<uint32_t>(cut(x).size()));
  }

  void operator()(const snapshot_offer& x) const {
    CAUCUS_ASSERT(x.boundary.size() <= snapshot_boundary_bytes_max);
    start(offer_fields, bulk_tag::snapshot_offer);
    out.pack_uint64(x.total_bytes);
    put_bytes(x.boundary);
  }
  void operator()(const snapshot_answer& x) const {
    start(answer_fields, bulk_tag::snapshot_answer);
    out.pack_uint8(static_cast<uint8_t>(x.refused));
    put_reason(x.reason);
    out.pack_uint64(x.resume_at);
  }
  void operator()(const snapshot_chunk& x) const {
    CAUCUS_ASSERT(!x.bytes.empty() && x.bytes.size() <= snapshot_chunk_bytes_max);
    start(chunk_fields, bulk_tag::snapshot_chunk);
    out.pack_uint64(x.offset);
    put_bytes(x.bytes);
  }
  void operator()(const snapshot_progress& x) const {
    start(progress_fields, bulk_tag::snapshot_progress);
    out.pack_uint64(x.received_upto);
  }
  void operator()(const snapshot_done& x) const {
    start(done_fields, bulk_tag::snapshot_done);
    out.pack_uint8(static_cast<uint8_t>(x.failed));
    put_reason(x.reason);
  }
};

/// A code that some version of ours gives; nothing else may reach a log or a caller.
bool read_code(msgpack_reader& in, errc& into) {
  const auto code = in.read_uint();
  into = code > UINT8_MAX ? errc::malformed : static_cast<errc>(code);
  return code <= UINT8_MAX && to_string(into) != "unknown_code";
}

/// For logs: it must not bring line breaks of its own.
bool read_reason(msgpack_reader& in, std::string& into) {
  into = in.read_str();
  std::replace_if(
    into.begin(), into.end(),
    [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return into.size() <= reason_bytes_max;
}

bool read(msgpack_reader& in, snapshot_offer& into) {
  into.total_bytes = in.read_uint();
  const auto boundary = in.read_bin();
  into.boundary = shared_bytes::copy_of(boundary); // It outlives the transfer's first frame by far.
  return boundary.size() <= snapshot_boundary_bytes_max;
}

bool read(msgpack_reader& in, snapshot_answer& into) {
  if (!read_code(in, into.refused) || !read_reason(in, into.reason))
    return false;
  into.resume_at = in.read_uint();
  return true;
}

bool read(msgpack_reader& in, snapshot_chunk& into, const std::shared_ptr<const void>& owner) {
  into.offset = in.read_uint();
  const auto bytes = in.read_bin();
  // Whoever adds both may rely on it that the end is a number too.
  if (bytes.empty() || bytes.size() > snapshot_chunk_bytes_max
      || into.offset > UINT64_MAX - bytes.size())
    return false;
  into.bytes = owner ? shared_bytes::window(owner, bytes) : shared_bytes::copy_of(bytes);
  return true;
}

bool read(msgpack_reader& in, snapshot_progress& into) {
  into.received_upto = in.read_uint();
  return true;
}

bool read(msgpack_reader& in, snapshot_done& into) {
  return read_code(in, into.failed) && read_reason(in, into.reason);
}

bool read_body(msgpack_reader& in, uint64_t tag, uint32_t fields, bulk_body& into,
               const std::shared_ptr<const void>& owner) {
  const auto is = [&](bulk_tag expected, uint32_t count) {
    return tag == static_cast<uint8_t>(expected) && fields == count;
  };
  if (is(bulk_tag::snapshot_offer, offer_fields))
    return read(in, into.emplace<snapshot_offer>());
  if (is(bulk_tag::snapshot_answer, answer_fields))
    return read(in, into.emplace<snapshot_answer>());
  if (is(bulk_tag::snapshot_chunk, chunk_fields))
    return read(in, into.emplace<snapshot_chunk>(), owner);
  if (is(bulk_tag::snapshot_progress, progress_fields))
    return read(in, into.emplace<snapshot_progress>());
  if (is(bulk_tag::snapshot_done, done_fields))
    return read(in, into.emplace<snapshot_done>());
  return false;
}

} // namespace

size_t encoded_bytes_max(const bulk_message& x) {
  return frame_header_bytes + bulk_overhead_bytes_max + std::visit(carried_bytes{}, x.body);
}

frame encode(const bulk_message& x) {
  frame_writer buffer{encoded_bytes_max(x) - frame_header_bytes};
  packer out{buffer};
  std::visit(body_packer{out, x}, x.body);
  return std::move(buffer).finish(frame_kind::bulk, false);
}

result<bulk_message> decode_bulk(std::span<const std::byte> body,
                                 const std::shared_ptr<const void>& owner) {
  msgpack_reader in{body};
  const auto fields = in.read_array();
  const auto tag = in.read_uint();
  // Filled in place.
  result<bulk_message> x = bulk_message{};
  x->group = group_id{in.read_uint()};
  x->transfer = transfer_id{in.read_uint()};
  if (!read_body(in, tag, fields, x->body, owner) || !in.at_end())
    x = error{errc::malformed, "a bulk message does not decode"};
  return x;
}

} // namespace caucus::transport
