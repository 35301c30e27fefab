#!/usr/bin/env python3
"""Backups of running nodes, and clusters that begin from one or from what is left of another."""
import hashlib
import json
import shutil
import subprocess
import unittest

from e2e import BUILD, ProcessTest, QUICK, wait_until


def fields_of(table):
    """The one line of a table under its headings."""
    head, line = table.splitlines()
    return dict(zip(head.split(), line.split()))


class NewClusters(ProcessTest):
    def backup(self, cluster, name="backup", *options):
        """The file, and what the command said of it."""
        file = self.directory / name
        return file, fields_of(cluster.ask("backup", file, *options))

    def members_of(self, cluster, nodes=None):
        return {x["id"]: x for x in json.loads(cluster.ask("members", "--json", nodes=nodes))["members"]}

    @staticmethod
    def content(directory):
        return [(path, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None)
                for path in sorted(directory.rglob("*"))] if directory.exists() else None

    def refused(self, node, expected, *extra):
        """The start says why in one line and changes nothing."""
        before = self.content(node.directory)
        result = subprocess.run([*node.command([str(x) for x in extra])], capture_output=True,
                                text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertNotEqual(result.returncode, 0, result)
        lines = [x for x in result.stderr.splitlines() if x]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertIn(expected, lines[0])
        self.assertEqual(self.content(node.directory), before, "something was written")


class Backups(NewClusters):
    def test_a_snapshot_is_made_on_request(self):
        cluster = self.cluster(count=1)
        cluster.start()
        cluster.shell().ask("add 5")
        told = fields_of(cluster.ask("snapshot"))
        self.assertEqual(cluster.status_of(cluster.node(1))["applied"], int(told["INDEX"]))
        self.assertIn("event=snapshot_made index=" + told["INDEX"], cluster.node(1).log.read_text())

    def test_a_backup_says_what_it_is_of_and_replaces_nothing_unasked(self):
        cluster = self.cluster()
        cluster.start()
        self.assertEqual(cluster.shell().ask("add 5"), "ok 5")
        file, told = self.backup(cluster)
        leader = cluster.status_of(cluster.leader())
        self.assertEqual((int(told["INDEX"]), int(told["TERM"])), (leader["applied"], leader["term"]))
        self.assertEqual(told["MEMBERS"], ",".join(cluster.member_list))
        self.assertEqual(told["GROUP"], "counter")
        self.assertEqual(int(told["BYTES"]), file.stat().st_size)
        before = file.read_bytes()
        refused = cluster.command("backup", file)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"{file} exists already", refused.stderr)
        self.assertEqual(file.read_bytes(), before)
        cluster.shell().ask("add 1")
        self.assertGreater(int(self.backup(cluster, "backup", "--force")[1]["INDEX"]),
                           int(told["INDEX"]))
        self.assertEqual([x.name for x in self.directory.iterdir() if x.is_file()], ["backup"])

    def test_without_a_node_there_is_no_file(self):
        cluster = self.cluster(count=1)
        result = cluster.command("backup", self.directory / "backup", "--timeout", 500)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no node of --nodes answers", result.stderr)
        self.assertEqual([x for x in self.directory.iterdir() if x.is_file()], [])


