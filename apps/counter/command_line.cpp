#include "command_line.hpp"

#include "backup_command.hpp"
#include "client_system.hpp"
#include "group_commands.hpp"
#include "serve_command.hpp"
#include "shell_command.hpp"
#include "single_commands.hpp"
#include "whole_number.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <limits>

namespace counter {

namespace {

constexpr auto description = R"(A counter that survives the loss of any minority of its nodes.

Three nodes on one machine, each command in a terminal of its own (or add &):
  M=1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103
  caucus-counter serve --id 1 --members $M --client 127.0.0.1:7201 --data counter-1
  caucus-counter serve --id 2 --members $M --client 127.0.0.1:7202 --data counter-2
  caucus-counter serve --id 3 --members $M --client 127.0.0.1:7203 --data counter-3
Then
  N=127.0.0.1:7201,127.0.0.1:7202,127.0.0.1:7203
  caucus-counter add 5 --nodes $N
  caucus-counter status --nodes $N
)";

/// What was written on the command line of `serve`.
struct serve_line {
  uint64_t id = 0;
  std::string cluster_file;
  std::string cluster_name;
  std::string members;
  std::string listen;
  std::string client;
  std::string data;
  std::vector<uint64_t> accept_directories;
  bool join = false;
  std::string restore;
  bool force_new_cluster = false;
  std::vector<std::string> settings; ///< One for each line of option_table().
};

/// What was written on the command line of a client.
struct client_line {
  std::string nodes;
  uint64_t timeout_ms = 10000;
  uint64_t try_timeout_ms = 1500;
  shell_options shell;
  bool as_json = false;
  int64_t amount = 0;
  std::string consistency = "linearizable";
  std::string member; ///< ID=HOST:PORT
  uint64_t node = 0;
  bool as_learner = false;
  std::optional<uint64_t> expected_configuration;
  std::string file;
  bool may_replace = false;
};

class bad_command_line : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// CLI11 alone takes what doesn't fit for the largest number, and -1 for the largest unsigned one.
template <class Number>
CLI::Validator whole_number(Number least = std::numeric_limits<Number>::min()) {
  return {[least](std::string& text) {
            auto number = parse_whole_number<Number>(text);
            return number && *number >= least
                     ? std::string{}
                     : "'" + text + "' is not a whole number from " + std::to_string(least) + " to "
                         + std::to_string(std::numeric_limits<Number>::max());
          },
          ""};
}

template <class T>
T or_throw(caucus::result<T> x, const std::string& where = {}) {
  if (!x)
    throw bad_command_line{where + x.reason().what};
  if constexpr (!std::is_void_v<T>)
    return *std::move(x);
}

serve_options to_options(const serve_line& line, const CLI::App& app) {
  serve_options options;
  auto& node = options.node;
  // The file is for all members; what is said here is for this one and wins.
  if (!line.cluster_file.empty())
    or_throw(caucus::read_cluster_file(node, line.cluster_file));
  node.id = caucus::node_id{line.id};
  if (app.count("--cluster-name"))
    node.cluster = line.cluster_name;
  if (app.count("--members"))
    node.members = or_throw(caucus::parse_members(line.members));
  if (node.members.empty())
    throw bad_command_line{"--members is missing: name all nodes, 1=HOST:PORT,2=HOST:PORT,…, or a "
                           "--cluster file that does"};
  if (!line.listen.empty())
    node.listen = or_throw(caucus::parse_endpoint(line.listen), "--listen: ");
  options.client = or_throw(caucus::parse_endpoint(line.client), "--client: ");
  if (options.client.host.empty())
    throw bad_command_line{"--client " + line.client + " has no host; expected HOST:PORT"};
  node.data_directory = line.data;
  node.join = line.join;
  node.restore_file = line.restore;
  node.restore_group = group_name;
  node.force_new_cluster = line.force_new_cluster;
  for (auto peer : line.accept_directories)
    node.accept_directories.insert(caucus::node_id{peer});
  auto table = caucus::option_table();
  for (size_t i = 0; i < table.size(); ++i)
    if (app.count("--" + std::string{table[i].name}))
      or_throw(caucus::set_option(node, table[i].name, line.settings[i]));
  return options;
}

client_options to_options(const client_line& line) {
  client_options options;
  options.nodes = parse_addresses(line.nodes);
  options.timeout = std::chrono::milliseconds{line.timeout_ms};
  options.try_timeout = std::chrono::milliseconds{std::min(line.try_timeout_ms, line.timeout_ms)};
  return options;
}

bool is_switch(const caucus::option_description& option) {
  return std::holds_alternative<bool caucus::node_options::*>(option.member);
}

std::string help_of(const caucus::option_description& option) {
  static const caucus::node_options defaults;
  std::string text{option.help};
  if (auto* is_on = std::get_if<bool caucus::node_options::*>(&option.member))
    return text + " [true or false, default " + (defaults.*(*is_on) ? "true" : "false") + "]";
  auto value = defaults.*std::get<uint64_t caucus::node_options::*>(option.member);
  return text + " [" + std::to_string(option.min) + ".." + std::to_string(option.max) + ", default "
         + std::to_string(value) + "]";
}

void describe_serve(CLI::App& app, serve_line& line) {
  app.add_option("--id", line.id, "which of the members this node is")->type_name("N")->required();
  app
    .add_option("--members", line.members,
                "peer addresses of all nodes, this one included, in any order: "
                "1=HOST:PORT,2=HOST:PORT,…")
    ->type_name("LIST");
  app
    .add_option("--client", line.client,
                "where clients connect, HOST:PORT; the protocol there is CAF's and knows no "
                "password: use a loopback or otherwise trusted address")
    ->type_name("HOST:PORT")
    ->required();
  app
    .add_option("--data", line.data,
                "directory of this node's state; made if it isn't there, and belongs to this node "
                "of this cluster from then on")
    ->type_name("DIR")
    ->required();
  app
    .add_option("--cluster", line.cluster_file,
                "JSON file with cluster, members and options, the same for all nodes")
    ->type_name("FILE");
  app.add_option("--cluster-name", line.cluster_name, "nodes of other clusters are refused")
    ->type_name("NAME");
  app
    .add_option("--listen", line.listen,
                "where to listen for peers, HOST:PORT, if that is not this member's address")
    ->type_name("HOST:PORT");
  app.add_flag("--join", line.join,
               "a new node of a running cluster: it waits until add-member names it; --members "
               "says where the others are");
  app
    .add_option(
      "--restore", line.restore,
      "begin a new cluster with this backup, in an empty directory; the same file for all "
      "of --members, at their first start only")
    ->type_name("FILE");
  app.add_flag("--force-new-cluster", line.force_new_cluster,
               "begin a new cluster with what this directory has and this node as its only member, "
               "once, when the others are lost for good; what only they had is lost");
  app
    .add_option("--accept-directory", line.accept_directories,
                "let node N come with another data directory than the one known here; give it once "
                "to each node that refuses N, not to N; may be repeated")
    ->type_name("N")
    ->allow_extra_args(false);
  auto table = caucus::option_table();
  line.settings.resize(table.size());
  for (size_t i = 0; i < table.size(); ++i)
    app.add_option("--" + std::string{table[i].name}, line.settings[i], help_of(table[i]))
      ->type_name(is_switch(table[i]) ? "BOOL" : "N")
      ->group("Tuning");
}

CLI::App* describe_client(CLI::App& parent, client_line& line, const char* name, const char* help) {
  auto* app = parent.add_subcommand(name, help);
  app->add_option("--nodes", line.nodes, "where nodes serve clients: HOST:PORT,HOST:PORT,…")
    ->type_name("LIST")
    ->required();
  app
    ->add_option("--timeout", line.timeout_ms,
                 "milliseconds until an operation is given up [default 10000]")
    ->type_name("MS")
    ->check(CLI::Range(1, 3600000));
  app
    ->add_option("--try-timeout", line.try_timeout_ms,
                 "milliseconds until another node is tried [default 1500]")
    ->type_name("MS")
    ->check(CLI::Range(1, 3600000));
  return app;
}

/// The commands that change the members, and the one that tells them.
struct member_commands {
  CLI::App* members;
  CLI::App* add;
  CLI::App* remove;
  CLI::App* promote;
  CLI::App* demote;

