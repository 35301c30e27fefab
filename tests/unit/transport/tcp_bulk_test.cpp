// Bulk connections of peers that are slow, hostile or gone, beside a main connection that works.
#include "bulk_samples.hpp"
#include "raw_client.hpp"
#include "tcp_node.hpp"
#include "transport/bulk_codec.hpp"
#include "transport/message_encoder.hpp"

namespace caucus::transport {

namespace {

hello bulk_hello(uint64_t from, uint64_t to, uint64_t boot = 1) {
  auto x = make_hello(from, to, boot);
  x.role = peer_role::bulk;
  return x;
}

frame messages_frame() { return std::move(encode_messages(batch(numbered(1)), 8 << 20).front()); }

/// A node, and a raw peer 2 with both connections.
struct bulk_fixture {
  explicit bulk_fixture(const transport_limits& limits = quick_limits()) : one{1, limits} {
    one.start();
    main.connect(one.address());
    REQUIRE(main.greet(make_hello(2, 1)).refused == errc::none);
    REQUIRE(one.heard.wait_until([](const auto& x) { return x.up.contains(node_id{2}); }));
    bulk.connect(one.address());
    REQUIRE(bulk.greet(bulk_hello(2, 1)).refused == errc::none);
  }

  bool wait_down(std::string_view part) {
    return one.heard.wait_until([&](const auto& x) {
      return !x.bulk_downs.empty()
             && x.bulk_downs.back().second.what.find(part) != std::string::npos;
    });
  }
  /// The main connection still carries messages, and nobody was told otherwise.
  void check_main_works() {
    const auto before = one.heard.look().message_count;
    main.send(messages_frame());
    CHECK(one.wait_messages(before + 1));
    CHECK(one.heard.look().downs.empty());
    CHECK(one.heard.look().up.contains(node_id{2}));
  }
  bool send(const bulk_message& x) { return one.links->send_bulk(node_id{2}, x); }
  size_t readies() {
    const auto all = one.heard.look().bulk_readies;
    return all.contains(node_id{2}) ? all.at(node_id{2}) : 0;
  }
  bool wait_ready(size_t count) {
    return one.heard.wait_until([&](const auto& x) {
      const auto found = x.bulk_readies.find(node_id{2});
      return found != x.bulk_readies.end() && found->second >= count;
    });
  }
  /// Sends until it is refused for lack of room; how much was taken.
  uint64_t fill() {
    uint64_t taken = send(make_chunk(0)) ? 1 : 0;
    if (taken == 0) // The last word of the greeting was under way.
      REQUIRE(wait_ready(1));
    while (taken < 1000 && send(make_chunk(taken)))
      ++taken;
    return taken;
  }
  static bulk_message receive(raw_client& from) {
    const auto head = from.receive(frame_header_bytes);
    REQUIRE(head.size() == frame_header_bytes);
    const auto header = parse_header(std::span<const std::byte>{head}.first<frame_header_bytes>(),
                                     bulk_body_bytes_max);
    REQUIRE(header.ok());
    auto got = decode_bulk(from.receive(header->length));
    REQUIRE(got.ok());
    return *std::move(got);
  }

