#include "apps/bench/node_main.hpp"

#include "apps/bench/bench_machine.hpp"
#include "apps/bench/load_client.hpp"
#include "apps/bench/many_groups.hpp"
#include "apps/bench/named_groups.hpp"
#include "apps/bench/proc_usage.hpp"
#include "caucus/node.hpp"

#include <caf/scoped_actor.hpp>

#include <csignal>
#include <iostream>
#include <sstream>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

namespace caucus::bench {

namespace {

constexpr auto warm_up = std::chrono::seconds(1);
constexpr auto status_timeout = std::chrono::seconds(30);

/// Answers come from the command loop and from the prober: whole lines only.
void say(const std::string& line) {
  static std::mutex mutex;
  std::lock_guard guard{mutex};
  std::cout << line << std::endl;
}

std::string status_line(caf::scoped_actor& self, const group_actor& group) {
  std::string line;
  self->request(group, status_timeout, status_request{})
    .receive(
      [&](const group_status& x) {
        unsigned long long commands = 0;
        if (std::sscanf(x.machine.c_str(), "{\"commands\":%llu}", &commands) != 1)
          commands = 0;
        std::ostringstream out;
        out << "status " << x.role << ' ' << x.term << ' ' << x.leader << ' ' << x.applied << ' '
            << commands << ' ' << x.digest;
        line = out.str();
      },
      [&](const caf::error& broken) { line = "failed status: " + to_string(broken); });
  return line;
}

/// One point: clients of our own actor system against the group's public handle.
std::string load_line(caf::actor_system& system, const node& owner, const group_actor& group,
                      std::istringstream& words) {
  size_t clients = 0, payload = 0, seconds = 0;
  words >> clients >> payload >> seconds;
  std::vector<pid_t> processes;
  for (pid_t process = 0; words >> process;)
    processes.push_back(process);
  if (clients == 0 || payload == 0 || seconds == 0 || processes.empty())
    return "failed load: bad arguments";
  auto run = std::make_shared<load_run>(clients, payload);
  rng seeds{static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())};
  for (size_t i = 0; i < clients; ++i)
    system.spawn<load_client>(run, group, seeds.next());
  std::this_thread::sleep_for(warm_up);
  auto usage_before = read_usage(processes);
  auto syncs_before = owner.counters().log_syncs;
  auto begin = std::chrono::steady_clock::now();
  run->enter(load_run::phase::measuring);
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  run->enter(load_run::phase::stopping);
  auto measured = run->measured();
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  auto syncs = owner.counters().log_syncs - syncs_before;
  auto usage = read_usage(processes);
  run->wait_for_clients();
  if (run->errors() > 0)
    std::cerr << "event=bench_errors errors=" << run->errors() << " first=\"" << run->first_error()
              << "\"" << std::endl;
  std::ostringstream out;
  out << "loaded " << static_cast<double>(measured) / took.count() << ' '
      << run->latencies.quantile_us(0.5) << ' ' << run->latencies.quantile_us(0.99) << ' '
      << run->latencies.quantile_us(0.999) << ' '
      << static_cast<double>(usage.cpu_us - usage_before.cpu_us)
           / static_cast<double>(std::max<uint64_t>(measured, 1))
      << ' ' << static_cast<double>(measured) / static_cast<double>(std::max<uint64_t>(syncs, 1))
      << ' ' << usage.rss_mib << ' ' << run->errors() << ' ' << run->acknowledged();
  return out.str();
}

/// Sends the writes of `put` and tells what became of them, several at a time.
caf::behavior prober(caf::event_based_actor* self, const group_actor& group) {
  return {[self, group](uint64_t number) {
    auto payload = shared_bytes::copy_of("put " + std::to_string(number));
    auto print = fingerprint(payload.span());
    self->request(group, caf::infinite, command{.payload = std::move(payload)})
      .then(
        [number, print](const outcome& x) {
          auto is_mine = bench_machine::answers(x.reply, print);
          say("put " + std::to_string(number) + ' '
              + (x.kind == outcome_kind::committed ? is_mine ? "ok" : "foreign_reply"
                                                   : std::string{to_string(x.reason)}));
        },
        [number](const caf::error& broken) {
          say("put " + std::to_string(number) + ' ' + to_string(broken));
        });
  }};
}

void obey(caf::actor_system& system, const node& owner, const group_actor& group) {
  caf::scoped_actor self{system};
  auto writes = system.spawn(prober, group);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words{line};
    std::string verb;
    words >> verb;
    if (verb == "status") {
      say(status_line(self, group));
    } else if (verb == "load") {
      say(load_line(system, owner, group, words));
    } else if (verb == "put") {
      uint64_t number = 0;
      words >> number;
      caf::anon_send(writes, number);
    } else {
      say("failed: unknown command " + verb);
    }
  }
  caf::anon_send_exit(writes, caf::exit_reason::user_shutdown);
}

void obey(caf::actor_system& system, many_groups& groups) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words{line};
    std::string verb;
    uint64_t count = 0;
    size_t payload = 0;
    words >> verb >> count >> payload;
    if (verb == "fill" && count > 0 && payload > 0) {
      say("filled " + std::to_string(groups.fill(system, count, payload)));
    } else if (verb == "applied") {
      groups.wait_until_applied(count);
      say("applied " + std::to_string(count));
    } else {
      say("failed: unknown command " + line);
    }
  }
}

/// Opens what the node serves and obeys the driver.
result<void> serve(caf::actor_system& system, node& started, many_groups* many,
                   bool has_named_groups) {
  if (has_named_groups) {
    named_groups groups{system, started};
    say("ready");
    for (std::string line; std::getline(std::cin, line);)
      say(groups.obey(line));
    return {};
  }
  if (many != nullptr) {
    if (auto opened = many->open(started); !opened)
      return opened;
    say("ready");
    obey(system, *many);
    return {};
  }
  auto group = started.create_group("bench", [] { return std::make_unique<bench_machine>(); });
  if (!group)
    return group.reason();
  say("ready");
  obey(system, started, *group);
  return {};
}

} // namespace

int node_main(const bench_options& options) {
  // A driver that is killed leaves nothing running.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto settings = make_node_options(options);
  if (!settings) {
    say("failed " + settings.reason().what);
    return 1;
  }
  caf::actor_system_config config; // Never parsed: no caf-application.ini can change it.
  setup(config);
  // The load's own threads: one serves hundreds of thousands of clients' messages a second, and the
  // nodes share the machine.
  config.set("scheduler.max-threads", size_t{1});
  caf::actor_system system{config};
  std::optional<many_groups> many; // Before the node, whose machines count in it.
  if (options.groups > 0)
    many.emplace(options.groups);
  auto started = node::start(system, *settings);
  if (!started) {
    say("failed " + started.reason().what);
    return 1;
  }
  if (auto served = serve(system, *started, many ? &*many : nullptr, options.has_named_groups);
      !served) {
    say("failed " + served.reason().what);
    return 1;
  }
  started->stop();
  return 0;
}

} // namespace caucus::bench