  member_commands(CLI::App& app, client_line& line) {
    members =
      describe_client(app, line, "members",
                      "who replicates the counter, by the leader's word if it can be reached");
    members->add_flag("--json", line.as_json, "one JSON object");
    add = describe_client(app, line, "add-member",
                          "add a node; it votes once it has caught up (start it with --join)");
    add->add_option("MEMBER", line.member, "its id and peer address, 4=HOST:PORT")->required();
    add->add_flag("--learner", line.as_learner, "receives the log, never votes");
    remove = describe_client(app, line, "remove-member",
                             "remove a node, dead or alive; refused if too few of those that stay "
                             "have answered lately");
    promote = describe_client(app, line, "promote", "let a learner vote, once it has caught up");
    demote = describe_client(app, line, "demote", "make a voter a learner");
    for (auto* one : {remove, promote, demote})
      one->add_option("NODE", line.node, "its id")->required()->check(whole_number<uint64_t>(1));
    for (auto* one : {add, remove, promote, demote})
      one
        ->add_option("--expect", line.expected_configuration,
                     "refuse unless this is the configuration's number (see members); 0 is the "
                     "first one's")
        ->type_name("N")
        ->check(whole_number<uint64_t>()); // The first configuration's is 0.
  }

  [[nodiscard]] bool is_change() const {
    return add->parsed() || remove->parsed() || promote->parsed() || demote->parsed();
  }