class Restores(NewClusters):
    def test_a_backup_under_load_begins_a_new_cluster_with_its_count(self):
        old = self.cluster()
        old.start()
        shell = old.shell()
        acknowledged = 0
        for _ in range(50):
            shell.send("add 1")
        file = None
        for i in range(1, 401):
            shell.send("add 1")  # 50 are always under way.
            self.assertEqual(shell.read(), f"ok {i}")
            acknowledged = i
            if i == 200:
                asked = acknowledged
                file, told = self.backup(old)
        for i in range(401, 451):
            self.assertEqual(shell.read(), f"ok {i}")
        new = self.cluster()
        for node in new.nodes:
            node.start(["--restore", str(file)])
        count = int(self.ask_until(new.shell(), "get", lambda x: x.startswith("ok "))[3:])
        self.assertGreaterEqual(count, asked)
        self.assertEqual(count, self.count_at(old, int(told["INDEX"])))
        # It works, and starts again like any other.
        shell = new.shell()
        self.assertEqual(shell.ask("add 5"), f"ok {count + 5}")
        new.kill_all()
        new.start()
        self.assertEqual(self.ask_until(new.shell(), "get", lambda x: x.startswith("ok ")),
                         f"ok {count + 5}")
        self.assertEqual({x["count"] for x in new.wait_for_equal_replicas()}, {count + 5})
        self.assertEqual({x["role"] for x in self.members_of(new).values()}, {"voter"})
        # The old one hasn't noticed.
        self.assertEqual(old.shell().ask("add 1"), "ok 451")

    def count_at(self, cluster, index):
        """What an old node's log says: the commands up to there, each of which adds 1."""
        node = next(x for x in cluster.nodes if x is not cluster.leader())
        node.stop()
        dumped = subprocess.run([BUILD / "bin" / "caucus-wal", "dump", "--json", node.directory],
                                capture_output=True, text=True, timeout=60, check=True)
        adds = {}
        for line in dumped.stdout.splitlines():
            for entry in json.loads(line).get("entries", []):
                adds[entry["index"]] = entry["kind"] == "command"
        node.start()
        self.assertIn(index, adds)
        return sum(is_add for at, is_add in adds.items() if at <= index)

    def test_an_old_member_is_refused_by_the_new_cluster_at_the_same_addresses(self):
        cluster = self.cluster()
        cluster.start()
        self.assertEqual(cluster.shell().ask("add 7"), "ok 7")
        file, _ = self.backup(cluster)
        cluster.wait_for_equal_replicas()
        for node in cluster.nodes:
            node.stop()
        for node in cluster.nodes[:2]:  # Node 3 alone doesn't know of it.
            shutil.rmtree(node.directory)
            node.start(["--restore", str(file)])
        self.assertEqual(self.ask_until(cluster.shell(), "add 1", lambda x: x.startswith("ok ")),
                         "ok 8")
        old = cluster.node(3)
        old.start()
        wait_until("the old member to be refused",
                   lambda: "founded by 1,2,3 from backup" in old.log.read_text(), 20)
        status = cluster.status_of(old)
        self.assertEqual((status["count"], status["leader"]), (7, 0))
        self.assertEqual(cluster.shell().ask("add 1"), "ok 9")
        # With the same backup it is one of them.
        old.stop()
        shutil.rmtree(old.directory)
        old.start(["--restore", str(file)])
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {9})

    def test_who_restores_another_file_is_of_another_cluster(self):
        old = self.cluster(count=1)
        old.start()
        old.shell().ask("add 1")
        one, _ = self.backup(old, "one")
        old.shell().ask("add 1")
        other, _ = self.backup(old, "other")
        new = self.cluster()
        new.node(1).start(["--restore", str(one)])
        new.node(2).start(["--restore", str(one)])
        stranger = new.node(3)
        stranger.start(["--restore", str(other)])
        wait_until("the other file to be refused",
                   lambda: "is of a cluster founded by 1,2,3 from backup" in stranger.log.read_text(),
                   20)
        self.assertEqual(self.ask_until(new.shell(), "get", lambda x: x.startswith("ok ")), "ok 1")
        self.assertEqual(new.status_of(stranger)["leader"], 0)

    def test_a_damaged_file_is_refused_and_nothing_written(self):
        old = self.cluster(count=1)
        old.start()
        old.shell().ask("add 3")
        file, _ = self.backup(old)
        whole = file.read_bytes()
        node = self.cluster(count=1).node(1)
        bad = self.directory / "bad"
        flipped = {at: whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:]
                   for at in (0, 9, 30, 80, len(whole) // 2, len(whole) - 40, len(whole) - 2)}
        for name, content in {**{f"bit flipped at {at}": x for at, x in flipped.items()},
                              "cut": whole[:-1], "cut in the middle": whole[:len(whole) // 2],
                              "empty": b"", "longer": whole + b"x"}.items():
            with self.subTest(name):
                bad.write_bytes(content)
                self.refused(node, f"--restore {bad}: snapshot {bad} is damaged at offset ",
                             "--restore", bad)
                self.assertFalse(node.directory.exists())
        self.refused(node, "cannot open " + str(self.directory / "none"), "--restore",
                     self.directory / "none")
        node.start(["--restore", str(file)])

    def test_a_directory_that_has_something_is_refused(self):
        cluster = self.cluster(count=1)
        node = cluster.node(1)
        node.start()
        cluster.shell().ask("add 3")
        file, _ = self.backup(cluster)
        node.stop()
        self.refused(node, f"directory {node.directory} isn't empty, it has the group counter: start "
                     "without --restore to go on with that, or restore into an empty directory",
                     "--restore", file)
        node.start()
        self.assertEqual(self.ask_until(cluster.shell(), "get", lambda x: x.startswith("ok ")),
                         "ok 3")

    def test_modes_that_exclude_each_other_are_refused(self):
        node = self.cluster(count=1).node(1)
        self.refused(node, "give one of them", "--restore", "x", "--force-new-cluster")
        self.refused(node, "give one of them", "--restore", "x", "--join")
        self.refused(node, "give one of them", "--force-new-cluster", "--join")


class ForcedClusters(NewClusters):
    def start_forced(self, node):
        node.members = next(x for x in node.members.split(",") if x.startswith(f"{node.id}="))
        node.start(["--force-new-cluster"])

    def test_the_last_of_three_goes_on_alone_and_others_join(self):
        cluster = self.cluster()
        cluster.start()
        self.assertEqual(cluster.shell().ask("add 7"), "ok 7")
        cluster.wait_for_equal_replicas()
        last, lost = cluster.nodes[0], cluster.nodes[1:]
        cluster.kill_all()
        self.refused(last, "--members names it alone", "--force-new-cluster")
        self.start_forced(last)
        alone = cluster.shell(last.client)
        self.assertEqual(self.ask_until(alone, "add 1", lambda x: x.startswith("ok ")), "ok 8")
        # The lost ones come back: of the old cluster, which has a majority without node 1.
        for node in lost:
            node.start()
            wait_until("the old member to be refused",
                       lambda: "founded by 1 from its own state" in node.log.read_text(), 20)
        old = cluster.shell(",".join(x.client for x in lost))
        self.assertEqual(self.ask_until(old, "add 10", lambda x: x.startswith("ok ")), "ok 17")
        self.assertEqual(alone.ask("add 1"), "ok 9")
        # Wiped, one joins the new cluster under its old id.
        for node in lost:
            node.stop()
        joined = lost[0]
        shutil.rmtree(joined.directory)
        joined.start(["--join"])
        cluster.ask("add-member", cluster.member_list[1], nodes=last.client)
        wait_until("node 2 to vote",
                   lambda: self.members_of(cluster, last.client).get(2, {}).get("role") == "voter", 30)
        self.assertEqual(alone.ask("add 1"), "ok 10")
        cluster.nodes = [last, joined]
        self.assertEqual({x["count"] for x in cluster.wait_for_equal_replicas()}, {10})
        # A plain start goes on; one as before the loss doesn't.
        last.stop()
        last.start()
        self.ask_until(cluster.shell(last.client), "get", lambda x: x == "ok 10")
        last.stop()
        last.members = ",".join(cluster.member_list)
        self.refused(last, "was created with the members 1, not with 1,2,3")

    def test_what_a_snapshot_and_a_cut_log_have_is_kept(self):
        cluster = self.cluster(options=[*QUICK, "--snapshot-entries", "20",
                                        "--snapshot-interval-ms", "0"])
        cluster.start()
        shell = cluster.shell()
        for i in range(1, 201):
            self.assertEqual(shell.ask("add 1"), f"ok {i}")
        cluster.wait_for_equal_replicas()
        cluster.kill_all()
        last = cluster.node(3)
        self.start_forced(last)
        self.assertEqual(self.ask_until(cluster.shell(last.client), "add 1",
                                        lambda x: x.startswith("ok ")), "ok 201")
        last.kill()
        last.start()
        self.assertEqual(self.ask_until(cluster.shell(last.client), "get",
                                        lambda x: x.startswith("ok ")), "ok 201")

    def test_nothing_to_go_on_with_is_refused(self):
        node = self.cluster(count=1).node(1)
        for made in (False, True):
            if made:
                node.directory.mkdir()
            self.refused(node, f"directory {node.directory} has no state that a new cluster could go "
                         "on with", "--force-new-cluster")
        node.directory.rmdir()

    def test_the_only_member_is_refused(self):
        """So a start that is repeated with the flag doesn't found one cluster after another."""
        cluster = self.cluster(count=1)
        node = cluster.node(1)
        node.start()
        cluster.shell().ask("add 3")
        node.stop()
        self.refused(node, f"node 1 in {node.directory} is the only member already: start it without "
                     "--force-new-cluster", "--force-new-cluster")
        node.start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
