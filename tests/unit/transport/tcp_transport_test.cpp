#include "tcp_node.hpp"

#include <atomic>
#include <thread>

namespace caucus::transport {

TEST_SUITE("transport/tcp_transport") {

  TEST_CASE("delivers messages in both directions over the connection that one side dialled") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    REQUIRE(two.wait_up(one));
    CHECK(one.links->send(node_id{2}, batch(beat(5), numbered(8))));
    CHECK(two.links->send(node_id{1}, batch(numbered(9))));
    REQUIRE(two.wait_messages(2));
    REQUIRE(one.wait_messages(1));
    const auto at_two = two.heard.look();
    CHECK(at_two.up.at(node_id{1}).directory == directory_id{101});
    CHECK(at_two.messages.at(node_id{1})[0].group == group_id{5});
    CHECK(number_of(at_two.messages.at(node_id{1})[1]) == 8);
    CHECK(number_of(one.heard.look().messages.at(node_id{2})[0]) == 9);
  }

  TEST_CASE("refuses to send to a node without a connection") {
    tcp_node one{1};
    CHECK_FALSE(one.links->send(node_id{2}, batch(numbered(1))));
    one.start();
    CHECK_FALSE(one.links->send(node_id{2}, batch(numbered(1))));
  }

  TEST_CASE("two nodes that dial each other at once end with one link") {
    for (int round = 0; round < 20; ++round) {
      tcp_node one{1};
      tcp_node two{2};
      one.start();
      two.start();
      one.links->set_peers({{node_id{2}, two.address()}});
      two.links->set_peers({{node_id{1}, one.address()}});
      REQUIRE(one.wait_up(two));
      REQUIRE(two.wait_up(one));
      REQUIRE(one.links->send(node_id{2}, batch(numbered(1))));
      REQUIRE(two.links->send(node_id{1}, batch(numbered(2))));
      REQUIRE(one.wait_messages(1));
      REQUIRE(two.wait_messages(1));
      CHECK_MESSAGE(one.heard.look().downs.empty(), one.heard.look().reasons());
      CHECK_MESSAGE(two.heard.look().downs.empty(), two.heard.look().reasons());
      CHECK(one.heard.look().ups.at(node_id{2}) == 1);
      CHECK(two.heard.look().ups.at(node_id{1}) == 1);
    }
  }

  TEST_CASE("three nodes in one process form a full mesh") {
    tcp_node one{1};
    tcp_node two{2};
    tcp_node three{3};
    const std::map<node_id, endpoint> all{
      {node_id{1}, one.address()}, {node_id{2}, two.address()}, {node_id{3}, three.address()}};
    for (auto* x : {&three, &one, &two}) {
      x->start();
      x->links->set_peers(all);
    }
    for (auto* x : {&one, &two, &three})
      for (auto* y : {&one, &two, &three})
        if (x != y) {
          REQUIRE(x->wait_up(*y));
          REQUIRE(y->wait_up(*x));
          CHECK(x->links->send(y->id(), batch(numbered(x->id().value()))));
        }
    for (auto* x : {&one, &two, &three}) {
      REQUIRE(x->wait_messages(2));
      const auto heard = x->heard.look();
      for (const auto& [from, messages] : heard.messages) {
        CHECK(from != x->id());
        CHECK(number_of(messages.front()) == from.value());
      }
    }
  }

