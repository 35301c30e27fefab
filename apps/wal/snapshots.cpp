#include "apps/wal/commands.hpp"
#include "apps/wal/opened_log.hpp"
#include "apps/wal/record_json.hpp"
#include "apps/wal/text_table.hpp"
#include "persistence/snapshot_catalog.hpp"

#include <iostream>

namespace caucus::wal_tool {

using namespace persistence;

namespace {

/// What one file is found to be. The last two are there if it could be opened.
struct found_snapshot {
  std::string file;
  std::string state; ///< "sound", "damaged", "unreadable" or, for temporaries, "unfinished".
  std::string reason;
  std::optional<snapshot_header> header;
  snapshot_offer offer;
  uint64_t content_bytes = 0;
  uint64_t chunks = 0;
};

found_snapshot look_at(directory& dir, const snapshot_name& name) {
  found_snapshot found;
  found.file = file_name(name);
  found.state = "sound";
  found.offer.identity.name = name;
  auto reader = snapshot_reader::open(dir, name);
  auto sound = reader ? reader->verify() : result<void>{reader.reason()};
  if (!sound) {
    found.state = sound.reason().code == errc::malformed ? "damaged" : "unreadable";
    found.reason = sound.reason().what;
  }
  if (reader) {
    found.header = reader->header();
    found.offer = reader->offer();
    found.content_bytes = reader->content_bytes();
    found.chunks = reader->chunks();
  }
  return found;
}

json to_json(const std::set<node_id>& nodes) {
  json list = json::array();
  for (const auto id : nodes)
    list.push_back(id.value());
  return list;
}

json to_json(const found_snapshot& x) {
  json out{{"file", x.file}, {"state", x.state}};
  if (!x.reason.empty())
    out["reason"] = x.reason;
  if (x.state == "unfinished")
    return out;
  const auto& name = x.offer.identity.name;
  out["group"] = to_hex(name.group.value());
  out["index"] = name.last.index.value();
  out["term"] = name.last.term.value();
  if (!x.header)
    return out;
  out["cluster"] = to_hex(x.header->cluster.value());
  out["uid"] = to_hex(x.header->uid.value());
  if (!x.header->group_name.empty())
    out["name"] = x.header->group_name;
  out["wall_ns"] = x.header->wall_ns;
  out["members_index"] = x.header->at.members.id.value();
  out["voters"] = to_json(x.header->at.members.members->voters);
  out["learners"] = to_json(x.header->at.members.members->learners);
  out["file_bytes"] = x.offer.file_bytes;
  out["content_bytes"] = x.content_bytes;
  out["chunk_bytes"] = x.header->chunk_bytes;
  out["chunks"] = x.chunks;
  return out;
}

std::string to_table(const std::vector<found_snapshot>& found) {
  std::vector<std::vector<std::string>> lines{
    {"GROUP", "INDEX", "TERM", "MEMBERS OF", "FILE", "CHUNKS", "STATE"}};
  for (const auto& x : found) {
    const auto& name = x.offer.identity.name;
    if (x.state != "unfinished")
      lines.push_back({to_hex(name.group.value()), std::to_string(name.last.index.value()),
                       std::to_string(name.last.term.value()),
                       x.header ? std::to_string(x.header->at.members.id.value()) : "?",
                       x.header ? to_size(x.offer.file_bytes) : "?",
                       x.header ? std::to_string(x.chunks) : "?", x.state});
  }
  auto text = aligned(lines);
  for (const auto& x : found)
    if (!x.reason.empty())
      text += x.state + " " + x.reason + '\n';
    else if (x.state == "unfinished")
      text += "note " + x.file + " was never finished; a start removes it\n";
  return text;
}

} // namespace

int run_snapshots(const settings& x) {
  auto dir = open_posix_directory_to_read(x.directory);
  auto catalog = dir ? snapshot_catalog::read(**dir) : result<snapshot_catalog>{dir.reason()};
  if (!catalog) {
    std::cerr << "caucus-wal: " << catalog.reason().what << '\n';
    return 2;
  }
  std::vector<found_snapshot> found;
  bool is_damaged = false;
  for (const auto& [group, snapshots] : catalog->groups)
    for (const auto& name : snapshots) {
      found.push_back(look_at(**dir, name));
      is_damaged |= found.back().state != "sound";
    }
  for (const auto& file : catalog->leftovers) {
    found.emplace_back();
    found.back().file = file;
    found.back().state = "unfinished";
  }
  if (x.as_json)
    for (const auto& snapshot : found)
      std::cout << to_line(to_json(snapshot));
  else
    std::cout << to_table(found);
  return finish_output(is_damaged ? 1 : 0);
}

} // namespace caucus::wal_tool
