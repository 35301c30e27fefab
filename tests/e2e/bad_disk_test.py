#!/usr/bin/env python3
"""Disks that are full, or fail, under real processes: strace answers their system calls in the kernel's place."""
import os
import signal
import unittest

from e2e import QUICK, ProcessTest, skips, wait_until
from slow_sync_test import strace_problem

SMALL = [*QUICK, "--segment-bytes", "262144"]
IN_FLIGHT = 200


def injecting(fault):
    """-D: strace is the node's grandchild, so that signals reach the node itself."""
    return ["strace", "-D", "-I1", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fallocate,fdatasync", "-e", f"inject={fault}"]


def end_injection(node):
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
        tracer = next(int(line.split()[1]) for line in status if line.startswith("TracerPid:"))
    os.kill(tracer, signal.SIGINT)  # It detaches.
    wait_until("the end of the faults", lambda: not os.path.exists(f"/proc/{tracer}"), 20)


class BadDisk(ProcessTest):
    def setUp(self):
        super().setUp()
        problem = strace_problem()
        if problem:
            self.skipTest(problem)

    def add_until(self, cluster, done, most=60000):
        """Adds ones until `done`, all acknowledged; how many."""
        shell = cluster.shell()
        count = 0
        while not done():
            self.assertLess(count, most)
            for _ in range(IN_FLIGHT):
                shell.send("add 1")
            for _ in range(IN_FLIGHT):
                self.assertRegex(shell.read(), "^ok ")
            count += IN_FLIGHT
        self.assertEqual(shell.close(), 0)
        return count

    def start(self, fault):
        """Node 1 leads and its disk has the fault."""
        cluster = self.cluster(options=SMALL)
        bad = cluster.node(1)
        bad.prefix = injecting(fault)
        cluster.start()
        cluster.leader(60)
        cluster.command("transfer", "1")
        return cluster, bad

    def logged(self, node, event):
        return event in node.log.read_text(errors="replace")

    def test_a_full_disk_costs_leadership_for_as_long_as_it_is_full(self):
        # The first segment, and the one set aside, are there already.
        cluster, full = self.start("fallocate:error=ENOSPC:when=3+")
        count = self.add_until(cluster, lambda: self.logged(full, "event=disk_full"))
        self.assertTrue(full.is_running())
        wait_until("another leader", lambda: cluster.leader() is not full, 20)
        count += self.add_until(cluster, iter([False, True]).__next__)
        self.assertIn("No space left on device", full.log.read_text())
        end_injection(full)
        wait_until("room", lambda: self.logged(full, "event=disk_has_room"), 20)
        cluster.wait_for_equal_replicas()
        for status in cluster.statuses():
            self.assertEqual(status["count"], count)

    def test_a_failing_sync_takes_the_node_out_of_service_and_loses_nothing(self):
        cluster, bad = self.start("fdatasync:error=EIO:when=60+")
        count = self.add_until(cluster, lambda: not bad.is_running())
        self.assertIn("Input/output error", bad.log.read_text())
        bad.prefix = []
        bad.start()
        cluster.wait_for_equal_replicas()
        for status in cluster.statuses():
            self.assertEqual(status["count"], count)


if __name__ == "__main__":
    skips.main(verbosity=2)
