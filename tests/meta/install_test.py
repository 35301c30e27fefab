"""Outside projects build and run against what `cmake --install` gives, and against nothing else.

CAUCUS_BUILD_DIR names the build tree to install from. That neither it nor the source tree is used
afterwards is shown by what the compiler and the linker say they have read.
"""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("CAUCUS_BUILD_DIR", ROOT / "build" / "dev")).resolve()
CXX = os.environ.get("CAUCUS_CXX", "c++")
OUTSIDE = Path(__file__).resolve().parent / "outside"


def run(*command, **options):
    done = subprocess.run([str(x) for x in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def names_our_tree(text):
    """Whether an absolute path into the source or build tree is in `text`."""
    places = "|".join(re.escape(str(place)) for place in (ROOT, BUILD))
    return re.search(rf"(?<![\w./}}-])({places})/", text) is not None


def cached(variable):
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        if line.startswith(variable + ":"):
            return line.split("=", 1)[1]
    return ""


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = Path(tempfile.mkdtemp(prefix="caucus-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch, ignore_errors=True)
        staged = cls.scratch / "staged"
        run("cmake", "--install", BUILD, "--prefix", staged)
        # A package may be moved after it was made.
        cls.prefix = cls.scratch / "moved" / "prefix"
        cls.prefix.parent.mkdir()
        staged.rename(cls.prefix)

    def build(self, project, name=None, main=None):
        """Configures and builds an outside project, with `main` in place of its own if given; returns
        its program."""
        source = self.scratch / (name or project)
        shutil.copytree(OUTSIDE / project, source)
        if main:
            (source / "main.cpp").write_text(main)
        build = source / "build"
        flags = cached("CMAKE_CXX_FLAGS")
        if cached("CAUCUS_SANITIZE") == "ON":
            flags += " -fsanitize=address,undefined"
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.scratch), "CXX": CXX}
        run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_FLAGS={flags}", "-DCMAKE_EXE_LINKER_FLAGS=-Wl,-t", env=clean)
        output = run("cmake", "--build", build, "--verbose", env=clean)
        read = output + run("ninja", "-C", build, "-t", "deps", env=clean)
        self.assertFalse(names_our_tree(read), "the outside project has read our own tree")
        self.assertIn(str(self.prefix), read)
        return build / f"outside_{project}"

    def test_the_package_names_no_place_of_ours(self):
        for file in self.prefix.rglob("*.cmake"):
            self.assertFalse(names_our_tree(file.read_text()), file)

    def test_every_public_header_is_installed(self):
        for header in (ROOT / "include" / "caucus").glob("*.hpp"):
            self.assertTrue((self.prefix / "include" / "caucus" / header.name).is_file(), header)

    def test_the_pure_core_alone(self):
        self.assertEqual(run(self.build("pure")), "committed hello\n")

    def test_a_group_in_an_actor_system_of_its_own(self):
        program = self.build("group")
        self.assertIn("committed 5", run(program, self.scratch / "data", timeout=60))

    def test_the_program_in_the_readme(self):
        main = re.search(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
        self.assertEqual(main.count("127.0.0.1:7101"), 1)
        program = self.build("group", "readme", main.replace("127.0.0.1:7101", "127.0.0.1:0"))
        for count in (1, 2):  # The second start goes on where the first ended.
            self.assertEqual(run(program, timeout=60, cwd=self.scratch), f"count {count}\n")


if __name__ == "__main__":
    unittest.main()
