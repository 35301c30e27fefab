#include "apps/counter/status_text.hpp"

#include <doctest/doctest.h>

namespace counter {

namespace {

caucus::group_status sending() {
  return {
    .node = 1,
    .role = "leader",
    .machine = "{\"count\":5}",
    .transfers = {{.peer = 3, .index = 40, .bytes = 100, .file_bytes = 900},
                  {.peer = 2, .is_incoming = true, .index = 30, .bytes = 0, .file_bytes = 700}}};
}

} // namespace

TEST_CASE("a status shows snapshots on their way, to people and to programs") {
  const auto shown = to_table({{.address = "a:1", .is_answered = true, .told = sending()}});
  CHECK(shown.find("snapshot up to entry 40 to node 3: 100 of 900 bytes") != std::string::npos);
  CHECK(shown.find("snapshot up to entry 30 from node 2: 0 of 700 bytes") != std::string::npos);
  CHECK(to_json(sending()).find(R"("transfers":[{"peer":3,"direction":"to","index":40,"bytes":100,)"
                                R"("file_bytes":900},{"peer":2,"direction":"from","index":30,)"
                                R"("bytes":0,"file_bytes":700}])")
        != std::string::npos);
}

TEST_CASE("a status without snapshots on their way says so to programs only") {
  auto quiet = sending();
  quiet.transfers.clear();
  CHECK(to_table({{.address = "a:1", .is_answered = true, .told = quiet}}).find("snapshot")
        == std::string::npos);
  CHECK(to_json(quiet).find(R"("transfers":[])") != std::string::npos);
}

} // namespace counter
