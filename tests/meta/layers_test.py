"""The layer check passes on this tree and names what is planted into a copy of it."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "scripts" / "check_layers.py"
FOLDERS = ["actors", "apps", "base", "include", "membership", "persistence", "raft", "tests",
           "transport"]


def check(root):
    run = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)
    return run.returncode, run.stdout


class LayersTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="caucus-layers-"))
        self.addCleanup(shutil.rmtree, self.root)
        for folder in FOLDERS:
            shutil.copytree(ROOT / folder, self.root / folder,
                            ignore=shutil.ignore_patterns("__pycache__"))

    def plant(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text + (target.read_text() if target.exists() else ""))

    def assert_refused(self, *words):
        status, output = check(self.root)
        self.assertEqual(status, 1, output)
        for word in words:
            self.assertIn(word, output)

    def test_this_tree_is_clean(self):
        status, output = check(ROOT)
        self.assertEqual((status, output), (0, ""))

    def test_a_copy_of_this_tree_is_clean(self):
        self.assertEqual(check(self.root), (0, ""))

    def test_a_direct_include_is_refused(self):
        self.plant("raft/planted.hpp", '#include "persistence/file.hpp"\n')
        self.assert_refused("raft must not use persistence", "raft/planted.hpp")

    def test_each_sibling_is_refused(self):
        for folder, header in [("persistence", "transport/transport.hpp"),
                               ("transport", "persistence/file.hpp"),
                               ("persistence", "raft/ready.hpp"), ("transport", "raft/input.hpp"),
                               ("base", "membership/quorum.hpp"), ("membership", "raft/entry.hpp"),
                               ("actors", "tests/support/session_replica.hpp")]:
            with self.subTest(folder=folder, header=header):
                self.plant(f"{folder}/planted.hpp", f'#include "{header}"\n')
                self.assert_refused(f"{folder} must not use", f"{folder}/planted.hpp")
                (self.root / folder / "planted.hpp").unlink()

    def test_a_transitive_include_is_refused_with_its_chain(self):
        # The folder's own include is allowed; what the shared header drags in is not.
        self.plant("raft/persist_batch.hpp", '#include "raft/ready.hpp"\n')
        self.assert_refused("persistence must not use raft: ", "raft_types must not use raft",
                            "raft/persist_batch.hpp -> raft/ready.hpp")

    def test_caf_is_refused_below_the_actors_also_through_others(self):
        self.plant("base/planted.hpp", "#include <caf/actor.hpp>\n")
        self.plant("raft/planted.hpp", '#include "base/planted.hpp"\n')
        self.assert_refused("base must not use CAF", "raft must not use CAF",
                            "raft/planted.hpp -> base/planted.hpp -> <caf/actor.hpp>")

    def test_boost_is_refused_outside_transport_and_apps(self):
        self.plant("actors/planted.cpp", "#include <boost/asio.hpp>\n")
        self.assert_refused("actors must not use Boost")

    def test_clocks_threads_streams_and_chance_are_refused_in_pure_folders(self):
        for header in ["chrono", "thread", "mutex", "iostream", "fstream", "random", "ctime",
                       "unistd.h", "filesystem"]:
            with self.subTest(header=header):
                self.plant("membership/planted.hpp", f"# include <{header}> // why not\n")
                self.assert_refused(f"membership is pure, <{header}> is not")
                (self.root / "membership" / "planted.hpp").unlink()

    def test_a_forbidden_word_is_refused_but_not_in_a_comment(self):
        self.plant("raft/planted.cpp", "// A steady_clock would break replay.\n")
        self.assertEqual(check(self.root), (0, ""))
        self.plant("raft/planted.cpp", "auto now = std::chrono::steady_clock::now();\n")
        self.assert_refused("steady_clock")

    def test_an_unknown_top_level_folder_is_refused(self):
        self.plant("helpers/planted.hpp", "\n")
        self.assert_refused("helpers/")


if __name__ == "__main__":
    unittest.main()
