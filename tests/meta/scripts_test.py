"""The scripts and documents that a newcomer meets: counts are true, links lead somewhere."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = ROOT / "scripts" / "test_summary.py"

RESULTS = """<?xml version="1.0"?><testsuite name="x" tests="3">
<testcase name="raft: good" classname="a" time="0" status="run"><system-out>fine</system-out></testcase>
%s</testsuite>"""
FAILED = ('<testcase name="raft: bad" classname="a" time="0" status="fail"><failure message=""/>'
          '<system-out>SKIPPED: a lie</system-out></testcase>')
SKIPPED = ('<testcase name="e2e: strace" classname="a" time="0" status="notrun">'
           '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
           '<system-out>before\nSKIPPED: no ptrace here\n</system-out></testcase>')
MISSING = ('<testcase name="raft: test_raft is not built" classname="a" time="0" status="notrun">'
           '<skipped message="Unable to find executable"/></testcase>')


def summary(*cases, options=()):
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(RESULTS % "".join(cases))
        file.flush()
        run = subprocess.run([sys.executable, SUMMARY, *options, file.name], capture_output=True,
                             text=True)
    return run.returncode, run.stdout.splitlines()


class SummaryTest(unittest.TestCase):
    def test_all_run(self):
        self.assertEqual(summary(), (0, ["1 tests, 1 run, 0 skipped"]))

    def test_a_skip_is_named_with_its_reason(self):
        self.assertEqual(summary(SKIPPED), (0, ["SKIPPED e2e: strace: no ptrace here",
                                                "2 tests, 1 run, 1 skipped"]))

    def test_a_failure_is_named_and_tells_by_the_status(self):
        self.assertEqual(summary(FAILED), (1, ["FAILED  raft: bad", "2 tests, 2 run, 0 skipped"]))

    def test_what_could_not_start_is_a_failure(self):
        self.assertEqual(summary(MISSING), (1, [
            "FAILED  raft: test_raft is not built: Unable to find executable",
            "2 tests, 2 run, 0 skipped"]))

    def test_totals(self):
        self.assertEqual(summary(FAILED, options=["--total"])[1][-1], "1 passed, 1 failed")

    def test_presets_must_run_the_same_tests(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / "dev.xml", Path(folder) / "asan.xml"]
            paths[0].write_text(RESULTS % SKIPPED)
            paths[1].write_text(RESULTS % "")
            run = subprocess.run([sys.executable, SUMMARY, "--total", *paths], capture_output=True,
                                 text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("MISSING e2e: strace: not in every preset", run.stdout)

    def test_no_results_are_a_failure(self):
        run = subprocess.run([sys.executable, SUMMARY, "/nowhere.xml"], capture_output=True)
        self.assertEqual(run.returncode, 1)


class SkipsTest(unittest.TestCase):
    """What a test program tells ctest; 77 is SKIP_RETURN_CODE."""

    def run_cases(self, *bodies):
        cases = "".join(f"    def test_{i}(self): {x}\n" for i, x in enumerate(bodies))
        program = f"import skips, unittest\nclass T(unittest.TestCase):\n{cases}skips.main()\n"
        done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True,
                              cwd=ROOT / "tests" / "support")
        return done.returncode, done.stdout

    def test_a_skip_tells_its_reason_and_its_status(self):
        self.assertEqual(self.run_cases("pass"), (0, ""))
        self.assertEqual(self.run_cases("pass", "self.skipTest('no disk')"), (77, "SKIPPED: no disk\n"))

    def test_a_skip_hides_no_failure(self):
        self.assertEqual(self.run_cases("self.fail()", "self.skipTest('no disk')")[0], 1)

    def test_without_its_data_a_test_is_skipped_and_never_passes(self):
        for name, case in (("golden/published", "PublishedScripts"), ("e2e/datadriven", "PublishedCases")):
            done = subprocess.run(
                [sys.executable, "-B", ROOT / "tests" / f"{name}_test.py", case], text=True,
                capture_output=True, env={**os.environ, "CAUCUS_BUILD_DIR": "/nowhere",
                                          "CAUCUS_RAFT_TESTDATA": "/nowhere"})
            self.assertEqual((done.returncode, done.stdout), (77, "SKIPPED: no data at nowhere\n"))


class DocumentsTest(unittest.TestCase):
    def documents(self):
        return [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
            (ROOT / "docs").rglob("*.md"))

    def test_links_lead_somewhere(self):
        for document in self.documents():
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
                self.assertTrue((document.parent / target).exists(), f"{document}: {target}")

    def test_scripts_that_documents_name_exist_and_can_be_run(self):
        for document in self.documents():
            for name in set(re.findall(r"\bscripts/\w+(?:\.py)?", document.read_text())):
                self.assertTrue(os.access(ROOT / name, os.X_OK), f"{document}: {name}")

    def test_shell_scripts_parse(self):
        for script in [*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run"]:
            if script.is_file() and script.read_bytes().startswith(b"#!/usr/bin/env bash"):
                subprocess.run(["bash", "-n", script], check=True)


if __name__ == "__main__":
    unittest.main()
