#!/usr/bin/env python3
"""A client ends within its limit, whatever the nodes' addresses do to its connections."""
import socket
import subprocess
import time
import unittest

from e2e import PROGRAM, ProcessTest

TIMEOUT_MS = 500
# The limit, half a second to close the session, and what a busy machine needs on top of that.
END_MAX_SECONDS = 10


class FullListener:
    """An address that answers no connection attempt, as that of a host which is switched off: the
    kernel drops what doesn't fit into the queue of those that nobody accepts."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._queued = [self._listener]

    def __enter__(self):
        for _ in range(8):
            if not self._is_connecting():
                return self
        raise RuntimeError("the queue takes everybody")

    def __exit__(self, *_):
        for each in self._queued:
            each.close()

    def _is_connecting(self):
        queued = socket.socket()
        self._queued.append(queued)
        queued.settimeout(0.3)
        try:
            queued.connect(self._listener.getsockname())
            return True
        except OSError:
            return False


class ClientLimits(ProcessTest):
    def end_of(self, words, nodes, lines="", timeout_ms=TIMEOUT_MS):
        """The exit status, and what the client said."""
        client = subprocess.Popen([str(PROGRAM), *words, "--nodes", nodes, "--timeout", str(timeout_ms)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        try:
            said, _ = client.communicate(lines, timeout=END_MAX_SECONDS)
        except subprocess.TimeoutExpired:
            client.kill()
            said, _ = client.communicate()
            self.fail(f"{words} hadn't ended after {END_MAX_SECONDS} s; it said {said!r}")
        return client.returncode, said

    def test_a_client_ends_in_time_although_a_host_is_switched_off(self):
        with FullListener() as gone:
            status, said = self.end_of(["shell"], gone.address, "add 1\nget stale\nstatus\n")
            self.assertEqual((0, 3), (status, len(said.splitlines())), said)
            for words, expected in ((["status"], 1), (["members"], 1), (["get"], 1),
                                    (["add", "1"], 1), (["snapshot"], 1)):
                status, said = self.end_of(words, gone.address)
                self.assertEqual(expected, status, said)
                self.assertNotEqual("", said)

    def test_a_host_that_is_switched_off_is_in_nobodys_way(self):
        cluster = self.cluster(1)
        cluster.start()
        cluster.leader()
        with FullListener() as gone:
            nodes = f"{gone.address},{cluster.addresses}"
            for words, status in ((["add", "5"], 0), (["get"], 0), (["snapshot"], 0), (["members"], 0),
                                  (["status"], 1)):  # 1: one of the two nodes didn't answer.
                self.assertEqual(status, self.end_of(words, nodes, timeout_ms=5000)[0], words)
            _, said = self.end_of(["status"], nodes, timeout_ms=5000)
            self.assertIn("leader", said)
            _, said = self.end_of(["shell"], nodes, "add 2\nget linearizable\n", timeout_ms=5000)
            self.assertEqual(["ok 7", "ok 7"], said.splitlines())

    def test_a_shell_ends_although_it_is_connecting_to_silent_nodes(self):
        # Accepted by the kernel, never spoken to: a process that is stopped, or has no time yet.
        listeners = [socket.create_server(("127.0.0.1", 0), backlog=1000) for _ in range(3)]
        nodes = ",".join("127.0.0.1:%d" % x.getsockname()[1] for x in listeners)
        began = time.monotonic()
        for run in range(40):
            status, said = self.end_of(["shell"], nodes)
            self.assertEqual((0, ""), (status, said), f"run {run} after {time.monotonic() - began} s")
        for listener in listeners:
            listener.close()


if __name__ == "__main__":
    unittest.main()
