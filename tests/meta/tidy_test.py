"""This tree keeps the style rules that scripts/check_tidy.py tells, and each rule refuses its plant."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "scripts" / "check_tidy.py"


def check(root):
    run = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)
    return run.returncode, run.stdout


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="caucus-tidy-"))
        self.addCleanup(shutil.rmtree, self.root)

    def plant(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)
        return check(self.root)

    def test_this_tree_is_tidy(self):
        status, output = check(ROOT)
        self.assertEqual(status, 0, output)

    def test_each_rule_refuses_its_plant(self):
        for text, words in [("// " + "x" * 100, "103 columns"),
                            ("// TO" + "DO: later", "without its issue"),
                            ("int x; ", "trailing white space"),
                            ("\tint x;", "a tab"),
                            ("class log_" + "helper {};", "says nothing"),
                            ('open("/ho' + 'me/me/x");', "absolute path")]:
            with self.subTest(words=words):
                status, output = self.plant("raft/planted.cpp", text + "\n")
                self.assertEqual(status, 1)
                self.assertIn("raft/planted.cpp:1: ", output)
                self.assertIn(words, output)

    def test_a_header_without_its_guard_is_refused(self):
        status, output = self.plant("base/planted.hpp", "int x();\n")
        self.assertEqual((status, output), (1, "base/planted.hpp: no #pragma once\n"))

    def test_unfinished_work_with_its_issue_and_long_files_pass(self):
        status, output = self.plant("raft/planted.cpp", "// TO" + "DO(#7)\n" + "int x;\n" * 400)
        self.assertEqual(status, 0, output)
        self.assertIn("note: raft/planted.cpp: 401 lines", output)


if __name__ == "__main__":
    unittest.main()
