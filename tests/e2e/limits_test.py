#!/usr/bin/env python3
"""Everything is bounded: with tiny limits each is reached and said, and memory stays what it is while
a follower is stopped under full load.

usage: limits_test.py [--seconds 10] [unittest options]
"""
import os
import sys
import threading
import time
import unittest
from pathlib import Path

from e2e import QUICK, ProcessTest

TINY = ["--waiting-commands-max", "64", "--uncommitted-bytes-max", "65536",
        "--node-uncommitted-bytes-max", "131072", "--tail-bytes-max", "65536",
        "--link-queue-bytes-max", "65536", "--inflight-messages-max", "4", "--inflight-bytes-max",
        "16384", "--append-bytes-max", "4096", "--proposal-bytes-max", "1024", "--frame-bytes-max",
        "131072", "--inbound-bytes-max", "262144", "--apply-bytes-max", "4096", "--segment-bytes",
        "1048576"]
RSS_GROWTH_MAX_MIB = 6
SECONDS = 10.0


def rss_mib(process):
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the process is gone")


class Load:
    """Asks without a session and without retries, so that each refusal is seen."""

    def __init__(self, cluster, nodes, clients, window):
        self.answers = {}
        self.lock = threading.Lock()
        self.is_on = True
        self.shells = [cluster.shell(nodes, timeout_ms=3000, options=["--window", str(window)],
                                     on_answer=lambda asked, line, at, i=i: self._note(i, line))
                       for i in range(clients)]
        for shell in self.shells:
            for _ in range(window):
                shell.send("raw 0 0 add 1")

    def _note(self, client, line):
        kind = "ok" if line.startswith("ok") else line.split(":")[0]
        with self.lock:
            self.answers[kind] = self.answers.get(kind, 0) + 1
        if self.is_on:
            self.shells[client].send("raw 0 0 add 1")

    def end(self):
        self.is_on = False
        for shell in self.shells:
            shell.close()


class Limits(ProcessTest):
    def setUp(self):
        super().setUp()
        # AddressSanitizer keeps what was freed, by default as much as 256 MiB of it.
        os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [
            os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1",
            "thread_local_quarantine_size_kb=16"]))

    def test_memory_is_flat_while_a_follower_is_stopped_under_full_load(self):
        cluster = self.cluster(options=TINY)
        cluster.start()
        leader = cluster.leader()
        follower, other = [node for node in cluster.nodes if node is not leader]
        load = Load(cluster, leader.client, clients=6, window=64)
        self.watch_memory([leader, other], "all up", SECONDS / 4)
        follower.pause()
        self.watch_memory([leader, other], "one stopped", SECONDS)
        follower.resume()
        load.end()
        print(f"answers: {load.answers}")
        self.assertGreater(load.answers.get("ok", 0), 100)
        self.assertGreater(load.answers.get("rejected proposal_dropped", 0), 0)
        # It comes back from further behind than any memory reaches.
        count = cluster.wait_for_equal_replicas(60)[0]["count"]
        unknown = sum(n for kind, n in load.answers.items() if kind.startswith("unknown"))
        self.assertLessEqual(load.answers["ok"], count)
        self.assertLessEqual(count, load.answers["ok"] + unknown)

    def watch_memory(self, nodes, what, seconds):
        """The second half of the time may not need more than the first, but for noise."""
        samples = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            samples.append([rss_mib(node.process) for node in nodes])
            time.sleep(0.1)
        half = len(samples) // 2
        for i, node in enumerate(nodes):
            first = max(x[i] for x in samples[:half])
            second = max(x[i] for x in samples[half:])
            print(f"rss of node {node.id}, {what}: {first:.1f} MiB, then {second:.1f} MiB")
            self.assertLess(second - first, RSS_GROWTH_MAX_MIB)

    def refusals_without_quorum(self, options, lines):
        """Answers of a leader whose followers are stopped: nothing commits, everything waits."""
        cluster = self.cluster(options=[*QUICK, "--check-quorum", "false", *options])
        cluster.start()
        leader = cluster.leader()
        shell = cluster.shell(leader.client, timeout_ms=1000)
        self.assertTrue(shell.ask("raw 0 0 get").startswith("ok"))
        for node in cluster.nodes:
            if node is not leader:
                node.pause()
        for _ in range(lines):
            shell.send("raw 0 0 add 1")
        answers = [shell.read().split(":")[0] for _ in range(lines)]
        cluster.end()
        return answers

    def test_commands_that_wait_are_bounded_in_number(self):
        answers = self.refusals_without_quorum(["--waiting-commands-max", "4"], 7)
        self.assertEqual(answers, ["unknown timeout"] * 4 + ["rejected proposal_dropped"] * 3)

    def test_commands_that_wait_are_bounded_in_bytes(self):
        for option in ("--uncommitted-bytes-max", "--node-uncommitted-bytes-max"):
            answers = self.refusals_without_quorum([option, "1100"], 6)
            self.assertEqual(set(answers), {"unknown timeout", "rejected proposal_dropped"}, option)
            self.assertEqual(answers[0], "unknown timeout")
            self.assertEqual(answers[-1], "rejected proposal_dropped")

    def test_size_of_a_command_is_bounded(self):
        cluster = self.cluster(count=1, options=[*QUICK, "--proposal-bytes-max", "4"])
        cluster.start()
        shell = cluster.shell()
        self.ask_until(shell, "raw 0 0 get", lambda x: x.startswith("ok"))
        self.assertTrue(shell.ask("raw 0 0 add 1").startswith("rejected proposal_too_large"))

    def test_sessions_are_bounded(self):
        cluster = self.cluster(count=1, options=[*QUICK, "--sessions-max", "2"])
        cluster.start()
        shell = cluster.shell()
        self.ask_until(shell, "open", lambda x: x.startswith("ok"))
        self.assertTrue(shell.ask("open").startswith("ok"))
        self.assertTrue(shell.ask("open").startswith("rejected sessions_exhausted"))


if __name__ == "__main__":
    if "--seconds" in sys.argv:
        at = sys.argv.index("--seconds")
        SECONDS = float(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    unittest.main(verbosity=2)
