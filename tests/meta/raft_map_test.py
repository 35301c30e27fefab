"""docs/raft_map.md tells the truth: what it names as function, test or trace is there, by its id."""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "docs" / "raft_map.md"
CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)')
ID = re.compile(r"[A-Z]-\d+")


def ids(letter, *ranges):
    return [f"{letter}-{number:02}" for first, last in ranges for number in range(first, last + 1)]


EXPECTED = (ids("P", (1, 22)) + ids("L", (1, 14)) + ids("M", (1, 15)) + ids("N", (1, 15))
            + ids("C", (1, 6)) + ids("S", (1, 40), (52, 70)))


def case_names():
    names = set()
    for file in (ROOT / "tests" / "unit").rglob("*_test.cpp"):
        for literals in CASE.findall(file.read_text()):
            names.add("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)))
    return names


def trace_heads():
    return {file.stem: file.read_text().split("\n\n", 1)[0]
            for file in (ROOT / "tests" / "golden").glob("*.txt")}


def rows(text, heading):
    """The cells of each row of the table below a heading."""
    section = re.split(r"^## ", text, flags=re.M)
    table = next(x for x in section if x.startswith(heading)).split("\n")
    lines = [x for x in table if x.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def problems(text):
    found = []
    names, heads = case_names(), trace_heads()

    def check_tests(cell, wanted_id=None):
        for name in re.findall(r"`([^`]*)`", cell):
            trace = name.removeprefix("golden: ")
            if trace != name:
                known, where = trace in heads, heads.get(trace, "")
            else:
                known, where = name in names, name
            if not known:
                found.append(f"no test is called '{name}'")
            elif wanted_id and wanted_id not in ID.findall(where):
                found.append(f"'{name}' doesn't name {wanted_id}")

    for section, _, functions, tests in rows(text, "Thesis"):
        for place in re.findall(r"`([^`]*)`", functions):
            file, _, function = place.partition(":")
            if not (ROOT / file).is_file() or not re.search(rf"\b{function}\b", (ROOT / file).read_text()):
                found.append(f"{section}: there is no {place}")
        check_tests(tests)
    listed = []
    for key, _, tests in rows(text, "Hazards"):
        listed.append(key)
        if not tests:
            found.append(f"{key}: neither a test nor why there is none")
        check_tests(tests, key)
    found += [f"{key} is missing or there twice" for key in EXPECTED if listed.count(key) != 1]
    found += [f"{key} is unknown" for key in set(listed) - set(EXPECTED)]
    return found


class RaftMapTest(unittest.TestCase):
    def setUp(self):
        self.text = MAP.read_text()

    def assert_refused(self, old, new, words):
        self.assertIn(old, self.text)
        found = problems(self.text.replace(old, new, 1))
        self.assertTrue(any(words in x for x in found), found)

    def test_the_map_is_true(self):
        self.assertEqual(problems(self.text), [])

    def test_a_wrong_id_is_refused(self):
        self.assert_refused("\n| S-17 |", "\n| S-99 |", "S-99 is unknown")
        self.assert_refused("\n| S-17 |", "\n| S-99 |", "S-17 is missing")
        self.assert_refused("`S-17 ", "`S-71 ", "no test is called 'S-71")
        row = re.search(r"\n\| S-01 \|[^`]*`([^`]*)`", self.text)
        other = re.search(r"\n\| S-02 \|[^`]*`([^`]*)`", self.text).group(1)
        self.assert_refused(row.group(), row.group().replace(row.group(1), other),
                            f"'{other}' doesn't name S-01")

    def test_what_does_not_exist_is_refused(self):
        self.assert_refused("raft/election.cpp:on_pre_vote", "raft/election.cpp:on_no_vote", "no raft/")
        self.assert_refused("`golden: vote_once`", "`golden: vote_never`", "no test is called")


if __name__ == "__main__":
    unittest.main()
