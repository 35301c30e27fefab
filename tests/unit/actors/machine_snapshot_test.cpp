// A machine's state and its sessions leave one machine's actor and enter another's.

#include "actors/machine_host.hpp"
#include "tests/support/memory_snapshot.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

/// What a machine's actor tells its replica.
struct told {
  std::optional<group_view> view;
  std::optional<index_t> applied;
  std::optional<error> fault;
};

/// One machine's actor with a replica that only listens.
class lone_machine {
public:
  explicit lone_machine(std::unique_ptr<state_machine> machine)
    : scheduler_{dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())} {
    auto replica = system_.spawn(
      [](caf::event_based_actor*, std::shared_ptr<told> heard) -> caf::behavior {
        return {[=](group_view& x) { heard->view = std::move(x); },
                [=](const group_applied& x) { heard->applied = x.upto; },
                [=](const group_fault& x) { heard->fault = x.reason; }};
      },
      told_);
    replica_ = replica;
    caf::actor_config host_config;
    host_ = system_.spawn_class<machine_host, caf::no_spawn_options>(
      host_config, nullptr,
      machine_host::setup{"tally", std::move(machine),
                          caf::actor_cast<replica_actor>(std::move(replica)), index_t{}});
    scheduler_.run();
  }
  ~lone_machine() {
    caf::anon_send(host_, machine_stop{});
    caf::anon_send_exit(replica_, caf::exit_reason::user_shutdown);
    scheduler_.run();
  }

  void apply(raft::entry next) {
    auto work = std::make_shared<machine_work>();
    work->entries.push_back(std::make_shared<const raft::entry>(std::move(next)));
    caf::anon_send(host_, machine_apply{std::move(work)});
    scheduler_.run();
  }
  const told& take_view() {
    caf::anon_send(host_, machine_take_view{});
    scheduler_.run();
    return *told_;
  }
  const told& restore(index_t index, int64_t wall_ns, std::vector<std::byte> bytes) {
    caf::anon_send(host_, machine_restore{index, wall_ns, [bytes = std::move(bytes)] {
                                            return result<std::unique_ptr<snapshot_source>>{
                                              std::make_unique<memory_source>(bytes)};
                                          }});
    scheduler_.run();
    return *told_;
  }

private:
  struct testing_config : caf::actor_system_config {
    testing_config() {
      setup(*this);
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  std::shared_ptr<told> told_ = std::make_shared<told>();
  testing_config config_;
  caf::actor_system system_{config_};
  caf::scheduler::test_coordinator& scheduler_;
  caf::actor replica_;
  machine_actor host_;
};

raft::entry command_at(uint64_t index, std::string_view payload, uint64_t session = 0,
                       uint64_t sequence = 0) {
  raft::entry x;
  x.id = {index_t{index}, term_t{1}};
  x.wall_ns = static_cast<int64_t>(index) * 1000;
  x.body.session = session_id{session};
  x.body.sequence = sequence_t{sequence};
  x.body.payload = shared_bytes::copy_of(payload);
  return x;
}

raft::entry session_at(uint64_t index) {
  auto x = command_at(index, "");
  x.body.kind = raft::entry_kind::session;
  x.body.payload = raft::encode(raft::open_session{.timeout_ns = 1'000'000'000, .sessions_max = 9});
  return x;
}

std::vector<std::byte> image_of(const told& heard) {
  REQUIRE(heard.view);
  REQUIRE(heard.view->image.ok());
  memory_sink into;
  REQUIRE((*heard.view->image)->write(into).ok());
  return std::move(into.bytes);
}

/// A machine whose view throws.
class viewless_machine final : public state_machine {
public:
  apply_result apply(const apply_context&, const shared_bytes&) override { return shared_bytes{}; }
  [[nodiscard]] uint64_t digest() const override { return 0; }
  [[nodiscard]] std::unique_ptr<snapshot_view> take_view() const override {
    throw std::runtime_error{"told to throw"};
  }
};

} // namespace

TEST_CASE("N-14 a loaded snapshot is the replayed state, sessions included") {
  lone_machine first{std::make_unique<tally_machine>()};
  first.apply(session_at(1));
  first.apply(command_at(2, "a", 1, 1));
  first.apply(command_at(3, "b"));
  const auto& seen = first.take_view();
  const auto image = image_of(seen);
  CHECK(seen.view->index == index_t{3});
  CHECK(seen.view->wall_ns == 3000);

  lone_machine second{std::make_unique<tally_machine>()};
  const auto& loaded = second.restore(index_t{3}, 3000, image);
  CHECK_FALSE(loaded.fault);
  CHECK(loaded.applied == index_t{3});
  CHECK(image_of(second.take_view()) == image);
  // A retry of what the snapshot knows: executed by neither.
  first.apply(command_at(4, "a", 1, 1));
  second.apply(command_at(4, "a", 1, 1));
  CHECK(image_of(second.take_view()) == image_of(first.take_view()));
}

TEST_CASE("a view is of its index, whatever is applied before it's written") {
  lone_machine machine{std::make_unique<tally_machine>()};
  machine.apply(command_at(1, "a"));
  auto at_one = machine.take_view();
  const auto before = image_of(at_one);
  machine.apply(command_at(2, "b"));
  CHECK(image_of(at_one) == before);
  CHECK(image_of(machine.take_view()) != before);
}

TEST_CASE("an image that is cut, too long or of another index quarantines the group") {
  lone_machine source{std::make_unique<tally_machine>()};
  source.apply(session_at(1));
  const auto image = image_of(source.take_view());
  for (size_t size = 0; size < image.size(); ++size) {
    lone_machine cut{std::make_unique<tally_machine>()};
    const auto& heard = cut.restore(index_t{1}, 1000, {image.begin(), image.begin() + size});
    CHECK(heard.fault);
    CHECK_FALSE(heard.applied);
  }
  auto longer = image;
  longer.push_back({});
  lone_machine machine{std::make_unique<tally_machine>()};
  const auto& heard = machine.restore(index_t{1}, 1000, longer);
  REQUIRE(heard.fault);
  CHECK(heard.fault->what.find("not read it to its end") != std::string::npos);
  lone_machine other{std::make_unique<tally_machine>()};
  CHECK(other.restore(index_t{2}, 1000, image).fault);
}

TEST_CASE("a view that throws is no snapshot, and nothing else") {
  lone_machine machine{std::make_unique<viewless_machine>()};
  const auto& heard = machine.take_view();
  REQUIRE(heard.view);
  CHECK_FALSE(heard.view->image.ok());
  CHECK(heard.view->image.reason().what.find("told to throw") != std::string::npos);
  CHECK_FALSE(heard.fault);
}

} // namespace caucus::testing
