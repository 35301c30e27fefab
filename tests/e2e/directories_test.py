#!/usr/bin/env python3
"""What a directory is worth: nothing is lost by a crash of all, and a wiped one doesn't vote."""
import shutil
import unittest

from e2e import PROGRAM, ProcessTest, QUICK, Node, free_ports, wait_until


class Directories(ProcessTest):
    def test_nothing_is_lost_when_all_nodes_are_killed_at_once(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell(timeout_ms=20000)
        count = 0
        for _ in range(3):
            for _ in range(300):
                shell.send("add 1")
            for _ in range(300):
                count += 1
                self.assertEqual(shell.read(), f"ok {count}")
            cluster.kill_all()
            cluster.start()
        self.assertEqual(shell.ask("get"), f"ok {count}")
        self.assertEqual([x["count"] for x in cluster.wait_for_equal_replicas()], [count] * 3)

    def test_members_may_be_listed_in_any_order(self):
        cluster = self.cluster()
        for i, node in enumerate(cluster.nodes):
            node.members = ",".join(cluster.member_list[i:] + cluster.member_list[:i])
        cluster.start()
        shell = cluster.shell()
        self.assertEqual(shell.ask("add 3"), "ok 3")
        for node in cluster.nodes:
            node.stop()
            node.members = ",".join(reversed(node.members.split(",")))
        cluster.start()
        self.assertEqual(shell.ask("add 3"), "ok 6")
        cluster.wait_for_equal_replicas()

    def test_one_cluster_file_serves_all_members(self):
        cluster = self.cluster(options=[])
        members = ",".join('"%s": "%s"' % tuple(x.split("=")) for x in cluster.member_list)
        file = self.directory / "cluster.json"
        file.write_text('{"cluster": "filed", "members": {%s}, "options": {"tick-ms": 20}}' % members)
        for node in cluster.nodes:
            node.command = lambda extra=(), node=node: [
                node.program, "serve", "--cluster", str(file), "--id", str(node.id), "--client",
                node.client, "--data", str(node.directory), *extra]
            self.assertIn("of cluster filed", node.start())
        self.assertEqual(cluster.shell().ask("add 3"), "ok 3")

    def test_wiped_directory_is_refused_until_accepted(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell()
        self.assertEqual(shell.ask("add 5"), "ok 5")
        cluster.wait_for_equal_replicas()
        wiped = cluster.node(3)
        wiped.stop()
        shutil.rmtree(wiped.directory)
        wiped.log.unlink()
        wiped.start()
        others = cluster.nodes[:2]
        for node in others:
            wait_until(f"node {node.id} to refuse the blank voter",
                       lambda: "peer_refused peer=3" in node.log.read_text(), 20)
            # The same words in both logs, so they must say which node is to be restarted.
            advice = f"restart node {node.id}, not node 3, once with --accept-directory 3"
            self.assertIn(advice, node.log.read_text())
            wait_until("the blank voter to be told", lambda: advice in wiped.log.read_text(), 20)
        # Nobody greeted it, and it doesn't say otherwise; each refusal is told once.
        self.assertNotIn("event=peer_up", wiped.log.read_text())
        for node in others:
            self.assertEqual(node.log.read_text().count("event=peer_refused peer=3"), 1)
        # It takes no part: with one of the others gone there is no majority.
        others[0].kill()
        blocked = cluster.shell(timeout_ms=2000)
        self.assertFalse(blocked.ask("add 1000").startswith("ok"))
        self.assertEqual(cluster.status_of(wiped)["applied"], 0)
        others[0].start(["--accept-directory", "3"])
        others[1].stop()
        others[1].start(["--accept-directory", "3"])
        self.ask_until(shell, "get", lambda x: x.startswith("ok "))
        statuses = cluster.wait_for_equal_replicas()
        self.assertIn(statuses[2]["count"], (5, 1005))
        # From now on its directory is the known one: no flag is needed any more.
        for node in cluster.nodes:
            node.stop()
        cluster.start()
        self.ask_until(shell, "get", lambda x: x.startswith("ok "))
        cluster.wait_for_equal_replicas()

    def test_a_node_that_joined_later_is_accepted_with_another_directory_as_well(self):
        cluster = self.cluster()
        cluster.start()
        cluster.leader()
        peer, client = (f"127.0.0.1:{port}" for port in free_ports(2))
        joined = Node(PROGRAM, 4, ",".join([*cluster.member_list, f"4={peer}"]), client,
                      cluster.directory / "node-4", QUICK)
        cluster.nodes.append(joined)
        joined.start(["--join"])
        cluster.ask("add-member", f"4={peer}")
        wait_until("node 4 to vote", lambda: cluster.members().get(4) == "voter", 30)
        cluster.wait_for_equal_replicas()
        joined.stop()
        shutil.rmtree(joined.directory)
        joined.start(["--join"])
        others = cluster.nodes[:3]
        for node in others:
            wait_until(f"node {node.id} to refuse it",
                       lambda: "peer_refused peer=4" in node.log.read_text(), 20)
        # The list that these were started with doesn't name node 4.
        for node in others:
            node.stop()
            node.start(["--accept-directory", "4"])
        cluster.wait_for_equal_replicas()


if __name__ == "__main__":
    unittest.main(verbosity=2)
