#include "tests/support/virtual_cluster.hpp"

#include "base/assert.hpp"
#include "raft/core_status.hpp"

#include <array>

namespace caucus::testing {

namespace {

/// Far more than any test needs at one point in time.
constexpr uint64_t steps_to_rest_max = 500'000;

/// The two numbers of a tally_machine.
class tally_view final : public snapshot_view {
public:
  explicit tally_view(std::array<uint64_t, 2> state) : state_{state} {}

  result<void> write(snapshot_sink& into) const override {
    return into.write(std::as_bytes(std::span{state_}));
  }

private:
  std::array<uint64_t, 2> state_;
};

uint64_t mix_text(uint64_t hash, std::string_view text) {
  for (char c : text)
    hash = rng::mix(hash ^ static_cast<uint8_t>(c));
  return hash;
}

} // namespace

// -- tally_machine ------------------------------------------------------------

apply_result tally_machine::apply(const apply_context& context, const shared_bytes& command) {
  if (command.view() == "throw")
    throw std::runtime_error{"told to throw"};
  if (command.view() == "refuse")
    return error{errc::rejected_by_machine, "told to refuse"};
  ++count_;
  digest_ = mix_text(digest_ ^ context.index.value(), command.view());
  return shared_bytes::copy_of(std::to_string(count_));
}

apply_result tally_machine::query(const shared_bytes& question) const {
  if (question.view() == "throw")
    throw std::runtime_error{"told to throw"};
  return shared_bytes::copy_of(std::to_string(count_));
}

std::string tally_machine::describe() const { return "{\"count\":" + std::to_string(count_) + "}"; }

std::unique_ptr<snapshot_view> tally_machine::take_view() const {
  return std::make_unique<tally_view>(std::array{count_, digest_});
}

result<void> tally_machine::restore(snapshot_source& from) {
  std::array<uint64_t, 2> state{};
  if (auto done = read_exactly(from, std::as_writable_bytes(std::span{state})); !done)
    return done;
  count_ = state[0];
  digest_ = state[1];
  return {};
}

// -- recording_client ---------------------------------------------------------

recording_client::recording_client(caf::actor_system& system)
  : system_{system}, outcomes_{std::make_shared<std::vector<std::optional<outcome>>>()} {
  // An argument, because CAF 0.17 dereferences a null tuple for functions without any.
  self_ = system_.spawn(
    [](caf::event_based_actor* self, kept_outcomes outcomes) -> caf::behavior {
      return {[=](recorded_request& x) { x.send(self, outcomes); },
              [=](group_actor group, caucus::cancel what) { self->send(group, what); }};
    },
    outcomes_);
}

recording_client::~recording_client() {
  caf::anon_send_exit(self_, caf::exit_reason::user_shutdown);
}

size_t recording_client::send(recorded_request what) {
  caf::anon_send(self_, std::move(what));
  return outcomes_->size() - 1;
}

size_t recording_client::propose(const group_actor& group, command what) {
  return request(group, std::move(what));
}

size_t recording_client::propose(const group_actor& group, std::string_view payload) {
  command what;
  what.payload = shared_bytes::copy_of(payload);
  return request(group, std::move(what));
}

size_t recording_client::open(const group_actor& group) { return request(group, open_session{}); }

size_t recording_client::close(const group_actor& group, uint64_t session) {
  return request(group, close_session{session});
}

void recording_client::cancel(const group_actor& group, caucus::cancel what) {
  caf::anon_send(self_, group, what);
}

size_t recording_client::answered() const {
  return static_cast<size_t>(
    std::count_if(outcomes_->begin(), outcomes_->end(), [](auto& x) { return x.has_value(); }));
}

size_t recording_client::committed() const {
  return static_cast<size_t>(std::count_if(outcomes_->begin(), outcomes_->end(), [](auto& x) {
    return x && x->kind == outcome_kind::committed;
  }));
}

// -- virtual_cluster ----------------------------------------------------------

class virtual_cluster::recording_events final : public event_log {
public:
  recording_events(virtual_cluster& cluster, uint64_t node) : cluster_{cluster}, node_{node} {}

  void role_changed(std::string_view group, const raft::soft_state& now) override {
    cluster_.trace(std::string{group} + std::to_string(node_) + std::string{to_string(now.role)}
                   + std::to_string(now.term.value()));
    if (now.role != raft::role::leader || !cluster_.how_.is_one_cluster)
      return;
    auto [found, is_first] =
      cluster_.leaders_.try_emplace({std::string{group}, now.term.value()}, node_);
    CAUCUS_ASSERT(found->second == node_); // Election safety, over the whole run.
  }

private:
  virtual_cluster& cluster_;
  uint64_t node_;
};

virtual_cluster::config::config() {
  set("scheduler.policy", caf::atom("testing"));
  setup(*this);
}

virtual_cluster::virtual_cluster(options how)
  : how_{std::move(how)},
    random_{how_.seed},
    network_{transport::memory_network::make(how_.seed)},
    system_{config_},
    scheduler_{dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())} {
  for (uint64_t id = 1; id <= how_.nodes; ++id) {
    disks_.emplace(id, std::make_unique<memory_disk>("disk" + std::to_string(id)));
    logs_.emplace(id, std::make_shared<recording_logger>());
  }
}

virtual_cluster::~virtual_cluster() {
  for (auto& [id, running] : nodes_) // Whatever they still told each other, nobody wants to know.
    network_->crash(node_id{id});
  while (!nodes_.empty())
    stop(nodes_.begin()->first);
  settle();
}

