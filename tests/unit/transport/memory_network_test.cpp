#include "transport/memory_network.hpp"

#include "recording_listener.hpp"

#include <doctest/doctest.h>

namespace caucus::transport {

namespace {

struct memory_node {
  memory_node(const std::shared_ptr<memory_network>& network, uint64_t id, uint64_t boot = 1)
    : identity{cluster_id{7}, node_id{id}, directory_id{100 + id}, boot_count{boot}},
      links{network->make_endpoint()} {
    heard.when_up = [this](const node_identity& peer) {
      links->confirm_peer(peer.node, peer.directory);
    };
  }

  void start() { REQUIRE(links->start(identity, heard).ok()); }
  bool send(uint64_t to, uint64_t number) {
    return links->send(node_id{to}, {{group_id{1}, raft::timeout_now{term_t{number}}}});
  }
  std::vector<uint64_t> numbers(uint64_t from) {
    std::vector<uint64_t> all;
    const auto record = heard.look();
    if (auto found = record.messages.find(node_id{from}); found != record.messages.end())
      for (const auto& x : found->second)
        all.push_back(std::get<raft::timeout_now>(x.body).term.value());
    return all;
  }
  bool is_up(uint64_t peer) { return heard.look().up.contains(node_id{peer}); }

  node_identity identity;
  recording_listener heard;
  std::unique_ptr<transport> links;
};

const std::map<node_id, endpoint> one_and_two{{node_id{1}, {}}, {node_id{2}, {}}};

struct pair_fixture {
  pair_fixture() {
    for (auto* x : {&one, &two}) {
      x->start();
      x->links->set_peers(one_and_two);
    }
    network->deliver_all();
  }

