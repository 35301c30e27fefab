#include "transport/backoff.hpp"

#include <doctest/doctest.h>

namespace caucus::transport {

TEST_SUITE("transport/backoff") {

  TEST_CASE("doubles up to its limit, never less than half of it, and starts over") {
    using std::chrono::milliseconds;
    backoff x{milliseconds{20}, milliseconds{1000}, 1};
    for (int64_t whole : {20, 40, 80, 160, 320, 640, 1000, 1000, 1000}) {
      const auto pause = x.next().count();
      CHECK(pause >= whole / 2);
      CHECK(pause <= whole);
    }
    for (int i = 0; i < 100; ++i)
      CHECK(x.next() <= milliseconds{1000});
    x.reset();
    CHECK(x.next() <= milliseconds{20});
  }

  TEST_CASE("two peers with different seeds don't return at once") {
    using std::chrono::milliseconds;
    backoff one{milliseconds{1000}, milliseconds{1000}, 1};
    backoff two{milliseconds{1000}, milliseconds{1000}, 2};
    int same = 0;
    for (int i = 0; i < 20; ++i)
      same += one.next() == two.next() ? 1 : 0;
    CHECK(same < 3);
  }
}

} // namespace caucus::transport
