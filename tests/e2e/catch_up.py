#!/usr/bin/env python3
"""A member that was away for many entries catches up, from the others' disks or by a snapshot, and
no node's memory grows with what it missed.

usage: catch_up.py PROGRAM [--entries 1000000] [--by log snapshot] [--rss-max-mib 256]

A follower is killed, clients add 1 until so many entries are acknowledged, the follower is started
again. Prints how long it took from its start to equal replicas, and each node's largest resident
memory (VmHWM); exit status 0 if all replicas are equal and none was above the limit.
"""
import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from counter_cluster import Cluster, wait_until  # noqa: E402
from kill_rounds import Load, judge  # noqa: E402

OPTIONS = {
    "log": ["--snapshot-log-bytes", str(1 << 40)],
    "snapshot": ["--snapshot-log-bytes", str(1 << 20), "--snapshot-interval-ms", "0",
                 "--segment-bytes", str(1 << 20)],
}


def peak_mib(node):
    for line in Path(f"/proc/{node.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc")


def play(arguments, how, directory):
    wrong = []
    with Cluster(arguments.program, directory, 3, OPTIONS[how]) as cluster:
        cluster.start()
        leader = cluster.leader()
        away = next(x for x in cluster.nodes if x is not leader)
        away.kill()
        load = Load(cluster, clients=8, window=64, timeout_ms=15000)
        wait_until(f"{arguments.entries} acknowledgements",
                   lambda: load.counts()[0] >= arguments.entries, 60 + arguments.entries / 500)
        load.end()
        before = {x.id: peak_mib(x) for x in cluster.nodes if x is not away}
        began = time.monotonic()
        away.start()
        statuses = cluster.wait_for_equal_replicas(120 + arguments.entries / 2000)
        seconds = time.monotonic() - began
        received = away.log.read_text(errors="replace").count("event=snapshot_received")
        print(f"catch_up by {how}: {load.counts()[0]} entries missed, {received} snapshots received, "
              f"equal after {seconds:.1f} s")
        for node in cluster.nodes:
            peak = peak_mib(node)
            role = "away" if node is away else f"before {before[node.id]:.0f} MiB"
            print(f"  node {node.id}: {peak:.0f} MiB at most ({role})")
            if peak > arguments.rss_max_mib:
                wrong.append(f"node {node.id} took {peak:.0f} MiB, more than {arguments.rss_max_mib}")
        if len({(x["count"], x["digest"]) for x in statuses}) != 1:
            wrong.append("replicas differ")
        if load.other or load.duplicates:
            wrong.append(f"{load.other} answers that make no sense, {len(load.duplicates)} given twice")
        if (how == "snapshot") != (received > 0):
            wrong.append(f"{received} snapshots were received")
    for problem in wrong:
        print(f"WRONG: {problem}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--by", nargs="+", choices=OPTIONS, default=list(OPTIONS))
    parser.add_argument("--rss-max-mib", type=float, default=256)
    arguments = parser.parse_args()
    return max(judge("catch_up", 0, lambda directory, how=how: play(arguments, how, directory))
               for how in arguments.by)


if __name__ == "__main__":
    sys.exit(main())
