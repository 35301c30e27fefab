#pragma once

#include "actors/wal_writer.hpp"
#include "apps/sim/disk/memory_directory.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>

namespace caucus::testing {

inline constexpr group_id group{0xa};
inline constexpr std::chrono::seconds patience{20};
inline constexpr size_t large = 20 << 10;
inline constexpr size_t small = 100;

inline persistence::group_descriptor make_group() {
  persistence::group_descriptor x;
  x.group = group;
  x.generation = 1;
  x.name = "group";
  x.uid = replica_uid{1};
  x.members.voters = {node_id{1}};
  x.members.addresses[node_id{1}] = {"localhost", 1};
  return x;
}

/// A log's writer on a thread of its own, and a mailbox for all that it says: to replicas and to
/// the node.
class running_writer {
public:
  explicit running_writer(persistence::wal_options options = {})
    : system_{config_}, self_{system_}, home_{system_, "test.wal"} {
    directory_ = *disk_.open();
    auto log =
      std::move(persistence::wal::open(*directory_, {cluster_id{1}, node_id{1}}, options)->log);
    log->add(make_group());
    REQUIRE(log->commit(true).ok());
    REQUIRE(log->reserve().ok());
    reader_ = log->reader();
    auto node = std::make_shared<node_context>();
    node->environment = make_production_environment();
    node->supervisor = caf::actor_cast<node_actor>(self_);
    disk_.on_call([this](const disk_call& call) { return on_call(call); });
    home_.start();
    caf::actor_config config{home_.home()};
    writer_ =
      caf::actor_cast<wal_writer_actor>(system_.spawn_class<wal_writer, caf::no_spawn_options>(
        config, home_.home(), std::move(log), std::move(node)));
  }

  ~running_writer() {
    disk_.hold_syncs(false);
    close();
    home_.stop();
  }

  void close() {
    if (!writer_)
      return;
    caf::anon_send(writer_, wal_close{});
    self_->wait_for(std::exchange(writer_, nullptr));
  }

  void append(uint64_t index, size_t bytes) {
    raft::persist_batch batch;
    batch.seq = persist_seq{index};
    batch.must_sync = true;
    batch.entries.push_back(std::make_shared<const raft::entry>(
      raft::entry{.id = {index_t{index}, term_t{1}},
                  .body = {.payload = shared_bytes::copy_of(std::string(bytes, 'x'))}}));
    caf::anon_send(writer_, wal_append{group, batch, caf::actor_cast<replica_actor>(self_)});
  }

  /// One step of collecting.
  gc_carried collect(std::optional<persistence::carried> content) {
    caf::anon_send(writer_,
                   wal_collect{std::move(content), 1 << 20, caf::actor_cast<gc_actor>(self_)});
    gc_carried told;
    self_->receive([&](const gc_carried& x) { told = x; });
    return told;
  }

  /// Whether so many batches have been written, soon.
  bool wait_for_writes(int count) {
    std::unique_lock guard{mutex_};
    return called_.wait_for(guard, patience, [&] { return writes_ >= count; });
  }
  /// Batches 1 and 2 are written, and their syncs begun; they don't end while syncs are held.
  void begin_two() {
    for (int i = 1; i <= 2; ++i) {
      append(static_cast<uint64_t>(i), large);
      REQUIRE(wait_for_writes(i));
    }
  }
  /// Until it has handled what was sent to it, so many times.
  void wait_for_turns(int count) {
    for (; count > 0; --count) {
      caf::anon_send(writer_, wal_usage{caf::actor_cast<gc_actor>(self_)});
      self_->receive([](const gc_usage&) {});
    }
  }
  int writes() {
    const std::lock_guard guard{mutex_};
    return writes_;
  }
  /// All from now on: which of two that are released together comes first, nobody knows.
  void fail_syncs() {
    const std::lock_guard guard{mutex_};
    fails_ = true;
  }

  /// What is said next: "persisted N" or "failed: why"; nothing for long: "".
  std::string next_word() {
    std::string word;
    self_->receive(
      [&](const group_persisted& x) { word = "persisted " + std::to_string(x.upto.value()); },
      [&](const node_wal_failed& x) { word = "failed: " + x.reason.what; },
      caf::after(patience) >> [] {});
    return word;
  }
  bool says_nothing_more() {
    bool is_silent = false;
    self_->receive([](const group_persisted&) {}, [](const node_wal_failed&) {},
                   caf::after(std::chrono::seconds{0}) >> [&] { is_silent = true; });
    return is_silent;
  }

  memory_disk& disk() { return disk_; }
  persistence::log_reader& reader() { return *reader_; }
  std::shared_ptr<persistence::log_reader> shared_reader() { return reader_; }

private:
  std::optional<error> on_call(const disk_call& call) {
    const std::lock_guard guard{mutex_};
    if (call.kind == disk_call::kind::write && call.bytes.size() > 48
        && std::to_integer<char>(call.bytes[0]) == 'C')
      ++writes_;
    called_.notify_all();
    if (call.kind != disk_call::kind::sync || !fails_)
      return std::nullopt;
    return error{errc::io_failed, "cannot sync " + std::string{call.name} + ": planted"};
  }

  caf::actor_system_config config_;
  caf::actor_system system_;
  caf::scoped_actor self_;
  memory_disk disk_;
  std::unique_ptr<persistence::directory> directory_;
  std::shared_ptr<persistence::log_reader> reader_;
  worker home_;
  wal_writer_actor writer_;
  std::mutex mutex_; ///< Guards what follows.
  std::condition_variable called_;
  int writes_ = 0;     ///< Of batches.
  bool fails_ = false; ///< Each sync.
};

} // namespace caucus::testing
