#include "actors/log_fetcher.hpp"

namespace caucus {

log_fetcher::log_fetcher(caf::actor_config& cfg, caf::execution_unit* home,
                         std::shared_ptr<persistence::log_reader> log, node_context_ptr node)
  : on_worker{cfg, home}, log_{std::move(log)}, node_{std::move(node)} {}

log_reader_actor::behavior_type log_fetcher::make_behavior() {
  return {
    [this](const log_read_request& x) {
      auto entries = log_->read(x.group, x.read.first, x.read.last, x.read.bytes_max);
      raft::log_read_done answer{x.read.to, x.read.first, {}};
      if (entries)
        answer.entries = *std::move(entries);
      else if (entries.reason().code == errc::wal_corrupt)
        send(x.replica, group_fault{entries.reason()}); // Rotten bytes are never sent or applied.
      else
        node_->log().warning("log read failed: " + to_string(entries.reason()));
      send(x.replica, group_log_read{std::move(answer)});
    },
  };
}

} // namespace caucus