  TEST_CASE("keeps the order of a sender's frames, written at once or left to another writer") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    // Each thread's own messages must arrive in its order, whoever wrote them to the socket.
    constexpr uint64_t threads = 4;
    constexpr uint64_t each = 5000;
    std::vector<std::thread> senders;
    for (uint64_t t = 0; t < threads; ++t)
      senders.emplace_back([&, t] {
        for (uint64_t i = 0; i < each; ++i)
          while (!one.links->send(node_id{2}, batch(numbered(t * each + i))))
            std::this_thread::yield();
      });
    for (auto& x : senders)
      x.join();
    REQUIRE(two.wait_messages(threads * each));
    std::map<uint64_t, uint64_t> next;
    const auto heard = two.heard.look();
    for (const auto& x : heard.messages.at(node_id{1})) {
      const auto n = number_of(x);
      REQUIRE(n % each == next[n / each]++);
    }
    CHECK(two.heard.look().message_count == threads * each);
  }

  TEST_CASE("holds the messages of a peer back until its directory is confirmed") {
    tcp_node one{1};
    tcp_node two{2};
    two.heard.when_up = nullptr;
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    REQUIRE(two.wait_up(one));
    REQUIRE(one.links->send(node_id{2}, batch(numbered(1))));
    REQUIRE(two.links->send(node_id{1}, batch(numbered(2))));
    REQUIRE(one.wait_messages(1));
    CHECK(two.heard.look().message_count == 0);
    two.links->confirm_peer(node_id{1}, directory_id{999}); // Another directory: not this peer.
    CHECK_FALSE(two.heard.wait_until([](const auto& x) { return x.message_count > 0; },
                                     std::chrono::milliseconds{100}));
    two.links->confirm_peer(node_id{1}, directory_id{101});
    CHECK(two.wait_messages(1));
  }

  TEST_CASE("a directory that was confirmed once needs no second word on the next connection") {
    tcp_node one{1};
    one.start();
    uint16_t port = 0;
    for (uint64_t boot = 1; boot <= 2; ++boot) {
      tcp_node two{2, quick_limits(), port};
      port = two.address().port;
      two.identity.boot = boot_count{boot};
      two.start();
      one.links->set_peers({{node_id{2}, two.address()}});
      REQUIRE(two.wait_up(one));
      REQUIRE(two.links->send(node_id{1}, batch(numbered(boot))));
      REQUIRE(one.wait_messages(boot));
      one.heard.when_up = nullptr;
    }
  }

  TEST_CASE("an unconfirmed peer fills the socket and no memory of ours") {
    auto limits = quick_limits();
    limits.queue_bytes_max = 1 << 20;
    tcp_node one{1, limits};
    tcp_node two{2, limits};
    two.heard.when_up = nullptr;
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    const raft::forward_proposal big{request_id{1},
                                     {.payload = shared_bytes::copy_of(std::string(100'000, 'x'))}};
    size_t taken = 0;
    while (one.links->send(node_id{2}, batch(routed_message{group_id{1}, big})) && taken < 10'000)
      ++taken;
    // What fits into the queue, and into the buffers of both sockets.
    CHECK(taken < 1000);
    CHECK(two.heard.look().message_count == 0);
    two.links->confirm_peer(node_id{1}, directory_id{101});
    CHECK(two.wait_messages(taken));
  }

  TEST_CASE("a peer that starts again with a newer boot takes the place of its older connection") {
    tcp_node one{1};
    one.start();
    endpoint address;
    {
      tcp_node two{2};
      address = two.address();
      two.start();
      one.links->set_peers({{node_id{2}, address}});
      REQUIRE(one.wait_up(two));
    }
    REQUIRE(one.wait_reason(node_id{2}, address.host));
    tcp_node again{2, quick_limits(), address.port};
    again.identity.boot = boot_count{2};
    again.start();
    REQUIRE(one.wait_up(again));
    CHECK(one.heard.look().up.at(node_id{2}).boot == boot_count{2});
    REQUIRE(again.wait_up(one));
    CHECK(one.links->send(node_id{2}, batch(numbered(4))));
    CHECK(again.wait_messages(1));
  }

  TEST_CASE("dropping a peer from the table closes its link, adding it again makes one") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    one.links->set_peers({});
    REQUIRE(one.wait_reason(node_id{2}, "no peer any more"));
    CHECK_FALSE(one.links->send(node_id{2}, batch(numbered(1))));
    REQUIRE(two.heard.wait_until([](const auto& x) { return x.up.empty(); }));
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
  }

  TEST_CASE("refuses frames beyond the queue's limit and recovers when the peer reads again") {
    auto limits = quick_limits();
    limits.queue_bytes_max = 2 << 20;
    limits.idle_timeout = std::chrono::seconds{30};
    tcp_node one{1, limits};
    tcp_node two{2, limits};
    std::atomic<bool> is_stuck{true};
    two.heard.when_up = [&](const node_identity& peer) {
      two.links->confirm_peer(peer.node, peer.directory);
      while (is_stuck) // Its I/O thread reads nothing.
        std::this_thread::yield();
    };
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    const raft::forward_proposal big{request_id{1},
                                     {.payload = shared_bytes::copy_of(std::string(500'000, 'x'))}};
    size_t taken = 0;
    while (one.links->send(node_id{2}, batch(routed_message{group_id{1}, big})) && taken < 1000)
      ++taken;
    CHECK(taken < 100);
    is_stuck = false;
    CHECK(two.wait_messages(taken));
    CHECK(one.heard.look().downs.empty());
    bool is_sent = false;
    for (int i = 0; i < 1'000'000 && !is_sent; ++i)
      is_sent = one.links->send(node_id{2}, batch(numbered(1)));
    CHECK(is_sent);
  }

  TEST_CASE("a message larger than a frame may be is refused, and the link stays") {
    auto limits = quick_limits();
    limits.frame_bytes_max = 10'000;
    tcp_node one{1, limits};
    tcp_node two{2, limits};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    const raft::forward_proposal big{request_id{1},
                                     {.payload = shared_bytes::copy_of(std::string(20'000, 'x'))}};
    CHECK_FALSE(one.links->send(node_id{2}, batch(routed_message{group_id{1}, big})));
    CHECK(one.links->send(node_id{2}, batch(numbered(1))));
    CHECK(two.wait_messages(1));
  }

  TEST_CASE("stops while it connects, resolves, waits and greets") {
    tcp_node one{1};
    tcp_node two{2};
    two.start();
    one.start();
    one.links->set_peers({{node_id{2}, two.address()},
                          {node_id{3}, {"127.0.0.1", 1}},
                          {node_id{4}, {"host.invalid", 7}},
                          {node_id{5}, {"10.255.255.1", 7}}});
    one.links->stop();
    one.links->stop();
    CHECK_FALSE(one.links->send(node_id{2}, batch(numbered(1))));
  }

  TEST_CASE("a transport that never started stops and goes away") {
    auto made = make_tcp_transport({"127.0.0.1", 0});
    REQUIRE(made.ok());
    (*made)->set_peers({{node_id{2}, {"127.0.0.1", 1}}});
    (*made)->stop();
  }

  TEST_CASE("a name that does not resolve is tried again and delays no other link") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{3}, {"host.invalid", 7}}, {node_id{2}, two.address()}});
    REQUIRE(one.wait_up(two));
    CHECK(one.wait_reason(node_id{3}, "does not resolve"));
  }

  TEST_CASE("reaches a peer by its name") {
    tcp_node one{1};
    tcp_node two{2};
    one.start();
    two.start();
    one.links->set_peers({{node_id{2}, {"localhost", two.address().port}}});
    CHECK(one.wait_up(two));
  }

  TEST_CASE("an address in use is named") {
    tcp_node one{1};
    const auto second = make_tcp_transport(one.address());
    REQUIRE_FALSE(second.ok());
    CHECK(second.reason().code == errc::in_use);
    CHECK(second.reason().what.find(to_string(one.address())) != std::string::npos);
  }

  TEST_CASE("an address that is not ours is named") {
    const auto made = make_tcp_transport({"192.0.2.1", 0});
    REQUIRE_FALSE(made.ok());
    CHECK(made.reason().code == errc::invalid_argument);
    CHECK(made.reason().what.find("192.0.2.1:0") != std::string::npos);
  }
}

} // namespace caucus::transport
