// Snapshot files outside of data directories.

#include "persistence/backup_file.hpp"
#include "tests/unit/persistence/snapshot_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// An empty directory on the real disk that goes with the test.
struct place {
  std::filesystem::path dir;

  place() {
    auto pattern = (std::filesystem::temp_directory_path() / "caucus-backup-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    dir = pattern;
  }
  ~place() { std::filesystem::remove_all(dir); }

  [[nodiscard]] std::string path(const std::string& name = "backup") const {
    return (dir / name).string();
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& x : std::filesystem::directory_iterator{dir})
      found.push_back(x.path().filename().string());
    return found;
  }
  [[nodiscard]] std::string content(const std::string& name = "backup") const {
    std::ifstream from{path(name)};
    return {std::istreambuf_iterator<char>{from}, {}};
  }
};

result<void> write(const std::string& path, std::string_view content, bool may_replace = false) {
  auto file = backup_file::create(path, may_replace);
  if (!file)
    return std::move(file).reason();
  if (auto done = file->write_at(0, std::as_bytes(std::span{content})); !done)
    return done;
  if (auto done = file->sync(); !done)
    return done;
  return file->publish();
}

} // namespace

TEST_SUITE("persistence/backup_file") {

  TEST_CASE("a file has its name once it is published, and no other name is left") {
    const place here;
    {
      auto file = backup_file::create(here.path(), false);
      REQUIRE(file.ok());
      CHECK_FALSE(std::filesystem::exists(here.path()));
      REQUIRE(file->write_at(0, content_of(10)).ok());
      CHECK(std::filesystem::exists(file->temporary_path()));
    }
    CHECK(here.names().empty()); // Given up.
    REQUIRE(write(here.path(), "one").ok());
    CHECK(here.names() == std::vector<std::string>{"backup"});
    CHECK(here.content() == "one");
  }

  TEST_CASE("what is there is replaced only on request") {
    const place here;
    REQUIRE(write(here.path(), "one").ok());
    auto refused = write(here.path(), "two");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::already_exists);
    CHECK(says(refused.reason(), here.path()));
    CHECK(here.content() == "one");
    REQUIRE(write(here.path(), "three", true).ok());
    CHECK(here.content() == "three");
  }

  TEST_CASE("what came there meanwhile is not replaced") {
    const place here;
    auto file = backup_file::create(here.path(), false);
    REQUIRE(file.ok());
    REQUIRE(file->sync().ok());
    std::ofstream{here.path()} << "meanwhile";
    auto refused = file->publish();
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::already_exists);
    CHECK(here.content() == "meanwhile");
  }

  TEST_CASE("a snapshot is read whatever its file is called") {
    const place here;
    const auto bytes = encoded_snapshot(header_at(5), content_of(200));
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    REQUIRE(write(here.path("any name"), text).ok());
    auto opened = open_snapshot_file(here.path("any name"));
    REQUIRE(opened.ok());
    CHECK(opened->header().at.last.index == index_t{5});
    CHECK(opened->verify().ok());
    REQUIRE(write(here.path("cut"), text.substr(0, text.size() - 1)).ok());
    auto cut = open_snapshot_file(here.path("cut"));
    REQUIRE_FALSE(cut.ok());
    CHECK(cut.reason().code == errc::malformed);
    CHECK(says(cut.reason(), here.path("cut")));
    CHECK(open_snapshot_file(here.path("none")).reason().code == errc::not_found);
  }

} // TEST_SUITE
