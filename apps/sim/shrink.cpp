#include "apps/sim/shrink.hpp"

#include <algorithm>

namespace caucus::sim {

namespace {

class shrinking {
public:
  shrinking(const run_report& failed, size_t runs_max) : best_{failed}, left_{runs_max} {}

  run_report search() {
    if (best_.invariant != "liveness")
      try_with(&options::liveness, 0);
    for (bool is_better = true; is_better && left_ > 0;) {
      is_better = false;
      for (const auto& row : option_table())
        if (const auto least = least_of(row); best_.what.*row.field > least)
          is_better |= try_with(row.field, least);
      for (auto field : {&options::events, &options::clients, &options::nodes, &options::spares})
        while (best_.what.*field > 1 && try_with(field, best_.what.*field / 2))
          is_better = true;
    }
    return best_;
  }

private:
  /// Off, for what can be off; the rest keeps its value here.
  static int64_t least_of(const option_row& row) {
    static constexpr std::array kept{&options::seed,
                                     &options::events,
                                     &options::nodes,
                                     &options::clients,
                                     &options::think_us,
                                     &options::attempt_us,
                                     &options::retry_us,
                                     &options::attempts_max,
                                     &options::session_timeout_us,
                                     &options::tick_us,
                                     &options::election_ticks,
                                     &options::heartbeat_ticks,
                                     &options::pre_vote,
                                     &options::check_quorum,
                                     &options::append_bytes,
                                     &options::inflight_bytes,
                                     &options::inflight_messages,
                                     &options::uncommitted_bytes,
                                     &options::forwarded_max,
                                     &options::tail_bytes,
                                     &options::apply_bytes,
                                     &options::apply_max,
                                     &options::batches_max,
                                     &options::delay_mean_us,
                                     &options::recovered_bytes,
                                     &options::fault_every_us,
                                     &options::down_us,
                                     &options::trouble_us,
                                     &options::liveness,
                                     &options::spares};
    const bool is_kept = std::find(kept.begin(), kept.end(), row.field) != kept.end();
    return is_kept ? std::numeric_limits<int64_t>::max() : row.least;
  }

  bool try_with(int64_t options::*field, int64_t value) {
    if (left_ == 0)
      return false;
    --left_;
    auto x = best_.what;
    x.*field = value;
    auto report = run(x, {});
    if (report.invariant != best_.invariant)
      return false;
    if (report.invariant != "liveness") // What comes after the violation isn't needed.
      report.what.events = std::min(x.events, static_cast<int64_t>(report.counts.events) + 1);
    best_ = std::move(report);
    return true;
  }

  run_report best_;
  size_t left_;
};

} // namespace

run_report shrink(const run_report& failed, size_t runs_max) {
  return shrinking{failed, runs_max}.search();
}

} // namespace caucus::sim
