#pragma once

#include "base/log.hpp"

#include <memory>
#include <string>

namespace caucus {

/// Lines to standard error through spdlog, asynchronously: a slow terminal loses lines, never time.
/// `prefix` goes in front of each line (`node=1`).
std::shared_ptr<logger> make_spdlog_logger(std::string prefix, log_level level);

} // namespace caucus
