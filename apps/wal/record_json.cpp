#include "apps/wal/record_json.hpp"

#include "apps/wal/opened_log.hpp"
#include "persistence/entries_codec.hpp"
#include "persistence/group_records.hpp"
#include "persistence/node_records.hpp"

namespace caucus::wal_tool {

using namespace persistence;

namespace {

json ids(const std::set<node_id>& nodes) {
  json list = json::array();
  for (const auto id : nodes)
    list.push_back(id.value());
  return list;
}

json describe(const membership::configuration& x) {
  json addresses = json::object();
  for (const auto& [id, where] : x.addresses)
    addresses[std::to_string(id.value())] = to_string(where);
  return {{"voters", ids(x.voters)},          {"outgoing", ids(x.outgoing)},
          {"learners", ids(x.learners)},      {"learners_next", ids(x.learners_next)},
          {"staging", ids(x.staging)},        {"auto_leave", x.auto_leave},
          {"addresses", std::move(addresses)}};
}

json describe_entries(std::span<const std::byte> body, bool shows_payloads) {
  json list = json::array();
  entries_cursor cursor{body};
  while (cursor.next()) {
    const auto entry = cursor.make(nullptr);
    json x{{"index", entry->id.index.value()},
           {"term", entry->id.term.value()},
           {"kind", name_of(static_cast<uint8_t>(entry->body.kind))},
           {"wall_ns", entry->wall_ns},
           {"session", entry->body.session.value()},
           {"sequence", entry->body.sequence.value()},
           {"lowest_unanswered", entry->body.lowest_unanswered.value()},
           {"bytes", cursor.payload().size()}};
    if (shows_payloads)
      x["payload"] = to_hex(cursor.payload());
    list.push_back(std::move(x));
  }
  return list;
}

json describe(const raft::snapshot_boundary& x) {
  json out{{"index", x.last.index.value()},
           {"term", x.last.term.value()},
           {"members_id", x.members.id.value()}};
  if (x.members.members)
    out["members"] = describe(*x.members.members);
  return out;
}

json describe(const kept_snapshot& x) {
  auto out = describe(x.at);
  out["wall_ns"] = x.wall_ns;
  out["small"] = x.is_small;
  return out;
}

void add_snapshot(json& into, const surveyed_record& x, bool shows_payloads) {
  const bool has_bytes = x.header.kind == record_kind::small_snapshot;
  const auto found = *decode_snapshot_record(x.body, has_bytes, nullptr);
  into["restarts"] = found.restarts;
  into["begins_after"] = describe(found.mark.begins_after);
  into["snapshot"] = describe(found.mark.snapshot);
  if (!has_bytes)
    return;
  into["snapshot_bytes"] = found.mark.snapshot.bytes.size();
  if (shows_payloads)
    into["payload"] = to_hex(found.mark.snapshot.bytes.span());
}

void add_checkpoint(json& into, const surveyed_record& x) {
  if (!x.header.group) {
    into["needed_from"] = decode_numbers(x.body, 1)->front();
    return;
  }
  const auto found = *decode_group_checkpoint(x.header.group, x.header.uid, x.body);
  into["generation"] = found.descriptor.generation;
  into["name"] = found.descriptor.name;
  into["members"] = describe(found.descriptor.members);
  into["term"] = found.hard.term.value();
  into["voted_for"] = found.hard.voted_for.value();
  into["commit"] = found.hard.commit.value();
  into["last"] = found.last.value();
  into["begins_after"] = describe(found.begins_after);
  into["snapshots"] = json::array();
  for (const auto& snapshot : found.snapshots)
    into["snapshots"].push_back(describe(snapshot));
}

void add_body(json& into, const surveyed_record& x, bool shows_payloads) {
  const auto numbers = [&](std::initializer_list<const char*> names) {
    const auto found = *decode_numbers(x.body, names.size());
    size_t i = 0;
    for (const auto* name : names)
      into[name] = found[i++];
  };
  switch (x.header.kind) {
    case record_kind::checkpoint: return add_checkpoint(into, x);
    case record_kind::moved:
    case record_kind::entries: into["entries"] = describe_entries(x.body, shows_payloads); return;
    case record_kind::hard_state: return numbers({"term", "voted_for", "commit"});
    case record_kind::truncation: return numbers({"from"});
    case record_kind::group_created: {
      const auto group = *decode_group_descriptor(x.header.group, x.header.uid, x.body);
      into["generation"] = group.generation;
      into["name"] = group.name;
      into["members"] = describe(group.members);
      return;
    }
    case record_kind::group_deleted: {
      const auto group = *decode_group_tombstone(x.header.group, x.body);
      into["generation"] = group.generation;
      into["name"] = group.name;
      return;
    }
    case record_kind::peer_identity: {
      const auto found = *decode_numbers(x.body, 2);
      into["node"] = found[0];
      into["directory"] = to_hex(found[1]);
      return;
    }
    case record_kind::peer_forgotten: return numbers({"node"});
    case record_kind::founding: {
      const auto found = *decode_founding(x.body);
      into["founding"] = to_hex(found.id.value());
      into["members"] = found.members;
      return;
    }
    case record_kind::snapshot_mark:
    case record_kind::small_snapshot: return add_snapshot(into, x, shows_payloads);
    default: return;
  }
}

} // namespace

json to_json(const surveyed_segment& x) {
  json out{{"segment", x.sequence}, {"file", segment_name(x.sequence)}, {"file_bytes", x.bytes}};
  if (!x.header)
    return out;
  const auto& header = *x.header;
  out["cluster"] = to_hex(header.identity.cluster.value());
  out["node"] = header.identity.node.value();
  out["directory"] = to_hex(header.directory.value());
  out["epoch"] = header.epoch.value();
  out["first_batch"] = header.first_batch;
  out["oldest_segment"] = header.oldest_segment;
  out["recycled_from"] = header.recycled_from;
  return out;
}

json to_json(log_position at, const batch_header& x) {
  return {{"segment", at.segment},    {"offset", at.offset}, {"batch", x.number},
          {"epoch", x.epoch.value()}, {"bytes", x.bytes},    {"durable_upto", x.durable_upto},
          {"records", x.records}};
}

json to_json(const surveyed_record& x, bool shows_payloads) {
  json out{{"segment", x.at.segment},
           {"offset", x.at.offset},
           {"batch", x.batch},
           {"record", to_string(x.header.kind)},
           {"bytes", x.header.bytes}};
  if (x.header.group) {
    out["group"] = to_hex(x.header.group.value());
    out["replica"] = to_hex(x.header.uid.value());
  }
  if (x.is_sound)
    add_body(out, x, shows_payloads);
  else
    out["damaged"] = true;
  return out;
}

json to_json(const log_problem& x) {
  return {{"file", x.file},
          {"offset", x.offset},
          {"part", x.part},
          {"problem", x.what},
          {"damage", x.is_damage}};
}

std::string to_line(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits{"0123456789abcdef"};
  std::string text;
  text.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    text += digits[std::to_integer<size_t>(byte >> 4)];
    text += digits[std::to_integer<size_t>(byte & std::byte{15})];
  }
  return text;
}

std::string_view name_of(uint8_t entry_kind) {
  constexpr std::string_view names[] = {"command", "no_op", "configuration", "session", "internal"};
  static_assert(std::size(names) == raft::entry_kind_count);
  return names[entry_kind];
}

} // namespace caucus::wal_tool
