#pragma once

#include <caucus/messages.hpp>

#include <string>
#include <vector>

namespace counter {

/// One JSON object: id role term leader commit applied count digest, and more.
std::string to_json(const caucus::group_status& x);

/// One JSON object: configuration, joint, leader, members.
std::string to_json(const caucus::group_members& x);
std::string to_table(const caucus::group_members& x);

using table = std::vector<std::vector<std::string>>;

/// For people: columns as wide as their widest cell; the last is as wide as it likes.
std::string aligned(const table& lines);

/// One line of a table for people.
struct status_row {
  std::string address;
  bool is_answered = false;
  caucus::group_status told; ///< If answered.
  std::string problem;       ///< If not.
};

std::string to_table(const std::vector<status_row>& rows);

} // namespace counter
