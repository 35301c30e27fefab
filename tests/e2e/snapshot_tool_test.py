#!/usr/bin/env python3
"""caucus-wal snapshots on a directory with the format's worked example: sound, damaged, cut, unfinished."""
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from e2e import BUILD, ROOT

TOOL = BUILD / "bin" / "caucus-wal"
NAME = "snap-000000000000000a-0000000000000002-0000000000000005"


def example():
    """The bytes of the document's example."""
    text = (ROOT / "docs" / "snapshot_format.md").read_text(encoding="utf-8")
    block = text.split("<!-- snapshot -->\n```\n")[1].split("```")[0]
    lines = [re.sub(r"  #.*", "", line).split(": ")[1] for line in block.splitlines()]
    return bytes.fromhex(" ".join(lines))


class SnapshotTool(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="caucus-snapshots-")
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)

    def put(self, content, name=NAME):
        (self.directory / name).write_bytes(content)

    def run_tool(self, *options):
        return subprocess.run([TOOL, "snapshots", self.directory, *options], capture_output=True,
                              text=True, timeout=60)

    def read_json(self):
        done = self.run_tool("--json")
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def test_a_sound_one_is_listed_with_what_its_header_says(self):
        self.put(example())
        table = self.run_tool()
        self.assertEqual(table.returncode, 0, table.stderr)
        self.assertRegex(table.stdout, r"000000000000000a +5 +2 +3 +\d+ B +2 +sound")
        self.assertEqual(self.read_json(), (0, [{
            "file": NAME, "state": "sound", "group": "000000000000000a", "index": 5, "term": 2,
            "cluster": "00000000000000c1", "uid": "0000000000000051",
            "wall_ns": 1700000000000000000, "members_index": 3, "voters": [1], "learners": [],
            "file_bytes": len(example()), "content_bytes": 80, "chunk_bytes": 64, "chunks": 2}]))

    def test_a_damaged_one_is_told_with_file_and_offset(self):
        content = bytearray(example())
        content[-40] ^= 1  # In the last chunk's content.
        self.put(content)
        status, (found,) = self.read_json()
        self.assertEqual((status, found["state"], found["index"]), (1, "damaged", 5))
        self.assertIn(f"{NAME} is damaged at offset {len(content) - 64}: chunk 1 ", found["reason"])
        self.assertIn(found["reason"], self.run_tool().stdout)

    def test_a_cut_one_is_damaged(self):
        self.put(example()[:100])
        status, (found,) = self.read_json()
        self.assertEqual((status, found["state"], found["index"]), (1, "damaged", 5))

    def test_one_that_was_never_finished_is_a_note(self):
        self.put(example())
        self.put(example()[:100], NAME + "-0000000000000051.tmp")
        done = self.run_tool()
        self.assertEqual(done.returncode, 0)
        self.assertIn("was never finished", done.stdout)
        self.assertEqual([x["state"] for x in self.read_json()[1]], ["sound", "unfinished"])

    def test_looking_changes_nothing(self):
        self.put(example())
        self.run_tool()
        self.assertEqual([x.name for x in self.directory.iterdir()], [NAME])
        self.assertEqual((self.directory / NAME).read_bytes(), example())


if __name__ == "__main__":
    unittest.main()
