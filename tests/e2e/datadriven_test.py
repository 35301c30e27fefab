"""caucus-datadriven: passes what is right, fails what is wrong, and reads the published cases where they are."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["CAUCUS_BUILD_DIR"]) / "bin" / "caucus-datadriven"
SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "support"))
import skips  # noqa: E402

DATA = pathlib.Path(
    os.environ.get("CAUCUS_RAFT_TESTDATA", SOURCE.parent / "shared" / "etcd-raft-testdata")
)

GOOD = """\
# A comment.
committed cfg=(1,2,3) idx=(5, \\
  _,7)
----
5

vote cfg=(1,2) cfgj=zero votes=(y,_)
----
VotePending

simple
v1
----
voters=(1)
1: StateProbe match=0 next=1
"""


def run(*texts):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, text in enumerate(texts):
            path = pathlib.Path(folder) / f"{number}.txt"
            path.write_text(text)
            paths.append(str(path))
        return subprocess.run([PROGRAM, *paths], capture_output=True, text=True, timeout=60)


class Datadriven(unittest.TestCase):
    def test_good_cases_pass(self):
        done = run(GOOD)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(done.stdout.endswith("3 passed, 0 failed\n"), done.stdout)

    def assert_fails(self, text, why):
        done = run(text)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(why, done.stdout)

    def test_a_wrong_expectation_fails(self):
        self.assert_fails(GOOD.replace("\n5\n", "\n6\n"), "expected '6', got '5'")
        self.assert_fails(GOOD.replace("VotePending", "VoteWon"), "got 'VotePending'")
        self.assert_fails(GOOD.replace("next=1", "next=2"), "got 'voters=(1)")

    def test_what_it_does_not_know_fails(self):
        self.assert_fails("campaign 1\n----\nok\n", "there is no command 'campaign'")
        self.assert_fails("vote cfg=(1) votes=(y) mood=good\n----\nVoteWon\n", "'mood'")
        self.assert_fails("vote cfg=(1) votes=(x)\n----\nVoteWon\n", "'x'")
        self.assert_fails("simple\nw1\n----\nvoters=(1)\n", "'w1'")
        self.assert_fails("vote cfg=(1) votes=(y) loudly\n----\nVoteWon\n", "'loudly'")
        self.assert_fails("simple autoleave=true\nv1\n----\nvoters=(1)\n", "'autoleave'")
        self.assert_fails("leave-joint\nv1\n----\nvoters=(1)\n", "'v1'")
        self.assert_fails("enter-joint autoleave=perhaps\nv1\n----\nx\n", "autoleave")

    def test_a_case_that_is_cut_off_and_an_empty_file_fail(self):
        self.assert_fails("simple\nv1\n", "cut off")
        self.assert_fails("simple\nv1\n----\n", "expected ''")
        self.assert_fails("simple\nv1\n----\n----\nvoters=(1)\n", "fence")
        self.assert_fails("committed cfg=(1,2) idx=(1)\n----\n1\n", "expected '2 indexes'")
        self.assert_fails("committed cfg=(1) idx=(one)\n----\n1\n", "'one'")
        self.assert_fails("vote cfg=(1\n----\nVoteWon\n", "parenthesis")
        self.assert_fails("", "no case")
        self.assert_fails("# only a comment\n", "no case")
        self.assert_fails("vote cfg=(1) votes=(y)\n----\n", "nothing is expected")
        done = subprocess.run([PROGRAM, "/nowhere.txt"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)


class PublishedCases(unittest.TestCase):
    def test_they_pass(self):
        files = sorted(DATA.glob("quorum/testdata/*.txt")) + sorted(DATA.glob("confchange/testdata/*.txt"))
        if not files:
            self.skipTest(f"no data at {DATA.name}")
        done = subprocess.run([PROGRAM, *files], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout)
        print(done.stdout.splitlines()[-1], "of the published cases")


if __name__ == "__main__":
    skips.main()
