#pragma once

#include "actors/node_runtime.hpp"
#include "apps/sim/disk/memory_directory.hpp"
#include "caucus/node.hpp"
#include "tests/support/recording_logger.hpp"
#include "transport/memory_network.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <map>
#include <memory>
#include <optional>

namespace caucus::testing {

/// Counts: the state is the number of commands and a hash of all of them in order.
class tally_machine final : public state_machine {
public:
  apply_result apply(const apply_context& context, const shared_bytes& command) override;
  /// How many commands it has executed.
  [[nodiscard]] apply_result query(const shared_bytes& question) const override;
  [[nodiscard]] uint64_t digest() const override { return digest_; }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::unique_ptr<snapshot_view> take_view() const override;
  result<void> restore(snapshot_source& from) override;

private:
  uint64_t count_ = 0;
  uint64_t digest_ = 0;
};

using kept_outcomes = std::shared_ptr<std::vector<std::optional<outcome>>>;

/// To a recording client: something to ask.
struct recorded_request {
  std::function<void(caf::event_based_actor* self, const kept_outcomes& outcomes)> send;
};

/// A caller whose answers are kept in the order of its requests.
class recording_client {
public:
  explicit recording_client(caf::actor_system& system);
  ~recording_client();

  /// The position of its outcome.
  size_t propose(const group_actor& group, command what);
  size_t propose(const group_actor& group, std::string_view payload);
  size_t open(const group_actor& group);
  size_t close(const group_actor& group, uint64_t session);
  /// Any other request that is answered with an outcome.
  template <class T>
  size_t request(const group_actor& group, T what) {
    outcomes_->emplace_back();
    return send({[group, what, position = outcomes_->size() - 1](auto* self, const auto& outcomes) {
      self->request(group, caf::infinite, what)
        .then(
          [=](outcome& x) { (*outcomes)[position] = std::move(x); },
          [=](const caf::error&) { (*outcomes)[position] = outcome{.reason = errc::unreachable}; });
    }});
  }
  void cancel(const group_actor& group, caucus::cancel what);

  [[nodiscard]] const std::optional<outcome>& at(size_t position) const {
    return (*outcomes_)[position];
  }
  [[nodiscard]] size_t answered() const;
  [[nodiscard]] size_t committed() const;

private:
  size_t send(recorded_request what);

  caf::actor_system& system_;
  caf::actor self_;
  kept_outcomes outcomes_;
};

/// Whole nodes in one actor system under CAF's testing scheduler: real actors, log and recovery;
/// only files, network and time are ours. One seed decides everything, so a run can be repeated.
class virtual_cluster {
public:
  struct options {
    uint64_t nodes = 3;
    uint64_t seed = 1;
    std::function<void(node_options&)> adjust;
    /// Off where they are of two clusters: then two may lead in one term.
    bool is_one_cluster = true;
    machine_factory machine = [] { return std::make_unique<tally_machine>(); };
    /// Hears how long threads that only do slow work would be blocked; else they aren't.
    std::function<void(std::chrono::nanoseconds)> on_pause;
  };

  explicit virtual_cluster(options how);
  ~virtual_cluster();

  /// Starts the node on its disk, whatever state that is in, and opens the group on it.
  result<void> start(uint64_t id);
  void start_all();
  /// The power fails: the node is gone at once, and of what it hadn't synced a subset is kept.
  void crash(uint64_t id);
  /// An orderly stop.
  void stop(uint64_t id);

  /// One message handled or delivered, drawn from all that could be next; false if there is none.
  bool step();
  /// The node's next start finds, or makes, another directory than its peers know.
  void change_directory_of(uint64_t id) { ++directories_[id]; }

  /// Everything that can happen without time passing.
  void settle();
  void advance(std::chrono::milliseconds time);
  /// Lets time pass until `done`; false if it isn't within `limit` of virtual time.
  bool run_until(const std::function<bool()>& done,
                 std::chrono::milliseconds limit = std::chrono::seconds{30});

  [[nodiscard]] group_actor group(uint64_t id) const { return groups_.at(id); }
  [[nodiscard]] bool is_running(uint64_t id) const { return nodes_.contains(id); }
  [[nodiscard]] group_status status(uint64_t id) { return status(group(id)); }
  [[nodiscard]] group_status status(const group_actor& group);
  /// The node that leads in the highest term and is followed by a majority; 0: none.
  [[nodiscard]] uint64_t leader();
  /// What the node has logged, over all its starts.
  [[nodiscard]] const recording_logger& log(uint64_t id) const { return *logs_.at(id); }
  [[nodiscard]] memory_disk& disk(uint64_t id) { return *disks_.at(id); }
  [[nodiscard]] transport::memory_network& network() { return *network_; }
  [[nodiscard]] caf::actor_system& system() { return system_; }
  [[nodiscard]] node_runtime& node_of(uint64_t id) { return *nodes_.at(id); }
  [[nodiscard]] const machine_factory& machine() const { return how_.machine; }
  [[nodiscard]] node_health health(uint64_t id) const { return nodes_.at(id)->health(); }
  /// Of every role change and every answered status so far: equal for equal runs.
  [[nodiscard]] uint64_t trace_hash() const noexcept { return trace_; }
  void trace(std::string_view event);
  /// Who led which group in which term, of all nodes and times; two in one term end the test.
  using group_term = std::pair<std::string, uint64_t>;
  [[nodiscard]] const std::map<group_term, uint64_t>& leaders() const noexcept { return leaders_; }

private:
  class recording_events;

  struct config : caf::actor_system_config {
    config();
  };

  std::shared_ptr<node_environment> make_environment(uint64_t id);

  options how_;
  rng random_;
  uint64_t trace_ = 0;
  std::map<group_term, uint64_t> leaders_;
  std::shared_ptr<transport::memory_network> network_;
  std::map<uint64_t, std::unique_ptr<memory_disk>> disks_;
  std::map<uint64_t, std::shared_ptr<recording_logger>> logs_;
  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::map<uint64_t, std::shared_ptr<node_runtime>> nodes_;
  std::map<uint64_t, group_actor> groups_;
  std::map<uint64_t, uint64_t> directories_; ///< How often each was changed.
};

} // namespace caucus::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::testing::recorded_request)
