#!/usr/bin/env python3
"""A start that can't be says why in one line, ends with a non-zero status and has written nothing."""
import socket
import subprocess
import unittest

from e2e import PROGRAM, ProcessTest, free_ports


class StartupErrors(ProcessTest):
    def setUp(self):
        super().setUp()
        self.ports = free_ports(4)
        self.members = f"1=127.0.0.1:{self.ports[0]},2=127.0.0.1:{self.ports[1]}"
        self.client = f"127.0.0.1:{self.ports[2]}"
        self.data = self.directory / "data"

    def serve(self, *extra, node_id=1, members=None, client=None, data=None):
        command = [str(PROGRAM), "serve", "--id", str(node_id), "--members", members or self.members,
                   "--client", client or self.client, "--data", str(data or self.data), *extra]
        return subprocess.run(command, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def content(self):
        return {path.relative_to(self.directory): path.read_bytes() if path.is_file() else None
                for path in sorted(self.directory.rglob("*"))}

    def refused(self, expected, *extra, **where):
        before = self.content()
        result = self.serve(*extra, **where)
        self.assertNotEqual(result.returncode, 0, result)
        self.assertEqual(result.stdout, "")
        lines = [x for x in result.stderr.splitlines() if x]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertIn(expected, lines[0])
        self.assertEqual(self.content(), before, "something was written")

    def test_unknown_option(self):
        self.refused("--no-such-option", "--no-such-option", "1")

    def test_values_out_of_range_name_the_option_and_its_range(self):
        self.refused("--election-ticks=1 is not in its range 2..1000", "--election-ticks", "1")
        self.refused("--tick-ms=soon", "--tick-ms", "soon")
        self.refused("--tick-ms=-5", "--tick-ms=-5")
        self.refused("--pre-vote", "--pre-vote", "maybe")
        self.refused("--uncommitted-bytes-max 268435456 and --proposal-bytes-max",
                     "--uncommitted-bytes-max", "268435456")
        self.refused("--heartbeat-ticks", "--election-ticks", "4", "--heartbeat-ticks", "3")

    def test_wrong_member_lists(self):
        self.refused("no '='", members="127.0.0.1:1")
        self.refused("twice", members=f"1=127.0.0.1:{self.ports[0]},1=127.0.0.1:{self.ports[1]}")
        self.refused("--id 7", node_id=7)
        self.refused("--id", node_id="one")
        self.refused("--client", client="127.0.0.1")
        self.refused("--accept-directory 1 is for the nodes that refuse node 1",
                     "--accept-directory", "1")
        self.refused("--accept-directory 0 is no node", "--accept-directory", "0")
        self.refused("clients need an address of their own", client=f"127.0.0.1:{self.ports[0]}")

    def test_unspecified_advertise_address(self):
        for host in ("0.0.0.0", "[::]", ""):
            self.refused("no other node can reach",
                         members=f"1={host}:{self.ports[0]},2=127.0.0.1:{self.ports[1]}")

    def test_cluster_file(self):
        self.refused("can't read the cluster file", "--cluster", str(self.directory / "none.json"))
        file = self.directory / "cluster.json"
        file.write_text('{"cluster": "a", "members": {}, "options": {"tick-ms": 0}}')
        self.refused("--tick-ms=0", "--cluster", str(file))
        file.write_text('{"nodes": 3}')
        self.refused("'nodes'", "--cluster", str(file))

    def test_directory_whose_parent_is_missing(self):
        self.refused("does not exist; make that first", data=self.directory / "no" / "data")

    def test_ports_in_use(self):
        for port in (self.ports[0], self.ports[2]):
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", port))
                taken.listen()
                self.refused(str(port))

    def test_directory_in_use_and_of_somebody_else(self):
        # The only member, so that it needs nobody else.
        cluster = self.cluster(count=1)
        node = cluster.node(1)
        node.start()
        shell = cluster.shell()
        self.assertEqual(shell.ask("add 5"), "ok 5")
        other = f"1=127.0.0.1:{self.ports[0]}"
        result = self.serve(members=other, data=node.directory)
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(str(node.directory), result.stderr)
        self.assertEqual(shell.ask("add 1"), "ok 6")
        node.stop()
        self.refused("cluster", "--cluster-name", "other", members=other, data=node.directory)
        self.refused("node", node_id=2, members=f"2=127.0.0.1:{self.ports[0]}", data=node.directory)
        self.refused("--members", members=f"{other},2=127.0.0.1:{self.ports[1]}",
                     data=node.directory)
        node.start()
        self.ask_until(shell, "get", lambda answer: answer == "ok 6")

    def test_client_commands(self):
        for command in (["shell", "--nodes", "nowhere"], ["add", "x", "--nodes", "127.0.0.1:1"],
                        ["get"], ["status", "--nodes", "127.0.0.1:99999"],
                        ["add", "99999999999999999999", "--nodes", "127.0.0.1:1"],
                        ["remove-member", "-1", "--nodes", "127.0.0.1:1"],
                        ["demote", "2", "--expect", "0", "--nodes", "127.0.0.1:1"], ["fly"], []):
            result = subprocess.run([str(PROGRAM), *command], capture_output=True, text=True,
                                    timeout=60, stdin=subprocess.DEVNULL)
            self.assertNotEqual(result.returncode, 0, command)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_nobody_there_is_rejected_not_unknown(self):
        result = subprocess.run([str(PROGRAM), "add", "1", "--nodes", f"127.0.0.1:{self.ports[3]}",
                                 "--timeout", "300"], capture_output=True, text=True, timeout=60,
                                stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 1)
        self.assertIn("rejected (not executed)", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
