#!/usr/bin/env python3
"""Backups of running nodes, and clusters that begin from one or from what is left of another."""
import unittest

from e2e import ProcessTest


def fields_of(table):
    """The one line of a table under its headings."""
    head, line = table.splitlines()
    return dict(zip(head.split(), line.split()))


class Backups(ProcessTest):
    def backup(self, cluster, name="backup", *options):
        """The file, and what the command said of it."""
        file = self.directory / name
        return file, fields_of(cluster.ask("backup", file, *options))

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
