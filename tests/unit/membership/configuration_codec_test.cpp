#include "membership/configuration_codec.hpp"

#include "base/rng.hpp"
#include "membership/change_request.hpp"

#include <doctest/doctest.h>

namespace caucus::membership {

namespace {

std::set<node_id> ids(std::initializer_list<uint64_t> values) {
  std::set<node_id> result;
  for (auto value : values)
    result.insert(node_id{value});
  return result;
}

configuration sample() {
  configuration x;
  x.voters = ids({1, 2, 3});
  x.outgoing = ids({1, 4, 5});
  x.learners = ids({6, 7});
  x.learners_next = ids({4});
  x.staging = ids({7});
  x.auto_leave = true;
  x.addresses = {{node_id{1}, {"host", 1}}, {node_id{7}, {"::1", 65535}}};
  return x;
}

change_request sample_request() {
  using kind = enum member_change::kind;
  return {.changes = {{kind::make_voter, node_id{1}, {"host", 1}},
                      {kind::remove, node_id{~uint64_t{0}}, {}},
                      {kind::make_staging, node_id{3}, {"::1", 2}}},
          .expected_id = index_t{99},
          .mode = change_mode::joint,
          .even_if_behind = true};
}

} // namespace

TEST_CASE("a configuration survives its payload, every field of it") {
  const auto x = sample();
  REQUIRE(find_flaw(x) == "");
  CHECK(decode_payload(encode_payload(x)) == x);
  configuration plain;
  plain.voters = ids({9});
  CHECK(decode_payload(encode_payload(plain)) == plain);
}

TEST_CASE("every byte of a configuration's payload matters, and none may be missing or too much") {
  const auto bytes = encode_payload(sample());
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_payload(std::span{bytes}.first(size)).has_value());
  auto longer = bytes;
  longer.push_back(std::byte{0});
  CHECK_FALSE(decode_payload(longer).has_value());
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] ^= std::byte{0x41};
    CHECK(decode_payload(changed) != sample());
  }
}

TEST_CASE("a payload of another version, or with a flaw, is no configuration") {
  auto bytes = encode_payload(sample());
  bytes[0] = std::byte{2};
  CHECK_FALSE(decode_payload(bytes).has_value());
  auto x = sample();
  x.voters.clear();
  CHECK_FALSE(decode_payload(encode_payload(x)).has_value());
  x = sample();
  x.staging.insert(node_id{1});
  CHECK_FALSE(decode_payload(encode_payload(x)).has_value());
}

TEST_CASE("a payload that announces more members than a group may have costs nothing") {
  std::vector<std::byte> bytes;
  byte_writer out{bytes};
  out.u8(1);
  out.u32(0xffff'ffff);
  bytes.resize(bytes.size() + 4096);
  CHECK_FALSE(decode_payload(bytes).has_value());
  configuration crowd;
  for (uint64_t id = 1; id <= members_max; ++id)
    crowd.voters.insert(node_id{id});
  CHECK(decode_payload(encode_payload(crowd)) == crowd);
  crowd.voters.insert(node_id{members_max + 1});
  CHECK_FALSE(decode_payload(encode_payload(crowd)).has_value());
}

TEST_CASE("a change request survives its hop, and nothing else is one") {
  const auto x = sample_request();
  const auto bytes = encode(x);
  CHECK(decode_change_request(bytes) == x);
  CHECK(decode_change_request(encode(change_request{})) == change_request{});
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_change_request(std::span{bytes}.first(size)).has_value());
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] ^= std::byte{0x55};
    CHECK(decode_change_request(changed) != x);
  }
}

TEST_CASE("random bytes are decoded or refused, never more") {
  rng random{7};
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> bytes(random.below(64));
    for (auto& x : bytes)
      x = static_cast<std::byte>(random.chance(60) ? random.below(3) : random.below(256));
    if (const auto found = decode_payload(bytes))
      CHECK(encode_payload(*found) == bytes);
    if (const auto found = decode_change_request(bytes))
      CHECK(encode(*found) == bytes);
  }
}

} // namespace caucus::membership
