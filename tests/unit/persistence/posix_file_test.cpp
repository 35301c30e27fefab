#include "persistence/posix_file.hpp"

#include "tests/unit/persistence/wal_fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace caucus;
using namespace caucus::testing;
namespace fs = std::filesystem;

namespace {

/// A directory of the test's own, gone with it.
class scratch {
public:
  scratch() {
    auto pattern = (fs::temp_directory_path() / "caucus-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { fs::remove_all(path_); }

  [[nodiscard]] std::string sub(const std::string& name) const { return (path_ / name).string(); }

private:
  fs::path path_;
};

mode_t mode_of(const std::string& path) {
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::unique_ptr<persistence::directory> open_dir(const std::string& path) {
  auto opened = persistence::open_posix_directory(path);
  if (!opened)
    FAIL(to_string(opened.reason()));
  return *std::move(opened);
}

} // namespace

TEST_SUITE("persistence/posix_file") {

  TEST_CASE("a removed file gives its blocks back in pieces") {
    scratch tmp;
    auto dir = open_dir(tmp.sub("data"));
    auto file = *dir->create("x");
    REQUIRE(file->allocate(1 << 20).ok());
    REQUIRE(dir->remove("x").ok());
    CHECK(*file->size() == 1 << 20);
    file->shrink(1 << 18);
    CHECK(*file->size() == 1 << 18);
    file->shrink(0);
    CHECK(*file->size() == 0);
  }

  TEST_CASE("a new directory is the owner's alone, and so are its files") {
    scratch tmp;
    auto dir = open_dir(tmp.sub("data"));
    REQUIRE(dir->create("x").ok());
    CHECK(mode_of(tmp.sub("data")) == 0700);
    CHECK(mode_of(tmp.sub("data/x")) == 0600);
    CHECK(mode_of(tmp.sub("data/lock")) == 0600);
    CHECK(*dir->list() == std::vector<std::string>{"x"});
  }

  TEST_CASE("reads what was written, up to the end of the file") {
    scratch tmp;
    auto dir = open_dir(tmp.sub("data"));
    auto opened = *dir->create("x");
    REQUIRE(opened->allocate(10'000).ok());
    CHECK(*opened->size() == 10'000);
    const std::vector<std::byte> bytes(100, std::byte{7});
    REQUIRE(opened->write_at(9'950, bytes).ok());
    opened->begin_writing(9'950, 100);
    REQUIRE(opened->await_writing(9'950, 100).ok());
    REQUIRE(opened->sync().ok());
    CHECK(*opened->size() == 10'050);
    std::vector<std::byte> back(200);
    CHECK(*opened->read_at(9'940, back) == 110);
    CHECK(back[9] == std::byte{0});
    CHECK(back[10] == std::byte{7});
    CHECK(*opened->read_at(20'000, back) == 0);
    REQUIRE(dir->rename("x", "y").ok());
    CHECK(dir->open("x").reason().code == errc::not_found);
    CHECK(dir->open("y").ok());
    REQUIRE(dir->remove("y").ok());
    CHECK(dir->remove("y").reason().code == errc::not_found);
    CHECK(dir->sync().ok());
  }

  TEST_CASE("a directory in use is refused by path and holder, also after kill -9 (O-06)") {
    scratch tmp;
    const auto path = tmp.sub("data");
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto held = persistence::open_posix_directory(path);
      const char told = held ? 'y' : 'n';
      if (::write(ready[1], &told, 1) != 1)
        ::_exit(1);
      ::pause();
      ::_exit(0);
    }
    char told = 0;
    REQUIRE(::read(ready[0], &told, 1) == 1);
    REQUIRE(told == 'y');
    const auto refused = persistence::open_posix_directory(path);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::in_use);
    CHECK(refused.reason().what.find(path) != std::string::npos);
    CHECK(refused.reason().what.find("pid " + std::to_string(child)) != std::string::npos);
    REQUIRE(::kill(child, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(persistence::open_posix_directory(path).ok());
    ::close(ready[0]);
    ::close(ready[1]);
  }

  TEST_CASE("a directory that can't be made or isn't one is refused by name") {
    scratch tmp;
    const auto missing = persistence::open_posix_directory(tmp.sub("no/such/parent"));
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.reason().what.find("no/such/parent") != std::string::npos);
    auto dir = open_dir(tmp.sub("data"));
    REQUIRE(dir->create("plain").ok());
    CHECK_FALSE(persistence::open_posix_directory(tmp.sub("data/plain")).ok());
  }

  TEST_CASE("a full disk is no_space, with the file's name (E-07)") {
    scratch tmp;
    const int full = ::open("/dev/full", O_RDWR | O_CLOEXEC);
    if (full < 0) {
      MESSAGE("no /dev/full here");
      return;
    }
    persistence::posix_file file{full, "/dev/full"};
    const std::vector<std::byte> bytes(10);
    const auto failed = file.write_at(0, bytes);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.reason().code == errc::no_space);
    CHECK(failed.reason().what.find("/dev/full") != std::string::npos);
  }

  TEST_CASE("what can't be written out is told, with the file's name") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    ::close(ends[0]);
    persistence::posix_file file{ends[1], "a pipe"}; // There is no disk behind it.
    const auto failed = file.await_writing(0, 1);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.reason().code == errc::io_failed);
    CHECK(failed.reason().what.find("cannot write out a pipe") != std::string::npos);
  }

  TEST_CASE("E-05 no file more may be opened: that passes, and says what to do") {
    scratch tmp;
    auto dir = open_dir(tmp.sub("data"));
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const auto next = ::dup(STDERR_FILENO); // The first number that is free, and so the limit.
    REQUIRE(::close(next) == 0);
    const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const auto failed = dir->create("one-more");
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.reason().code == errc::no_space);
    CHECK(failed.reason().what.find("ulimit -n") != std::string::npos);
    CHECK(dir->create("one-more").ok());
  }

  TEST_CASE("the log works on the real disk and survives kill -9 at any moment (O-01)") {
    scratch tmp;
    const auto path = tmp.sub("data");
    persistence::wal_options options;
    options.segment_bytes = 256 << 10;
    options.zero_ahead_bytes = 64 << 10;
    uint64_t last_told = 0;
    for (int round = 0; round < 8; ++round) {
      int told[2];
      REQUIRE(::pipe(told) == 0);
      const auto child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        auto dir = persistence::open_posix_directory(path);
        auto opened = dir ? persistence::wal::open(**dir, self, options)
                          : result<persistence::opened_wal>{dir.reason()};
        if (!opened)
          ::_exit(1);
        uint64_t next =
          opened->recovery.groups.empty() ? 1 : opened->recovery.groups[0].last.value() + 1;
        opened->log->add(descriptor(group_a));
        for (;; ++next) {
          opened->log->add(group_a, entries(next, next, 1, std::string(200, 'x')));
          if (!opened->log->commit(true) || ::write(told[1], &next, sizeof next) != sizeof next)
            ::_exit(1);
        }
      }
      ::close(told[1]);
      // Let it acknowledge some, then kill it in the midst of whatever it does.
      uint64_t seen = 0;
      for (int i = 0; i < 20 + 11 * round; ++i)
        REQUIRE(::read(told[0], &seen, sizeof seen) == sizeof seen);
      REQUIRE(::kill(child, SIGKILL) == 0);
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      while (::read(told[0], &seen, sizeof seen) == sizeof seen)
        last_told = seen;
      last_told = std::max(last_told, seen);
      ::close(told[0]);
      auto dir = open_dir(path);
      auto opened = persistence::wal::open(*dir, self, options);
      REQUIRE(opened.ok());
      REQUIRE(opened->recovery.groups.size() == 1);
      REQUIRE(opened->recovery.groups[0].last.value() >= last_told);
    }
    CHECK(last_told > 400);
  }

} // TEST_SUITE
