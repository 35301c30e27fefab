// Bytes that no node of ours sends, silence, and descriptors that run out.
#include "raw_client.hpp"
#include "tcp_node.hpp"
#include "transport/message_encoder.hpp"

#include <fcntl.h>
#include <random>
#include <sys/resource.h>

namespace caucus::transport {

namespace {

/// A node and a raw peer 2 that it has accepted.
struct greeted_fixture {
  greeted_fixture() {
    one.start();
    client.connect(one.address());
    REQUIRE(client.greet(make_hello(2, 1)).refused == errc::none);
  }

  /// The link ends for this reason and nothing was delivered.
  void check_closed(std::string_view reason) {
    CHECK(client.is_hung_up_on());
    CHECK_MESSAGE(one.wait_reason(node_id{2}, reason), one.heard.look().reasons());
    CHECK(one.heard.look().message_count == 0);
    CHECK(one.heard.look().frame_errors.at(node_id{2}) == 1); // L-09
  }

  tcp_node one{1};
  raw_client client;
};

frame sample_frame(size_t payload_bytes = 10) {
  const raft::forward_proposal x{
    request_id{1}, {.payload = shared_bytes::copy_of(std::string(payload_bytes, 'x'))}};
  const std::vector<routed_message> messages{{group_id{1}, x}};
  return std::move(encode_messages(messages, 8 << 20).front());
}

size_t resident_kib() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  REQUIRE(file != nullptr);
  unsigned long total = 0;
  unsigned long resident = 0;
  REQUIRE(std::fscanf(file, "%lu %lu", &total, &resident) == 2);
  std::fclose(file);
  return resident * 4;
}

} // namespace

