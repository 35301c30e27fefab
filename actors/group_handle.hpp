#pragma once

#include "actors/admission.hpp"
#include "actors/interfaces.hpp"

#include <caf/monitorable_actor.hpp>

#include <optional>
#include <shared_mutex>

namespace caucus {

/// What users hold of a group: runs on the sender's thread, checks limits before anything is
/// queued, and passes the message on to the replica. The replica's answers carry this handle as
/// their sender, so that the replica itself is known to nobody outside the node. Thread-safe.
class group_handle final : public caf::monitorable_actor {
public:
  using signatures = group_actor::signatures;

  struct limits {
    uint64_t proposal_bytes_max;
    std::shared_ptr<admission> room;
  };

  group_handle(caf::actor_config& cfg, limits bounds);

  /// Where messages go from now on.
  void attach(replica_actor replica);
  /// Drops the replica; commands are refused with `stopping` from now on.
  void close();
  /// The same for a replica that died: `told` is the status from now on, with the reason.
  void quarantine(group_status told);

  using caf::monitorable_actor::attach;
  using caf::monitorable_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* host) override;
  std::set<std::string> message_types() const override;
  const char* name() const override { return "group"; }

protected:
  void on_cleanup(const caf::error& reason) override;

private:
  [[nodiscard]] replica_actor target() const;
  [[nodiscard]] outcome admit(uint64_t commands, uint64_t bytes, uint64_t largest);
  void refuse(caf::mailbox_element& asked, outcome why);
  [[nodiscard]] std::optional<group_status> fault() const;
  void answer_without_replica(caf::mailbox_element_ptr& asked);

  limits bounds_;
  mutable std::shared_mutex mutex_;
  replica_actor replica_;
  std::optional<group_status> fault_;
};

} // namespace caucus
