// The part of wal_storage that concerns snapshots.

#include "actors/incoming_snapshot.hpp"
#include "apps/sim/wal_storage.hpp"
#include "base/assert.hpp"
#include "persistence/snapshot_catalog.hpp"
#include "persistence/snapshot_writer.hpp"

namespace caucus::sim {

using persistence::kept_snapshot;

namespace {

constexpr cluster_id cluster{1};
constexpr group_id group{1};
/// So that even the small machines of a simulation have several.
constexpr uint32_t chunk_bytes = 256;

} // namespace

persistence::snapshot_header wal_storage::header_of(const snapshot_file& x) {
  return {.cluster = cluster,
          .group = group,
          .uid = persistence::snapshot_uid{luck_.next()},
          .at = x.at,
          .wall_ns = x.wall_ns,
          .chunk_bytes = chunk_bytes,
          .group_name = "sim"};
}

result<void> wal_storage::make(const snapshot_file& x) {
  begin_operation();
  kept_snapshot made{.at = x.at, .wall_ns = x.wall_ns, .is_small = true};
  if (luck_.permille(how_.snapshot_files_permille)) {
    made.is_small = false;
    auto file = persistence::snapshot_writer::create(*directory_, header_of(x));
    auto done = file ? file->write(*x.bytes) : result<void>{file.reason()};
    if (done)
      if (auto finished = file->finish(); !finished)
        done = std::move(finished).reason();
    if (!done)
      return done;
  } else {
    made.bytes = shared_bytes::copy_of(*x.bytes);
  }
  // The log stays back to the one before: if this one turns out to be damaged, that is the way.
  marks_.push_back({std::move(made), kept_.empty() ? raft::snapshot_boundary{} : kept_.front().at});
  return {};
}

result<shipped_snapshot> wal_storage::ship() {
  CAUCUS_ASSERT(!kept_.empty());
  auto file =
    store_->open_file({group, "sim"}, kept_.front(), persistence::snapshot_uid{luck_.next()});
  if (!file)
    return std::move(file).reason();
  shipped_snapshot out{.offer = file->offer(), .bytes = {}};
  out.bytes.resize(out.offer.file_bytes);
  if (auto done = file->read_raw(0, out.bytes); !done)
    return std::move(done).reason();
  return out;
}

result<void> wal_storage::receive(const shipped_snapshot& x) {
  begin_operation();
  const auto last = x.offer.identity.name.last;
  if (received_.contains(last) || persistence::find(kept_, last) != nullptr)
    return {};
  const std::span bytes{x.bytes};
  if (!luck_.permille(how_.snapshot_files_permille)) {
    auto incoming = incoming_snapshot::create(*directory_, x.offer);
    if (!incoming)
      return std::move(incoming).reason();
    if (auto done = (*incoming)->take({.offset = 0, .bytes = shared_bytes::copy_of(bytes)}); !done)
      return done;
    auto got = (*incoming)->finish();
    if (!got)
      return std::move(got).reason();
    received_.emplace(last, *std::move(got));
    return {};
  }
  auto incoming = persistence::snapshot_receiver::create(*directory_, x.offer);
  if (!incoming)
    return std::move(incoming).reason();
  for (size_t at = 0; at < bytes.size();) {
    const auto step = std::min(bytes.size() - at, static_cast<size_t>(luck_.between(1, 600)));
    if (auto done = incoming->take(at, bytes.subspan(at, step)); !done)
      return done;
    at += step;
  }
  if (auto done = incoming->publish(); !done)
    return done;
  auto opened = persistence::snapshot_reader::open(*directory_, {group, last});
  if (!opened)
    return std::move(opened).reason();
  received_.emplace(last,
                    kept_snapshot{.at = opened->header().at, .wall_ns = opened->header().wall_ns});
  return {};
}

const kept_snapshot& wal_storage::known(raft::entry_id last) const {
  const auto received = received_.find(last);
  if (received != received_.end())
    return received->second;
  const auto* kept = persistence::find(kept_, last);
  CAUCUS_ASSERT(kept != nullptr);
  return *kept;
}

result<std::vector<std::byte>> wal_storage::load(raft::entry_id last) {
  auto out = load(known(last));
  while (!out && out.reason().code == errc::io_failed && !is_dead()) // It is tried again.
    out = load(known(last));
  loaded_ = last.index;
  std::erase_if(superseded_, [this](const auto& x) {
    const bool is_loaded = x.at.last.index <= loaded_;
    if (is_loaded)
      forget(x);
    return is_loaded;
  });
  return out;
}

result<std::vector<std::byte>> wal_storage::load(const kept_snapshot& from) {
  auto source = store_->open(group, from);
  if (!source)
    return std::move(source).reason();
  std::vector<std::byte> out;
  for (;;) {
    std::array<std::byte, 512> piece;
    auto count = (*source)->read(piece);
    if (!count)
      return std::move(count).reason();
    if (*count == 0)
      return out;
    out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*count));
  }
}

std::optional<raft::entry_id> wal_storage::newest() const {
  return kept_.empty() ? std::nullopt : std::optional{kept_.front().at.last};
}

/// The newest of those kept; too old ones go.
void wal_storage::keep(kept_snapshot newest, bool begins_anew) {
  newest.bytes = {};
  std::erase_if(kept_, [&](const auto& x) { return x.at.last == newest.at.last; });
  kept_.insert(kept_.begin(), std::move(newest));
  while (kept_.size() > (begins_anew ? 1 : persistence::snapshots_kept)) {
    auto old = std::move(kept_.back());
    kept_.pop_back();
    if (received_.contains(old.at.last) && old.at.last.index > loaded_)
      superseded_.push_back(std::move(old));
    else
      forget(old);
  }
}

void wal_storage::forget(const kept_snapshot& x) {
  const persistence::snapshot_name name{group, x.at.last};
  if (!x.is_small) // A file that stays is found by the next start.
    static_cast<void>(persistence::remove_snapshots(*directory_, {&name, 1}));
}

} // namespace caucus::sim
