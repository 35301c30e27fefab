// A reader that has a segment open while the log gives it up.

#include "persistence/segment_files.hpp"
#include "tests/support/forwarding_directory.hpp"
#include "tests/unit/persistence/recycle_fixture.hpp"

#include <functional>
#include <utility>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// Does something before a file is opened, and before one is read, once each.
struct hooks {
  std::function<void()> on_open;
  std::function<void()> on_read;
};

void run(std::function<void()>& hook) {
  if (const auto once = std::exchange(hook, nullptr))
    once();
}

class hooked_file final : public file {
public:
  hooked_file(std::unique_ptr<file> inner, hooks& todo) : inner_{std::move(inner)}, todo_{todo} {}

  result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    run(todo_.on_read);
    return inner_->read_at(offset, into);
  }
  result<void> write_at(uint64_t offset, std::span<const std::byte> bytes) override {
    return inner_->write_at(offset, bytes);
  }
  result<void> sync() override { return inner_->sync(); }
  result<void> allocate(uint64_t bytes) override { return inner_->allocate(bytes); }
  result<uint64_t> size() override { return inner_->size(); }

private:
  std::unique_ptr<file> inner_;
  hooks& todo_;
};

class hooked_directory final : public forwarding_directory {
public:
  hooked_directory(directory& inner, hooks& todo) : forwarding_directory{inner}, todo_{todo} {}

  result<std::unique_ptr<file>> open(std::string_view name) override {
    run(todo_.on_open);
    auto opened = forwarding_directory::open(name);
    if (!opened)
      return opened;
    return std::unique_ptr<file>{std::make_unique<hooked_file>(*std::move(opened), todo_)};
  }

private:
  hooks& todo_;
};

/// All of the group goes to the log's end, the oldest segments are given up, and the log goes on
/// over what they held.
void overwrite_all(wal& log, uint64_t& last) {
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 40; ++i) {
      ++last;
      log.add(group_b, entries(last, last, 1, std::string(500, 'y')));
      REQUIRE(log.commit(true).ok());
    }
    log.add(group_b, mark(boundary(last, 1), boundary(last, 1)));
    REQUIRE(log.commit(true).ok());
    segment_collector collector{log.reader()};
    while (log.usage().segments.size() > 2)
      REQUIRE(*collect_step(log, collector, 1 << 20) != collected::nothing);
  }
}

struct hooked_log {
  memory_disk disk;
  hooks todo;
  std::unique_ptr<directory> inner = *disk.open();
  hooked_directory dir{*inner, todo};
  std::unique_ptr<wal> log;
  uint64_t last = 0;

  hooked_log() {
    log = std::move(wal::open(dir, self, tiny_segments())->log);
    log->add(descriptor(group_a));
    log->add(descriptor(group_b, 8));
    log->add(group_a, entries(1, 8, 1, std::string(500, 'x')));
    REQUIRE(log->commit(true).ok());
  }

  /// What a reader finds, in the midst of whose work, at `when`, all is overwritten.
  std::vector<raft::entry_ptr> read_while_overwritten(std::function<void()>& when) {
    bool was_overwritten = false;
    when = [&] {
      overwrite_all(*log, last);
      was_overwritten = recycled_of(disk) > 0;
    };
    auto read = log->reader()->read(group_a, index_t{1}, index_t{8}, 1 << 20);
    if (!read)
      FAIL(to_string(read.reason()));
    CHECK(was_overwritten);
    return *std::move(read);
  }
};

} // namespace

TEST_SUITE("persistence/wal: segments are recycled beside readers") {
  TEST_CASE("what a reader has open keeps what it reads, though the log is written over the rest") {
    hooked_log x;
    const auto read = x.read_while_overwritten(x.todo.on_read);
    CHECK(ids(read) == "1@1 2@1 3@1 4@1 5@1 6@1 7@1 8@1");
    for (const auto& entry : read)
      CHECK(entry->body.payload.view() == std::string(500, 'x'));
  }

  TEST_CASE("a reader that comes too late for a segment reads where its entries are now") {
    hooked_log x;
    const auto read = x.read_while_overwritten(x.todo.on_open);
    CHECK(ids(read) == "1@1 2@1 3@1 4@1 5@1 6@1 7@1 8@1");
  }

  TEST_CASE("a segment is held as long as anybody has it open or is opening it") {
    memory_disk disk;
    disk.put(segment_name(1), bytes(8));
    disk.put(segment_name(2), bytes(8));
    hooks todo;
    const auto inner = *disk.open();
    hooked_directory dir{*inner, todo};
    segment_files files{dir, 1};
    auto one = *files.open(1);
    const auto two = *files.open(2); // Leaves no room for the first.
    CHECK(files.is_held(1));
    files.forget_upto(1);
    CHECK(files.is_held(1));
    one = nullptr;
    CHECK_FALSE(files.is_held(1));
    bool was_held = false;
    todo.on_open = [&] { was_held = files.is_held(1); };
    CHECK(files.open(1).ok());
    CHECK(was_held);
    CHECK_FALSE(files.is_held(1));
    CHECK(files.is_held(2));
  }
}
