// caucus-wal: looks at the log of a stopped node, judges it and, if told so, repairs it.

#include "apps/wal/commands.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <iostream>

namespace {

using namespace caucus::wal_tool;

constexpr auto description =
  R"(Looks at the log of a stopped node: DIR is its data directory, or a copy of it.

  caucus-wal inspect DIR             segments and groups, their index ranges and bytes
  caucus-wal verify DIR              every problem, with file, offset and record
  caucus-wal dump DIR | less         every record, in the order of the log
  caucus-wal export DIR --group g    the entries that the group's log has now
  caucus-wal snapshots DIR           the snapshot files, and whether they are sound
  caucus-wal repair DIR --dry-run    what would be lost by making the log usable again

The exit status is 1 if something is wrong with the log, 2 if it can't be looked at.)";

using command = int (*)(const settings&);

CLI::App* add(CLI::App& app, settings& x, command& chosen, const char* name, const char* text,
              command run) {
  auto* sub = app.add_subcommand(name, text);
  sub->add_option("DIR", x.directory, "The node's data directory")->required();
  sub->callback([&chosen, run] { chosen = run; });
  return sub;
}

} // namespace

int main(int argc, char** argv) {
  settings x;
  command chosen = nullptr;
  CLI::App app{description, "caucus-wal"};
  app.require_subcommand(1);
  auto* inspect = add(app, x, chosen, "inspect", "Segments and groups, as tables", run_inspect);
  auto* verify = add(app, x, chosen, "verify", "Every problem of the log", run_verify);
  auto* dump = add(app, x, chosen, "dump", "Every record, in the order of the log", run_dump);
  auto* exported = add(app, x, chosen, "export",
                       "The entries that a group's log has now, as JSON lines", run_export);
  auto* snapshots =
    add(app, x, chosen, "snapshots", "The snapshot files, each read to its end", run_snapshots);
  auto* repair = add(app, x, chosen, "repair",
                     "Saves what can be kept of a damaged log into a new directory", run_repair);
  for (auto* sub : {inspect, verify, dump, snapshots})
    sub->add_flag("--json", x.as_json, "For scripts: JSON, a line for each thing");
  for (auto* sub : {dump, exported})
    sub->add_option("--group", x.group, "Name or number of a group; nothing else is shown");
  exported->get_option("--group")->required();
  for (auto* sub : {dump, exported})
    sub->add_flag("--payloads", x.shows_payloads, "Shows what the entries carry, in hex");
  auto* dry = repair->add_flag("--dry-run", x.is_dry_run, "Only tells what would be lost");
  auto* into = repair->add_option("--into", x.into, "A new directory for what is kept");
  auto* accepted = repair->add_flag("--accept-loss", x.is_confirmed, "Writes it, whatever is lost");
  accepted->needs(into)->excludes(dry);
  try {
    app.parse(argc, argv);
    if (chosen == run_repair && !x.is_dry_run && x.into.empty())
      throw CLI::RequiredError{"--into DIR (or --dry-run)"};
    return chosen(x);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    std::cerr << "caucus-wal: " << wrong.what() << "; --help explains\n";
    return 2;
  } catch (const std::exception& problem) {
    std::cerr << "caucus-wal: " << problem.what() << '\n';
    return 2;
  }
}
