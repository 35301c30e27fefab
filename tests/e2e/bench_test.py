#!/usr/bin/env python3
"""caucus-bench as a whole, briefly: what it prints, what it verifies, what it refuses, what it leaves."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import skips  # noqa: E402

PROGRAM = pathlib.Path(os.environ["CAUCUS_BUILD_DIR"]) / "bin" / "caucus-bench"
FIELDS = ["clients", "ops_per_s", "p50_us", "p99_us", "p999_us", "cpu_us_per_op", "ops_per_sync",
          "rss_mib", "errors", "verified"]


class Bench(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory(prefix="caucus-bench-test-", dir="/var/tmp")
        self.addCleanup(where.cleanup)
        self.data = pathlib.Path(where.name) / "data"

    def run_bench(self, *arguments, data=None):
        return subprocess.run([str(PROGRAM), *arguments, "--data", str(data or self.data)],
                              capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)

    def test_each_point_is_one_object_and_verified(self):
        done = self.run_bench("--clients", "1,16", "--seconds", "1", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        points = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([x["clients"] for x in points], [1, 16])
        for point in points:
            self.assertEqual(list(point), FIELDS)
            self.assertIs(point["verified"], True)
            self.assertEqual(point["errors"], 0)
            self.assertGreater(point["ops_per_s"], 0)
            self.assertLessEqual(point["p50_us"], point["p99_us"])
            self.assertLessEqual(point["p99_us"], point["p999_us"])
        self.assertEqual(list(self.data.iterdir()), [], "something was left behind")

    def test_first_line_names_the_file_system(self):
        done = self.run_bench("--clients", "2", "--seconds", "1", "--nodes", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout.splitlines()[0], r"\d nodes? on 127.0.0.1, \S+ on \S+ \(")

    def test_writes_go_on_after_the_leader_was_killed(self):
        done = self.run_bench("failover", "--rounds", "2", "--tick-ms", "20", "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)  # 1: slower than the limit, on a busy machine
        point = json.loads(done.stdout)
        self.assertEqual(len(point["gaps_ms"]), 2)
        self.assertEqual(point["election_timeout_ms"], 200)

    def test_the_log_is_measured_beside_raw_loops(self):
        done = self.run_bench("wal", "--seconds", "1", "--rounds", "1", "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)  # 1: a target is missed, on a busy machine
        points = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([(x["producers"], x["batch"]) for x in points],
                         [(1, 1), (1, 8), (1, 64), (1, 512), (1000, 1)])
        for point in points:
            ways = point["entries_per_s"]
            self.assertEqual(list(ways)[0], "writer")
            self.assertIn("fdatasync" if point["producers"] == 1 else "thread with a queue", ways)
            self.assertIn(point["compared_with"], ways)
            for way, entries in ways.items():
                self.assertGreater(entries, 0, way)
            # One round: the ratio is that of what is told, up to rounding.
            self.assertAlmostEqual(point["ratio"], ways["writer"] / ways[point["compared_with"]], delta=0.02)
            self.assertGreaterEqual(point["entries_per_sync"], 1)
            self.assertEqual(point["passed"], point["ratio"] >= point["ratio_min"])
        self.assertEqual(done.returncode, 0 if all(x["passed"] for x in points) else 1)
        self.assertEqual(list(self.data.iterdir()), [], "something was left behind")

    def test_recovery_finds_all_entries_and_tells_its_speed(self):
        done = self.run_bench("recovery", "--bytes", "8388608", "--rounds", "2", "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        point = json.loads(done.stdout)
        self.assertGreaterEqual(point["log_bytes"], 8388608)
        self.assertGreater(point["entries"], 8388608 // 400)
        self.assertAlmostEqual(point["gb_per_s"], point["log_bytes"] / 1e9 / point["seconds"], places=3)
        self.assertGreater(point["raw_gb_per_s"], 0)
        self.assertEqual(done.returncode, 0 if point["gb_per_s"] >= point["gb_per_s_min"] else 1)
        self.assertEqual(list(self.data.iterdir()), [], "something was left behind")

    def measured_beside_a_load(self, *arguments):
        """One short turn: what it told, once its figures have been found to fit each other."""
        done = self.run_bench(*arguments, "--rounds", "1", "--seconds", "1", "--rate", "200", "--clients", "4",
                              "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)  # 1: a target is missed, on a busy machine
        told = json.loads(done.stdout)
        [turn] = told["turns"]
        for when in "without", "with":
            self.assertGreater(turn[when]["commands"], 0)
            self.assertLessEqual(turn[when]["p50_us"], turn[when]["p99_us"])
            self.assertLessEqual(turn[when]["p99_us"], turn[when]["max_us"])
        self.assertGreaterEqual(turn["without"]["commands"], 150)  # 200 a second, however late each was
        self.assertAlmostEqual(told["ratio"], turn["with"]["p99_us"] / turn["without"]["p99_us"], places=6)
        self.assertAlmostEqual(told["mb_per_s"], turn["mb"] / turn["seconds"], places=6)
        self.assertGreater(turn["seconds"], 0)
        self.assertEqual(told["passed"], told["ratio"] <= told["ratio_max"] and told["mb_per_s"] >= told["mb_per_s_min"])
        self.assertEqual(done.returncode, 0 if told["passed"] else 1)
        self.assertEqual(list(self.data.iterdir()), [], "something was left behind")
        return told

    def test_commands_are_measured_while_the_collector_frees_log(self):
        told = self.measured_beside_a_load("gc", "--bytes", "8388608", "--segment-bytes", "1048576")
        self.assertEqual((told["measured"], told["ratio_max"]), ("freed", 1.3))
        self.assertEqual(told["turns"][0]["mb"], 8.388608)

    def test_commands_are_measured_while_a_snapshot_is_made_and_sent(self):
        told = self.measured_beside_a_load("snapshot", "--bytes", "8388608")
        self.assertEqual((told["measured"], told["ratio_max"], told["mb_per_s_min"]), ("sent", 3, 100))
        self.assertGreater(told["turns"][0]["making_s"], 0)

    def refused(self, expected, *arguments, data=None):
        done = self.run_bench(*arguments, data=data)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(expected, done.stderr)
        self.assertFalse(self.data.exists(), "something was written")

    def test_bad_options_are_refused(self):
        self.refused("--no-such", "--no-such", "1")
        self.refused("--clients", "--clients", "1,x")
        self.refused("--seconds", "--seconds", "0")
        self.refused("election-ticks", "--election-ticks", "1000000000000")
        self.refused("--bytes", "recovery", "--bytes", "1")
        self.refused("at least 3", "failover", "--nodes", "1")
        self.refused("at least 3", "gc", "--nodes", "1")
        self.refused("--rate", "snapshot", "--rate", "0")

    def test_memory_is_refused_as_a_disk(self):
        with open("/proc/mounts", encoding="utf-8") as mounts:
            memory = {x.split()[1] for x in mounts if x.split()[2] == "tmpfs"}
        if "/dev/shm" not in memory:
            self.skipTest("no tmpfs at /dev/shm")
        self.refused("memory", data=pathlib.Path("/dev/shm/caucus-bench-test/deeper"))
        self.assertFalse(os.path.exists("/dev/shm/caucus-bench-test"))


if __name__ == "__main__":
    skips.main()
