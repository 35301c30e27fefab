#!/usr/bin/env python3
"""A reply needs a sync on a majority: delaying every sync from outside delays every reply."""
import shutil
import subprocess
import time
import unittest

from e2e import ProcessTest, skips

DELAY = 0.1


def strace_problem():
    """Why strace can't be used here; nothing if it can."""
    if not shutil.which("strace"):
        return "there is no strace"
    tried = subprocess.run(["strace", "-f", "-e", "inject=fdatasync:delay_enter=1", "true"],
                           capture_output=True, text=True)
    return tried.stderr.splitlines()[0] if tried.returncode else None


class SlowSync(ProcessTest):
    def test_delaying_every_sync_delays_every_reply(self):
        problem = strace_problem()
        if problem:
            self.skipTest(problem)
        cluster = self.cluster(options=["--tick-ms", "50"])
        for node in cluster.nodes:
            # -D: strace is the node's grandchild, so that signals reach the node itself.
            node.prefix = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e",
                           "trace=fdatasync,fsync,sync_file_range,msync", "-e",
                           f"inject=fdatasync,fsync:delay_enter={int(DELAY * 1e6)}"]
        cluster.start()
        cluster.leader(60)
        shells = [cluster.shell(node.client) for node in cluster.nodes]
        for shell in shells:
            shell.ask("get")
        for i in range(12):
            before = time.monotonic()
            answer = shells[i % 3].ask("add 1" if i % 2 == 0 else "get")
            latency = time.monotonic() - before
            self.assertTrue(answer.startswith("ok "), answer)
            self.assertGreaterEqual(latency, DELAY)


if __name__ == "__main__":
    skips.main(verbosity=2)
