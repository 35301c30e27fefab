#include "actors/snapshot_store.hpp"

#include "persistence/scratch_directory.hpp"
#include "persistence/snapshot_writer.hpp"

#include <algorithm>

namespace caucus {

using persistence::kept_snapshot;
using persistence::snapshot_reader;
using persistence::snapshot_writer;

namespace {

class file_source final : public snapshot_source {
public:
  explicit file_source(snapshot_reader from) : from_{std::move(from)} {}

  result<size_t> read(std::span<std::byte> into) override { return from_.read(into); }

private:
  snapshot_reader from_;
};

class small_source final : public snapshot_source {
public:
  explicit small_source(shared_bytes bytes) : bytes_{std::move(bytes)} {}

  result<size_t> read(std::span<std::byte> into) override {
    const auto size = std::min(into.size(), bytes_.size() - at_);
    // Not memcpy: empty bytes may be null, which memcpy forbids even for no bytes.
    std::copy_n(bytes_.data() + at_, size, into.begin());
    at_ += size;
    return size;
  }

private:
  shared_bytes bytes_;
  size_t at_ = 0;
};

} // namespace

persistence::snapshot_header snapshot_store::header_of(const snapshot_group& group,
                                                       const raft::snapshot_boundary& at,
                                                       int64_t wall_ns,
                                                       persistence::snapshot_uid uid) const {
  return {.cluster = cluster_,
          .group = group.id,
          .uid = uid,
          .at = at,
          .wall_ns = wall_ns,
          .group_name = group.name};
}

result<made_snapshot> snapshot_store::make(const snapshot_plan& plan, persistence::snapshot_uid uid,
                                           spilling_sink::pacer keep_pace) const {
  spilling_sink sink{directory_, header_of(plan.group, plan.at, plan.wall_ns, uid),
                     std::move(keep_pace)};
  if (auto done = plan.image->write(sink); !done)
    return std::move(done).reason();
  auto kept = sink.finish();
  if (!kept)
    return std::move(kept).reason();
  return made_snapshot{*std::move(kept), sink.bytes()};
}

result<std::unique_ptr<snapshot_source>> snapshot_store::open(group_id group,
                                                              const kept_snapshot& from) const {
  using source = std::unique_ptr<snapshot_source>;
  if (!from.is_small) {
    auto opened = snapshot_reader::open(directory_, {group, from.at.last});
    if (!opened)
      return std::move(opened).reason();
    return source{std::make_unique<file_source>(*std::move(opened))};
  }
  if (!from.bytes.empty())
    return source{std::make_unique<small_source>(from.bytes)};
  auto read = log_->read_snapshot(group, from.at.last.index);
  if (!read)
    return std::move(read).reason();
  return source{std::make_unique<small_source>(read->bytes)};
}

result<snapshot_reader> snapshot_store::open_file(const snapshot_group& group,
                                                  const kept_snapshot& from,
                                                  persistence::snapshot_uid uid) const {
  if (!from.is_small)
    return snapshot_reader::open(directory_, {group.id, from.at.last});
  auto read = log_->read_snapshot(group.id, from.at.last.index);
  if (!read)
    return std::move(read).reason();
  persistence::scratch_directory scratch;
  auto made = snapshot_writer::create(scratch, header_of(group, from.at, from.wall_ns, uid));
  if (!made)
    return std::move(made).reason();
  if (auto done = made->write(read->bytes.span()); !done)
    return std::move(done).reason();
  if (auto done = made->finish(); !done)
    return std::move(done).reason();
  return snapshot_reader::open(scratch, {group.id, from.at.last});
}

snapshot_store::sound_snapshot
snapshot_store::find_sound(group_id group, const std::vector<kept_snapshot>& known) const {
  sound_snapshot found;
  for (const auto& x : known) {
    result<void> verdict;
    if (!x.is_small) {
      auto opened = snapshot_reader::open(directory_, {group, x.at.last});
      verdict = opened ? opened->verify() : result<void>{std::move(opened).reason()};
    }
    if (verdict) {
      found.newest = x;
      break;
    }
    found.damaged.push_back(std::move(verdict).reason());
  }
  return found;
}

} // namespace caucus
