#!/usr/bin/env python3
"""Rounds of kill -9 under load: what was acknowledged is counted, once, and nothing else is.

usage: kill_rounds.py PROGRAM [--rounds 50] [--nodes 3] [--seed N] [--clients 8] [--window 8]
                      [--snapshots] [--minutes N]

Every client adds 1 again and again with several additions under way. `add` returns the count after
it, so all acknowledged values must differ, and the final count lies between what was acknowledged
and that plus what ended unknown. Prints one line a round; exit status 0 if all held.
"""
import argparse
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from counter_cluster import Cluster, wait_until  # noqa: E402

ACKS_PER_ROUND = 20
# Longer takes who waits for the disk in a call, or gets no processor: then the others mostly do, too,
# and the gap is the machine's.
DYING_MAX_SECONDS = 0.5


class Load:
    """Clients that add 1 without end, and what they were told."""

    def __init__(self, cluster, clients, window, timeout_ms):
        self.lock = threading.Lock()
        self.values = set()
        self.duplicates = []
        self.acknowledged = self.unknown = self.rejected = self.other = 0
        self.first_in_term = {}  # term -> when its first acknowledgement arrived
        self.longest_silence = 0.0
        self.longest_wait = 0.0  # of one operation, from its line to its answer
        self._last_ack = time.monotonic()
        self.is_on = True
        self.shells = []
        self._sent_at = [deque() for _ in range(clients)]
        nodes = cluster.addresses.split(",")
        for i in range(clients):
            turned = nodes[i % len(nodes):] + nodes[:i % len(nodes)]
            shell = cluster.shell(",".join(turned), timeout_ms=timeout_ms,
                                  options=["--terms", "--window", str(window)],
                                  on_answer=lambda asked, line, at, i=i: self._note(i, line, at))
            self.shells.append(shell)
        for i in range(clients):
            for _ in range(window):
                self._send(i)

    def _send(self, client):
        self._sent_at[client].append(time.monotonic())
        self.shells[client].send("add 1")

    def _note(self, client, line, at):
        words = line.split()
        with self.lock:
            self.longest_wait = max(self.longest_wait, at - self._sent_at[client].popleft())
            if words[0] == "ok":
                self.acknowledged += 1
                value, term = int(words[1]), int(words[2])
                if value in self.values:
                    self.duplicates.append(value)
                self.values.add(value)
                self.first_in_term.setdefault(term, at)
                self.longest_silence = max(self.longest_silence, at - self._last_ack)
                self._last_ack = at
            elif words[0] == "unknown":
                self.unknown += 1
            elif words[0] == "rejected":
                self.rejected += 1
            else:
                self.other += 1
        if self.is_on:
            self._send(client)

    def counts(self):
        with self.lock:
            return self.acknowledged, self.unknown, self.rejected

    def outstanding(self):
        return sum(shell.outstanding() for shell in self.shells)

    def take_silence(self):
        with self.lock:
            silence, self.longest_silence = self.longest_silence, 0.0
            return silence

    def take_wait(self):
        with self.lock:
            wait, self.longest_wait = self.longest_wait, 0.0
            return wait

    def end(self):
        self.is_on = False
        for shell in self.shells:
            status = shell.close()
            assert status == 0, f"a client ended with status {status}"


def choose_victims(rng, number, nodes, leader):
    """Every fifth round two or all nodes; else one, the leader twice as likely as all others."""
    if number % 5 == 0:
        if number % 10 == 0:
            return list(nodes)
        return [leader, rng.choice([x for x in nodes if x is not leader])]
    return [leader if rng.random() < 2 / 3 else rng.choice([x for x in nodes if x is not leader])]


def play_round(rng, number, cluster, load):
    begin, begin_unknown, begin_rejected = load.counts()
    wait_until(f"{ACKS_PER_ROUND} acknowledgements in round {number}",
               lambda: load.counts()[0] >= begin + ACKS_PER_ROUND, 60)
    leader = cluster.leader()
    victims = choose_victims(rng, number, cluster.nodes, leader)
    term = max(load.first_in_term)
    load.take_silence()
    in_flight = load.outstanding()
    killed_at = time.monotonic()
    for victim in victims:  # All signals first: nobody is to notice the death of another.
        victim.signal(signal.SIGKILL)
    for victim in victims:
        victim.kill()
    dying = time.monotonic() - killed_at
    assert in_flight > 0, "no operation was in flight at the kill"
    at_kill = load.counts()[0]
    # Sometimes at once, sometimes after an election without them.
    pause = rng.choice([0.0, 0.1, 0.5, 1.0])
    threading.Event().wait(pause)
    rng.shuffle(victims)
    for victim in victims:
        victim.start()
    wait_until(f"acknowledgements after the kill of round {number}",
               lambda: load.counts()[0] >= at_kill + ACKS_PER_ROUND, 60)
    if leader in victims:
        first = wait_until("a leader's next term", lambda: min(
            (at for t, at in list(load.first_in_term.items()) if t > term), default=None), 60)
        gap = f"{1000 * (first - killed_at):6.0f}"
    else:
        gap = f"{1000 * load.take_silence():6.0f}"
    end, end_unknown, end_rejected = load.counts()
    names = ",".join(f"{x.id}{'L' if x is leader else ''}" for x in sorted(victims, key=lambda x: x.id))
    print(f"round {number:3}  killed {names:11} down {pause:3.1f} s  in flight {in_flight:4}  "
          f"acknowledged {end - begin:6}  unknown {end_unknown - begin_unknown:3}  "
          f"rejected {end_rejected - begin_rejected:3}  gap {gap} ms  term {max(load.first_in_term)}"
          + (f"  dying took {dying:3.1f} s" if dying > DYING_MAX_SECONDS else ""),
          flush=True)
    return leader in victims, float(gap)


