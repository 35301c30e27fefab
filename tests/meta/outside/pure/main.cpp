// A group of one voter that elects itself and commits a command, with "disk" and "machine" in main.
#include "raft/core.hpp"
#include "raft/sessions.hpp"

#include <cstdio>

using namespace caucus;

int main() {
  raft::core_options options;
  options.group = group_id{1};
  options.self = node_id{1};
  raft::recovered_state fresh;
  fresh.members.voters = {node_id{1}};
  raft::core core{options, fresh};
  raft::session_table sessions;
  const instant now{1, 1};

  core.step(raft::campaign{}, now);
  bool is_proposed = false;
  for (int rounds = 0; rounds < 20 && core.has_ready(); ++rounds) {
    const auto todo = core.take_ready(now);
    if (todo.persist)
      core.step(raft::persisted{todo.persist->seq}, now);
    for (const auto& next : todo.committed) {
      core.step(raft::applied{next->id.index}, now);
      const auto verdict = sessions.judge(*next);
      if (verdict.kind == raft::session_verdict::kind::execute) {
        sessions.record(*next, {errc::none, next->body.payload});
        std::printf("committed %s\n", std::string{next->body.payload.view()}.c_str());
        return 0;
      }
    }
    if (!is_proposed && core.describe().role == raft::role::leader) {
      is_proposed = true;
      raft::command hello;
      hello.payload = shared_bytes::copy_of("hello");
      core.step(raft::propose{request_id{1}, hello}, now);
    }
  }
  std::puts("nothing was committed");
  return 1;
}
