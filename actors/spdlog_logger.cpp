#include "actors/spdlog_logger.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace caucus {

namespace {

spdlog::level::level_enum to_spdlog(log_level level) noexcept {
  switch (level) {
    case log_level::trace: return spdlog::level::trace;
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

class spdlog_logger final : public logger {
public:
  spdlog_logger(std::string prefix, log_level level)
    : prefix_{std::move(prefix)},
      pool_{std::make_shared<spdlog::details::thread_pool>(8192, 1)},
      sink_{std::make_shared<spdlog::async_logger>(
        "caucus", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool_,
        spdlog::async_overflow_policy::overrun_oldest)} {
    sink_->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    sink_->set_level(to_spdlog(level));
    sink_->flush_on(spdlog::level::trace);
  }

  bool enabled(log_level level) const noexcept override {
    return sink_->should_log(to_spdlog(level));
  }

  void write(log_level level, std::string_view line) override {
    sink_->log(to_spdlog(level), "{}{}", prefix_, line);
  }

private:
  std::string prefix_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> sink_;
};

} // namespace

std::shared_ptr<logger> make_spdlog_logger(std::string prefix, log_level level) {
  if (!prefix.empty())
    prefix += ' ';
  return std::make_shared<spdlog_logger>(std::move(prefix), level);
}

} // namespace caucus
