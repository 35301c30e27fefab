#!/usr/bin/env python3
"""caucus-wal on the logs of real nodes: sound, in use, torn, damaged, repaired."""
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from e2e import BUILD, ROOT, ProcessTest

TOOL = BUILD / "bin" / "caucus-wal"
SAMPLE = BUILD / "bin" / "sample_log"


def run(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=120)


class WalTool(ProcessTest):
    def setUp(self):
        super().setUp()
        self.nodes = self.cluster()
        self.nodes.start()
        self.shell = self.nodes.shell()
        for _ in range(200):
            self.shell.send("add 1")
        for count in range(1, 201):
            self.assertEqual(self.shell.read(), f"ok {count}")
        self.nodes.wait_for_equal_replicas()

    def stop_one(self):
        """The data directory of a node that isn't the leader, which has stopped."""
        leader = self.nodes.leader()
        node = next(x for x in self.nodes.nodes if x.id != leader)
        node.stop()
        return node

    def segment(self, node):
        return sorted(node.directory.glob("wal-*.log"))[-1]

    def records(self, directory, kind):
        lines = map(json.loads, run("dump", directory, "--json").stdout.splitlines())
        return [x for x in lines if x.get("record") == kind]

    def flip(self, path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1]))

    def test_a_sound_log_is_sound_and_a_second_reader_lists_the_same(self):
        node = self.stop_one()
        verified = run("verify", node.directory)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        self.assertIn("a start finds it usable", verified.stdout)
        ours = run("dump", node.directory, "--json", "--payloads")
        self.assertEqual(ours.returncode, 0, ours.stderr)
        theirs = subprocess.run([sys.executable, ROOT / "scripts" / "read_wal.py", "--payloads",
                                 node.directory], capture_output=True, text=True, timeout=120)
        self.assertEqual(theirs.returncode, 0, theirs.stderr)
        self.assertEqual(ours.stdout.splitlines(), theirs.stdout.splitlines())
        commands = [x for line in self.records(node.directory, "entries") for x in line["entries"]
                    if x["kind"] == "command"]
        self.assertEqual(len(commands), 200)
        self.assertEqual([x["members"] for x in self.records(node.directory, "founding")], ["1,2,3"])

    def test_inspect_and_export_show_what_the_group_has(self):
        node = self.stop_one()
        groups = [x for x in map(json.loads, run("inspect", node.directory, "--json").stdout.splitlines())
                  if "group" in x]
        self.assertEqual([x["group"] for x in groups], ["counter"])
        self.assertEqual(groups[0]["state"], "sound")
        table = run("inspect", node.directory)
        self.assertEqual(table.returncode, 0, table.stderr)
        self.assertIn(f"1..{groups[0]['last']}", table.stdout)
        self.assertIn("the node's cluster was founded by 1,2,3", table.stdout)
        exported = run("export", node.directory, "--group", "counter", "--payloads")
        self.assertEqual(exported.returncode, 0, exported.stderr)
        lines = [json.loads(x) for x in exported.stdout.splitlines()]
        self.assertEqual([x["index"] for x in lines], list(range(1, groups[0]["last"] + 1)))
        self.assertEqual(sum(x["kind"] == "command" for x in lines), 200)
        missing = run("export", node.directory, "--group", "nobody")
        self.assertEqual(missing.returncode, 2)
        self.assertIn("'nobody'", missing.stderr)

    def test_a_log_in_use_is_refused_by_path_and_process(self):
        node = self.nodes.node(1)
        for command in ("inspect", "verify", "dump"):
            refused = run(command, node.directory)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(str(node.directory), refused.stderr)
            self.assertIn(f"pid {node.process.pid}", refused.stderr)
        self.assertEqual(self.shell.ask("add 1"), "ok 201")

    def test_looking_changes_nothing(self):
        node = self.stop_one()
        before = {x.name: (x.stat().st_mtime_ns, x.read_bytes()) for x in node.directory.iterdir()}
        for command in (["inspect"], ["verify"], ["dump"], ["repair", "--dry-run"]):
            run(command[0], node.directory, *command[1:])
        after = {x.name: (x.stat().st_mtime_ns, x.read_bytes()) for x in node.directory.iterdir()}
        self.assertEqual(before, after)

    def test_a_damaged_group_is_told_with_offset_and_quarantined_alone(self):
        node = self.stop_one()
        victim = self.records(node.directory, "entries")[5]
        self.flip(self.segment(node), victim["offset"] + victim["bytes"] - 1)
        verified = run("verify", node.directory)
        self.assertEqual(verified.returncode, 1)
        self.assertIn(f"DAMAGED {self.segment(node).name} at offset {victim['offset']}: "
                      f"batch {victim['batch']}, entries of group", verified.stdout)
        self.assertIn("group counter is quarantined", verified.stdout)

    def test_lost_framing_is_refused_as_a_start_refuses_it(self):
        node = self.stop_one()
        victim = self.records(node.directory, "entries")[5]
        self.flip(self.segment(node), victim["offset"])  # its header
        verified = run("verify", node.directory, "--json")
        self.assertEqual(verified.returncode, 1)
        lines = [json.loads(x) for x in verified.stdout.splitlines()]
        self.assertEqual(lines[-1]["start"], "refused")
        self.assertIn(victim["offset"], [x["offset"] for x in lines[:-1] if x["damage"]])
        with self.assertRaisesRegex(RuntimeError, f"offset {victim['offset']}"):
            node.start()

    def test_a_torn_tail_is_no_damage(self):
        node = self.stop_one()
        last = [x for x in map(json.loads, run("dump", node.directory, "--json").stdout.splitlines())
                if "durable_upto" in x][-1]
        self.flip(self.segment(node), last["offset"] + last["bytes"] - 1)
        verified = run("verify", node.directory)
        self.assertEqual(verified.returncode, 0, verified.stdout)
        self.assertIn(f"note    {self.segment(node).name} at offset {last['offset']}", verified.stdout)
        self.assertIn("torn tail", verified.stdout)

    def test_repair_tells_what_is_lost_and_keeps_the_rest_in_a_new_directory(self):
        node = self.stop_one()
        batches = self.records(node.directory, "entries")
        victim = batches[len(batches) // 2]
        first = victim["entries"][0]["index"]
        self.flip(self.segment(node), victim["offset"])
        saved = self.directory / "repaired"
        told = run("repair", node.directory, "--dry-run")
        self.assertEqual(told.returncode, 1)
        self.assertRegex(told.stdout, rf"counter +{first - 1} +{first}\.\.\d+ ")
        unasked = run("repair", node.directory, "--into", saved)
        self.assertEqual(unasked.returncode, 1)
        self.assertFalse(saved.exists())
        done = run("repair", node.directory, "--into", saved, "--accept-loss")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("verify", saved).returncode, 0)
        self.assertEqual(run("verify", node.directory).returncode, 1)
        kept = run("export", saved, "--group", "counter").stdout.splitlines()
        self.assertEqual(len(kept), first - 1)
        # Its peers take it for a wiped one, as they should, until they are told otherwise.
        shutil.rmtree(node.directory)
        saved.rename(node.directory)
        for peer in self.nodes.nodes:
            if peer is not node:
                peer.stop()
                peer.start(["--accept-directory", str(node.id)])
        node.start()
        shell = self.nodes.shell()
        self.assertEqual(self.ask_until(shell, "get", lambda x: x.startswith("ok")), "ok 200")
        self.nodes.wait_for_equal_replicas()

    def test_wrong_uses_are_refused_with_what_to_do(self):
        for arguments, words in ((["verify", self.directory / "nowhere"], "nowhere"),
                                 (["verify", self.directory], "there is no log in"),
                                 (["repair", self.directory], "--into"),
                                 (["frobnicate", self.directory], "--help"),
                                 ([], "--help")):
            refused = run(*arguments)
            self.assertEqual(refused.returncode, 2, arguments)
            self.assertIn(words, refused.stderr)


