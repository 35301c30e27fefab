#include "actors/gc.hpp"

namespace caucus {

namespace {

/// How often the log's size is looked at while there is nothing to do.
constexpr std::chrono::milliseconds idle_pause{100};
/// How often a segment that couldn't be read is tried again: the failure may have passed.
constexpr std::chrono::minutes unreadable_pause{1};
/// What keeps the segment may go by itself.
constexpr std::chrono::milliseconds stuck_pause{10};
/// What one step reads, and the writer writes beside what the groups append.
constexpr uint64_t step_bytes = uint64_t{64} << 10;
/// Of a removed segment that is given back at a time. Other files' syncs wait meanwhile, longer the
/// more it is: 40 ms for 64 MiB on a file system that tells its device of free blocks.
constexpr uint64_t piece_bytes = uint64_t{1} << 20;
/// With less that lives, a segment goes on a full disk.
constexpr uint64_t little_bytes = uint64_t{256} << 10;
/// So many groups at a time are told that the log's front is theirs.
constexpr size_t told_max = 16;
/// While the disk is full they are told at every so many looks: what a snapshot needs may be
/// missing, too, and a large one is written for nothing then.
constexpr uint64_t full_looks_per_ask = 10;

} // namespace

gc::gc(caf::actor_config& cfg, caf::execution_unit* home,
       std::shared_ptr<persistence::log_reader> reader, node_context_ptr node)
  : on_worker{cfg, home},
    collector_{std::move(reader)},
    node_{std::move(node)},
    pace_{node_->options.gc_bytes_per_second} {}

gc_actor::behavior_type gc::make_behavior() {
  go_on(idle_pause);
  return {
    [this](gc_look) { look(); },
    [this](const gc_usage& x) { on_usage(x); },
    [this](const gc_carried& x) { on_carried(x); },
  };
}

void gc::go_on(std::chrono::nanoseconds pause) { delayed_send(this, pause, gc_look{}); }

void gc::look() {
  const auto pause = pace_.pause(node_->log_bytes.load(std::memory_order_relaxed));
  if (pause.count() > 0 && node_->room.is_there())
    go_on(pause);
  else if (removed_)
    give_back();
  else
    send(node_->wal, wal_usage{gc_actor{this}});
}

void gc::give_back() {
  // On a full disk all at once: it may be the room that is missing.
  const auto bytes =
    node_->room.is_there() ? std::min(piece_bytes, removed_bytes_) : removed_bytes_;
  removed_bytes_ -= bytes;
  if (removed_bytes_ > 0)
    removed_->shrink(removed_bytes_);
  else
    removed_.reset();
  pace_.work(bytes);
  send(this, gc_look{});
}

void gc::on_usage(const gc_usage& x) {
  if (x.usage.segments.empty()) {
    go_on(idle_pause);
    return;
  }
  if (is_worth_it(x.usage)) {
    full_looks_ = 0;
    step(x.usage.segments.front().sequence);
    return;
  }
  pace_.rest(node_->log_bytes.load(std::memory_order_relaxed));
  // On a full disk there is no room to write again what lives: snapshots let it go.
  if (node_->room.is_there())
    full_looks_ = 0;
  else if (full_looks_++ % full_looks_per_ask == 0)
    ask_for_snapshots(x.holders);
  go_on(idle_pause);
}

void gc::ask_for_snapshots(const std::vector<persistence::log_usage::holder>& holders) {
  for (size_t i = 0; i < std::min(holders.size(), told_max); ++i)
    if (auto replica = node_->routes.find(holders[i].group))
      send(replica, group_make_snapshot{holders[i].last});
}

bool gc::is_worth_it(const persistence::log_usage& x) const {
  if (node_->room.is_there())
    return x.wants_collection(node_->options.segment_bytes);
  // On a full disk each segment counts: it may be all that is missing. What is left of the current
  // one is for votes, unless a little of it sets one free.
  const auto& oldest = x.segments.front();
  return x.can_collect() && oldest.live_bytes <= std::min(little_bytes, oldest.file_bytes / 4);
}

void gc::step(uint64_t oldest) {
  auto next = collector_.next(oldest, step_bytes);
  if (!next) {
    // Nothing is lost by that: the segment stays, and who reads what is damaged is told then.
    node_->log().error(
      "event=segment_unreadable segment=" + std::to_string(oldest) + " reason=\""
      + to_string(next.reason())
      + "\" action=\"the log can't be shortened, it is tried again in a minute; if that "
        "fails too, replace this node's disk\"");
    go_on(unreadable_pause);
    return;
  }
  send(node_->wal, wal_collect{*std::move(next), step_bytes, gc_actor{this}});
}

void gc::on_carried(const gc_carried& x) {
  if (x.removed != 0)
    node_->log().info("event=segment_removed segment=" + std::to_string(x.removed));
  ask_for_snapshots(x.holders);
  if (x.file)
    if (auto size = x.file->size()) {
      removed_ = x.file;
      removed_bytes_ = *size;
    }
  pace_.work(x.bytes);
  if (x.bytes == 0 && x.removed == 0)
    go_on(stuck_pause);
  else
    send(this, gc_look{});
}

} // namespace caucus