  tcp_node one;
  raw_client main;
  raw_client bulk;
};

struct impatient_fixture : bulk_fixture {
  static transport_limits limits() {
    auto x = quick_limits();
    x.bulk_idle_timeout = std::chrono::milliseconds{100};
    return x;
  }
  impatient_fixture() : bulk_fixture{limits()} {}
};

} // namespace

TEST_SUITE("transport/tcp_bulk") {

  TEST_CASE("bulk is for the run of a node that is connected, and its refusal is no news of it") {
    tcp_node one{1};
    one.start();
    raw_client early{one.address()};
    CHECK(early.greet(bulk_hello(2, 1)).refused == errc::unreachable);
    CHECK(early.is_hung_up_on());
    raw_client main{one.address()};
    CHECK(main.greet(make_hello(2, 1, 5)).refused == errc::none);
    for (uint64_t boot : {4, 6}) {
      raw_client other{one.address()};
      CHECK(other.greet(bulk_hello(2, 1, boot)).refused == errc::unreachable);
    }
    auto x = bulk_hello(2, 1, 5);
    x.from.directory = directory_id{999};
    raw_client wiped{one.address()};
    CHECK(wiped.greet(x).refused == errc::unreachable);
    x = bulk_hello(2, 1, 5);
    x.from.cluster = cluster_id{666};
    raw_client foreign{one.address()};
    CHECK(foreign.greet(x).refused == errc::identity_mismatch);
    raw_client stranger{one.address()};
    CHECK(stranger.greet(bulk_hello(3, 1)).refused == errc::unreachable);
    raw_client right{one.address()};
    CHECK(right.greet(bulk_hello(2, 1, 5)).refused == errc::none);
    right.send(encode(make_chunk(0)));
    CHECK(one.heard.wait_until([](const auto& r) { return r.bulk.contains(node_id{2}); }));
    const auto record = one.heard.look();
    CHECK(record.downs.empty());
    CHECK(record.hellos.size() == 1);
    CHECK(record.ups.at(node_id{2}) == 1);
  }

  TEST_CASE_FIXTURE(bulk_fixture, "what is no bulk message ends the bulk connection alone") {
    std::string reason;
    SUBCASE("a wrong checksum") {
      auto x = encode(make_chunk(0));
      x.data[x.size - 1] ^= std::byte{1};
      bulk.send(x);
      reason = "checksum of a frame is wrong";
    }
    SUBCASE("a body that does not decode") {
      std::vector<std::byte> bytes(frame_header_bytes + 40, std::byte{0x91});
      write_header(bytes, frame_kind::bulk);
      bulk.send(bytes);
      reason = "does not decode";
    }
    SUBCASE("an announced length beyond a chunk's") {
      std::vector<std::byte> bytes(frame_header_bytes + bulk_body_bytes_max + 1);
      write_header(bytes, frame_kind::bulk);
      bulk.send(std::span<const std::byte>{bytes}.first(frame_header_bytes));
      reason = "is announced";
    }
    SUBCASE("messages") {
      bulk.send(messages_frame());
      reason = "out of turn";
    }
    SUBCASE("another hello") {
      bulk.send(encode(make_hello(2, 1)));
      reason = "out of turn";
    }
    SUBCASE("noise") {
      bulk.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      reason = "not a Caucus frame";
    }
    CHECK(bulk.is_hung_up_on());
    CHECK(wait_down(reason));
    const auto record = one.heard.look();
    CHECK(record.frame_errors.at(node_id{2}) == 1);
    CHECK(record.bulk.empty());
    CHECK(record.message_count == 0);
    check_main_works();
  }

  TEST_CASE_FIXTURE(bulk_fixture, "a bulk message on the main connection is out of turn") {
    main.send(encode(make_chunk(0)));
    CHECK(main.is_hung_up_on());
    CHECK(one.wait_reason(node_id{2}, "out of turn"));
    CHECK(one.heard.look().bulk.empty());
    CHECK(bulk.is_hung_up_on());
  }

  TEST_CASE_FIXTURE(bulk_fixture, "heartbeats and appends pass a bulk connection that is stuck") {
    const auto taken = fill();
    CHECK(taken > 4);
    CHECK(taken < 100);
    const auto before = readies();
    constexpr uint64_t beats = 100;
    size_t bytes = 0;
    for (uint64_t i = 0; i < beats; ++i) {
      const auto messages = batch(beat(i), numbered(i));
      for (const auto& x : encode_messages(messages, 8 << 20))
        bytes += x.size;
      REQUIRE(one.links->send(node_id{2}, messages));
    }
    // All there before the other side has read a byte of the snapshot.
    CHECK(main.receive(bytes).size() == bytes);
    for (uint64_t i = 0; i < taken; ++i)
      CHECK(dump(receive(bulk)) == dump(make_chunk(i)));
    CHECK(wait_ready(before + 1));
    check_main_works();
  }

  TEST_CASE_FIXTURE(bulk_fixture,
                    "who is in the middle when it breaks is told, and goes on later") {
    const auto taken = fill();
    bulk.hang_up();
    CHECK(wait_down("")); // By whichever of reading and writing notices first.
    CHECK_FALSE(send(make_chunk(taken)));
    CHECK(one.heard.wait_until([](const auto& x) { return x.bulk_downs.size() == 2; }));
    CHECK(one.heard.look().bulk_downs.back().second.what.find("no peer that could be dialled")
          != std::string::npos);
    raw_client again{one.address()};
    REQUIRE(again.greet(bulk_hello(2, 1)).refused == errc::none);
    again.send(encode(bulk_message{group_id{1}, transfer_id{7}, snapshot_answer{}}));
    REQUIRE(one.heard.wait_until([](const auto& x) { return x.bulk.contains(node_id{2}); }));
    REQUIRE(send(make_chunk(3)));
    CHECK(dump(receive(again)) == dump(make_chunk(3)));
    check_main_works();
  }

  TEST_CASE_FIXTURE(bulk_fixture, "a second bulk connection takes the place of the first") {
    raw_client second{one.address()};
    REQUIRE(second.greet(bulk_hello(2, 1)).refused == errc::none);
    CHECK(bulk.is_hung_up_on());
    CHECK(wait_down("newer connection"));
    check_main_works();
  }

  TEST_CASE_FIXTURE(impatient_fixture, "a bulk connection on which nothing moves is closed") {
    SUBCASE("because nobody says anything") {}
    SUBCASE("because the other side reads nothing") { fill(); }
    CHECK(wait_down("nothing moved on the bulk connection to node 2 for 100 ms"));
    CHECK(bulk.is_hung_up_on());
    check_main_works();
  }

  TEST_CASE("a bulk connection that was idle is dialled again when it is needed") {
    const auto limits = impatient_fixture::limits();
    tcp_node one{1, limits};
    tcp_node two{2, limits};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    for (size_t round = 1; round <= 3; ++round) {
      CHECK_FALSE(one.links->send_bulk(node_id{2}, make_chunk(0)));
      REQUIRE(one.heard.wait_until([&](const auto& x) {
        const auto found = x.bulk_readies.find(node_id{2});
        return found != x.bulk_readies.end() && found->second == round;
      }));
      REQUIRE(one.links->send_bulk(node_id{2}, make_chunk(0)));
      REQUIRE(two.heard.wait_until([&](const auto& x) {
        const auto found = x.bulk.find(node_id{1});
        return found != x.bulk.end() && found->second.size() == round;
      }));
      for (auto* x : {&one, &two})
        REQUIRE(x->heard.wait_until([&](const auto& r) { return r.bulk_downs.size() == round; }));
    }
    CHECK(one.heard.look().downs.empty());
    CHECK(two.heard.look().downs.empty());
  }

  TEST_CASE("a peer that can't be reached for bulk is told of once a question") {
    tcp_node one{1};
    one.start();
    raw_client main{one.address()};
    // Its address, where nobody listens: it is up by its own dial.
    one.links->set_peers({{node_id{2}, {"127.0.0.1", 1}}});
    REQUIRE(main.greet(make_hello(2, 1)).refused == errc::none);
    REQUIRE(one.heard.wait_until([](const auto& x) { return x.up.contains(node_id{2}); }));
    const auto downs = one.heard.look().downs.size();
    for (size_t round = 1; round <= 3; ++round) {
      CHECK_FALSE(one.links->send_bulk(node_id{2}, make_chunk(0)));
      CHECK(one.heard.wait_until([&](const auto& x) { return x.bulk_downs.size() == round; }));
    }
    CHECK(one.heard.look().downs.size() == downs);
    CHECK(one.heard.look().up.contains(node_id{2}));
  }

  TEST_CASE("stops in the middle of bulk, and nothing follows") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    SUBCASE("dialling") { one.links->send_bulk(node_id{2}, make_chunk(0)); }
    SUBCASE("sending") {
      one.links->send_bulk(node_id{2}, make_chunk(0));
      REQUIRE(one.heard.wait_until([](const auto& x) { return !x.bulk_readies.empty(); }));
      for (uint64_t i = 0; i < 10; ++i)
        one.links->send_bulk(node_id{2}, make_chunk(i));
    }
    one.links->stop();
    const auto downs = one.heard.look().bulk_downs.size();
    CHECK_FALSE(one.links->send_bulk(node_id{2}, make_chunk(0)));
    CHECK(one.heard.look().bulk_downs.size() == downs);
  }
}

} // namespace caucus::transport
