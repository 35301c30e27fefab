#!/usr/bin/env python3
"""Leadership moves and nodes are replaced, under load.

usage: member_rounds.py PROGRAM [--transfers 100] [--replacements 20] [--seed N] [--untimed]

A transfer counts when the named node leads within an election timeout; 95 of 100 must. In a replacement a node
is killed with SIGKILL, its directory is deleted, and a node with a new id and an empty directory joins in its
place; no operation may take longer than two election timeouts. Eight clients add 1 without end
meanwhile and are judged as in kill_rounds.py. Prints one line a round; exit status 0 if all held.
"""
import argparse
import random
import shutil
import sys
import time
from pathlib import Path

from kill_rounds import ACKS_PER_ROUND, Load, check_end, judge
from counter_cluster import Cluster, Node, free_ports, wait_until

ELECTION_TIMEOUT = 1.0  # seconds: the default options
TRANSFERS_NEEDED = 0.95


def change(cluster, word, what, is_done):
    """Some answers of a dying leader's are `unknown`: then the members tell."""
    for _ in range(5):
        try:
            return cluster.ask(word, what)
        except RuntimeError as error:
            if "unknown (may be executed)" not in str(error):
                raise
            if is_done(cluster.members()):
                return ""
    raise RuntimeError(f"{word} {what}: unknown five times")


def wait_for_acknowledgements(load, what):
    begin = load.counts()[0]
    wait_until(f"{ACKS_PER_ROUND} acknowledgements {what}",
               lambda: load.counts()[0] >= begin + ACKS_PER_ROUND, 60)


def transfer(rng, number, cluster, load):
    """Whether the target led in time. Its own event log tells that it leads."""
    leader = cluster.leader()
    target = rng.choice([x for x in cluster.nodes if x is not leader])
    led_before = sum(x["role"] == "leader" for x in target.events())
    load.take_silence()
    began = time.monotonic()
    try:
        cluster.ask("transfer", target.id)
        problem = ""
    except RuntimeError as error:
        problem = f"  {error}"
    seconds = time.monotonic() - began
    leads = sum(x["role"] == "leader" for x in target.events()) > led_before
    is_in_time = leads and seconds <= ELECTION_TIMEOUT
    wait_for_acknowledgements(load, f"after transfer {number}")
    print(f"transfer {number:3}  {leader.id} -> {target.id}  {'led' if is_in_time else 'MISSED'} "
          f"after {1000 * seconds:5.0f} ms  no acknowledgement for "
          f"{1000 * load.take_silence():5.0f} ms{problem}", flush=True)
    return is_in_time


def replace(rng, number, cluster, load, new_id):
    """The longest that an operation took, in seconds."""
    leader = cluster.leader()
    victim = rng.choice(cluster.nodes)
    wait_for_acknowledgements(load, f"before replacement {number}")
    before = load.take_wait()
    victim.kill()
    shutil.rmtree(victim.directory)
    place = cluster.nodes.index(victim)
    began = time.monotonic()
    peer = f"127.0.0.1:{free_ports(1)[0]}"
    cluster.member_list[place] = f"{new_id}={peer}"
    fresh = Node(cluster.program, new_id, ",".join(cluster.member_list), victim.client,
                 cluster.directory / f"node-{new_id}", victim.options)
    cluster.nodes[place] = fresh
    fresh.start(["--join"])
    change(cluster, "add-member", f"{new_id}={peer}", lambda now: new_id in now)
    wait_until(f"node {new_id} to vote", lambda: cluster.members().get(new_id) == "voter", 60)
    change(cluster, "remove-member", victim.id, lambda now: victim.id not in now)
    seconds = time.monotonic() - began
    wait_for_acknowledgements(load, f"after replacement {number}")
    longest = load.take_wait()
    now = ",".join(str(x) for x in sorted(cluster.members()))
    assert now == ",".join(str(x.id) for x in sorted(cluster.nodes, key=lambda x: x.id)), now
    is_leader = victim is leader
    print(f"replacement {number:3}  {victim.id}{'L' if is_leader else ' '} by {new_id}  "
          f"took {seconds:5.2f} s  longest operation {1000 * longest:5.0f} ms "
          f"(before: {1000 * before:.0f})  members {now}  acknowledged {load.counts()[0]}", flush=True)
    return longest


def run(arguments, rng, directory):
    wrong = []
    with Cluster(arguments.program, directory, 3) as cluster:
        cluster.start()
        cluster.leader()
        load = Load(cluster, arguments.clients, arguments.window, 15000)
        led = sum(transfer(rng, i + 1, cluster, load) for i in range(arguments.transfers))
        waits = [replace(rng, i + 1, cluster, load, 4 + i) for i in range(arguments.replacements)]
        load.end()
        wrong, count = check_end(cluster, load)
        if not arguments.untimed and led < TRANSFERS_NEEDED * arguments.transfers:
            wrong.append(f"only {led} of {arguments.transfers} transfers in time")
        slow = [x for x in waits if x > 2 * ELECTION_TIMEOUT]
        if not arguments.untimed and slow:
            wrong.append(f"{len(slow)} replacements with an operation of more than two election "
                         f"timeouts, the longest {1000 * max(slow):.0f} ms")
        acknowledged, unknown, rejected = load.counts()
        print(f"summary: {led} of {arguments.transfers} transfers in time, {len(waits)} replacements, longest "
              f"operation {1000 * max(waits, default=0):.0f} ms; acknowledged {acknowledged}, unknown "
              f"{unknown}, rejected {rejected}, count {count}")
    for problem in wrong:
        print(f"WRONG: {problem}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--transfers", type=int, default=100)
    parser.add_argument("--replacements", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--window", type=int, default=8)
    parser.add_argument("--untimed", action="store_true", help="however long it takes")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"member_rounds: seed {arguments.seed}, {arguments.transfers} transfers, {arguments.replacements} "
          f"replacements, {arguments.clients} clients with {arguments.window} requests each", flush=True)
    return judge("member_rounds", arguments.seed,
                 lambda directory: run(arguments, random.Random(arguments.seed), directory))


if __name__ == "__main__":
    sys.exit(main())
