#pragma once

#include <exception>
#include <string>

namespace caucus {

/// What was thrown, in words. For handlers of `catch (...)` only.
inline std::string describe_thrown() {
  try {
    throw;
  } catch (const std::exception& x) {
    return x.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

} // namespace caucus
