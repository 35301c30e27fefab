// What the options let through must work: nothing legal may break a rule later.

#include "base/rng.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

node_options valid_options() {
  node_options x;
  x.id = node_id{1};
  x.members = {{node_id{1}, {"localhost", 4001}}, {node_id{2}, {"localhost", 4002}}};
  x.data_directory = "data";
  return x;
}

void check_refused(const node_options& x, const std::vector<std::string>& names) {
  auto checked = validate(x);
  REQUIRE_FALSE(checked.ok());
  CHECK(checked.reason().code == errc::invalid_option);
  for (auto& name : names) {
    CAPTURE(checked.reason().what);
    CHECK(checked.reason().what.find("--" + name) != std::string::npos);
  }
}

/// Draws every size and count anew: any magnitude in its range is as likely as any other.
void draw(node_options& x, rng& random) {
  for (auto& option : option_table()) {
    auto* number = std::get_if<uint64_t node_options::*>(&option.member);
    auto is_of_time = option.name.find("ms") != std::string_view::npos
                      || option.name.find("ticks") != std::string_view::npos;
    if (!number || is_of_time || option.name == "workers")
      continue;
    auto low = std::log2(static_cast<double>(option.min));
    auto high = std::log2(static_cast<double>(option.max));
    auto at = low + (high - low) * static_cast<double>(random.below(1001)) / 1000;
    x.*(*number) = std::clamp(static_cast<uint64_t>(std::exp2(at)), option.min, option.max);
  }
  x.segment_bytes = std::min<uint64_t>(x.segment_bytes, 1 << 20); // The disk is in memory.
}

} // namespace

TEST_CASE("the defaults are valid") { CHECK(validate(valid_options()).ok()); }

TEST_CASE("what may be uncommitted must fit into one batch of the log") {
  auto x = valid_options();
  x.uncommitted_bytes_max = uint64_t{256} << 20;
  check_refused(x, {"uncommitted-bytes-max", "proposal-bytes-max"});
  x.uncommitted_bytes_max = uint64_t{240} << 20;
  CHECK(validate(x).ok());
}

TEST_CASE("the largest message must fit into the queues that it has to pass") {
  auto x = valid_options();
  x.link_queue_bytes_max = 1 << 20;
  check_refused(x, {"link-queue-bytes-max", "append-bytes-max", "proposal-bytes-max"});
  x = valid_options();
  x.inbound_bytes_max = 1 << 20;
  check_refused(x, {"inbound-bytes-max", "append-bytes-max", "proposal-bytes-max"});
  x.append_bytes_max = x.proposal_bytes_max = 1 << 19;
  CHECK(validate(x).ok());
}

TEST_CASE("every configuration that is let through commits, whatever its sizes") {
  rng random{1};
  for (int tried = 0; tried < 60;) {
    node_options drawn = valid_options();
    draw(drawn, random);
    if (!validate(drawn).ok())
      continue;
    ++tried;
    std::string all;
    for (auto& option : option_table())
      if (auto* number = std::get_if<uint64_t node_options::*>(&option.member))
        all += std::string{option.name} + "=" + std::to_string(drawn.*(*number)) + " ";
    CAPTURE(all);
    virtual_cluster cluster{{.adjust = [&](node_options& x) {
      drawn.id = x.id;
      drawn.members = x.members;
      drawn.data_directory = x.data_directory;
      x = drawn;
    }}};
    cluster.start_all();
    REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
    recording_client client{cluster.system()};
    // The largest that is admitted, and small ones around it, from each node.
    auto room = std::min(drawn.uncommitted_bytes_max, drawn.node_uncommitted_bytes_max) - 256;
    std::string largest(std::min({drawn.proposal_bytes_max, room, uint64_t{1} << 20}), 'x');
    for (uint64_t round = 0; round < 4; ++round)
      for (uint64_t id = 1; id <= 3; ++id)
        for (std::string_view payload : {std::string_view{"a"}, std::string_view{largest}}) {
          auto before = client.committed();
          for (int tries = 0; tries < 100 && client.committed() == before; ++tries) {
            auto position = client.propose(cluster.group(id), payload);
            REQUIRE(cluster.run_until([&] { return client.at(position).has_value(); }));
          }
          REQUIRE(client.committed() > before);
        }
    for (uint64_t id = 1; id <= 3; ++id) {
      CHECK(cluster.status(id).fault == "");
      CHECK(cluster.health(id).reason == "");
      CHECK(cluster.run_until([&] { return cluster.status(id).applied >= 24; }));
    }
  }
}

} // namespace caucus::testing
