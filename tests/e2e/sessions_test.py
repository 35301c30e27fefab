#!/usr/bin/env python3
"""Exactly once: retries across dead leaders, restarts, and sessions that are no more."""
import socket
import subprocess
import threading
import time
import unittest

from e2e import PROGRAM, QUICK, ProcessTest, wait_until


class Withholder:
    """Stands between clients and a node, and lets nothing of what the node says through any more."""

    def __init__(self, target):
        host, port = target.split(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._is_withholding = threading.Event()
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in [self._listener, *self._sockets]:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # The other side was quicker.
            each.close()

    def withhold(self):
        self._is_withholding.set()

    def _accept(self):
        try:
            while True:
                client, _ = self._listener.accept()
                node = socket.create_connection(self._target)
                self._sockets += [client, node]
                threading.Thread(target=self._pass_on, args=(client, node, False), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(node, client, True), daemon=True).start()
        except OSError:
            pass  # Closed.

    def _pass_on(self, source, sink, is_reply):
        try:
            while data := source.recv(65536):
                if not (is_reply and self._is_withholding.is_set()):
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # Closed.


class Sessions(ProcessTest):
    def open_session(self, shell):
        return self.ask_until(shell, "open", lambda x: x.startswith("ok ")).split()[1]

    def test_retry_after_all_nodes_were_killed_gets_the_first_reply(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell()
        session = self.open_session(shell)
        self.assertEqual(shell.ask(f"raw {session} 1 add 5"), "ok 5")
        # Others add in between, so that only a remembered reply can be the first one.
        self.assertEqual(shell.ask("add 100"), "ok 105")
        cluster.kill_all()
        cluster.start()
        retry = f"raw {session} 1 add 5"
        self.assertEqual(self.ask_until(shell, retry, lambda x: x.startswith("ok ")), "ok 5")
        self.assertEqual(shell.ask("get"), "ok 105")

    def test_retry_after_the_leader_died_between_apply_and_reply(self):
        cluster = self.cluster()
        cluster.start()
        leader = cluster.leader()
        helper = cluster.shell()
        with Withholder(leader.client) as between:
            others = [node.client for node in cluster.nodes if node is not leader]
            client = cluster.shell(",".join([between.address, *others]), timeout_ms=60000,
                                   options=["--try-timeout", "60000"])
            # Its session is open and it talks to the leader before replies are withheld.
            self.assertEqual(client.ask("get"), "ok 0")
            wait_until("the client to follow the leader",
                       lambda: client.status()["id"] == leader.id, 20)
            between.withhold()
            client.send("add 5")
            wait_until("the command to be executed", lambda: helper.ask("get") == "ok 5", 20)
            self.assertEqual(helper.ask("add 100"), "ok 105")
            self.assertEqual(client.outstanding(), 1)
            cluster.kill_all()
        cluster.start()
        self.assertEqual(client.read(), "ok 5")
        self.assertEqual(client.ask("get"), "ok 105")

    def test_evicted_session_gets_its_error_and_executes_nothing(self):
        cluster = self.cluster(options=[*QUICK, "--session-timeout-ms", "1000"])
        cluster.start()
        shell = cluster.shell()
        session = self.open_session(shell)
        self.assertEqual(shell.ask(f"raw {session} 1 add 5"), "ok 5")
        # The log's clock runs with its entries.
        count, begin = 5, time.monotonic()
        while time.monotonic() < begin + 1.5:
            count += 1
            self.assertEqual(shell.ask("add 1"), f"ok {count}")
        self.assertEqual(shell.ask(f"raw {session} 1 add 5"), "rejected session_expired")
        self.assertEqual(shell.ask(f"raw {session} 2 add 5"), "rejected session_expired")
        self.assertEqual(shell.ask("get"), f"ok {count}")

    def test_a_client_that_ends_leaves_no_session_behind(self):
        cluster = self.cluster(options=[*QUICK, "--sessions-max", "2"])
        cluster.start()
        cluster.leader()
        for count in range(1, 8):
            told = subprocess.run([PROGRAM, "add", "1", "--nodes", cluster.node(1).client],
                                  capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertEqual(told.stdout.splitlines()[1].split()[0], str(count))

    def test_a_shell_outlives_its_session(self):
        cluster = self.cluster(options=[*QUICK, "--session-timeout-ms", "1000"])
        cluster.start()
        idle, busy = cluster.shell(), cluster.shell()
        self.assertEqual(idle.ask("add 1"), "ok 1")
        begin = time.monotonic()
        while time.monotonic() < begin + 1.5:
            busy.ask("get")
        self.assertEqual(idle.ask("add 1"), "ok 2")

    def test_gap_is_refused_and_names_what_is_missing(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell()
        session = self.open_session(shell)
        self.assertEqual(shell.ask(f"raw {session} 3 add 5"), "rejected session_gap expected=1")
        self.assertEqual(shell.ask(f"raw {session} 1 add 5"), "ok 5")
        self.assertEqual(shell.ask("get"), "ok 5")

    def test_operations_under_way_are_executed_in_the_order_of_their_lines(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell(cluster.node(3).client)
        lines = [f"add {2 ** (i % 40)}" for i in range(500)]
        for line in lines:
            shell.send(line)
        count = 0
        for line in lines:
            count += int(line.split()[1])
            self.assertEqual(shell.read(), f"ok {count}")

    def test_unknown_operation_is_settled_before_the_next_one(self):
        cluster = self.cluster()
        cluster.start()
        leader = cluster.leader()
        shell = cluster.shell(leader.client, timeout_ms=1000, options=["--try-timeout", "300"])
        self.assertEqual(shell.ask("add 1"), "ok 1")
        others = [node for node in cluster.nodes if node is not leader]
        for node in others:
            node.pause()
        first = shell.ask("add 10")
        self.assertTrue(first.startswith("unknown "), first)
        for node in others:
            node.resume()
        # Executed once by now, or never: it was sent on under its sequence.
        self.assertEqual(self.ask_until(shell, "add 100", lambda x: x.startswith("ok ")), "ok 111")

    def test_overflow_is_refused_the_same_again_and_again(self):
        cluster = self.cluster()
        cluster.start()
        shell = cluster.shell()
        self.assertEqual(shell.ask(f"add {2 ** 63 - 1}"), f"ok {2 ** 63 - 1}")
        self.assertTrue(shell.ask("add 1").startswith("rejected overflow"))
        self.assertEqual(shell.ask("add -1"), f"ok {2 ** 63 - 2}")
        self.assertEqual(len({x["digest"] for x in cluster.wait_for_equal_replicas()}), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
