#pragma once

#include "apps/bench/bench_options.hpp"

namespace caucus::bench {

/// One node, commanded through stdin, answering on stdout, a line each:
///
///     status                               status ROLE TERM LEADER APPLIED COUNT DIGEST
///     load CLIENTS PAYLOAD SECONDS PIDS    loaded OPS P50 P99 P999 CPU_US SYNCS RSS ERRORS ACKED
///     put NUMBER                           put NUMBER ok|REASON   (when known; may overtake)
///
/// With `--groups N` it has so many groups, and knows other commands:
///
///     fill COUNT PAYLOAD                   filled REPEATED        (COUNT commands in each group)
///     applied COUNT                        applied COUNT          (once each machine has as many)
///
/// `ready` comes first, `failed TEXT` instead of an answer that can't be given. Ends with stdin.
int node_main(const bench_options& options);

} // namespace caucus::bench
