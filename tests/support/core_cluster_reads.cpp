#include "base/assert.hpp"
#include "tests/support/core_cluster.hpp"

namespace caucus::test {

using namespace raft;

// Linearizable: a read sees everything that was committed, and so maybe acknowledged, anywhere when
// it was asked (RELIABILITY S-31, S-32).
void core_cluster::check_read(uint64_t id, const ready_read& x) {
  auto& asked = reads_.at(x.request.value());
  CAUCUS_ASSERT(asked.by == id && !asked.answer && !answers_.contains(x.request.value()));
  CAUCUS_ASSERT(x.index >= asked.at_least);
  CAUCUS_ASSERT(x.index.value() <= committed_.size());
  asked.answer = x.index;
  ++reads_answered_;
}

uint64_t core_cluster::read(uint64_t id, consistency how) {
  const auto request = next_request_++;
  const auto committed = how == consistency::stale ? 0 : committed_.size();
  reads_.emplace(request, asked_read{id, index_t{committed}, {}});
  step(id, raft::read{request_id{request}, how});
  return request;
}

std::optional<index_t> core_cluster::read_at(uint64_t request) const {
  return reads_.at(request).answer;
}

uint64_t core_cluster::transfer(uint64_t id, uint64_t target) {
  const auto request = next_request_++;
  step(id, raft::transfer{request_id{request}, node_id{target}});
  return request;
}

std::optional<node_id> core_cluster::transferred_to(uint64_t request) const {
  const auto found = transferred_.find(request);
  return found == transferred_.end() ? std::nullopt : std::optional{found->second};
}

} // namespace caucus::test
