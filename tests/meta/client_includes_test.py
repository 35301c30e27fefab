"""A client needs CAF and the declaration of the group's messages: no other header of Caucus."""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COUNTER = ROOT / "apps" / "counter"
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
OURS = re.compile(r"(caucus|base|membership|raft|persistence|transport|actors)/")


class ClientIncludes(unittest.TestCase):
    def reached(self, names):
        """Headers of Caucus that these files of the counter include, through their own headers too."""
        found, seen = set(), set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            for target in INCLUDE.findall((COUNTER / name).read_text()):
                if OURS.match(target):
                    found.add(target)
                elif (COUNTER / target).exists():
                    queue.append(target)
        return found

    def test_only_the_messages_are_included(self):
        listed = re.search(r"set\(client_sources(.*?)\)", (COUNTER / "CMakeLists.txt").read_text(),
                           re.DOTALL).group(1).split()
        self.assertIn("counter_client.cpp", listed)
        self.assertEqual(self.reached(listed), {"caucus/messages.hpp"})

    def test_the_check_sees_what_is_forbidden(self):
        self.assertIn("caucus/node.hpp", self.reached(["serve_command.cpp"]))


if __name__ == "__main__":
    unittest.main()
