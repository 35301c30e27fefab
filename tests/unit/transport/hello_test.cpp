#include "transport/hello.hpp"
#include "transport/wire_format.hpp"

#include <doctest/doctest.h>

namespace caucus::transport {

namespace {

std::vector<std::byte> body_of(const frame& x) {
  const auto body = x.bytes().subspan(frame_header_bytes);
  return {body.begin(), body.end()};
}

const node_identity self{cluster_id{70}, node_id{1}, directory_id{701}, boot_count{4}};
const node_identity peer{
  cluster_id{70}, node_id{2}, directory_id{702}, boot_count{5}, {founding_id{703}, "1,2,3"}};

hello good_hello() {
  hello x;
  x.from = peer;
  x.to = self.node;
  return x;
}

hello_reply good_reply() {
  hello_reply x;
  x.from = peer;
  return x;
}

bool has(const result<void>& x, std::string_view part) {
  return !x.ok() && x.reason().what.find(part) != std::string::npos;
}

void check_same(const node_identity& a, const node_identity& b) {
  CHECK(a.cluster == b.cluster);
  CHECK(a.node == b.node);
  CHECK(a.directory == b.directory);
  CHECK(a.boot == b.boot);
  CHECK(a.founding == b.founding);
}

} // namespace

TEST_SUITE("transport/hello") {

  TEST_CASE("every field of a hello and its reply survives the wire") {
    auto x = good_hello();
    x.role = peer_role::client;
    const auto got = decode_hello(body_of(encode(x)));
    REQUIRE(got.ok());
    check_same(got->from, peer);
    CHECK(got->to == node_id{1});
    CHECK(got->role == peer_role::client);
    CHECK(got->version == protocol_version);
    CHECK(got->oldest_version == oldest_protocol_version);

    auto y = good_reply();
    y.refused = errc::identity_mismatch;
    y.reason = "no";
    const auto reply = decode_hello_reply(body_of(encode(y)));
    REQUIRE(reply.ok());
    check_same(reply->from, peer);
    CHECK(reply->refused == errc::identity_mismatch);
    CHECK(reply->reason == "no");
  }

  TEST_CASE("a truncated hello or reply is malformed at every byte, and so is what follows it") {
    for (auto body = body_of(encode(good_hello())); !body.empty();) {
      body.pop_back();
      CHECK_FALSE(decode_hello(body).ok());
    }
    for (auto body = body_of(encode(good_reply())); !body.empty();) {
      body.pop_back();
      CHECK_FALSE(decode_hello_reply(body).ok());
    }
    auto body = body_of(encode(good_hello()));
    body.push_back(std::byte{1});
    CHECK_FALSE(decode_hello(body).ok());
  }

  TEST_CASE("no flipped bit of a hello crashes") {
    auto body = body_of(encode(good_hello()));
    for (size_t bit = 0; bit < body.size() * 8; ++bit) {
      body[bit / 8] ^= std::byte{1} << (bit % 8);
      (void)decode_hello(body);
      (void)decode_hello_reply(body);
      body[bit / 8] ^= std::byte{1} << (bit % 8);
    }
  }

  TEST_CASE("a newer version's longer hello is understood far enough to refuse it") {
    auto x = good_hello();
    x.version = 3;
    x.oldest_version = 2;
    auto body = body_of(encode(x));
    body[0] = std::byte{0x9c}; // Twelve fields.
    body.push_back(std::byte{0xc0});
    const auto got = decode_hello(body);
    REQUIRE(got.ok());
    const auto verdict = check_hello(*got, self);
    REQUIRE_FALSE(verdict.ok());
    CHECK(verdict.reason().code == errc::version_mismatch);
    CHECK(has(verdict, "node 2 of cluster 46 speaks protocol version 2 to 3"));
    CHECK(has(verdict, "node 1 of cluster 46 speaks 1"));
  }

  TEST_CASE("a newer version that still speaks ours is welcome") {
    auto x = good_hello();
    x.version = 3;
    CHECK(check_hello(x, self).ok());
  }

  TEST_CASE("a wrong hello is refused naming what both sides are") {
    CHECK(check_hello(good_hello(), self).ok());
    auto x = good_hello();
    x.from.cluster = cluster_id{71};
    CHECK(has(check_hello(x, self), "node 2 of cluster 47 met node 1 of cluster 46"));
    x = good_hello();
    x.to = node_id{3};
    CHECK(has(check_hello(x, self), "dialled node 3 and reached node 1"));
    x = good_hello();
    x.from.node = self.node;
    CHECK(has(check_hello(x, self), "met itself or another node with its id"));
    x.from.node = {};
    CHECK(has(check_hello(x, self), "node 0"));
    x = good_hello();
    x.role = peer_role::client;
    CHECK(has(check_hello(x, self), "members only"));
  }

  TEST_CASE("a wrong node's reply is refused naming what was reached") {
    CHECK(check_hello_reply(good_reply(), self, peer.node).ok());
    CHECK(
      has(check_hello_reply(good_reply(), self, node_id{3}), "dialled node 3 and reached node 2"));
    auto x = good_reply();
    x.from.cluster = cluster_id{71};
    CHECK(has(check_hello_reply(x, self, peer.node), "the clusters differ"));
  }

  TEST_CASE("a peer's texts are cut and cleaned before they reach a log") {
    auto x = good_reply();
    x.refused = errc::identity_mismatch;
    x.reason = "line\nbreak" + std::string(5000, 'x');
    const auto encoded = encode(x);
    CHECK(encoded.size <= frame_header_bytes + hello_bytes_max);
    const auto got = decode_hello_reply(body_of(encoded));
    REQUIRE(got.ok());
    CHECK(got->reason.starts_with("line?break"));
    CHECK(got->reason.size() <= 600);
    x.from.founding.members = "1\n" + std::string(5000, '2');
    const auto founded = decode_hello_reply(body_of(encode(x)));
    REQUIRE(founded.ok());
    CHECK(founded->from.founding.members.starts_with("1?2"));
    CHECK(founded->from.founding.members.size() == membership::founding_text_bytes_max);
  }

  TEST_CASE("an acceptance with an error code, or a refusal without one, is malformed") {
    auto body = body_of(encode(good_reply()));
    for (auto& b : body)
      if (b == std::byte{0xc3})
        b = std::byte{0xc2};
    CHECK_FALSE(decode_hello_reply(body).ok());
  }
}

} // namespace caucus::transport
