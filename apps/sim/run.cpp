#include "apps/sim/run.hpp"

#include "apps/sim/dump.hpp"
#include "apps/sim/violation.hpp"

namespace caucus::sim {

run_report run(const options& x, const run_settings& how) {
  run_report out{.what = x,
                 .invariant = {},
                 .detail = {},
                 .trace_hash = 0,
                 .counts = {},
                 .reached = {},
                 .history = {}};
  world simulated{x, how};
  try {
    simulated.run();
  } catch (const violation& broken) {
    out.invariant = broken.invariant();
    out.detail = broken.what();
  }
  out.trace_hash = simulated.trace_hash();
  out.counts = simulated.counts();
  out.reached = simulated.reached();
  if (how.keeps_history)
    out.history = simulated.history();
  if (!how.dump_to.empty())
    dump(simulated.nodes(), how.dump_to);
  return out;
}

} // namespace caucus::sim
