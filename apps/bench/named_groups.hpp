#pragma once

#include "apps/bench/load_run.hpp"
#include "caucus/messages.hpp"
#include "caucus/node.hpp"

#include <caf/scoped_actor.hpp>

#include <map>
#include <memory>
#include <sstream>

namespace caucus::bench {

/// Groups of one node that a driver opens by name, and what it has done with them: one line says
/// what, one line tells what came of it (`named_cluster` is the other side).
class named_groups {
public:
  named_groups(caf::actor_system& system, node& owner) : owner_{owner}, self_{system} {}

  std::string obey(const std::string& line);

private:
  using words = std::istringstream;

  std::string open(const std::string& name, words& arguments);
  std::string status(const group_actor& group);
  std::string transfer(const group_actor& group, words& arguments);
  std::string resize(const group_actor& group, words& arguments);
  std::string fill(const group_actor& group, words& arguments);
  std::string snapshot(const group_actor& group);
  std::string load(const group_actor& group, words& arguments);
  std::string unload();

  /// Asks and waits; what was refused is in the answer's `detail`.
  template <class Request>
  outcome ask(const group_actor& group, Request request);

  node& owner_;
  caf::scoped_actor self_;
  std::map<std::string, group_actor> groups_;
  std::shared_ptr<load_run> run_; ///< What measures now.
};

} // namespace caucus::bench
