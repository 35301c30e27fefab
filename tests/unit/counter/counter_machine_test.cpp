#include "apps/counter/counter_command.hpp"
#include "apps/counter/counter_machine.hpp"

#include "tests/support/memory_snapshot.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace counter;

namespace {

caucus::apply_result feed(counter_machine& machine, std::string_view bytes) {
  return machine.apply({}, caucus::shared_bytes::copy_of(bytes));
}

std::optional<int64_t> run(counter_machine& machine, const counter_command& command) {
  auto reply = feed(machine, encode(command));
  REQUIRE(reply.ok());
  return decode_count(reply->view());
}

} // namespace

TEST_SUITE("counter/machine") {
  TEST_CASE("every command survives its encoding, and only whole commands decode") {
    for (auto x : {counter_command{verb::get}, counter_command{verb::add, 1},
                   counter_command{verb::add, std::numeric_limits<int64_t>::min()},
                   counter_command{verb::add, std::numeric_limits<int64_t>::max()}}) {
      auto bytes = encode(x);
      CHECK(decode_command(bytes) == x);
      for (size_t n = 0; n < bytes.size(); ++n)
        CHECK((n == 2 && x.what == verb::get ? true : !decode_command(bytes.substr(0, n))));
      CHECK_FALSE(decode_command(bytes + "x"));
      bytes[0] = 2;
      CHECK_FALSE(decode_command(bytes));
    }
    CHECK_FALSE(decode_command("\1\3"));
    CHECK(decode_count(encode_count(-7)) == -7);
    CHECK_FALSE(decode_count("short"));
  }

  TEST_CASE("add replies with the count after it, get with the count") {
    counter_machine machine;
    CHECK(run(machine, {verb::add, 5}) == 5);
    CHECK(run(machine, {verb::add, -7}) == -2);
    CHECK(run(machine, {verb::get}) == -2);
    CHECK(machine.describe() == "{\"count\":-2}");
  }

  TEST_CASE("an addition that would overflow and foreign bytes are refused and change nothing") {
    counter_machine machine;
    auto max = std::numeric_limits<int64_t>::max();
    CHECK(run(machine, {verb::add, max}) == max);
    auto digest = machine.digest();
    CHECK(feed(machine, encode({verb::add, 1})).reason().code == caucus::errc::rejected_by_machine);
    CHECK(feed(machine, "what?").reason().code == caucus::errc::rejected_by_machine);
    CHECK(feed(machine, "").reason().code == caucus::errc::rejected_by_machine);
    CHECK(machine.digest() == digest);
    CHECK(run(machine, {verb::get}) == max);
  }

  TEST_CASE("digests are equal for equal counts only") {
    counter_machine a, b;
    CHECK(a.digest() == b.digest());
    run(a, {verb::add, 1});
    CHECK(a.digest() != b.digest());
    run(b, {verb::add, 3});
    run(b, {verb::add, -2});
    CHECK(a.digest() == b.digest());
  }

  TEST_CASE("a loaded snapshot is the count, also a negative one, and a short one is refused") {
    counter_machine from;
    run(from, {verb::add, -3});
    caucus::testing::memory_sink snapshot;
    REQUIRE(from.take_view()->write(snapshot).ok());
    counter_machine into;
    run(into, {verb::add, 9});
    caucus::testing::memory_source whole{snapshot.bytes};
    REQUIRE(into.restore(whole).ok());
    CHECK(into.digest() == from.digest());
    snapshot.bytes.pop_back();
    caucus::testing::memory_source cut{snapshot.bytes};
    CHECK_FALSE(into.restore(cut).ok());
  }
}
