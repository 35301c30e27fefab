#!/usr/bin/env python3
"""What the tests of processes stand on: `scripts/counter_cluster.py`."""
import os
import unittest

from e2e import ProcessTest


class Harness(ProcessTest):
    def test_a_node_shares_the_time_of_its_test_and_not_its_ctrl_c(self):
        cluster = self.cluster(1)
        cluster.start()
        node = cluster.nodes[0].process.pid
        self.assertEqual(os.getsid(node), os.getsid(0), "another session gets its time apart")
        self.assertNotEqual(os.getpgid(node), os.getpgid(0))


if __name__ == "__main__":
    unittest.main()
