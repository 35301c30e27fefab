#!/usr/bin/env python3
"""Who leads, as a client sees it: changes are told in order, dead and silent leaders are left."""
import re
import signal
import subprocess
import time
import unittest

from e2e import PROGRAM, QUICK, ProcessTest, wait_until


class Leaders(ProcessTest):
    def test_watch_tells_the_current_leader_first_and_each_change_once(self):
        cluster = self.cluster()
        cluster.start()
        first = cluster.leader()
        # Through a node that stays.
        nodes = [node for node in cluster.nodes if node is not first]
        output = open(self.directory / "watch.txt", "w+")
        watch = subprocess.Popen([str(PROGRAM), "watch", "--nodes", nodes[0].client], stdout=output,
                                 stdin=subprocess.DEVNULL)

        def told():
            text = (self.directory / "watch.txt").read_text()
            return [(int(term), leader)
                    for term, leader in re.findall(r"term (\d+)  leader (\w+)", text)]
        try:
            wait_until("the current leader", told, 20)
            self.assertEqual(told()[0][1], str(first.id))
            first.kill()
            wait_until("another leader", lambda: told()[-1][1] not in (str(first.id), "none"), 20)
            second = cluster.leader()
            self.assertEqual(told()[-1][1], str(second.id))
            changes = told()
            self.assertEqual(len(set(changes)), len(changes), "a change was told twice")
            self.assertEqual([x[0] for x in changes], sorted(x[0] for x in changes))
        finally:
            watch.kill()
            watch.wait()
            output.close()

    def test_client_leaves_a_leader_that_is_stopped(self):
        cluster = self.cluster()
        cluster.start()
        leader = cluster.leader()
        shell = cluster.shell(options=["--try-timeout", "500"])
        self.assertEqual(shell.ask("add 1"), "ok 1")
        leader.pause()
        before = time.monotonic()
        self.assertEqual(shell.ask("add 1"), "ok 2")
        self.assertLess(time.monotonic() - before, 5)
        leader.resume()
        cluster.wait_for_equal_replicas()
        self.assertEqual(shell.ask("add 1"), "ok 3")

    def test_any_node_can_be_asked(self):
        cluster = self.cluster()
        cluster.start()
        cluster.leader()
        for count, node in enumerate(cluster.nodes, 1):
            self.assertEqual(cluster.shell(node.client).ask("add 1"), f"ok {count}")

    def test_every_node_tells_its_own_state_without_a_leader(self):
        cluster = self.cluster()
        cluster.start()
        cluster.leader()
        for node in cluster.nodes[1:]:
            node.stop()
        alone = cluster.node(1)
        wait_until("the last node to know that nobody leads",
                   lambda: cluster.status_of(alone)["leader"] == 0, 20)
        answer = cluster.shell(alone.client, timeout_ms=500).ask("add 1")
        self.assertTrue(answer.startswith(("rejected", "unknown")), answer)

    def test_default_options(self):
        cluster = self.cluster(options=[])
        cluster.start()
        shell = cluster.shell()
        self.assertEqual(shell.ask("add 1"), "ok 1")
        cluster.leader().kill()
        self.assertEqual(shell.ask("add 1"), "ok 2")

    def test_stop_is_clean_and_quick(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell()
        self.assertEqual(shell.ask("add 1"), "ok 1")
        begin = time.monotonic()
        self.assertEqual([node.stop() for node in cluster.nodes], [0, 0, 0])
        self.assertLess(time.monotonic() - begin, 10)

    def test_second_sigterm_ends_a_node_that_drains(self):
        cluster = self.cluster(options=[*QUICK, "--check-quorum", "false"])
        cluster.start()
        leader = cluster.leader()
        shell = cluster.shell(leader.client)
        self.assertTrue(shell.ask("raw 0 0 get").startswith("ok"))
        for node in cluster.nodes:
            if node is not leader:
                node.pause()
        last = cluster.status_of(leader)["last"]
        shell.send("raw 0 0 add 1")
        wait_until("the command to be in the log",
                   lambda: cluster.status_of(leader)["last"] > last, 20)
        leader.signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            leader.process.wait(1)  # It waits for the command, up to drain-timeout-ms.
        begin = time.monotonic()
        leader.signal(signal.SIGTERM)
        self.assertNotEqual(leader.process.wait(10), 0)
        self.assertLess(time.monotonic() - begin, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
