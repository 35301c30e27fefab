#include "tests/support/session_replica.hpp"

#include <doctest/doctest.h>

using namespace caucus;
using namespace caucus::raft;

TEST_SUITE("raft/sessions_codec") {
  TEST_CASE("session commands survive encoding") {
    for (const session_command& x :
         {session_command{open_session{5 * second, 7, 9}}, session_command{close_session{}}}) {
      const auto again = decode_session_command(encode(x).span());
      REQUIRE(again.ok());
      CHECK(*again == x);
    }
  }

  TEST_CASE("the bytes of an open are fixed") {
    const auto bytes = encode(open_session{0x0102030405060708, 0x0a0b0c0d, 0x11});
    const std::string_view expected{"\x01\x01\x08\x07\x06\x05\x04\x03\x02\x01\x0d\x0c\x0b\x0a"
                                    "\x11\0\0\0\0\0\0\0",
                                    22};
    CHECK(bytes.view() == expected);
    CHECK(encode(close_session{}).view() == "\x01\x02");
  }

  TEST_CASE("cut, long, foreign and absurd session commands are refused") {
    const auto good = encode(open_session{second, 1});
    for (size_t size = 0; size < good.size(); ++size)
      CHECK_FALSE(decode_session_command(good.span().first(size)).ok());
    CHECK_FALSE(decode_session_command(shared_bytes::copy_of("\x01\x02\x03").span()).ok());
    CHECK_FALSE(decode_session_command(shared_bytes::copy_of("\x01\x07").span()).ok());
    const auto newer = decode_session_command(shared_bytes::copy_of("\x02\x02").span());
    REQUIRE_FALSE(newer.ok());
    CHECK(newer.reason().code == errc::version_mismatch);
    for (const auto& x : {open_session{0, 1}, open_session{-1, 1}, open_session{second, 0},
                          open_session{second, 1, 0}, open_session{INT64_MAX, 1}})
      CHECK_FALSE(decode_session_command(encode(x).span()).ok());
  }

  TEST_CASE("a saved table comes back the same and goes on the same") {
    session_replica one;
    const auto id = one.open();
    one.open({10 * second, 10});
    for (uint64_t i = 1; i <= 30; ++i)
      one.send(id, i, i > 10 ? i - 10 : 1);
    const auto bytes = one.table.save();
    auto again = session_table::load(bytes);
    REQUIRE(again.ok());
    CHECK(again->save() == bytes);
    CHECK(again->digest() == one.table.digest());
    CHECK(again->applied() == one.table.applied());
    CHECK(again->reply_bytes() == one.table.reply_bytes());
    one.restart();
    one.now += 11 * second;
    CHECK(one.send(id, 30, 20).outcome.reply.view() == "reply of 32");
    CHECK(one.table.size() == 1);
  }

  TEST_CASE("a cut or longer table is refused at every length") {
    session_replica one;
    const auto id = one.open();
    one.open();
    one.send(id, 1);
    one.send(id, 2);
    auto bytes = one.table.save();
    for (size_t size = 0; size < bytes.size(); ++size)
      CHECK_FALSE(session_table::load(std::span{bytes}.first(size)).ok());
    bytes.push_back({});
    CHECK_FALSE(session_table::load(bytes).ok());
  }

  TEST_CASE("a table with any byte changed never crashes the loader") {
    session_replica one;
    const auto id = one.open();
    one.open();
    one.send(id, 1);
    one.send(id, 2);
    const auto good = one.table.save();
    for (size_t at = 0; at < good.size(); ++at)
      for (int bit = 0; bit < 8; ++bit) {
        auto bad = good;
        bad[at] ^= std::byte{static_cast<uint8_t>(1 << bit)};
        // What still loads is at least consistent in itself.
        if (auto loaded = session_table::load(bad); loaded.ok())
          CHECK(loaded->save() == bad);
      }
  }

  TEST_CASE("digests differ when a reply, a time or a sequence differs") {
    session_replica one, other;
    const auto id = one.open();
    other.open();
    CHECK(one.table.digest() == other.table.digest());
    one.send(id, 1);
    other.now += 1;
    other.send(id, 1);
    CHECK(one.table.digest() != other.table.digest());
  }
}