void virtual_cluster::trace(std::string_view event) { trace_ = mix_text(trace_, event); }

std::shared_ptr<node_environment> virtual_cluster::make_environment(uint64_t id) {
  auto environment = std::make_shared<node_environment>();
  environment->open_directory = [this, id](const node_options&) { return disks_.at(id)->open(); };
  environment->make_transport =
    [this](const node_options& x) -> result<std::unique_ptr<transport::transport>> {
    transport::transport_limits limits;
    limits.frame_bytes_max = static_cast<uint32_t>(x.frame_bytes_max);
    limits.queue_bytes_max = x.link_queue_bytes_max;
    return network_->make_endpoint(limits);
  };
  environment->open_event_log = [this,
                                 id](const node_options&) -> result<std::unique_ptr<event_log>> {
    return std::unique_ptr<event_log>{std::make_unique<recording_events>(*this, id)};
  };
  environment->wall_clock_ns = [this] {
    auto now = scheduler_.clock().now().time_since_epoch();
    return static_cast<int64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  };
  if (how_.on_pause)
    environment->pause = [this](std::chrono::nanoseconds time) {
      scheduler_.clock().current_time += time;
      how_.on_pause(time);
    };
  environment->log = logs_.at(id);
  environment->seed = how_.seed;
  environment->new_directory = directory_id{how_.seed * 1000 + directories_[id] * 10 + id};
  environment->is_cooperative = true;
  environment->wait_until = [this](const std::function<bool()>& done,
                                   std::chrono::milliseconds limit) {
    return run_until(done, std::min<std::chrono::milliseconds>(limit, std::chrono::seconds{60}));
  };
  return environment;
}

result<void> virtual_cluster::start(uint64_t id) {
  node_options with;
  with.id = node_id{id};
  with.data_directory = "memory";
  for (uint64_t other = 1; other <= how_.nodes; ++other)
    with.members.emplace(node_id{other}, endpoint{"memory", static_cast<uint16_t>(other)});
  with.segment_bytes = 1 << 20;
  if (how_.adjust)
    how_.adjust(with);
  auto started = node_runtime::start(system_, with, make_environment(id));
  if (!started)
    return started.reason();
  auto group = (*started)->create_group("tally", how_.machine);
  if (!group) {
    (*started)->stop();
    return group.reason();
  }
  nodes_.insert_or_assign(id, *std::move(started));
  groups_.insert_or_assign(id, *std::move(group));
  settle();
  return {};
}

void virtual_cluster::start_all() {
  for (uint64_t id = 1; id <= how_.nodes; ++id)
    if (auto started = start(id); !started)
      throw std::runtime_error{to_string(started.reason())};
}

void virtual_cluster::crash(uint64_t id) {
  // Once disk and network are gone nothing that the node still does can be seen.
  network_->crash(node_id{id});
  disks_.at(id)->crash(random_.next());
  stop(id);
}

void virtual_cluster::stop(uint64_t id) {
  nodes_.at(id)->stop();
  groups_.erase(id);
  nodes_.erase(id);
  settle();
}

bool virtual_cluster::step() {
  auto jobs = scheduler_.jobs.size();
  auto choices = jobs + (network_->pending() > 0 ? 1 : 0);
  if (choices == 0)
    return false;
  auto choice = random_.below(choices);
  if (choice == jobs) {
    network_->deliver_one();
    return true;
  }
  auto first = scheduler_.jobs.begin();
  std::rotate(first, first + static_cast<std::ptrdiff_t>(choice),
              first + static_cast<std::ptrdiff_t>(choice) + 1);
  scheduler_.run_once();
  return true;
}

void virtual_cluster::settle() {
  for (uint64_t steps = 0; step(); ++steps)
    if (steps == steps_to_rest_max)
      throw std::runtime_error{"the nodes never come to rest: some answer each other for ever"};
}

void virtual_cluster::advance(std::chrono::milliseconds time) {
  settle();
  for (auto passed = std::chrono::milliseconds{0}; passed < time;
       passed += std::chrono::milliseconds{5}) {
    scheduler_.clock().advance_time(std::chrono::milliseconds{5});
    settle();
  }
}

bool virtual_cluster::run_until(const std::function<bool()>& done,
                                std::chrono::milliseconds limit) {
  settle();
  for (auto passed = std::chrono::milliseconds{0}; !done();
       passed += std::chrono::milliseconds{5}) {
    if (passed >= limit)
      return false;
    advance(std::chrono::milliseconds{5});
  }
  return true;
}

group_status virtual_cluster::status(const group_actor& group) {
  auto answer = std::make_shared<group_status>();
  system_.spawn(
    [answer](caf::event_based_actor* self, const group_actor& asked) {
      self->request(asked, caf::infinite, status_request{})
        .then([answer](group_status& x) { *answer = std::move(x); }, [](const caf::error&) {});
    },
    group);
  settle();
  trace(answer->role + std::to_string(answer->term) + std::to_string(answer->applied)
        + std::to_string(answer->digest));
  return *answer;
}

uint64_t virtual_cluster::leader() {
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> followers; // By (term, leader).
  for (auto& [id, running] : nodes_) {
    auto seen = status(id);
    if (seen.leader != 0 && ++followers[{seen.term, seen.leader}] > how_.nodes / 2
        && is_running(seen.leader))
      return seen.leader;
  }
  return 0;
}

} // namespace caucus::testing
