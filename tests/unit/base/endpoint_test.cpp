#include "base/endpoint.hpp"

#include <doctest/doctest.h>

namespace caucus {

TEST_SUITE("base/endpoint") {

  TEST_CASE("an address is parsed into host and port, and written as it was") {
    struct {
      const char* text;
      const char* host;
      uint16_t port;
    } const cases[] = {
      {"localhost:4001", "localhost", 4001},
      {"127.0.0.1:0", "127.0.0.1", 0},
      {"[::1]:65535", "::1", 65535},
      {"[fe80::1%eth0]:7", "fe80::1%eth0", 7},
      {"node-1.example.org:1", "node-1.example.org", 1},
      {":80", "", 80},
    };
    for (const auto& x : cases) {
      const auto got = parse_endpoint(x.text);
      REQUIRE_MESSAGE(got.ok(), x.text);
      CHECK(got->host == x.host);
      CHECK(got->port == x.port);
      CHECK(to_string(*got) == x.text);
    }
  }

  TEST_CASE("what is no address is refused with the text and what is wrong with it") {
    struct {
      std::string text;
      const char* why;
    } const cases[] = {
      {"localhost", "no port"},
      {"", "no port"},
      {"localhost:", "not a number"},
      {"localhost:x", "not a number"},
      {"localhost:-1", "not a number"},
      {"localhost:+1", "not a number"},
      {"localhost: 1", "not a number"},
      {"localhost:1 ", "not a number"},
      {"localhost:0x10", "not a number"},
      {"localhost:65536", "not a number"},
      {"localhost:99999999999999999999", "not a number"},
      {"::1:80", "needs brackets"},
      {"[::1:80", "needs brackets"},
      {"[::1]", "not"},
      {"local host:80", "no address has"},
      {"host\n:80", "no address has"},
      {"h\xc3\xb6st:80", "no address has"},
      {std::string(254, 'x') + ":80", "253"},
    };
    for (const auto& x : cases) {
      const auto got = parse_endpoint(x.text);
      REQUIRE_FALSE_MESSAGE(got.ok(), x.text);
      CHECK(got.reason().code == errc::invalid_argument);
      CHECK_MESSAGE(got.reason().what.find(x.why) != std::string::npos, got.reason().what);
      CHECK(got.reason().what.find("'" + x.text + "'") != std::string::npos);
    }
  }

  TEST_CASE("hosts that mean every address are told from those that others can reach") {
    for (const char* host : {"", "0.0.0.0", "::", "*"})
      CHECK(is_unspecified({host, 1}));
    for (const char* host : {"127.0.0.1", "::1", "localhost", "0.0.0.1"})
      CHECK_FALSE(is_unspecified({host, 1}));
  }
}

} // namespace caucus
