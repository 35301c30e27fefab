#!/usr/bin/env python3
"""The commands of README's "Three nodes by hand" do what it says, in the order in which they stand there."""
import re
import subprocess
import unittest

from e2e import PROGRAM, ROOT, ProcessTest, free_ports


class Readme(ProcessTest):
    def blocks(self):
        section = (ROOT / "README.md").read_text().split("## Three nodes by hand")[1].split("\n## ")[0]
        text = "\0".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))
        ports = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text)))
        for port, free in zip(ports, free_ports(len(ports))):
            text = text.replace(port, str(free))
        # What is built and where, the test knows better; nobody is there for Ctrl-C.
        text = re.sub(r"(?m)^(scripts/build|PATH=.*)$", "", text)
        return text.replace("caucus-counter watch", "timeout 2 caucus-counter watch").split("\0")

    def test_three_nodes_by_hand(self):
        serve, ask, change = self.blocks()
        self.assertEqual(serve.count(" serve "), 3)
        script = (f"PATH={PROGRAM.parent}:$PATH\n"
                  "trap 'kill -9 $(jobs -p); wait 2>/dev/null' EXIT\n" + serve + ask + change)
        done = subprocess.run(["bash", "-c", script], cwd=self.directory, capture_output=True,
                              text=True, timeout=120, stdin=subprocess.DEVNULL)
        output = done.stdout + done.stderr
        self.assertEqual(len(re.findall(r"node \d of cluster caucus: ", output)), 4, output)
        self.assertEqual(len(re.findall(r"(?m)^5 +\d+( +\d+)?$", output)), 2, output)  # add, get
        self.assertEqual(len(re.findall(r"(?m)^\d +127\.0\.0\.1:\d+ +(?:leader|follower) ", output)), 3,
                         output)
        self.assertRegex(output, r"term \d+  leader \d")  # watch
        self.assertRegex(output, r"(?m)^4 +127\.0\.0\.1:\d+ +(?:voter|staging) ")  # members
        self.assertEqual(len(re.findall(r"(?m)^configuration \d+$", output)), 3, output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