TEST_SUITE("transport/tcp_hostile") {

  TEST_CASE("foreign protocols and noise are hung up on, and nodes still get in") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    const std::string tls =
      std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11} + std::string(40, 'r');
    std::mt19937 random{1};
    for (int i = 0; i < 100; ++i) {
      std::string noise(16 + random() % 5000, ' ');
      for (auto& c : noise)
        c = static_cast<char>(random());
      raw_client client{one.address()};
      client.send(i == 0 ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n" : i == 1 ? tls : noise);
      CHECK(client.is_hung_up_on());
    }
    CHECK(one.wait_reason(node_id{}, "not a Caucus frame"));
    // Not every one is worth a report, but each is counted.
    CHECK(one.heard.wait_until([](const auto& x) { return x.frame_errors.at(node_id{}) == 100; }));
    two.links->set_peers({{node_id{1}, one.address()}});
    CHECK(one.wait_up(two));
  }

  TEST_CASE("who says nothing, or less than a header, is hung up on in time") {
    auto limits = quick_limits();
    limits.hello_timeout = std::chrono::milliseconds{100};
    tcp_node one{1, limits};
    one.start();
    raw_client silent{one.address()};
    raw_client slow{one.address()};
    slow.send("Caucus?");
    CHECK(silent.is_hung_up_on());
    CHECK(slow.is_hung_up_on());
  }

  TEST_CASE("a flood of silent connections loses its oldest and does not keep a node out") {
    auto limits = quick_limits();
    limits.hello_timeout = std::chrono::seconds{60};
    tcp_node one{1, limits};
    tcp_node two{2};
    one.start();
    two.start();
    raw_client slow{one.address()};
    std::vector<std::unique_ptr<raw_client>> flood;
    for (int i = 0; i < 50; ++i)
      flood.push_back(std::make_unique<raw_client>(one.address()));
    CHECK(slow.greet(make_hello(3, 1)).refused == errc::none); // Not too many yet.
    for (int i = 0; i < 150; ++i)
      flood.push_back(std::make_unique<raw_client>(one.address()));
    CHECK(flood.front()->is_hung_up_on());
    two.links->set_peers({{node_id{1}, one.address()}});
    CHECK(one.wait_up(two));
  }

  TEST_CASE("messages before the hello are out of turn") {
    auto limits = quick_limits();
    limits.hello_timeout = std::chrono::seconds{60};
    tcp_node one{1, limits};
    one.start();
    raw_client client{one.address()};
    client.send(sample_frame());
    CHECK(client.is_hung_up_on());
    raw_client patient{one.address()};
    patient.send(make_keep_alive());
    CHECK(patient.is_hung_up_on());
    CHECK(one.heard.look().message_count == 0);
  }

  TEST_CASE("a hello larger than any is refused before it is read") {
    tcp_node one{1};
    one.start();
    raw_client client{one.address()};
    std::vector<std::byte> bytes(frame_header_bytes + hello_bytes_max + 1);
    write_header(bytes, frame_kind::hello);
    client.send(std::span<const std::byte>{bytes}.first(frame_header_bytes));
    CHECK(client.is_hung_up_on());
  }

  TEST_CASE_FIXTURE(greeted_fixture, "a second hello is out of turn") {
    client.send(encode(make_hello(2, 1)));
    check_closed("out of turn");
  }

  TEST_CASE_FIXTURE(greeted_fixture, "a body with a wrong checksum ends the link") {
    auto x = sample_frame();
    x.data[x.size - 1] ^= std::byte{1};
    client.send(x);
    check_closed("checksum of a frame is wrong");
  }

  TEST_CASE_FIXTURE(greeted_fixture, "a body that does not decode ends the link") {
    std::vector<std::byte> bytes(frame_header_bytes + 40, std::byte{0x91});
    write_header(bytes, frame_kind::messages);
    client.send(bytes);
    check_closed("does not decode");
  }

  TEST_CASE_FIXTURE(greeted_fixture, "an announced length beyond the limit ends the link at once") {
    std::vector<std::byte> bytes(frame_header_bytes + (8 << 20) + 1);
    write_header(bytes, frame_kind::messages);
    client.send(std::span<const std::byte>{bytes}.first(frame_header_bytes));
    check_closed("is announced");
  }

  TEST_CASE("announced bytes that never come cost no memory") {
    tcp_node one{1};
    one.start();
    std::vector<std::byte> bytes(frame_header_bytes + (8 << 20));
    write_header(bytes, frame_kind::messages);
    std::vector<std::unique_ptr<raw_client>> peers;
    const auto before = resident_kib();
    for (uint64_t id = 2; id < 34; ++id) {
      peers.push_back(std::make_unique<raw_client>(one.address()));
      CHECK(peers.back()->greet(make_hello(id, 1)).refused == errc::none);
      peers.back()->send(std::span<const std::byte>{bytes}.first(frame_header_bytes + 1000));
    }
    CHECK(one.heard.wait_until([](const auto& x) { return x.up.size() == 32; }));
    CHECK(resident_kib() < before + 32 * 1024); // A quarter of the 256 MiB would show.
  }

  TEST_CASE("a frame arrives whole however it is cut") {
    tcp_node one{1};
    one.start();
    raw_client client{one.address()};
    CHECK(client.greet(make_hello(2, 1)).refused == errc::none);
    const auto small = sample_frame(20);
    for (size_t i = 0; i < small.size; ++i)
      client.send(small.bytes().subspan(i, 1));
    const auto large = sample_frame(3'000'000);
    client.send(large);
    client.send(small);
    REQUIRE(one.wait_messages(3));
    const auto record = one.heard.look();
    const auto& got = record.messages.at(node_id{2});
    CHECK(std::get<raft::forward_proposal>(got[1].body).body.payload.view()
          == std::string(3'000'000, 'x'));
    CHECK(std::get<raft::forward_proposal>(got[2].body).body.payload.size() == 20);
  }

  TEST_CASE("a peer that falls silent is given up in time, in the middle of a frame too") {
    auto limits = quick_limits();
    limits.idle_timeout = std::chrono::milliseconds{150};
    tcp_node one{1, limits};
    one.start();
    raw_client client{one.address()};
    CHECK(client.greet(make_hello(2, 1)).refused == errc::none);
    SUBCASE("between frames") {}
    SUBCASE("within a frame") { client.send(sample_frame().bytes().first(20)); }
    const auto started = std::chrono::steady_clock::now();
    CHECK(one.wait_reason(node_id{2}, "was silent for 150 ms"));
    CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds{5});
    CHECK(client.is_hung_up_on());
  }

  TEST_CASE("an idle link stays up by its keep-alives") {
    auto limits = quick_limits();
    limits.idle_timeout = std::chrono::milliseconds{200};
    tcp_node one{1, limits};
    tcp_node two{2, limits};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    REQUIRE(two.wait_up(one));
    CHECK_FALSE(one.heard.wait_until([](const auto& x) { return !x.downs.empty(); },
                                     std::chrono::milliseconds{1000}));
    CHECK(two.heard.look().downs.empty());
  }

  TEST_CASE("without free descriptors links go on, and strangers get in afterwards") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    REQUIRE(two.wait_up(one));
    raw_client late; // Has its descriptor already.
    const int lowest_free = ::open("/dev/null", O_RDONLY);
    REQUIRE(lowest_free >= 0);
    ::close(lowest_free);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    auto none = before;
    none.rlim_cur = static_cast<rlim_t>(lowest_free);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    late.connect(one.address());
    late.send(encode(make_hello(3, 1)));
    late.send(make_keep_alive());
    CHECK(one.links->send(node_id{2}, batch(numbered(1))));
    CHECK(two.wait_messages(1));
    CHECK(one.heard.look().hellos.count(node_id{3}) == 0);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(one.heard.wait_until([](const auto& x) { return x.up.contains(node_id{3}); }));
  }
}

} // namespace caucus::transport
