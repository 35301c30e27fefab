#!/usr/bin/env python3
"""A node whose directory is a tmpfs of a few MiB, which its own log fills: a disk that is really full (RELIABILITY E-05, O-04)."""
import subprocess
import unittest

from e2e import QUICK, ProcessTest, skips, wait_until

SMALL = [*QUICK, "--segment-bytes", "262144"]
IN_FLIGHT = 50


def mount(directory, *options):
    """Why not, or nothing."""
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(directory)],
                              capture_output=True, text=True, timeout=20)
    except FileNotFoundError:
        return "there is no mount(8) here"
    return None if done.returncode == 0 else "a tmpfs can't be mounted here: " + done.stderr.strip()


def count(answers, beginning):
    return sum(x.startswith(beginning) for x in answers)


class FullDisk(ProcessTest):
    def setUp(self):
        super().setUp()
        self.mounted = []

    def tearDown(self):
        for cluster in self.clusters:
            cluster.end()
        for directory in self.mounted:
            subprocess.run(["umount", str(directory)], check=True, timeout=20)
        super().tearDown()

    def start(self, count):
        """Node 1 leads, on a disk of its own."""
        cluster = self.cluster(count, SMALL)
        full = cluster.node(1)
        full.directory.mkdir()
        problem = mount(full.directory, "size=1m")
        if problem:
            self.skipTest(problem)
        self.mounted.append(full.directory)
        cluster.start()
        cluster.leader(60)
        if count > 1:
            cluster.command("transfer", "1")
            wait_until("node 1 to lead", lambda: cluster.leader() is full, 20)
        return cluster, full

    def make_room(self, node):
        problem = mount(node.directory, "remount", "size=8m")
        self.assertIsNone(problem)
        wait_until("room", lambda: "event=disk_has_room" in node.log.read_text(), 20)

    def add_until_full(self, cluster, node):
        """What was acknowledged, and what is unknown."""
        shell = cluster.shell(node.client, timeout_ms=5000)
        acknowledged = unknown = 0
        while "event=disk_full" not in node.log.read_text():
            for _ in range(IN_FLIGHT):
                shell.send("raw 0 0 add 1")
            answers = [shell.read() for _ in range(IN_FLIGHT)]
            acknowledged, unknown = acknowledged + count(answers, "ok "), unknown + count(answers, "unknown")
            self.assertLess(acknowledged, 60000)
        return acknowledged, unknown

    def check_refused_and_read(self, cluster, node, acknowledged, unknown, may_be_behind=False):
        """It takes nothing, says why, and answers from what it has. What is acknowledged and unknown after that."""
        shell = cluster.shell(node.client, timeout_ms=5000)
        answers = []

        def refuses(answer):
            answers.append(answer)
            return answer.startswith("rejected storage_full")

        # One may still find the room that a whole batch lacked.
        self.ask_until(shell, "raw 0 0 add 1", refuses)
        acknowledged, unknown = acknowledged + count(answers, "ok "), unknown + count(answers, "unknown")
        self.assertIn("No space left on device", node.log.read_text())
        stale = shell.ask("get stale")
        self.assertRegex(stale, "^ok ")
        self.assertLessEqual(0 if may_be_behind else acknowledged, int(stale[3:]))
        self.assertLessEqual(int(stale[3:]), acknowledged + unknown)
        return acknowledged, unknown

    def test_a_node_alone_stops_acknowledging_and_goes_on_by_itself(self):
        cluster, node = self.start(1)
        pid = node.process.pid
        acknowledged, unknown = self.add_until_full(cluster, node)
        self.assertGreater(acknowledged, 100)
        acknowledged, unknown = self.check_refused_and_read(cluster, node, acknowledged, unknown)
        self.make_room(node)
        shell = cluster.shell()
        count = int(self.ask_until(shell, "add 1", lambda x: x.startswith("ok "))[3:])
        self.assertLessEqual(acknowledged + 1, count)
        self.assertLessEqual(count, acknowledged + unknown + 1)
        self.assertTrue(node.is_running())
        self.assertEqual(node.process.pid, pid)
        node.kill()
        node.start()
        self.ask_until(cluster.shell(), "get", lambda x: x == f"ok {count}")

    def test_one_of_three_gives_leadership_away_until_it_has_room(self):
        cluster, node = self.start(3)
        acknowledged, unknown = self.add_until_full(cluster, node)
        wait_until("another leader", lambda: cluster.leader() not in (None, node), 20)
        shell = cluster.shell(",".join(x.client for x in cluster.nodes if x is not node))
        for _ in range(IN_FLIGHT):
            self.assertRegex(self.ask_until(shell, "add 1", lambda x: x.startswith("ok ")), "^ok ")
        acknowledged += IN_FLIGHT
        acknowledged, unknown = self.check_refused_and_read(cluster, node, acknowledged, unknown, may_be_behind=True)
        self.make_room(node)
        counts = {x["count"] for x in cluster.wait_for_equal_replicas()}
        self.assertEqual(len(counts), 1)
        self.assertLessEqual(acknowledged, min(counts))
        self.assertLessEqual(min(counts), acknowledged + unknown)
        self.assertTrue(node.is_running())


if __name__ == "__main__":
    skips.main(verbosity=2)
