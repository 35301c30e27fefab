#include "caucus/node.hpp"

#include "actors/node_runtime.hpp"

namespace caucus {

void setup(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::caucus_messages>();
  if (!caf::get_if<caf::atom_value>(&config.content, "scheduler.policy"))
    config.set("scheduler.policy", caf::atom("sharing"));
}

result<node> node::start(caf::actor_system& system, const node_options& options) {
  return start(system, options, make_production_environment());
}

result<node> node::start(caf::actor_system& system, const node_options& options,
                         std::shared_ptr<node_environment> environment) {
  auto runtime = node_runtime::start(system, options, std::move(environment));
  if (!runtime)
    return runtime.reason();
  return node{*std::move(runtime)};
}

result<group_actor> node::create_group(const std::string& name, const machine_factory& machine) {
  return runtime_->create_group(name, machine);
}

void node::stop() { runtime_->stop(); }

node_health node::health() const { return runtime_->health(); }

node_counters node::counters() const {
  auto& context = runtime_->context();
  return {.log_batches = context.log_batches.load(std::memory_order_relaxed),
          .log_syncs = context.log_syncs.load(std::memory_order_relaxed),
          .inbound_dropped = context.inbound_dropped.load(std::memory_order_relaxed),
          .awake_groups = context.ticks.awake(),
          .frame_errors = context.frame_errors.all()};
}

node_id node::id() const { return runtime_->context().options.id; }

endpoint node::peer_endpoint() const { return runtime_->context().links->local_endpoint(); }

} // namespace caucus
