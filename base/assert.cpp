#include "base/assert.hpp"

#include <string_view>

namespace caucus {

void throw_invariant_violation(const char* condition, const char* file, int line,
                               const std::string& detail) {
  std::string_view path{file};
  // The folder and file are enough to find the place and don't tell where it was built.
  if (auto name = path.rfind('/'); name != std::string_view::npos)
    if (auto folder = path.rfind('/', name - 1); folder != std::string_view::npos)
      path.remove_prefix(folder + 1);
  std::string text = "invariant violated at ";
  text.append(path).append(":").append(std::to_string(line)).append(": ").append(condition);
  if (!detail.empty())
    text.append(" (").append(detail).append(")");
  throw invariant_violation{text};
}

} // namespace caucus
