#include "transport/send_queue.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace caucus::transport {

namespace {

using outcome = send_queue::outcome;

/// A queue that writes into one end of a socket pair; the test reads the other.
struct pair_of_sockets {
  explicit pair_of_sockets(uint64_t bytes_max = 1 << 30) {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both) == 0);
    near = both[0];
    far = both[1];
    queue = std::make_unique<send_queue>(near, bytes_max);
  }
  ~pair_of_sockets() {
    ::close(near);
    if (far >= 0)
      ::close(far);
  }

  static frame make(char name, uint32_t size, bool is_urgent = false) {
    frame x{std::make_unique<std::byte[]>(size), size, is_urgent};
    std::memset(x.data.get(), name, size);
    return x;
  }
  outcome push(char name, uint32_t size, bool is_urgent = false) {
    std::vector<frame> frames;
    frames.push_back(make(name, size, is_urgent));
    return queue->push(std::move(frames));
  }
  /// Everything that is written now and later, each run of one letter as that letter.
  std::string drain() {
    std::string names;
    std::vector<char> bytes(1 << 20);
    for (;;) {
      const auto n = ::recv(far, bytes.data(), bytes.size(), 0);
      if (n <= 0) {
        if (queue->is_empty() || queue->resume() == outcome::failed)
          return names;
        continue;
      }
      for (ssize_t i = 0; i < n; ++i)
        if (names.empty() || names.back() != bytes[static_cast<size_t>(i)])
          names.push_back(bytes[static_cast<size_t>(i)]);
      read += static_cast<size_t>(n);
    }
  }

  int near = -1;
  int far = -1;
  size_t read = 0;
  std::unique_ptr<send_queue> queue;
};

constexpr uint32_t more_than_a_socket_holds = 4 << 20;

} // namespace

TEST_SUITE("transport/send_queue") {

  TEST_CASE("an idle socket is written by the sender itself") {
    pair_of_sockets x;
    CHECK(x.push('a', 10) == outcome::done);
    CHECK(x.queue->is_empty());
    CHECK(x.queue->written() == 10);
    CHECK(x.drain() == "a");
  }

  TEST_CASE("what a full socket does not take waits, and order is kept") {
    pair_of_sockets x;
    CHECK(x.push('a', more_than_a_socket_holds) == outcome::blocked);
    for (char name = 'b'; name <= 'z'; ++name)
      CHECK(x.push(name, 5000) == outcome::done); // Left to who resumes.
    CHECK_FALSE(x.queue->is_empty());
    CHECK(x.drain() == "abcdefghijklmnopqrstuvwxyz");
    CHECK(x.read == more_than_a_socket_holds + 25 * 5000);
    CHECK(x.queue->is_empty());
  }

  TEST_CASE("urgent frames overtake what waits, and never cut a frame in two") {
    pair_of_sockets x;
    CHECK(x.push('a', more_than_a_socket_holds) == outcome::blocked);
    x.push('b', 1000);
    x.push('c', 1000);
    x.push('U', 100, true);
    x.push('V', 100, true);
    CHECK(x.drain() == "aUVbc");
  }

  TEST_CASE("urgent frames pass a queue that is longer than one write") {
    pair_of_sockets x;
    CHECK(x.push('a', more_than_a_socket_holds) == outcome::blocked);
    for (int i = 0; i < 1000; ++i)
      x.push(i % 2 == 0 ? 'b' : 'c', 1000);
    x.push('U', 100, true);
    CHECK(x.drain().starts_with("aUbc"));
  }

  TEST_CASE("the limit counts what waits, and takes all frames of a push or none") {
    pair_of_sockets x{more_than_a_socket_holds + 1000};
    CHECK(x.push('a', more_than_a_socket_holds) == outcome::blocked);
    CHECK(x.push('b', 600) == outcome::done);
    std::vector<frame> two;
    two.push_back(pair_of_sockets::make('c', 300));
    two.push_back(pair_of_sockets::make('d', 300));
    CHECK(x.queue->push(std::move(two)) == outcome::full);
    CHECK(x.push('e', 400) == outcome::done);
    CHECK(x.queue->is_full());
    CHECK(x.push('f', 1) == outcome::full);
    CHECK(x.drain() == "abe");
    CHECK_FALSE(x.queue->is_full());
    CHECK(x.push('g', 100) == outcome::done);
  }

  TEST_CASE("a broken socket is reported, a closed queue takes nothing") {
    pair_of_sockets x;
    ::close(std::exchange(x.far, -1));
    CHECK(x.push('a', 10) == outcome::failed);
    CHECK(x.queue->last_errno() == EPIPE);
    x.queue->close();
    CHECK(x.push('b', 10) == outcome::closed);
  }

  TEST_CASE("who was refused is told once, when half of the limit is free again") {
    pair_of_sockets sockets{1'000'000};
    CHECK(sockets.push('a', 900'000) == outcome::blocked);
    CHECK_FALSE(sockets.queue->takes_again()); // Nobody asked.
    SUBCASE("by its push") { CHECK(sockets.push('b', 200'000) == outcome::full); }
    SUBCASE("by its question") {
      CHECK(sockets.queue->has_room(100'000));
      CHECK_FALSE(sockets.queue->has_room(200'000));
    }
    CHECK_FALSE(sockets.queue->takes_again());
    sockets.drain();
    CHECK(sockets.queue->takes_again());
    CHECK_FALSE(sockets.queue->takes_again());
    CHECK(sockets.queue->has_room(1'000'000));
  }

  TEST_CASE("a closed queue has room, so that its push can say what is wrong") {
    pair_of_sockets sockets{10};
    sockets.queue->close();
    CHECK(sockets.queue->has_room(100));
    CHECK(sockets.push('a', 100) == outcome::closed);
  }
}

} // namespace caucus::transport