def check_end(cluster, load):
    """The verdict: a list of what is wrong."""
    wrong = []
    statuses = cluster.wait_for_equal_replicas(120)
    print("replicas: " + "  ".join(f"node {x['id']} applied {x['applied']} count {x['count']} "
                                    f"digest {x['digest']}" for x in statuses))
    if len({(x["count"], x["digest"]) for x in statuses}) != 1:
        wrong.append("replicas differ")
    acknowledged, unknown, _ = load.counts()
    count = statuses[0]["count"]
    if load.duplicates:
        wrong.append(f"counted or acknowledged twice: {load.duplicates[:5]}")
    if not acknowledged <= count <= acknowledged + unknown:
        wrong.append(f"the count is {count} after {acknowledged} acknowledged, {unknown} unknown")
    if max(load.values) > count:
        wrong.append(f"an acknowledged count {max(load.values)} is above the final {count}")
    if load.other:
        wrong.append(f"{load.other} answers that are none of ok, rejected, unknown")
    if 10 * unknown > acknowledged + unknown:
        wrong.append(f"{unknown} operations ended unknown, more than one in ten")
    for node in cluster.nodes:
        for line in node.log.read_text(errors="replace").splitlines():
            if "Sanitizer" in line or "runtime error: " in line or "event=quarantined" in line:
                wrong.append(f"node {node.id}: {line}")
    for term, leaders in sorted(cluster.leaders_by_term().items()):
        if len(leaders) > 1:
            wrong.append(f"term {term} had {len(leaders)} leaders: {sorted(leaders)}")
    return wrong, count


def summarise(cluster, load, gaps, count, seconds, rounds):
    acknowledged, unknown, rejected = load.counts()
    terms = cluster.leaders_by_term()
    print(f"summary: {rounds} rounds, {len(cluster.nodes)} nodes, {seconds:.0f} s: acknowledged "
          f"{acknowledged}, unknown {unknown}, rejected {rejected}, count {count}; "
          f"{len(terms)} terms with a leader, never two in one")
    said = "".join(node.log.read_text(errors="replace") for node in cluster.nodes)
    print("summary: " + ", ".join(f"{said.count('event=' + event)} {what}" for event, what in (
        ("snapshot_made", "snapshots made"), ("snapshot_received", "received"),
        ("segment_removed", "segments removed"))))
    if gaps:
        gaps.sort()
        print(f"summary: leader killed {len(gaps)} times, gap to the first acknowledgement after it: "
              f"median {gaps[len(gaps) // 2]:.0f} ms, longest {gaps[-1]:.0f} ms")


def run(arguments, rng, options, directory):
    began = time.monotonic()
    with Cluster(arguments.program, directory, arguments.nodes, options) as cluster:
        cluster.start()
        cluster.leader()
        load = Load(cluster, arguments.clients, arguments.window, arguments.timeout_ms)
        rounds = []
        deadline = began + 60 * arguments.minutes
        while len(rounds) < arguments.rounds or time.monotonic() < deadline:
            rounds.append(play_round(rng, len(rounds) + 1, cluster, load))
        load.end()
        wrong, count = check_end(cluster, load)
        for problem in wrong:
            print(f"WRONG: {problem}")
        if not wrong:
            summarise(cluster, load, [gap for leader, gap in rounds if leader], count,
                      time.monotonic() - began, len(rounds))
    return wrong


def judge(name, seed, play):
    """The exit status of rounds in a directory of their own, which stays if anything is wrong."""
    directory = tempfile.mkdtemp(prefix=f"caucus-{name.replace('_', '-')}-")
    try:
        wrong = play(directory)
    except BaseException:
        print(f"{name}: broken off, seed {seed}; the directories are in {directory}")
        raise
    if wrong:
        print(f"{name}: FAILED with seed {seed}; the directories are in {directory}")
        return 1
    shutil.rmtree(directory)
    print(f"{name}: ok")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--window", type=int, default=8)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--timeout-ms", type=int, default=15000)
    parser.add_argument("--snapshots", action="store_true",
                        help="every 5 entries, and log files of 64 KiB")
    parser.add_argument("--minutes", type=float, default=0, help="so long at least")
    parser.add_argument("--default-options", action="store_true", help="no quick elections")
    arguments = parser.parse_args()
    print(f"kill_rounds: seed {arguments.seed}, {arguments.rounds} rounds, {arguments.nodes} nodes, "
          f"{arguments.clients} clients with {arguments.window} requests each", flush=True)
    rng = random.Random(arguments.seed)
    options = [] if arguments.default_options else ["--tick-ms", "20"]
    if arguments.snapshots:
        options += ["--segment-bytes", "65536", "--snapshot-entries", "5", "--snapshot-interval-ms", "0"]
    return judge("kill_rounds", arguments.seed, lambda directory: run(arguments, rng, options, directory))


if __name__ == "__main__":
    sys.exit(main())
