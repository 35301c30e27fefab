#pragma once

#include <stdexcept>
#include <string>

namespace caucus {

/// A rule of ours was broken: by a bug, or by a disk or peer that lies. The group that meets it is
/// quarantined with this text; the process and the other groups live on.
class invariant_violation : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

[[noreturn]] void throw_invariant_violation(const char* condition, const char* file, int line,
                                            const std::string& detail = {});

} // namespace caucus

/// On in every build: a wrong state must stop before it is acted upon.
#define CAUCUS_ASSERT(condition)                                                                   \
  do {                                                                                             \
    if (!(condition)) [[unlikely]]                                                                 \
      ::caucus::throw_invariant_violation(#condition, __FILE__, __LINE__);                         \
  } while (false)

#define CAUCUS_ASSERT_MSG(condition, detail)                                                       \
  do {                                                                                             \
    if (!(condition)) [[unlikely]]                                                                 \
      ::caucus::throw_invariant_violation(#condition, __FILE__, __LINE__, detail);                 \
  } while (false)
