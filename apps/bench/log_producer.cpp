#include "apps/bench/log_producer.hpp"

namespace caucus::bench {

shared_bytes make_log_payload() {
  return shared_bytes::copy_of(std::string(log_payload_bytes, 'x'));
}

raft::persist_batch make_log_batch(uint64_t batches, size_t entries, const shared_bytes& payload) {
  raft::persist_batch batch;
  batch.seq = persist_seq{batches + 1};
  batch.entries.reserve(entries);
  for (size_t i = 0; i < entries; ++i)
    batch.entries.push_back(std::make_shared<const raft::entry>(raft::entry{
      .id = {index_t{batches * entries + i + 1}, term_t{1}}, .body = {.payload = payload}}));
  return batch;
}

log_producer::log_producer(caf::actor_config& cfg, caf::execution_unit* home, producer_plan plan,
                           append_sink sink, mark_sink marks, std::shared_ptr<log_load> load)
  : on_worker{cfg, home},
    plan_{plan},
    sink_{std::move(sink)},
    marks_{std::move(marks)},
    load_{std::move(load)},
    payload_{make_log_payload()} {}

caf::behavior log_producer::make_behavior() {
  fill();
  return {
    [this](const group_persisted& x) { on_persisted(x.upto); },
    [](const group_marked&) {},
    [this](const group_fault& x) {
      load_->fail(x.reason);
      quit();
    },
  };
}

void log_producer::fill() {
  while (appended_ - persisted_ < plan_.batches_outstanding && !load_->is_stopping())
    produce();
  if (appended_ == persisted_)
    quit();
}

void log_producer::produce() {
  auto batch = make_log_batch(appended_++, plan_.batch_entries, payload_);
  unpersisted_.push_back(batch.entries);
  sink_({plan_.group, std::move(batch), caf::actor_cast<replica_actor>(this)});
}

void log_producer::on_persisted(persist_seq upto) {
  for (; persisted_ < upto.value(); ++persisted_) {
    unpersisted_.pop_front();
    load_->count(plan_.batch_entries);
  }
  const auto last = persisted_ * plan_.batch_entries;
  if (plan_.entries_per_snapshot != 0 && last - forgotten_ >= plan_.entries_per_snapshot) {
    forgotten_ = last;
    marks_({plan_.group, make_log_mark(index_t{last}), caf::actor_cast<replica_actor>(this)});
  }
  fill();
}

persistence::snapshot_mark make_log_mark(index_t last) {
  auto members = std::make_shared<membership::configuration>(make_log_group(group_id{1}).members);
  const raft::snapshot_boundary at{{last, term_t{1}}, {index_t{1}, std::move(members)}};
  return {.snapshot = {.at = at}, .begins_after = at};
}

persistence::group_descriptor make_log_group(group_id id) {
  persistence::group_descriptor x;
  x.group = id;
  x.generation = 1;
  x.name = "group-" + std::to_string(id.value());
  x.uid = replica_uid{1};
  x.members.voters = {node_id{1}};
  x.members.addresses[node_id{1}] = {"localhost", 1};
  return x;
}

} // namespace caucus::bench
