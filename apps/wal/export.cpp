#include "apps/wal/commands.hpp"
#include "apps/wal/opened_log.hpp"
#include "apps/wal/record_json.hpp"
#include "persistence/log_reader.hpp"

#include <iostream>

namespace caucus::wal_tool {

using namespace persistence;

namespace {

constexpr size_t bytes_at_once = size_t{8} << 20;

json describe(const raft::entry& x, bool is_known_committed) {
  return {{"index", x.id.index.value()},
          {"term", x.id.term.value()},
          {"kind", name_of(static_cast<uint8_t>(x.body.kind))},
          {"known_committed", is_known_committed},
          {"wall_ns", x.wall_ns},
          {"session", x.body.session.value()},
          {"sequence", x.body.sequence.value()},
          {"bytes", x.body.payload.size()}};
}

/// False if an entry can't be read; those before it have been shown.
bool show_entries(log_reader& reader, const recovered_group& group, index_t first,
                  bool shows_payloads) {
  for (auto next = first; next <= group.last;) {
    auto read = reader.read(group.descriptor.group, next, group.last, bytes_at_once);
    if (!read) {
      std::cerr << "caucus-wal: entry " << next.value()
                << " and what follows it can't be read: " << read.reason().what << '\n';
      return false;
    }
    for (const auto& entry : *read) {
      auto x = describe(*entry, entry->id.index <= group.hard.commit);
      if (shows_payloads)
        x["payload"] = to_hex(entry->body.payload.span());
      std::cout << to_line(x);
    }
    next = read->back()->id.index + 1;
  }
  return true;
}

} // namespace

int run_export(const settings& x) {
  auto dir = open_to_read(x.directory);
  if (!dir)
    return 2;
  auto index = std::make_shared<log_index>();
  auto found = recover(*dir, index);
  if (!found) {
    std::cerr << "caucus-wal: " << found.reason().what << "\ncaucus-wal: dump --group " << *x.group
              << " shows what can be read\n";
    return 1;
  }
  const auto& groups = found->recovery.groups;
  const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& one) {
    return is_named(one.descriptor, *x.group);
  });
  if (group == groups.end()) {
    std::cerr << "caucus-wal: there is no group '" << *x.group << "' in " << x.directory
              << "; inspect lists the groups\n";
    return 2;
  }
  if (group->damaged) {
    std::cerr << "caucus-wal: group " << group->descriptor.name
              << " is damaged: " << group->damaged->what << "\ncaucus-wal: dump --group "
              << *x.group << " shows what can be read\n";
    return 1;
  }
  log_reader reader{*dir, index, wal_options{}.batch_bytes_max};
  const auto first = group->begins_after.last.index + 1;
  return finish_output(show_entries(reader, *group, first, x.shows_payloads) ? 0 : 1);
}

} // namespace caucus::wal_tool
