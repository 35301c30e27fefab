#pragma once

#include <stdexcept>

namespace caucus::golden {

/// The script itself is wrong, or what it requires isn't so: no rewriting makes that right.
class script_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

} // namespace caucus::golden
