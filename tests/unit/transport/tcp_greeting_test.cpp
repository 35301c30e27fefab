// Who may connect, and which connection stays.
#include "raw_client.hpp"
#include "tcp_node.hpp"
#include "transport/message_encoder.hpp"

#include <filesystem>

namespace caucus::transport {

namespace {

size_t open_descriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

} // namespace

TEST_SUITE("transport/tcp_greeting") {

  TEST_CASE("a node of another cluster is refused, and both sides are told why") {
    tcp_node one{1};
    tcp_node two{2};
    two.identity.cluster = cluster_id{8};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    CHECK(one.wait_reason(node_id{2}, "refused: node 1 of cluster 7 met node 2 of cluster 8"));
    CHECK(two.wait_reason(node_id{1}, "node 1 of cluster 7 met node 2 of cluster 8"));
    CHECK(one.heard.look().downs.front().second.code == errc::identity_mismatch);
    CHECK(one.heard.look().hellos.empty());
    CHECK(two.heard.look().hellos.empty());
  }

  TEST_CASE("a dial that reaches another node is refused naming what was reached") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{3}, two.address()}});
    CHECK(one.wait_reason(node_id{3}, "dialled node 3 and reached node 2"));
    CHECK(two.wait_reason(node_id{1}, "dialled node 3 and reached node 2"));
  }

  TEST_CASE("a dial that reaches ourselves is refused") {
    tcp_node one{1};
    one.start();
    one.links->set_peers({{node_id{2}, one.address()}});
    CHECK(one.wait_reason(node_id{2}, "met itself or another node with its id"));
  }

  TEST_CASE("another protocol version is refused naming both") {
    tcp_node one{1};
    one.start();
    raw_client client{one.address()};
    auto x = make_hello(2, 1);
    x.version = x.oldest_version = 9;
    const auto reply = client.greet(x);
    CHECK(reply.refused == errc::version_mismatch);
    CHECK(reply.reason.find("speaks protocol version 9") != std::string::npos);
    CHECK(reply.reason.find("node 1 of cluster 7 speaks 1") != std::string::npos);
    CHECK(client.is_hung_up_on());
    CHECK(one.wait_reason(node_id{2}, "speaks protocol version 9"));
  }

  TEST_CASE("the listener of either side may refuse, and the other is told its words") {
    tcp_node one{1};
    tcp_node two{2};
    one.heard.judge = [](const node_identity&) -> result<void> {
      return error{errc::identity_mismatch, "directory 102 is not the one known"};
    };
    one.start();
    two.start();
    SUBCASE("who was dialled refuses") { two.links->set_peers({{node_id{1}, one.address()}}); }
    SUBCASE("who dialled refuses") { one.links->set_peers({{node_id{2}, two.address()}}); }
    CHECK(two.wait_reason(node_id{1}, "refused: directory 102 is not the one known"));
    CHECK(one.wait_reason(node_id{2}, "directory 102 is not the one known"));
    CHECK(one.heard.look().ups.empty());
    CHECK(two.heard.look().ups.empty()); // Nobody is up who is about to be refused.
  }

  TEST_CASE("who was dialled says so once the other has agreed, whatever its first frame is") {
    tcp_node one{1};
    one.start();
    raw_client silent{one.address()};
    silent.send(encode(make_hello(2, 1)));
    REQUIRE_FALSE(silent.receive(frame_header_bytes).empty());
    SUBCASE("a keep-alive") { silent.send(make_keep_alive()); }
    SUBCASE("messages") {
      CHECK(one.heard.look().ups.empty());
      silent.send(encode_messages(batch(numbered(1)), 8 << 20).front());
      CHECK(one.wait_messages(1));
    }
    CHECK(one.heard.wait_until([](const auto& x) { return x.up.contains(node_id{2}); }));
  }

  TEST_CASE("a newer boot supersedes, an older one is refused, the same one comes again") {
    tcp_node one{1};
    one.start();
    raw_client second{one.address()};
    CHECK(second.greet(make_hello(2, 1, 5)).refused == errc::none);
    raw_client older{one.address()};
    const auto refused = older.greet(make_hello(2, 1, 4));
    CHECK(refused.refused == errc::identity_mismatch);
    CHECK(refused.reason.find("boot 4") != std::string::npos);
    CHECK(refused.reason.find("boot 5") != std::string::npos);
    raw_client newer{one.address()};
    CHECK(newer.greet(make_hello(2, 1, 6)).refused == errc::none);
    CHECK(second.is_hung_up_on());
    raw_client same{one.address()};
    CHECK(same.greet(make_hello(2, 1, 6)).refused == errc::none);
    CHECK(newer.is_hung_up_on());
    CHECK(one.heard.wait_until([](const auto& x) { return x.ups.at(node_id{2}) == 3; }));
    CHECK(one.heard.look().downs.size() == 2);
  }

  TEST_CASE("the lower node keeps its own dial against the same boot, not against a newer one") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    raw_client same{one.address()};
    CHECK(same.greet(make_hello(2, 1, 1)).refused == errc::already_exists);
    raw_client newer{one.address()};
    CHECK(newer.greet(make_hello(2, 1, 2)).refused == errc::none);
    CHECK(one.wait_reason(node_id{2}, "newer connection"));
  }

  TEST_CASE("a refused stranger that claims a connected node's id does not disturb its link") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    raw_client stranger{one.address()};
    auto x = make_hello(2, 1, 9);
    x.from.cluster = cluster_id{666};
    CHECK(stranger.greet(x).refused == errc::identity_mismatch);
    CHECK(one.links->send(node_id{2}, batch(numbered(1))));
    CHECK(two.wait_messages(1));
    CHECK(one.heard.look().downs.empty());
  }

  TEST_CASE("a client is refused in this version") {
    tcp_node one{1};
    one.start();
    raw_client client{one.address()};
    auto x = make_hello(2, 1);
    x.role = peer_role::client;
    CHECK(client.greet(x).reason.find("members only") != std::string::npos);
  }

  TEST_CASE("a peer that comes and goes leaks no descriptor") {
    tcp_node one{1};
    one.start();
    uint16_t port = 0;
    size_t before = 0;
    for (uint64_t boot = 1; boot <= 30; ++boot) {
      tcp_node two{2, quick_limits(), port};
      two.identity.boot = boot_count{boot};
      port = two.address().port;
      two.start();
      one.links->set_peers({{node_id{2}, two.address()}});
      REQUIRE(one.heard.wait_until([&](const auto& x) {
        const auto found = x.up.find(node_id{2});
        return found != x.up.end() && found->second.boot == boot_count{boot};
      }));
      REQUIRE(two.wait_up(one));
      if (boot == 5)
        before = open_descriptors();
      if (boot > 5)
        CHECK(open_descriptors() <= before + 2);
    }
  }

  TEST_CASE("who adopts a founding greets those again who told another") {
    const auto founding = membership::founded_by({node_id{1}});
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    two.links->set_peers({{node_id{1}, one.address()}});
    REQUIRE(one.wait_up(two));
    REQUIRE(two.wait_up(one));
    one.links->adopt(founding);
    CHECK(two.heard.wait_until([&](const auto& x) {
      const auto found = x.up.find(node_id{1});
      return found != x.up.end() && found->second.founding == founding;
    }));
  }
}

} // namespace caucus::transport
