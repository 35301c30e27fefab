#include "message_samples.hpp"
#include "transport/message_decoder.hpp"
#include "transport/message_encoder.hpp"
#include "transport/wire_format.hpp"

#include <doctest/doctest.h>

#define MSGPACK_NO_BOOST
#include <msgpack/unpack.hpp>

#include <cstring>
#include <sys/resource.h>

namespace caucus::transport {

namespace {

constexpr uint32_t frame_bytes_max = 8 << 20;

std::span<const std::byte> body_of(const frame& x) { return x.bytes().subspan(frame_header_bytes); }

frame encode_one(const std::vector<routed_message>& messages) {
  auto frames = encode_messages(messages, frame_bytes_max);
  REQUIRE(frames.size() == 1);
  return std::move(frames.front());
}

result<std::vector<routed_message>> decode(std::span<const std::byte> body) {
  // A copy of exactly this size: ASan sees any read beyond it.
  const std::vector<std::byte> exact(body.begin(), body.end());
  message_decoder decoder;
  return decoder.decode(exact);
}

/// Bytes of a body written by hand.
std::vector<std::byte> raw(std::initializer_list<int> values) {
  std::vector<std::byte> x;
  for (auto v : values)
    x.push_back(static_cast<std::byte>(v));
  return x;
}

} // namespace

TEST_SUITE("transport/message_codec") {

  TEST_CASE("every field of every message survives the wire") {
    const auto messages = one_of_each();
    for (size_t i = 0; i < std::variant_size_v<raft::message>; ++i)
      CHECK_MESSAGE(std::any_of(messages.begin(), messages.end(),
                                [&](const auto& x) { return x.body.index() == i; }),
                    "no sample of message kind ", i);
    const auto together = decode(body_of(encode_one(messages)));
    REQUIRE(together.ok());
    CHECK(dump(*together) == dump(messages));
    for (const auto& x : messages) {
      const auto alone = decode(body_of(encode_one({x})));
      REQUIRE(alone.ok());
      CHECK(dump(*alone) == dump({x}));
    }
  }

  TEST_CASE("numbers survive at the borders of their encodings") {
    for (uint64_t base : {0ull, 127ull, 128ull, 255ull, 256ull, 65'535ull, 65'536ull,
                          4'294'967'295ull, 4'294'967'296ull, ~0ull}) {
      const std::vector<routed_message> messages{
        {group_id{base},
         raft::append_reply{
           term_t{base}, true, index_t{base}, index_t{base}, {index_t{base}, term_t{base}}}}};
      const auto got = decode(body_of(encode_one(messages)));
      REQUIRE(got.ok());
      CHECK(dump(*got) == dump(messages));
    }
    for (int64_t wall : {INT64_MIN, int64_t{-2'147'483'649}, int64_t{-40'000}, int64_t{-129},
                         int64_t{-33}, int64_t{-1}, int64_t{0}, int64_t{127}, INT64_MAX}) {
      auto e = std::make_shared<raft::entry>();
      e->id = {index_t{1}, term_t{1}};
      e->wall_ns = wall;
      const std::vector<routed_message> messages{
        {group_id{1}, raft::append_entries{term_t{1}, {}, {}, {e}}}};
      const auto got = decode(body_of(encode_one(messages)));
      REQUIRE(got.ok());
      CHECK(dump(*got) == dump(messages));
    }
  }

  TEST_CASE("payloads survive at the borders of their encodings") {
    for (size_t size : {0u, 1u, 255u, 256u, 65'535u, 65'536u, 1'000'000u}) {
      const std::vector<routed_message> messages{{group_id{1}, make_append(4, 3, size)}};
      const auto got = decode(body_of(encode_one(messages)));
      REQUIRE(got.ok());
      CHECK(dump(*got) == dump(messages));
    }
  }

  TEST_CASE("runs of heartbeats are merged and keep their place among other messages") {
    std::vector<routed_message> messages;
    for (uint64_t i = 0; i < 1000; ++i)
      messages.push_back(
        {group_id{~i}, raft::heartbeat{term_t{3}, index_t{i + 200}, read_context{0}}});
    const auto beats_only = encode_one(messages);
    CHECK(beats_only.is_urgent);
    // 9 for the group's hash, 1 for the term, 3 for the commit, 1 for no context, and little
    // besides.
    CHECK(beats_only.size < 1000 * 14 + 64);
    messages.insert(messages.begin() + 500, {group_id{1}, raft::timeout_now{term_t{1}}});
    messages.push_back({group_id{2}, raft::heartbeat_reply{term_t{3}, read_context{5}}});
    const auto mixed = encode_one(messages);
    CHECK_FALSE(mixed.is_urgent);
    const auto got = decode(body_of(mixed));
    REQUIRE(got.ok());
    CHECK(dump(*got) == dump(messages));
  }

  TEST_CASE("a batch beyond the limits becomes several frames in order") {
    std::vector<routed_message> messages;
    for (uint64_t i = 0; i < 10; ++i)
      messages.push_back({group_id{i}, make_append(i, 4, 1000)});
    const auto frames = encode_messages(messages, 10'000);
    CHECK(frames.size() == 5);
    std::vector<routed_message> got;
    for (const auto& x : frames) {
      CHECK(x.size <= 10'000 + frame_header_bytes);
      auto part = decode(body_of(x));
      REQUIRE(part.ok());
      std::move(part->begin(), part->end(), std::back_inserter(got));
    }
    CHECK(dump(got) == dump(messages));
    CHECK(encode_messages(messages, 1000).empty());
  }

  TEST_CASE("more messages than a frame may hold become several frames") {
    std::vector<routed_message> messages(frame_messages_max + 1,
                                         {group_id{1}, raft::heartbeat{term_t{1}, {}, {}}});
    const auto frames = encode_messages(messages, frame_bytes_max);
    REQUIRE(frames.size() == 2);
    const auto first = decode(body_of(frames[0]));
    REQUIRE(first.ok());
    CHECK(first->size() == frame_messages_max);
    CHECK(decode(body_of(frames[1])).ok());
  }

  TEST_CASE("bodies are msgpack that others can read") {
    const auto x = encode_one(one_of_each());
    const auto* bytes = reinterpret_cast<const char*>(body_of(x).data());
    size_t at = 0;
    size_t items = 0;
    while (at < body_of(x).size()) {
      const auto item = msgpack::unpack(bytes, body_of(x).size(), at);
      CHECK(item.get().type == msgpack::type::ARRAY);
      CHECK(item.get().via.array.ptr[0].type == msgpack::type::POSITIVE_INTEGER);
      ++items;
    }
    CHECK(items == one_of_each().size() - 1); // Two heartbeats are one item.
  }

  TEST_CASE("a body that ends anywhere inside an item is malformed") {
    const auto x = encode_one(one_of_each());
    const auto body = body_of(x);
    size_t whole_items = 0;
    for (size_t size = 0; size < body.size(); ++size) {
      const auto got = decode(body.first(size));
      if (got.ok())
        ++whole_items;
      else
        CHECK(got.reason().code == errc::malformed);
    }
    // Only where an item ends, and that the header's length and checksum exclude.
    CHECK(whole_items == one_of_each().size() - 2);
  }

  TEST_CASE("a flipped bit never crashes, and is caught by the checksum") {
    const auto x = encode_one(one_of_each());
    std::vector<std::byte> bytes(x.bytes().begin(), x.bytes().end());
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = std::byte{1} << (bit % 8);
      bytes[bit / 8] ^= mask;
      const std::span<const std::byte> all{bytes};
      const auto header = parse_header(all.first<frame_header_bytes>(), frame_bytes_max);
      if (bit / 8 < frame_header_bytes)
        CHECK_FALSE(header.ok());
      else
        CHECK_FALSE(is_intact(*header, all.subspan(frame_header_bytes)));
      (void)decode(all.subspan(frame_header_bytes)); // As if the checksum were right as well.
      bytes[bit / 8] ^= mask;
    }
  }

  TEST_CASE("counts beyond the bytes that are there take no memory") {
    // An append of 2^32 - 1 entries; heartbeats of as many; a payload of 4 GiB.
    for (const auto& body :
         {raw({0x97, 3, 1, 1, 0, 0, 0, 0xdd, 0xff, 0xff, 0xff, 0xff}),
          raw({0x97, 3, 1, 1, 0, 0, 0, 0xdd, 0, 0, 0, 2, 0x98, 1, 1, 0, 0, 0, 0, 0, 0xc4, 0}),
          raw({0xdd, 0xff, 0xff, 0xff, 0xfd, 5, 1, 1, 1, 1}),
          raw({0x98, 8, 1, 1, 0, 0, 0, 0, 0xc6, 0xff, 0xff, 0xff, 0xff})}) {
      const auto got = decode(body);
      REQUIRE_FALSE(got.ok());
      CHECK(got.reason().code == errc::malformed);
    }
  }

  TEST_CASE("a count that its bytes can't hold costs no memory in advance") {
    // Four million entries announced, and as many bytes there: too few for so many.
    auto body = raw({0x97, 3, 1, 1, 0, 0, 0, 0xdd, 0, 0x40, 0, 0});
    body.resize(body.size() + (4 << 20));
    rusage before{};
    rusage after{};
    ::getrusage(RUSAGE_SELF, &before);
    CHECK_FALSE(decode(body).ok());
    ::getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_maxrss < before.ru_maxrss + 100 * 1024); // KiB
  }

  TEST_CASE("only what the encoder writes is accepted") {
    CHECK(decode(raw({0x93, 7, 1, 1})).ok());
    CHECK_FALSE(decode({}).ok());
    CHECK_FALSE(decode(raw({0x93, 7, 1, 1, 0xc0})).ok());    // Trailing nil.
    CHECK_FALSE(decode(raw({0x93, 99, 1, 1})).ok());         // Unknown tag.
    CHECK_FALSE(decode(raw({0x93, 0, 1, 1})).ok());          // No tag.
    CHECK_FALSE(decode(raw({0x93, 0xcd, 1, 7, 1, 1})).ok()); // Tag 263.
    CHECK_FALSE(decode(raw({0x94, 7, 1, 1, 1})).ok());       // A field too many.
    CHECK_FALSE(decode(raw({0x92, 7, 1})).ok());             // A field too few.
    CHECK_FALSE(decode(raw({0x93, 7, 0xff, 1})).ok());       // A negative group.
    CHECK_FALSE(decode(raw({0x93, 7, 0xd0, 5, 1})).ok());    // A signed group.
    CHECK_FALSE(decode(raw({0x93, 7, 0xa1, 'x', 1})).ok());  // Text for a number.
    CHECK_FALSE(decode(raw({0x83, 7, 1, 1, 1, 1, 1})).ok()); // A map.
    CHECK_FALSE(decode(raw({0x91, 5})).ok());                // No heartbeats.
    CHECK_FALSE(decode(raw({0x94, 5, 1, 1, 1})).ok());       // Less than a row.
    CHECK_FALSE(decode(raw({0x95, 2, 1, 1, 1, 0xc3})).ok()); // A number for a bool.
    CHECK(decode(raw({0x98, 8, 1, 1, 4, 0, 0, 0, 0xc4, 0})).ok());
    CHECK_FALSE(decode(raw({0x98, 8, 1, 1, 5, 0, 0, 0, 0xc4, 0})).ok()); // Unknown entry kind.
    CHECK(decode(raw({0x98, 9, 1, 1, 1, 0, 0, 0, 0xa0})).ok());
    CHECK_FALSE(decode(raw({0x98, 9, 1, 1, 30, 0, 0, 0, 0xa0})).ok()); // Unknown refusal.
    CHECK_FALSE(decode(raw({0x98, 9, 1, 1, 32, 0, 0, 0, 0xa0})).ok()); // "Timeout" refuses nothing.
    CHECK_FALSE(decode(raw({0x98, 9, 1, 1, 0xcd, 1, 1, 0, 0, 0, 0xa0})).ok()); // 257 is not 1.
  }

  TEST_CASE("a refusal's text is cut at its limit, and refused beyond it") {
    const std::string endless(1000, 'x');
    const auto x = decode(body_of(encode_one(
      {{group_id{1}, raft::forward_reply{request_id{1}, errc::invalid_change, {}, {}, endless}}})));
    REQUIRE(x.ok());
    CHECK(std::get<raft::forward_reply>(x->at(0).body).detail == endless.substr(0, 255));
    auto longer = raw({0x98, 9, 1, 1, 18, 0, 0, 0, 0xda, 1, 0});
    longer.resize(longer.size() + 256, std::byte{'x'});
    CHECK_FALSE(decode(longer).ok());
  }

  TEST_CASE("entries with a gap are malformed") {
    auto append = make_append(10, 3, 4);
    append.entries[2] = make_entry(14, 9, "late");
    CHECK_FALSE(decode(body_of(encode_one({{group_id{1}, append}}))).ok());
    append.entries.erase(append.entries.begin());
    CHECK_FALSE(decode(body_of(encode_one({{group_id{1}, append}}))).ok());
  }

  TEST_CASE("a depth bomb is refused at once") {
    CHECK_FALSE(decode(std::vector<std::byte>(4 << 20, std::byte{0x91})).ok());
  }

  TEST_CASE("a large payload stays in the frame's memory, a small one does not pin it") {
    const auto x =
      encode_one({{group_id{1}, make_append(1, 1, 100'000)}, {group_id{2}, make_append(1, 1, 10)}});
    auto memory = std::make_shared<std::vector<std::byte>>(body_of(x).begin(), body_of(x).end());
    message_decoder decoder;
    auto got = decoder.decode(*memory, memory);
    REQUIRE(got.ok());
    const auto is_window = [&](const routed_message& m) {
      const auto* first = std::get<raft::append_entries>(m.body).entries[0]->body.payload.data();
      return first >= memory->data() && first < memory->data() + memory->size();
    };
    CHECK(is_window((*got)[0]));
    CHECK_FALSE(is_window((*got)[1]));
    CHECK(memory.use_count() == 2);
    got->clear();
    CHECK(memory.use_count() == 1);
  }

  TEST_CASE("decoded entries keep nothing alive but themselves") {
    std::weak_ptr<const raft::entry> watched;
    shared_bytes payload;
    {
      auto got = decode(body_of(encode_one({{group_id{1}, make_append(1, 3, 5)}})));
      REQUIRE(got.ok());
      const auto& entries = std::get<raft::append_entries>((*got)[0].body).entries;
      watched = entries[1];
      payload = entries[2]->body.payload;
    }
    CHECK(watched.expired());
    CHECK(payload.view() == "ccccc");
  }
}

} // namespace caucus::transport
