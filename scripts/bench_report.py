#!/usr/bin/env python3
"""Prints medians and ratios of the points that scripts/bench collected.

usage: scripts/bench_report.py FILE      (one JSON object a line, with `system` and `round`)

Fails if a point is not verified or had errors; a missed target is printed, not a failure, because
the machine decides it as well.
"""
import json
import statistics
import sys
from collections import defaultdict

TARGET_CLIENTS = (256, 1000)
THROUGHPUT_RATIO_MIN = 8
CPU_RATIO_MIN = 10
DISTURBED_CORES = 0.15


def median(values):
    return statistics.median(values) if values else float("nan")


def uniform_caucus(x):
    return {"ops": x["ops_per_s"], "p50": x["p50_us"], "p99": x["p99_us"], "p999": x["p999_us"],
            "cpu": x["cpu_us_per_op"], "sync": x["ops_per_sync"], "rss": x["rss_mib"]}


def uniform_etcd(x):
    return {"ops": x["ops_s"], "p50": x["p50_ms"] * 1e3, "p99": x["p99_ms"] * 1e3,
            "p999": x["p999_ms"] * 1e3, "cpu": x["cpu_s_per_1000"] * 1e3,
            "sync": x["puts_per_leader_fsync"], "rss": x["srv_rss_MiB"]}


def load(path):
    points = defaultdict(lambda: defaultdict(dict))  # system -> clients -> round -> figures
    others, faults = [], []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            x = json.loads(line)
            if x["system"] == "caucus":
                points["caucus"][x["clients"]][x["round"]] = uniform_caucus(x)
                if not x["verified"] or x["errors"]:
                    faults.append(line.strip())
            elif x["system"] == "etcd":
                points["etcd"][x["clients"]][x["round"]] = uniform_etcd(x)
                others.append(x)
            else:
                others.append(x)
    return points, others, faults


def print_points(points):
    head = ("system", "clients", "ops/s", "p50 us", "p99 us", "p99.9 us", "cpu us/op", "ops/sync",
            "RSS MiB", "min..max ops/s")
    print("%-7s %7s %9s %9s %9s %9s %9s %9s %8s  %s" % head)
    for system, by_clients in points.items():
        for clients, rounds in sorted(by_clients.items()):
            columns = {k: [x[k] for x in rounds.values()] for k in next(iter(rounds.values()))}
            mid = {k: median(v) for k, v in columns.items()}
            print("%-7s %7d %9.0f %9.1f %9.1f %9.1f %9.2f %9.1f %8.0f  %.0f..%.0f"
                  % (system, clients, mid["ops"], mid["p50"], mid["p99"], mid["p999"], mid["cpu"],
                     mid["sync"], mid["rss"], min(columns["ops"]), max(columns["ops"])))


def verdict(label, value, is_met, target):
    print("%-58s %8.2f  %s (%s)" % (label, value, "met" if is_met else "MISSED", target))


def print_ratios(points):
    """Round by round, then the median: a machine's speed drifts between rounds."""
    ours, theirs = points["caucus"], points["etcd"]
    print("\nratios to etcd, medians over the rounds:")
    for clients in sorted(set(ours) & set(theirs)):
        both = sorted(set(ours[clients]) & set(theirs[clients]))
        pairs = [(ours[clients][r], theirs[clients][r]) for r in both]
        print("  %4d clients: throughput x %.1f, CPU per operation 1/%.1f, p50 1/%.1f"
              % (clients, median([a["ops"] / b["ops"] for a, b in pairs]),
                 median([b["cpu"] / a["cpu"] for a, b in pairs]),
                 median([b["p50"] / a["p50"] for a, b in pairs])))
    print()
    for clients in TARGET_CLIENTS:
        rounds = sorted(set(ours.get(clients, {})) & set(theirs.get(clients, {})))
        if not rounds:
            continue
        best = {r: max(by_round[r]["ops"] for by_round in theirs.values() if r in by_round)
                for r in rounds}
        ratio = median([ours[clients][r]["ops"] / best[r] for r in rounds])
        verdict("throughput at %d clients over etcd's best" % clients, ratio,
                ratio >= THROUGHPUT_RATIO_MIN, ">= %d" % THROUGHPUT_RATIO_MIN)
        ratio = median([theirs[clients][r]["cpu"] / ours[clients][r]["cpu"] for r in rounds])
        verdict("etcd's CPU per operation over ours at %d clients" % clients, ratio,
                ratio >= CPU_RATIO_MIN, ">= %d" % CPU_RATIO_MIN)
    rounds = sorted(set(ours.get(1, {})) & set(theirs.get(1, {})))
    if rounds:
        ratio = median([theirs[1][r]["p50"] / ours[1][r]["p50"] for r in rounds])
        verdict("etcd's p50 over ours at 1 client", ratio, ratio > 1, "> 1")


def print_limits(others):
    limits = [x for x in others if x["system"] == "limits"]
    if not limits:
        return

    def of(key, **match):
        return median([x[key] for x in limits if all(x.get(k) == v for k, v in match.items())])

    print("\nlimits: fdatasync %.0f/s alone (p50 %.0f us), %.0f/s each of 3 writers; "
          "O_DIRECT|O_DSYNC %.0f/s; sequential %.0f MB/s; loopback round trip %.1f us"
          % (of("syncs_s_per_writer", t="fdatasync", prealloc=1, writers=1, batch=1),
             of("p50_us", t="fdatasync", prealloc=1, writers=1, batch=1),
             of("syncs_s_per_writer", t="fdatasync", prealloc=1, writers=3, batch=1),
             of("syncs_s_per_writer", t="direct_dsync", writers=1, batch=1),
             of("MB_s", t="seq_write", direct=1), of("rtt_p50_us", t="tcp_pingpong", bytes=256)))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    points, others, faults = load(sys.argv[1])
    print()
    print_points(points)
    if points["etcd"] and points["caucus"]:
        print_ratios(points)
    print_limits(others)
    for x in others:
        if x["system"] == "failover":
            print("failover: median %.0f ms, longest %.0f ms, %.2f x the election timeout (%d rounds)"
                  % (x["median_ms"], x["max_ms"], x["ratio"], x["rounds"]))
    foreign = [x["foreign_cores"] for x in others if "foreign_cores" in x and x["system"] == "etcd"]
    if foreign and median(foreign) > DISTURBED_CORES:
        print("DISTURBED: other processes took %.1f cores while etcd was measured (median)"
              % median(foreign))
    for fault in faults:
        print("FAILED: " + fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
