#!/usr/bin/env python3
"""Members come and go while the cluster works; leadership is handed over; reads without the log."""
import json
import re
import shutil
import unittest

from e2e import PROGRAM, ProcessTest, QUICK, Node, free_ports, wait_until


class Members(ProcessTest):
    def join(self, cluster, node_id, options=QUICK):
        """A node that isn't a member yet, started on an empty directory."""
        peer, client = (f"127.0.0.1:{port}" for port in free_ports(2))
        members = ",".join([*cluster.member_list, f"{node_id}={peer}"])
        node = Node(PROGRAM, node_id, members, client, cluster.directory / f"node-{node_id}", options)
        cluster.nodes.append(node)
        node.start(["--join"])
        return node, peer

    def active_nodes(self, cluster):
        told = json.loads(cluster.ask("members", "--json"))
        return {x["id"]: x["active"] for x in told["members"]}

    def add(self, cluster, node_id, peer):
        cluster.ask("add-member", f"{node_id}={peer}")
        wait_until(f"node {node_id} to vote",
                   lambda: cluster.members().get(node_id) == "voter", 30)

    def test_a_node_joins_and_carries_its_part(self):
        cluster = self.cluster()
        cluster.start()
        cluster.leader()
        shell = cluster.shell()
        for count in range(1, 51):
            self.assertEqual(shell.ask("add 1"), f"ok {count}")
        node, peer = self.join(cluster, 4)
        self.assertEqual(cluster.status_of(node)["leader"], 0)
        self.add(cluster, 4, peer)
        self.assertEqual(cluster.members(), {1: "voter", 2: "voter", 3: "voter", 4: "voter"})
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {50})
        # Three of four are a majority only together with the new one.
        cluster.node(1).kill()
        shell = cluster.shell(",".join(x.client for x in cluster.nodes[1:]))
        self.assertEqual(self.ask_until(shell, "add 1", lambda x: x.startswith("ok ")), "ok 51")
        cluster.node(1).start()
        # It knows its members from its own log now, with the same command line as before.
        node.kill()
        node.start(["--join"])
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {51})

    def test_who_joins_saves_nothing_before_it_knows_the_members(self):
        cluster = self.cluster()
        cluster.start()
        cluster.leader()
        shell = cluster.shell()
        for count in range(1, 30001):
            shell.send("add 1")
        for count in range(1, 30001):
            self.assertEqual(shell.read(), f"ok {count}")
        # It hears of the members by the newest entry, and its state is to be saved at every few.
        node, peer = self.join(cluster, 4, [*QUICK, "--snapshot-entries", "5",
                                            "--snapshot-interval-ms", "0"])
        self.add(cluster, 4, peer)
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {30000})
        self.assertEqual([shell.ask("add 1") for _ in range(10)][-1], "ok 30010")
        saved = re.compile(r"event=snapshot_made index=(\d+)")
        wait_until("it to save its state", lambda: saved.search(node.log.read_text()), 30)
        self.assertGreater(int(saved.search(node.log.read_text())[1]), 30000)
        node.kill()
        node.start(["--join"])
        self.assertEqual(shell.ask("add 1"), "ok 30011")
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {30011})

    def test_a_dead_node_is_replaced_by_a_new_one(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell()
        self.assertEqual(self.ask_until(shell, "add 7", lambda x: x.startswith("ok ")), "ok 7")
        dead = cluster.leader()
        dead.kill()
        cluster.nodes.remove(dead)
        shell = cluster.shell(",".join(x.client for x in cluster.nodes))
        self.assertEqual(self.ask_until(shell, "add 1", lambda x: x.startswith("ok ")), "ok 8")
        cluster.addresses = ",".join(x.client for x in cluster.nodes)
        _, peer = self.join(cluster, 4)
        self.add(cluster, 4, peer)
        cluster.ask("remove-member", dead.id)
        self.assertEqual(sorted(cluster.members()), sorted(x.id for x in cluster.nodes))
        self.assertEqual(shell.ask("add 1"), "ok 9")
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {9})
        for node in cluster.nodes:  # The new one's list named the dead one, too.
            wait_until(f"node {node.id} to give the dead one up", lambda node=node:
                       f"event=peer_dropped peer={dead.id}" in node.log.read_text(), 20)

    def test_a_node_that_founded_a_cluster_of_its_own_is_refused(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell()
        self.assertEqual(self.ask_until(shell, "add 7", lambda x: x.startswith("ok ")), "ok 7")
        # Forgotten --join, with nobody's list but its own: it leads itself and counts.
        peer, client = (f"127.0.0.1:{port}" for port in free_ports(2))
        node = Node(PROGRAM, 4, f"4={peer}", client, cluster.directory / "node-4", QUICK)
        cluster.nodes.append(node)
        node.start()
        alone = cluster.shell(client)
        for count in range(1, 21):
            self.assertEqual(self.ask_until(alone, "add 1", lambda x: x.startswith("ok ")),
                             f"ok {count}")
        before = cluster.status_of(node)
        cluster.ask("add-member", f"4={peer}")
        sentence = "of one of the same name founded by 4: stop the node that was to join"
        wait_until("node 4 to say why it is refused", lambda: sentence in node.log.read_text(), 20)
        self.assertIn("start it with --join", node.log.read_text())
        wait_until("a member to say the same",
                   lambda: any("founded by 4" in x.log.read_text() for x in cluster.nodes[:3]), 20)
        self.assertEqual(cluster.members()[4], "staging")  # Silent, and without a vote.
        # Both clusters are as they were.
        self.assertEqual(shell.ask("add 1"), "ok 8")
        self.assertEqual(alone.ask("add 1"), "ok 21")
        after = cluster.status_of(node)
        self.assertEqual((after["term"], after["leader"]), (before["term"], 4))
        cluster.ask("remove-member", 4)
        # What the sentence says helps.
        self.assertEqual(alone.close(), 0)
        node.stop()
        shutil.rmtree(node.directory)
        node.members = ",".join([*cluster.member_list, f"4={peer}"])
        node.start(["--join"])
        self.add(cluster, 4, peer)
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {8})
        # It knows its cluster now: another list and no --join change nothing.
        node.stop()
        node.members = f"4={peer}"
        node.start()
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {8})

    def test_leadership_goes_where_it_is_told(self):
        cluster = self.cluster()
        cluster.start()
        for target in (1, 2, 2, 3, 1):
            cluster.ask("transfer", target)
            self.assertEqual(cluster.leader().id, target)
        before = cluster.leader()
        cluster.ask("step-down", nodes=before.client)
        self.assertNotEqual(cluster.leader().id, before.id)

    def test_learners_are_promoted_and_voters_demoted(self):
        cluster = self.cluster()
        cluster.start()
        cluster.leader()
        cluster.ask("demote", 3)
        self.assertEqual(cluster.members()[3], "learner")
        cluster.ask("promote", 3)
        wait_until("node 3 to vote", lambda: cluster.members()[3] == "voter", 20)

    def test_impossible_changes_are_refused_with_their_reason(self):
        cluster = self.cluster()
        cluster.start()
        cluster.leader()
        for words in (["promote", 9], ["remove-member", 9], ["add-member", "1=127.0.0.1:1"],
                      ["demote", 2, "--expect", 12345], ["transfer", 9]):
            result = cluster.command(*words)
            self.assertEqual(result.returncode, 1, (words, result.stdout))
            self.assertRegex(result.stderr, r"rejected \(not executed\): \w+", words)
        self.assertEqual(set(cluster.members().values()), {"voter"})

    def test_a_change_that_expects_the_first_configuration_is_made_once(self):
        cluster = self.cluster()
        cluster.start()
        cluster.leader()
        cluster.ask("demote", 3, "--expect", 0)
        second = cluster.command("remove-member", 2, "--expect", 0)
        self.assertEqual(second.returncode, 1, second.stdout)
        self.assertIn("configuration_mismatch", second.stderr)
        self.assertEqual(cluster.members(), {1: "voter", 2: "voter", 3: "learner"})

    def test_a_living_voter_stays_while_another_is_dead(self):
        cluster = self.cluster()
        cluster.start()
        leader = cluster.leader()
        dead, alive = (x for x in cluster.nodes if x is not leader)
        dead.kill()
        wait_until("the dead one to be missed", lambda: not self.active_nodes(cluster)[dead.id], 20)
        refused = cluster.command("remove-member", alive.id)
        self.assertIn("rejected (not executed): change_without_majority: "
                      f"node {dead.id} has not answered lately", refused.stderr)
        self.assertEqual(len(cluster.members()), 3)
        cluster.ask("remove-member", dead.id)
        self.assertNotIn(dead.id, cluster.members())
        cluster.ask("remove-member", alive.id)  # Now the leader is enough.
        self.assertEqual(list(cluster.members()), [leader.id])

    def test_a_removed_node_says_so_and_is_not_believed(self):
        cluster = self.cluster()
        cluster.start()
        leader = cluster.leader()
        gone = next(x for x in cluster.nodes if x is not leader)
        stays = ",".join(x.client for x in cluster.nodes if x is not gone)
        cluster.ask("remove-member", gone.id, nodes=stays)
        peer = f"127.0.0.1:{free_ports(1)[0]}"
        cluster.ask("add-member", f"9={peer}", "--learner", nodes=stays)
        refused = wait_until("the removed node to know", lambda: next(
            (x for x in [cluster.command("get", "--timeout", 500, nodes=gone.client)]
             if "not_member" in x.stderr), None), 20)
        self.assertIn("rejected (not executed): not_member: node "
                      f"{gone.id} is not in configuration", refused.stderr)
        changed = cluster.command("remove-member", 9, "--timeout", 1500, nodes=gone.client)
        self.assertIn("not_member", changed.stderr)
        alone = cluster.command("members", nodes=gone.client)
        self.assertEqual(alone.returncode, 0)
        self.assertIn(f"this is what node {gone.id}, which is no member itself, knows", alone.stderr)
        for nodes in (f"{gone.client},{stays}", f"{stays},{gone.client}"):
            told = cluster.command("members", nodes=nodes)
            self.assertEqual(told.stderr, "")
            self.assertIn(f"9     {peer}", told.stdout)

    def test_reads_of_each_consistency_on_each_node(self):
        cluster = self.cluster(options=[*QUICK, "--lease", "true", "--clock-drift-max-ms", "20"])
        cluster.start()
        shell = cluster.shell()
        count = 0
        for consistency in ("linearizable", "lease"):
            for node in cluster.nodes:
                count += 1
                self.assertEqual(self.ask_until(shell, "add 1", lambda x: x.startswith("ok ")),
                                 f"ok {count}")
                told = cluster.ask("get", "--consistency", consistency, nodes=node.client)
                self.assertEqual(told.splitlines()[1].split()[0], str(count))
        before = max(x["last"] for x in cluster.statuses())
        for node in cluster.nodes:
            cluster.ask("get", nodes=node.client)
        self.assertEqual(max(x["last"] for x in cluster.statuses()), before)
        alone = cluster.leader()
        for node in cluster.nodes:
            if node is not alone:
                node.kill()
        fresh = cluster.command("get", "--timeout", 1500, nodes=alone.client)
        self.assertNotEqual(fresh.returncode, 0)
        stale = cluster.ask("get", "--consistency", "stale", nodes=alone.client)
        self.assertEqual(stale.splitlines()[1].split()[0], str(count))

    def test_a_leader_that_was_paused_does_not_answer_by_its_lease(self):
        cluster = self.cluster(options=[*QUICK, "--lease", "true", "--clock-drift-max-ms", "20"])
        cluster.start()
        shell = cluster.shell()
        for count in range(1, 6):
            paused = cluster.leader()
            asked = cluster.shell(paused.client)
            self.assertEqual(self.ask_until(shell, "add 1", lambda x: x.startswith("ok ")),
                             f"ok {count}")
            self.assertEqual(asked.ask("get lease"), f"ok {count}")
            paused.pause()
            others = cluster.shell(",".join(x.client for x in cluster.nodes if x is not paused))
            self.assertEqual(self.ask_until(others, "add 0", lambda x: x.startswith("ok ")),
                             f"ok {count}")
            self.assertEqual(others.ask("add 1000"), f"ok {count + 1000}")
            asked.send("get lease")  # Waits in the paused node's socket: it reads it on waking.
            paused.resume()
            self.assertNotEqual(asked.read(), f"ok {count}", "what was true before the pause")
            others.ask("add -1000")
            for ended in (asked, others):
                self.assertEqual(ended.close(), 0)

    def test_the_shell_reads_in_order_and_writes_nothing(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell()
        self.assertEqual(self.ask_until(shell, "add 1", lambda x: x.startswith("ok ")), "ok 1")
        for line in ("add 1", "get linearizable", "add 1", "get lease", "get stale"):
            shell.send(line)
        self.assertEqual([shell.read() for _ in range(4)], ["ok 2", "ok 2", "ok 3", "ok 3"])
        self.assertTrue(shell.read().startswith("ok "))
        self.assertTrue(shell.ask("get quickly").startswith("rejected not an operation"))
        before = shell.status()["last"]
        for _ in range(20):
            self.assertEqual(shell.ask("get linearizable"), "ok 3")
        self.assertEqual(shell.status()["last"], before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
