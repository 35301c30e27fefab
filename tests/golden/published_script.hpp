#pragma once

#include "apps/datadriven/case_file.hpp"
#include "tests/support/golden/trace_session.hpp"

namespace caucus::golden {

/// Plays a published interaction script of etcd-raft with our cores: its schedule, command by
/// command, and of what it expects the facts: who leads which term, logs, roles, progress, refused
/// proposals, and which entries each node commits. Messages and batches are the implementation's
/// own. Our cores begin in term 1, the term of the snapshot that they start from, so that every
/// term is one more than there.
class published_script {
public:
  struct outcome {
    size_t commands = 0;
    size_t facts = 0;                  ///< Compared, and found equal.
    std::vector<std::string> failures; ///< What differs, or isn't understood.
  };

  outcome play(const std::vector<datadriven::test_case>& cases);

private:
  using handler = void (published_script::*)(const datadriven::test_case&);
  struct committed_entry {
    uint64_t node = 0;
    std::string entry; ///< As the script spells it.
  };

  // -- commands ---------------------------------------------------------------------
  void play_one(const datadriven::test_case& x);
  void add_nodes(const datadriven::test_case& x);
  void introduce_leaders();
  void campaign(const datadriven::test_case& x);
  void deliver(const datadriven::test_case& x);
  void take_ready(const datadriven::test_case& x);
  void propose(const datadriven::test_case& x);
  void propose_change(const datadriven::test_case& x);

  // -- facts ------------------------------------------------------------------------
  void compare_log(const datadriven::test_case& x);
  void compare_roles(const datadriven::test_case& x);
  void compare_progress(const datadriven::test_case& x);
  void compare_elections(const datadriven::test_case& x);
  void note_commits(const datadriven::test_case& x);
  void compare_commits();
  void check(bool is_so, const std::string& what);

  void run(const std::string& text) { said_ = session_.run(text); }

  trace_session session_;
  outcome out_;
  std::vector<std::string> said_; ///< What the last command brought.
  std::vector<committed_entry> committed_;
  uint64_t nodes_ = 0;
  bool is_asynchronous_ = false; ///< Disks and machines work when told.
  bool checks_quorum_ = false;
  bool sounds_out_ = false; ///< By pre-votes.
  size_t line_ = 0;
};

} // namespace caucus::golden
