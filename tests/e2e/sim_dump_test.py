#!/usr/bin/env python3
"""What caucus-sim dumps of nodes that store by the production code, caucus-wal accepts."""
import subprocess
import tempfile
import unittest
from pathlib import Path

from e2e import BUILD


class SimDump(unittest.TestCase):
    def test_the_tool_verifies_what_the_simulator_has_written(self):
        seen = 0
        for seed in range(1, 21):
            with tempfile.TemporaryDirectory() as disks:
                subprocess.run([BUILD / "bin" / "caucus-sim", "--seed", str(seed), "--storage", "wal", "--set",
                                "damage=0", "--dump", disks], check=True, capture_output=True, timeout=120)
                for node in sorted(Path(disks).iterdir()):
                    if not list(node.glob("wal-*.log")):
                        continue  # It died before its first segment was there.
                    seen += 1
                    verified = subprocess.run([BUILD / "bin" / "caucus-wal", "verify", node], capture_output=True,
                                              text=True, timeout=120)
                    self.assertEqual(verified.returncode, 0,
                                     f"seed {seed}, {node.name}: {verified.stdout}{verified.stderr}")
        self.assertGreater(seen, 40)


if __name__ == "__main__":
    unittest.main()