  [[nodiscard]] caucus::change_members change(const client_line& line) const {
    using kind = caucus::member_change_kind;
    caucus::member_change one{.kind = kind::remove, .node = line.node};
    if (add->parsed()) {
      auto named = or_throw(caucus::parse_members(line.member));
      if (named.size() != 1)
        throw bad_command_line{"MEMBER names one node: ID=HOST:PORT"};
      one.kind = line.as_learner ? kind::add_learner : kind::add;
      one.node = named.begin()->first.value();
      one.address = to_string(named.begin()->second);
    } else if (promote->parsed()) {
      one.kind = kind::promote;
    } else if (demote->parsed()) {
      one.kind = kind::demote;
    }
    return {.changes = {one}, .expected_configuration = line.expected_configuration};
  }
};

/// The commands that make a copy of the state.
struct snapshot_commands {
  CLI::App* take;
  CLI::App* backup;

  snapshot_commands(CLI::App& app, client_line& line) {
    take = describe_client(app, line, "snapshot",
                           "a node makes a snapshot now, the leader if it is among --nodes");
    backup = describe_client(app, line, "backup",
                             "write the counter's state at one index to FILE, for serve --restore; "
                             "--timeout is for each part of it");
    backup->add_option("FILE", line.file, "a new file; it has its name once it is whole")
      ->required();
    backup->add_flag("--force", line.may_replace, "replace FILE if it is there");
  }
};

/// One line for whatever CLI11 has to say.
std::string first_line(std::string text) { return text.substr(0, text.find('\n')); }

} // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{description};
  app.name("caucus-counter");
  app.require_subcommand(1);
  serve_line serving;
  client_line asking;
  auto* serve = app.add_subcommand("serve", "run one node");
  describe_serve(*serve, serving);
  auto* shell =
    describe_client(app, asking, "shell",
                    "operations from standard input, one a line: add N, get (an entry like add), "
                    "get linearizable|lease|stale (past the log), status; "
                    "answers: ok VALUE, rejected REASON, unknown REASON");
  shell
    ->add_option("--window", asking.shell.window,
                 "operations under way at a time; they still execute in order [default 64]")
    ->check(CLI::Range(1, 200));
  shell->add_flag("--terms", asking.shell.shows_term, "answer ok VALUE TERM to add");
  auto* add = describe_client(app, asking, "add", "add to the count");
  add->add_option("N", asking.amount, "how much, may be negative")
    ->required()
    ->check(whole_number<int64_t>());
  auto* get = describe_client(app, asking, "get", "read the count without writing to the log");
  get
    ->add_option("--consistency", asking.consistency,
                 "linearizable: everything acknowledged before; lease: the same without a round "
                 "trip while the leader's lease holds; stale: what the node has, also without a "
                 "leader [default linearizable]")
    ->check(CLI::IsMember({"linearizable", "lease", "stale"}));
  member_commands members{app, asking};
  auto* transfer = describe_client(app, asking, "transfer", "hand leadership to a node");
  transfer->add_option("NODE", asking.node, "its id [default: the best]")
    ->check(whole_number<uint64_t>(1));
  auto* down = describe_client(app, asking, "step-down", "the leader stops leading");
  snapshot_commands snapshots{app, asking};
  auto* status = describe_client(app, asking, "status", "ask each of the nodes for its own state");
  status->add_flag("--json", asking.as_json, "one JSON object a line for each node");
  describe_client(app, asking, "watch", "print each change of the leader");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    std::cerr << "caucus-counter: " << first_line(wrong.what())
              << " (caucus-counter --help tells more)" << std::endl;
    return 2;
  }
  for (auto* one : {status, members.members})
    if (one->parsed() && !one->count("--timeout"))
      asking.timeout_ms = 3000; // A dead node is an answer, too.
  try {
    if (serve->parsed())
      return run_serve(to_options(serving, *serve));
    auto options = to_options(asking);
    if (shell->parsed()) {
      asking.shell.client = options;
      leave(run_shell(asking.shell));
    }
    if (add->parsed())
      leave(run_add(options, asking.amount));
    if (get->parsed())
      leave(run_get(options, *to_freshness(asking.consistency)));
    if (members.members->parsed())
      leave(run_members(options, asking.as_json));
    if (members.is_change())
      leave(run_change(options, members.change(asking)));
    if (transfer->parsed())
      leave(run_transfer(options, asking.node));
    if (down->parsed())
      leave(run_step_down(options));
    if (snapshots.take->parsed())
      leave(run_snapshot(options));
    if (snapshots.backup->parsed())
      leave(run_backup(options, asking.file, asking.may_replace));
    if (status->parsed())
      leave(run_status(options, asking.as_json));
    leave(run_watch(options));
  } catch (const bad_command_line& wrong) {
    std::cerr << "caucus-counter: " << wrong.what() << std::endl;
  } catch (const std::invalid_argument& wrong) {
    std::cerr << "caucus-counter: " << wrong.what() << std::endl;
  }
  return 2;
}

} // namespace counter
