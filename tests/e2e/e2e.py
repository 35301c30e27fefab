"""What the tests of real processes share."""
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "support")]
from counter_cluster import Cluster, Node, Shell, free_ports, wait_until  # noqa: E402,F401
import skips  # noqa: E402,F401

BUILD = Path(os.environ.get("CAUCUS_BUILD_DIR", ROOT / "build" / "dev"))
PROGRAM = BUILD / "bin" / "caucus-counter"
# Elections in 0.2 to 0.4 s, so that a test takes seconds.
QUICK = ["--tick-ms", "20"]


class ProcessTest(unittest.TestCase):
    """A test with a directory of its own, and clusters that end with it."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="caucus-e2e-"))
        self.clusters = []

    def tearDown(self):
        for cluster in self.clusters:
            cluster.end()
        logs = "".join(path.read_text(errors="replace") for path in self.directory.rglob("*.log"))
        shutil.rmtree(self.directory)
        # Under sanitizers a report ends a node, which a test that kills nodes might not notice.
        for report in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error: "):
            self.assertNotIn(report, logs)

    def cluster(self, count=3, options=QUICK):
        directory = self.directory / f"cluster-{len(self.clusters)}"
        directory.mkdir()
        self.clusters.append(Cluster(PROGRAM, directory, count, options))
        return self.clusters[-1]

    def ask_until(self, shell, line, accept, seconds=20):
        """Asks again until the answer is one that `accept` likes."""
        return wait_until(f"an answer to '{line}' that will do",
                          lambda: next((x for x in [shell.ask(line)] if accept(x)), None), seconds)
