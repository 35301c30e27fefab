#include "apps/bench/named_groups.hpp"

#include "apps/bench/bench_machine.hpp"
#include "apps/bench/load_client.hpp"
#include "apps/bench/sized_machine.hpp"

#include <thread>

namespace caucus::bench {

namespace {

constexpr auto warm_up = std::chrono::seconds(1);
constexpr auto answer_limit = std::chrono::minutes(5);
constexpr uint64_t filling_command_bytes = 64 << 10;
constexpr size_t fillers = 32;
/// Of so many filling commands one goes to the group whose log stays.
constexpr uint64_t staying_share = 16;

std::string failed(const std::string& why) { return "failed " + why; }

/// Clients that share a number of commands that are still to be sent.
struct filling {
  shared_bytes payload = shared_bytes::copy_of(std::string(filling_command_bytes, 'x'));
  std::atomic<uint64_t> left;
  group_actor group;
  group_actor staying;
};

caf::behavior filler(caf::event_based_actor* self, const std::shared_ptr<filling>& shared) {
  using next_atom = caf::atom_constant<caf::atom("next")>;
  constexpr std::chrono::milliseconds retry_pause{50};
  self->send(self, next_atom::value);
  return {[=](next_atom) {
    auto left = shared->left.load();
    while (left > 0 && !shared->left.compare_exchange_weak(left, left - 1)) {
    }
    if (left == 0) {
      self->quit();
      return;
    }
    const auto again = [=] {
      ++shared->left;
      self->delayed_send(self, retry_pause, next_atom::value);
    };
    self
      ->request(left % staying_share == 0 ? shared->staying : shared->group, caf::infinite,
                command{.payload = shared->payload})
      .then(
        [=](const outcome& x) {
          if (x.kind == outcome_kind::committed)
            self->send(self, next_atom::value);
          else
            again();
        },
        [=](const caf::error&) { again(); });
  }};
}

} // namespace

std::string named_groups::obey(const std::string& line) {
  words arguments{line};
  std::string verb, name;
  arguments >> verb >> name;
  if (verb == "open")
    return open(name, arguments);
  if (verb == "unload")
    return unload();
  const auto found = groups_.find(name);
  if (found == groups_.end())
    return failed("no group by that name: " + line);
  const auto& group = found->second;
  if (verb == "status")
    return status(group);
  if (verb == "transfer")
    return transfer(group, arguments);
  if (verb == "resize")
    return resize(group, arguments);
  if (verb == "fill")
    return fill(group, arguments);
  if (verb == "snapshot")
    return snapshot(group);
  if (verb == "load")
    return load(group, arguments);
  return failed("unknown command " + verb);
}

std::string named_groups::open(const std::string& name, words& arguments) {
  std::string kind;
  arguments >> kind;
  auto opened = owner_.create_group(name, [kind]() -> std::unique_ptr<state_machine> {
    if (kind == "sized")
      return std::make_unique<sized_machine>();
    return std::make_unique<bench_machine>();
  });
  if (!opened)
    return failed(opened.reason().what);
  groups_.insert_or_assign(name, *std::move(opened));
  return "opened";
}

std::string named_groups::status(const group_actor& group) {
  std::ostringstream told;
  self_->request(group, answer_limit, status_request{})
    .receive(
      [&](const group_status& x) {
        told << "status " << x.role << ' ' << x.leader << ' ' << x.applied << ' ' << x.snapshot;
      },
      [&](const caf::error& broken) { told << failed(to_string(broken)); });
  return told.str();
}

template <class Request>
outcome named_groups::ask(const group_actor& group, Request request) {
  outcome told;
  self_->request(group, answer_limit, std::move(request))
    .receive([&](outcome& x) { told = std::move(x); },
             [&](const caf::error& broken) { told.detail = to_string(broken); });
  if (told.kind != outcome_kind::committed)
    told.detail = std::string{to_string(told.reason)} + ' ' + told.detail;
  return told;
}

std::string named_groups::transfer(const group_actor& group, words& arguments) {
  transfer_leadership request;
  arguments >> request.target;
  const auto told = ask(group, request);
  return told.kind == outcome_kind::committed ? "transferred" : failed(told.detail);
}

std::string named_groups::resize(const group_actor& group, words& arguments) {
  uint64_t bytes = 0;
  arguments >> bytes;
  const auto told = ask(group, command{.payload = sized_machine::command_of(bytes)});
  return told.kind == outcome_kind::committed ? "resized" : failed(told.detail);
}

std::string named_groups::fill(const group_actor& group, words& arguments) {
  uint64_t bytes = 0;
  std::string staying;
  arguments >> bytes >> staying;
  auto shared = std::make_shared<filling>();
  shared->left = bytes / filling_command_bytes + 1;
  shared->group = group;
  shared->staying = groups_.at(staying);
  std::vector<caf::actor> clients;
  for (size_t i = 0; i < fillers; ++i)
    clients.push_back(self_->system().spawn(filler, shared));
  self_->wait_for(clients);
  return "filled";
}

std::string named_groups::snapshot(const group_actor& group) {
  const auto told = ask(group, take_snapshot{});
  return told.kind == outcome_kind::committed ? "snapshot " + std::to_string(told.index)
                                              : failed(told.detail);
}

std::string named_groups::load(const group_actor& group, words& arguments) {
  size_t clients = 0, payload = 0;
  uint64_t rate = 0;
  arguments >> clients >> payload >> rate;
  if (clients == 0 || payload == 0 || rate == 0 || run_)
    return failed("load: bad arguments");
  run_ = std::make_shared<load_run>(clients, payload,
                                    std::chrono::nanoseconds{std::chrono::seconds(clients)} / rate);
  rng seeds{static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())};
  for (size_t i = 0; i < clients; ++i)
    self_->system().spawn<load_client>(run_, group, seeds.next());
  std::this_thread::sleep_for(warm_up);
  run_->enter(load_run::phase::measuring);
  return "loading";
}

std::string named_groups::unload() {
  if (!run_)
    return failed("nothing is measured");
  const auto run = std::exchange(run_, nullptr);
  run->enter(load_run::phase::stopping);
  run->wait_for_clients();
  if (run->errors() > 0)
    return failed(std::to_string(run->errors())
                  + " commands weren't executed: " + run->first_error());
  std::ostringstream told;
  told << "loaded " << run->measured();
  for (const auto share : {0.5, 0.99, 0.999, 1.0})
    told << ' ' << run->latencies.quantile_us(share);
  return told.str();
}

} // namespace caucus::bench