class CollectedLog(unittest.TestCase):
    """A log with records of every kind, whose first segments are gone."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.directory = Path(self.temporary.name) / "log"
        subprocess.run([SAMPLE, self.directory], check=True, timeout=120)

    def lines(self):
        return [json.loads(x) for x in run("dump", self.directory, "--json").stdout.splitlines()]

    def test_it_is_sound_and_a_second_reader_lists_the_same(self):
        verified = run("verify", self.directory)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        ours = run("dump", self.directory, "--json", "--payloads")
        self.assertEqual(ours.returncode, 0, ours.stderr)
        theirs = subprocess.run([sys.executable, ROOT / "scripts" / "read_wal.py", "--payloads", self.directory],
                                capture_output=True, text=True, timeout=120)
        self.assertEqual(theirs.returncode, 0, theirs.stderr)
        self.assertEqual(ours.stdout.splitlines(), theirs.stdout.splitlines())
        kinds = {x["record"] for x in self.lines() if "record" in x}
        self.assertLessEqual({"entries", "hard state", "truncation", "group deleted", "peer identity", "peer forgotten",
                              "snapshot mark", "small snapshot", "checkpoint", "moved"}, kinds)
        segments = [x for x in self.lines() if "file" in x]
        self.assertGreater(segments[0]["segment"], 1)
        self.assertGreater(segments[-1]["recycled_from"], 0)

    def test_inspect_and_export_show_logs_that_begin_after_a_snapshot(self):
        groups = {x["group"]: x for x in map(json.loads, run("inspect", self.directory, "--json").stdout.splitlines())
                  if "group" in x}
        self.assertEqual((groups["group-10"]["first"], groups["group-10"]["last"]), (3, 5))
        self.assertEqual((groups["group-11"]["first"], groups["group-11"]["last"]), (0, 200))
        exported = run("export", self.directory, "--group", "group-10")
        self.assertEqual(exported.returncode, 0, exported.stderr)
        self.assertEqual([json.loads(x)["index"] for x in exported.stdout.splitlines()], [3, 4, 5])
        empty = run("export", self.directory, "--group", "group-11")
        self.assertEqual((empty.returncode, empty.stdout), (0, ""), empty.stderr)

    def test_repair_keeps_what_a_snapshot_leads_to(self):
        victim = next(x for x in self.lines() if x.get("record") == "entries" and len(x["entries"]) == 1)
        path = self.directory / f"wal-{victim['segment']:016x}.log"
        with open(path, "r+b") as file:
            file.seek(victim["offset"] + victim["bytes"] - 1)
            file.write(b"?")
        verified = run("verify", self.directory)
        self.assertIn("group group-11 is quarantined", verified.stdout)
        saved = self.directory.parent / "saved"
        done = run("repair", self.directory, "--into", saved, "--accept-loss")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = sorted(x.name for x in self.directory.glob("snap-*") if not x.name.endswith("8c"))  # Superseded.
        self.assertEqual(sorted(x.name for x in saved.glob("snap-*")), names)
        for name in names:
            self.assertEqual((saved / name).read_bytes(), (self.directory / name).read_bytes())
        self.assertEqual(run("verify", saved).returncode, 0)
        groups = {x["group"]: x for x in map(json.loads, run("inspect", saved, "--json").stdout.splitlines())
                  if "group" in x}
        self.assertEqual(groups["group-11"]["last"], 200)
        self.assertEqual(groups["group-10"]["last"], 5)

    def test_a_snapshot_file_that_is_damaged_or_missing_is_told_with_its_group(self):
        snapshots = sorted(self.directory.glob("snap-000000000000000b-*"))
        newest = snapshots[-1]
        content = bytearray(newest.read_bytes())
        content[-1000] ^= 1
        newest.write_bytes(content)
        verified = run("verify", self.directory)
        self.assertEqual(verified.returncode, 1)
        self.assertRegex(verified.stdout, f"DAMAGED {newest.name} .*snapshot of group group-11: .*chunk")
        self.assertIn("group group-11 is quarantined: its log begins after entry 200", verified.stdout)
        newest.unlink()
        verified = run("verify", self.directory)
        self.assertEqual(verified.returncode, 1)
        self.assertIn(f"DAMAGED {newest.name}", verified.stdout)

    def test_a_snapshot_beyond_the_log_leads_to_nothing(self):
        received = self.directory.parent / "received"
        subprocess.run([SAMPLE, received, "received"], check=True, timeout=120)
        verified = run("verify", received)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        leading, beyond = sorted(received.glob("snap-000000000000000b-*"))[-2:]
        self.assertTrue(beyond.name.endswith("12c"), beyond)
        leading.unlink()
        verified = run("verify", received)
        self.assertEqual(verified.returncode, 1)
        self.assertIn("group group-11 is quarantined: its log begins after entry 200", verified.stdout)


if __name__ == "__main__":
    unittest.main()