  std::shared_ptr<memory_network> network = memory_network::make(1);
  memory_node one{network, 1};
  memory_node two{network, 2};
};

using numbers = std::vector<uint64_t>;

} // namespace

TEST_SUITE("transport/memory_network") {

  TEST_CASE_FIXTURE(pair_fixture, "nothing happens before it is delivered, and then in order") {
    CHECK(one.heard.look().ups.at(node_id{2}) == 1);
    CHECK(two.heard.look().ups.at(node_id{1}) == 1);
    CHECK(one.send(2, 1));
    CHECK(one.send(2, 2));
    CHECK(two.numbers(1).empty());
    CHECK(network->pending() == 2);
    CHECK(network->deliver_one());
    CHECK(two.numbers(1) == numbers{1});
    CHECK(network->deliver_one());
    CHECK_FALSE(network->deliver_one());
    CHECK(two.numbers(1) == numbers{1, 2});
  }

  TEST_CASE_FIXTURE(pair_fixture, "tells its owner when something can be delivered") {
    int told = 0;
    network->on_pending = [&] { ++told; };
    one.send(2, 1);
    CHECK(told == 1);
    network->on_pending = nullptr; // Ending links are told too, after `told` is gone.
  }

  TEST_CASE_FIXTURE(pair_fixture, "a cut loses what is under way, tells both sides and lasts") {
    one.send(2, 1);
    network->cut(node_id{1}, node_id{2});
    network->deliver_all();
    CHECK(two.numbers(1).empty());
    CHECK_FALSE(one.is_up(2));
    CHECK_FALSE(two.is_up(1));
    CHECK_FALSE(one.send(2, 2));
    network->redial();
    network->deliver_all();
    CHECK_FALSE(one.is_up(2));
    network->heal(node_id{1}, node_id{2});
    network->deliver_all();
    CHECK(one.is_up(2));
    CHECK(one.send(2, 3));
    network->deliver_all();
    CHECK(two.numbers(1) == numbers{3});
  }

  TEST_CASE_FIXTURE(pair_fixture, "a silenced direction loses messages and tells nobody") {
    network->silence(node_id{1}, node_id{2});
    CHECK(one.send(2, 1));
    CHECK(two.send(1, 2));
    network->deliver_all();
    CHECK(two.numbers(1).empty());
    CHECK(one.numbers(2) == numbers{2});
    CHECK(one.is_up(2));
  }

  TEST_CASE_FIXTURE(pair_fixture, "a crashed node is silent, and comes back as another endpoint") {
    network->crash(node_id{2});
    CHECK_FALSE(two.send(1, 1));
    network->deliver_all();
    CHECK_FALSE(one.is_up(2));
    memory_node again{network, 2, 2};
    again.start();
    again.links->set_peers(one_and_two);
    network->deliver_all();
    CHECK(one.heard.look().up.at(node_id{2}).boot == boot_count{2});
    CHECK(one.send(2, 5));
    network->deliver_all();
    CHECK(again.numbers(1) == numbers{5});
  }

  TEST_CASE_FIXTURE(pair_fixture, "messages share no memory between nodes") {
    const auto payload = shared_bytes::copy_of("deposit");
    one.links->send(node_id{2},
                    {{group_id{1}, raft::forward_proposal{request_id{1}, {.payload = payload}}}});
    network->deliver_all();
    const auto record = two.heard.look();
    const auto& got = std::get<raft::forward_proposal>(record.messages.at(node_id{1})[0].body);
    CHECK(got.body.payload == payload);
    CHECK(got.body.payload.data() != payload.data());
  }

  TEST_CASE_FIXTURE(pair_fixture, "a flipped bit ends the link and delivers nothing") {
    network->set_faults({.corrupt_percent = 100});
    one.send(2, 1);
    network->deliver_one();
    network->set_faults({});
    network->deliver_all();
    CHECK(two.numbers(1).empty());
    CHECK(two.heard.look().has_reason(node_id{1}, "checksum"));
    CHECK(one.is_up(2)); // Dialled again.
  }

  TEST_CASE("holds messages back until the peer is confirmed, then in order") {
    const auto network = memory_network::make(1);
    memory_node one{network, 1};
    memory_node two{network, 2};
    two.heard.when_up = nullptr;
    for (auto* x : {&one, &two}) {
      x->start();
      x->links->set_peers(one_and_two);
    }
    network->deliver_all();
    one.send(2, 1);
    one.send(2, 2);
    network->deliver_all();
    CHECK(two.numbers(1).empty());
    one.send(2, 3);
    two.links->confirm_peer(node_id{1}, directory_id{101});
    network->deliver_all();
    CHECK(two.numbers(1) == numbers{1, 2, 3});
  }

  TEST_CASE("a refused hello makes no link and is tried again on request") {
    const auto network = memory_network::make(1);
    memory_node one{network, 1};
    memory_node two{network, 2};
    bool refuses = true;
    two.heard.judge = [&](const node_identity&) {
      return refuses ? result<void>{error{errc::identity_mismatch, "another directory"}}
                     : result<void>{};
    };
    one.start();
    two.start();
    one.links->set_peers(one_and_two);
    network->deliver_all();
    CHECK_FALSE(one.is_up(2));
    CHECK(one.heard.look().has_reason(node_id{2}, "another directory"));
    refuses = false;
    network->redial();
    network->deliver_all();
    CHECK(one.is_up(2));
  }

  TEST_CASE("the same seed gives the same losses, duplicates and order") {
    auto run = [](uint64_t seed) {
      const auto network = memory_network::make(seed);
      memory_node one{network, 1};
      memory_node two{network, 2};
      for (auto* x : {&one, &two}) {
        x->start();
        x->links->set_peers(one_and_two);
      }
      network->deliver_all();
      network->set_faults({.drop_percent = 20, .duplicate_percent = 20, .reorder_percent = 50});
      for (uint64_t i = 0; i < 200; ++i)
        one.send(2, i);
      network->deliver_all();
      return two.numbers(1);
    };
    const auto first = run(5);
    CHECK(first == run(5));
    CHECK(first != run(6));
    CHECK_FALSE(std::is_sorted(first.begin(), first.end()));
    CHECK(std::set<uint64_t>(first.begin(), first.end()).size() < 200);
    CHECK(std::set<uint64_t>(first.begin(), first.end()).size() < first.size());
  }

  TEST_CASE_FIXTURE(pair_fixture,
                    "who adopts a founding greets those again who told another, in memory") {
    const auto founding = membership::founded_by({node_id{1}});
    REQUIRE(one.is_up(2));
    one.links->adopt(founding);
    network->deliver_all();
    CHECK(two.heard.look().ups.at(node_id{1}) == 2);
    CHECK(two.heard.look().up.at(node_id{1}).founding == founding);
    two.links->adopt(founding);
    network->deliver_all();
    CHECK(two.heard.look().ups.at(node_id{1}) == 2); // Node 1 told the same.
    CHECK(one.heard.look().ups.at(node_id{2}) == 2);
  }
}

} // namespace caucus::transport
