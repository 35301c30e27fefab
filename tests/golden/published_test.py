"""The published interaction scripts, where they are: our cores do what they say, and the facts are the same."""

import os
import pathlib
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(os.environ["CAUCUS_BUILD_DIR"]) / "bin" / "published_scripts"
SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "support"))
import skips  # noqa: E402

DATA = pathlib.Path(
    os.environ.get("CAUCUS_RAFT_TESTDATA", SOURCE.parent / "shared" / "etcd-raft-testdata")
)
DOCUMENT = SOURCE / "docs" / "testing.md"


def scripts():
    return sorted(DATA.glob("testdata/*.txt"))


class PublishedScripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not scripts():
            raise unittest.SkipTest(f"no data at {DATA.name}")

    def test_their_facts_hold(self):
        done = subprocess.run([PROGRAM, *scripts()], capture_output=True, text=True, timeout=60)
        print(done.stdout)
        self.assertEqual(done.returncode, 0)
        self.assertIn(done.stdout.splitlines()[-1], DOCUMENT.read_text(encoding="utf-8"))

    def test_each_has_its_golden_trace(self):
        ported = {x.stem for x in (SOURCE / "tests" / "golden").glob("published_*.txt")}
        for script in scripts():
            self.assertIn(f"published_{script.stem}", ported)


class WithoutData(unittest.TestCase):
    def test_a_script_that_is_not_there_fails(self):
        done = subprocess.run([PROGRAM, "/nowhere.txt"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_testing_md_carries_the_counts(self):
        run = [PROGRAM.with_name("test_golden"), SOURCE / "tests" / "golden"]
        environment = {k: v for k, v in os.environ.items() if k != "CAUCUS_REWRITE"}
        done = subprocess.run(run, capture_output=True, text=True, timeout=60, env=environment)
        counts = done.stdout.splitlines()[-1].rsplit(",", 1)[0]
        self.assertIn(counts, DOCUMENT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    skips.main()
