#include "apps/sim/wal_storage.hpp"

#include "actors/group_beginning.hpp"
#include "base/crc32c.hpp"
#include "persistence/segment_collector.hpp"

#include <algorithm>

namespace caucus::sim {

using persistence::kept_snapshot;
using persistence::snapshot_mark;
using testing::disk_call;

namespace {

constexpr cluster_id cluster{1};
constexpr group_id group{1};
constexpr uint64_t zero_ahead_bytes = 4096;
constexpr size_t collect_bytes = 4096;
constexpr int64_t overlap_permille = 400;
/// So many calls within an operation are enough to reach all of a rotation or a recovery.
constexpr int64_t inner_calls_max = 16;

/// Writes the header of a segment whose file was another one before (docs/wal_format.md, section
/// 2).
bool begins_recycled_segment(const disk_call& x) {
  constexpr size_t header_bytes = 128;
  constexpr size_t recycled_from = 72;
  if (x.kind != disk_call::kind::write || !x.name.starts_with("wal-") || x.offset != 0
      || x.bytes.size() != header_bytes)
    return false;
  const auto field = x.bytes.subspan(recycled_from, 8);
  return std::any_of(field.begin(), field.end(), [](std::byte b) { return b != std::byte{}; });
}

/// Needs blocks that the log hasn't set aside.
bool needs_room(const disk_call& x) {
  const bool is_snapshot = x.name.starts_with("snap-");
  return x.kind == disk_call::kind::allocate || (x.kind == disk_call::kind::write && is_snapshot);
}

} // namespace

wal_storage::wal_storage(const settings& how)
  : how_{how},
    luck_{rng::mix(how.seed)},
    overlap_luck_{rng::mix(how.seed + 2)},
    disk_{"node-" + std::to_string(how.node.value())},
    lies_{rng::mix(how.seed + 1)} {
  disk_.on_call([this](const disk_call& x) { return on_call(x); });
  if (how.keeps_images)
    disk_.on_write([this](const disk_call& x) { return on_write(x); });
}

std::optional<error> wal_storage::on_call(const disk_call& x) {
  const auto failed = [&](errc code, const char* what) {
    is_disturbed_ = true;
    return error{code, std::string{x.name} + ": " + what};
  };
  segments_recycled_ += begins_recycled_segment(x) ? 1 : 0;
  if (x.number != 0)
    hash_.word(static_cast<uint64_t>(x.kind)).word(crc32c(x.bytes)).word(x.bytes.size());
  if (x.kind == disk_call::kind::sync && std::exchange(fails_next_sync_, false))
    return failed(errc::io_failed, "Input/output error");
  if (is_full_ && needs_room(x))
    return failed(errc::no_space, "No space left on device");
  if (fails_reads_ && x.kind == disk_call::kind::read)
    return failed(errc::io_failed, "Input/output error");
  if (luck_.permille(how_.failed_call_permille))
    return failed(errc::io_failed, "Input/output error");
  return std::nullopt;
}

void wal_storage::begin_operation() {
  if (dies_at_ != 0 || !luck_.permille(how_.inner_crash_permille))
    return;
  dies_at_ = disk_.call_count() + static_cast<uint64_t>(luck_.between(1, inner_calls_max));
  disk_.stop_at(dies_at_);
}

/// Notes what ends this life.
result<void> wal_storage::check(result<void> done) {
  if (!done && (done.reason().code != errc::no_space || log_->is_fenced()))
    failure_ = done.reason();
  return done;
}

// -- a life ----------------------------------------------------------------------

result<wal_storage::beginning> wal_storage::start(const membership::configuration& first_members) {
  is_disturbed_ = false;
  damage_.begin_start();
  begin_operation();
  directory_ = *disk_.open();
  persistence::wal_options options;
  options.segment_bytes = how_.segment_bytes;
  options.batch_bytes_max = uint64_t{16} << 20;
  options.recovered_tail_bytes = how_.recovered_bytes;
  options.zero_ahead_bytes = zero_ahead_bytes;
  options.new_directory = directory_id{rng::mix(how_.seed) | 1};
  auto opened = persistence::wal::open(*directory_, {cluster, how_.node}, options);
  if (!opened)
    return std::move(opened).reason();
  log_ = std::move(opened->log);
  reader_ = log_->reader();
  store_.emplace(*directory_, reader_, cluster);
  auto& recovery = opened->recovery;
  if (auto done = remove_unknown_snapshots(*directory_, recovery); !done)
    return std::move(done).reason();
  beginning out;
  out.warnings = recovery.warnings;
  if (recovery.groups.empty()) {
    out.group.descriptor = {group, 1, "sim", replica_uid{recovery.boot.value()}, first_members};
    log_->add(out.group.descriptor);
    return out;
  }
  out.group = std::move(recovery.groups.front());
  if (out.group.damaged)
    return *out.group.damaged;
  auto begin = choose_beginning(out.group, *store_);
  if (!begin)
    return std::move(begin).reason();
  kept_ = std::move(begin->snapshots);
  out.loaded = std::move(begin->loaded);
  out.damaged_snapshots = begin->damaged.size();
  if (out.loaded) {
    auto image = load(*out.loaded);
    if (!image)
      return std::move(image).reason();
    out.image = *std::move(image);
  }
  for (auto next = out.group.begins_after.last.index + 1; next <= out.group.last;) {
    auto some = reader_->read(group, next, out.group.last, collect_bytes);
    if (!some)
      return std::move(some).reason();
    next = some->back()->id.index + 1;
    out.entries.insert(out.entries.end(), some->begin(), some->end());
  }
  return out;
}

bool wal_storage::crash() {
  const bool is_power = luck_.permille(how_.power_permille);
  const bool is_torn = is_power && disk_.crash_choices().size() > 1;
  was_power_ = is_power;
  if (is_power)
    disk_.crash(luck_.next());
  else
    disk_.kill();
  store_.reset();
  under_way_.clear();
  log_.reset();
  reader_.reset();
  directory_.reset();
  failure_.reset();
  dies_at_ = 0;
  fails_next_sync_ = false;
  next_fate_.reset();
  kept_.clear();
  marks_.clear();
  staged_marks_.clear();
  marked_.clear();
  received_.clear();
  superseded_.clear();
  loaded_ = {};
  begun_after_.clear();
  return is_torn;
}

void wal_storage::heal() {
  how_.inner_crash_permille = how_.failed_call_permille = 0;
  is_full_ = fails_next_sync_ = false;
  if (!is_dead()) {
    dies_at_ = 0;
    disk_.stop_at(0);
  }
}

// -- writing ---------------------------------------------------------------------

void wal_storage::stage(const raft::persist_batch& x) {
  if (x.snapshot) { // Before its log begins anew the disk knows the snapshot that it begins after.
    log_->add(group, snapshot_mark{known(*x.snapshot), {}});
    begun_after_.push_back(*x.snapshot);
  }
  log_->add(group, x);
}

result<void> wal_storage::write() {
  begin_operation();
  for (const auto& x : marks_)
    log_->add(group, x);
  staged_marks_.insert(staged_marks_.end(), marks_.begin(), marks_.end());
  marks_.clear();
  if (!under_way_.empty() && log_->staged_bytes() > 0) {
    const auto begun = begin_commit();
    if (!begun)
      return begun.reason();
    if (*begun)
      return {};
  }
  if (auto done = end_commits(); !done)
    return done;
  return check(log_->commit(false));
}

bool wal_storage::write_ahead() {
  if (!under_way_.empty() || log_->staged_bytes() == 0 || !overlap_luck_.permille(overlap_permille))
    return false;
  const auto begun = begin_commit();
  return !begun || *begun; // What failed half-way may be there, too.
}

result<bool> wal_storage::begin_commit() {
  auto begun = log_->begin_commit();
  if (!begun)
    return check(begun.reason()).reason();
  if (*begun)
    under_way_.push_back(**begun);
  return begun->has_value();
}

/// Their syncs may end in any order.
result<void> wal_storage::end_commits() {
  std::vector<result<void>> ended(under_way_.size());
  const bool backwards = overlap_luck_.permille(500);
  for (size_t i = 0; i < ended.size(); ++i) {
    const auto next = backwards ? ended.size() - 1 - i : i;
    ended[next] = under_way_[next].run();
  }
  for (size_t i = 0; i < ended.size(); ++i)
    if (auto done = check(log_->end_commit(under_way_[i], ended[i])); !done)
      return done;
  under_way_.clear();
  return {};
}

result<void> wal_storage::sync() {
  const bool is_overlapping = !under_way_.empty();
  auto done = is_overlapping ? end_commits() : check(log_->commit(true));
  if (!done)
    return done;
  for (auto last : std::exchange(begun_after_, {}))
    keep(known(last), true);
  for (auto& x : std::exchange(staged_marks_, {})) {
    const auto last = x.snapshot.at.last;
    if (!kept_.empty() && last.index <= kept_.front().at.last.index) {
      if (last != kept_.front().at.last)
        forget(x.snapshot); // A newer one was installed meanwhile (RELIABILITY S-52).
      continue;
    }
    keep(x.snapshot, false);
    marked_.push_back(std::move(x));
  }
  keep_image();
  return done;
}

result<void> wal_storage::tidy() {
  begin_operation();
  if (!is_full_ && log_->usage().wants_collection(how_.segment_bytes)) {
    persistence::segment_collector collector{reader_};
    const auto done = collect_step(*log_, collector, collect_bytes);
    if (log_->is_fenced() || is_dead())
      return check(done ? result<void>{} : result<void>{done.reason()});
  }
  if (log_->wants_reserve())
    static_cast<void>(check(log_->reserve()));
  return check(log_->prepare());
}

bool wal_storage::has_room() {
  if (!log_->wants_reserve())
    return true;
  return check(log_->reserve()).ok();
}

result<std::vector<raft::entry_ptr>> wal_storage::read(const raft::log_read& x) {
  return reader_->read(group, x.first, x.last, x.bytes_max);
}

} // namespace caucus::sim
