"""A report of a sanitizer fails the test it comes from, whichever check it is of.

Inside ctest, whose environment is part of what is tested.
"""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CXX = os.environ.get("CAUCUS_CXX", "c++")

PLANTS = {
    "null": "int* p = argc > 5 ? &argc : nullptr; int& r = *p; (void)r;",
    "shift": "volatile int n = 40; volatile int x = 1 << n; (void)x;",
    "address": "volatile char* p = new char[4]; delete[] p; p[1] = 1;",
    "none": "",
}
PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(plants LANGUAGES CXX)
set(CAUCUS_SANITIZE ON)
include(%s/cmake/sanitizers.cmake)
""" % ROOT


class SanitizersTest(unittest.TestCase):
    def test_each_report_ends_the_program(self):
        self.assertIn("halt_on_error=1", os.environ.get("UBSAN_OPTIONS", "nothing: run it with ctest"))
        with tempfile.TemporaryDirectory(prefix="caucus-sanitizers-") as folder:
            text = PROJECT
            for name, plant in PLANTS.items():
                (Path(folder) / f"{name}.cpp").write_text("int main(int argc, char**) { (void)argc; %s }" % plant)
                text += f"add_executable({name} {name}.cpp)\n"
            (Path(folder) / "CMakeLists.txt").write_text(text)
            build = Path(folder) / "build"
            for command in (["cmake", "-S", folder, "-B", build, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={CXX}"],
                            ["cmake", "--build", build]):
                done = subprocess.run(command, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for name in PLANTS:
                done = subprocess.run([build / name], capture_output=True, text=True)
                self.assertEqual(done.returncode != 0, name != "none", f"{name}: {done.stderr}")


if __name__ == "__main__":
    unittest.main()
