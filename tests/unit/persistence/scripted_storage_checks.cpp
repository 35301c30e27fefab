// What must hold after every start, whatever was cut off before.

#include "tests/unit/persistence/scripted_storage.hpp"

#include <algorithm>

namespace caucus::testing {

using namespace persistence;

namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

std::string scripted_storage::check() const {
  if (failure_.code != errc::none)
    return "it does not start: " + to_string(failure_);
  const auto found = state_of(node_.found);
  if (std::find(model_.possible.begin(), model_.possible.end(), found) == model_.possible.end())
    return "the log says something else than was acknowledged or attempted since";
  if (node_.found.boot <= model_.boot)
    return "the start isn't counted";
  for (const auto& group : node_.found.groups)
    if (auto wrong = check_group(group); !wrong.empty())
      return "group " + std::to_string(group.descriptor.group.value()) + ": " + wrong;
  return check_files();
}

/// Nothing of what is there is left over, or half of something.
std::string scripted_storage::check_files() const {
  const auto catalog = *snapshot_catalog::read(*node_.dir);
  if (!catalog.leftovers.empty())
    return catalog.leftovers.front() + " is left over";
  for (const auto& [id, names] : catalog.groups) {
    const auto& snapshots = node_.group(id).snapshots;
    for (const auto& name : names)
      if (const auto* kept = find(snapshots, name.last); kept == nullptr || kept->is_small)
        return file_name(name) + " is left over";
  }
  return {};
}

std::string scripted_storage::check_group(const recovered_group& group) const {
  if (group.damaged)
    return to_string(*group.damaged);
  const auto id = group.descriptor.group;
  const auto begin = group.begins_after.last.index;
  // What was acknowledged and isn't in the log any more is in every snapshot that is kept.
  if (begin && group.snapshots.empty())
    return "no snapshot has what was cut off the log";
  for (const auto& x : group.snapshots) {
    if (x.at.last.index < begin)
      return "the log doesn't reach back to a snapshot that is kept";
    if (auto wrong = check_snapshot(group, x); !wrong.empty())
      return "snapshot " + std::to_string(x.at.last.index.value()) + ": " + wrong;
  }
  if (group.last == begin)
    return {};
  const auto read = node_.log->reader()->read(id, begin + 1, group.last, 1 << 20);
  if (!read)
    return to_string(read.reason());
  if (ids(*read) != ids(group.tail))
    return "a reader finds " + ids(*read) + ", the start found " + ids(group.tail);
  for (const auto& x : *read)
    if (x->body.kind != raft::entry_kind::configuration
        && x->body.payload.view() != script_model::payload(id.value(), x->id))
      return "another payload than was written, at " + std::to_string(x->id.index.value());
  return {};
}

std::string scripted_storage::check_snapshot(const recovered_group& group,
                                             const kept_snapshot& x) const {
  const auto id = group.descriptor.group;
  const auto expected = model_.machine(id.value(), x.at.last.index.value());
  if (x.is_small) {
    const auto read = node_.log->reader()->read_snapshot(id, x.at.last.index);
    if (!read)
      return to_string(read.reason());
    return read->bytes.view() == expected && x.bytes.view() == expected ? "" : "wrong content";
  }
  auto opened = snapshot_reader::open(*node_.dir, {id, x.at.last});
  if (!opened)
    return to_string(opened.reason());
  const auto content = read_all(*opened);
  if (!content)
    return to_string(content.reason());
  return text_of(*content) == expected ? "" : "wrong content";
}

} // namespace caucus::testing
