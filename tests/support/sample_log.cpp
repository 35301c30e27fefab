// Writes a log with records of every kind, whose first segments were collected, into a new
// directory: for the tests of programs that read logs. With `received` it ends with a snapshot that
// isn't yet in its log's place.
#define DOCTEST_CONFIG_IMPLEMENT // The fixtures want it.
#include "persistence/snapshot_writer.hpp"
#include "tests/unit/persistence/collect_fixture.hpp"

#include <iostream>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// The file of a snapshot that isn't small.
result<void> add_file(directory& dir, group_id group, const raft::snapshot_boundary& at) {
  snapshot_header header;
  header.cluster = self.cluster;
  header.group = group;
  header.uid = snapshot_uid{0x51};
  header.at = at;
  auto writer = snapshot_writer::create(dir, header);
  if (!writer)
    return std::move(writer).reason();
  const std::string content(200'000, 's');
  if (auto done = writer->write(std::as_bytes(std::span{content})); !done)
    return done;
  auto done = writer->finish();
  return done ? result<void>{} : result<void>{done.reason()};
}

result<void> write(directory& dir, bool with_received) {
  auto opened = wal::open(dir, self, tiny_segments());
  if (!opened)
    return std::move(opened).reason();
  auto& log = *opened->log;
  log.add(peer_identity{node_id{2}, directory_id{22}});
  log.add(peer_identity{node_id{3}, directory_id{33}});
  log.add(descriptor(group_id{0xc}, 9));
  log.add_deleted(group_id{0xc});
  log.add(descriptor(group_a));
  log.add(descriptor(group_b, 8));
  log.add(group_a, hard(1, 1, 2));
  raft::persist_batch cold = entries(1, 4, 1);
  cold.entries.push_back(configuration_entry(5, 1, {1, 2}));
  log.add(group_a, cold);
  log.add(group_a, small_mark(boundary(2, 1), "two"));
  if (auto done = add_file(dir, group_a, boundary(4, 1)); !done)
    return done;
  log.add(group_a, mark(boundary(4, 1), boundary(2, 1)));
  segment_collector collector{log.reader()};
  for (uint64_t index = 1; index <= 150; ++index) {
    log.add(group_b, entries(index, index, 1, std::string(500, 'x')));
    if (auto done = log.commit(true); !done)
      return done;
  }
  if (auto done = add_file(dir, group_b, boundary(140, 1)); !done)
    return done;
  log.add(group_b, mark(boundary(140, 1), boundary(130, 1)));
  if (auto done = log.commit(true); !done)
    return done;
  while (log.usage().wants_collection(tiny_segments().segment_bytes))
    if (auto done = collect_step(log, collector, 1 << 20); !done)
      return std::move(done).reason();
  for (uint64_t index = 151; index <= 190; ++index) { // Over segments that were given up.
    log.add(group_b, entries(index, index, 1, std::string(500, 'y')));
    if (auto done = log.commit(true); !done)
      return done;
  }
  raft::persist_batch conflict = entries(141, 142, 2);
  conflict.truncate_from = index_t{141};
  log.add(group_b, conflict);
  log.add_forgotten(node_id{3});
  if (auto done = add_file(dir, group_b, boundary(200, 3)); !done)
    return done;
  log.add(group_b, mark(boundary(200, 3)));
  raft::persist_batch restart = hard(3, 0, 200);
  restart.snapshot = raft::entry_id{index_t{200}, term_t{3}};
  log.add(group_b, restart);
  if (auto done = log.commit(true); !done || !with_received)
    return done;
  if (auto done = add_file(dir, group_b, boundary(300, 3)); !done)
    return done;
  log.add(group_b, mark(boundary(300, 3)));
  return log.commit(true);
}

} // namespace

int main(int argc, char** argv) {
  auto dir = open_posix_directory(argc > 1 ? argv[1] : "");
  const bool with_received = argc > 2 && std::string_view{argv[2]} == "received";
  const auto done = dir ? write(**dir, with_received) : result<void>{dir.reason()};
  if (!done)
    std::cerr << to_string(done.reason()) << '\n';
  return done ? 0 : 1;
}
