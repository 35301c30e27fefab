#include "caucus/backup.hpp"

#include "actors/backup_reader.hpp"
#include "base/rng.hpp"
#include "persistence/backup_file.hpp"

namespace caucus {

uint64_t backup_identity(const persistence::snapshot_reader& from) {
  const auto& x = from.header();
  uint64_t hash = 0;
  for (auto part : {x.cluster.value(), x.group.value(), x.uid.value(), x.at.last.index.value(),
                    x.at.last.term.value(), uint64_t{from.content_checksum()}})
    hash = rng::mix(hash ^ part);
  return hash;
}

result<persistence::snapshot_reader> open_sound_backup(const std::string& path) {
  auto opened = persistence::open_snapshot_file(path);
  if (!opened)
    return opened;
  if (auto sound = opened->verify(); !sound)
    return std::move(sound).reason();
  return opened;
}

namespace {

backup_info describe(const persistence::snapshot_reader& from) {
  const auto& header = from.header();
  backup_info told{.cluster = header.cluster,
                   .group = header.group,
                   .group_name = header.group_name,
                   .index = header.at.last.index,
                   .term = header.at.last.term,
                   .wall_ns = header.wall_ns,
                   .configuration = header.at.members.id.value(),
                   .members = {},
                   .file_bytes = from.offer().file_bytes,
                   .id = backup_identity(from)};
  const auto& members = *header.at.members.members;
  for (auto id : members.members()) {
    const auto address = members.addresses.find(id);
    told.members.emplace(id, address == members.addresses.end() ? endpoint{} : address->second);
  }
  return told;
}

} // namespace

result<backup_info> inspect_backup(const std::string& path) {
  auto opened = open_sound_backup(path);
  if (!opened)
    return std::move(opened).reason();
  return describe(*opened);
}

result<backup_info> write_backup(const std::string& path, bool may_replace,
                                 const backup_source& from) {
  auto file = persistence::backup_file::create(path, may_replace);
  if (!file)
    return std::move(file).reason();
  for (uint64_t offset = 0;;) {
    auto bytes = from(offset);
    if (!bytes)
      return std::move(bytes).reason();
    if (bytes->empty())
      break;
    if (auto done = file->write_at(offset, bytes->span()); !done)
      return std::move(done).reason();
    offset += bytes->size();
  }
  if (auto done = file->sync(); !done)
    return std::move(done).reason();
  auto info = inspect_backup(file->temporary_path());
  if (!info)
    return info;
  if (auto done = file->publish(); !done)
    return std::move(done).reason();
  return info;
}

} // namespace caucus
