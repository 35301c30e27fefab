#pragma once

#include <caucus/messages.hpp>

#include <optional>
#include <string>
#include <vector>

namespace counter {

/// What several nodes say about the members, and which of them to believe.
class members_answers {
public:
  void add(caucus::group_members x) { told_.push_back(std::move(x)); }

  /// A leader's, unless somebody knows of a later term: nobody else's is needed then.
  [[nodiscard]] const caucus::group_members* leaders() const;
  /// The leader's, else that of the newest configuration; null: nobody has answered.
  [[nodiscard]] const caucus::group_members* best() const;
  /// What a reader of `best` has to know; empty if it is a leader's.
  [[nodiscard]] std::string warning() const;

private:
  std::vector<caucus::group_members> told_;
};

} // namespace counter
