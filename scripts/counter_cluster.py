"""Nodes and clients of the replicated counter as real processes, for scripts/demo and tests/e2e.

Standard library only. Everything started here is ended here, by its own process id.
"""
import itertools
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from pathlib import Path


PORT_FIRST, PORT_COUNT = 20000, 11000
_next_port = itertools.count(os.getpid() * 37)  # Tests run side by side, each in a process.


def free_ports(count):
    """Ports that are free now, below the range the kernel hands out by itself, so that they stay so.
    None is given out twice."""
    found = []
    for offset in itertools.islice(_next_port, PORT_COUNT):
        port = PORT_FIRST + offset % PORT_COUNT
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports between 20000 and 31000")


def wait_until(what, condition, seconds, poll=0.02):
    """The first truthy value of `condition`; a TimeoutError that names `what` when it takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(poll)


class Node:
    """One `caucus-counter serve`, which may be killed and started again on the same directory."""

    def __init__(self, program, node_id, members, client, directory, options=()):
        self.program = str(program)
        self.id = node_id
        self.members = members
        self.client = client
        self.directory = Path(directory)
        self.log = self.directory.parent / f"node-{node_id}.log"
        self.options = list(options)
        self.process = None
        self.prefix = []  # e.g. strace with its options

    def command(self, extra=()):
        return [*self.prefix, self.program, "serve", "--id", str(self.id), "--members", self.members,
                "--client", self.client, "--data", str(self.directory), *self.options, *extra]

    def start(self, extra=(), seconds=30):
        """Returns when the node has said that it is up; a node that ends before raises."""
        assert not self.is_running(), f"node {self.id} runs already"
        # A process group keeps the terminal's Ctrl-C away. A session would, too, but Linux deals time
        # out to sessions (sched_autogroup), and beside a busy one a node's got none for seconds.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(extra), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True,
                                            process_group=0)
        lines = queue.Queue()
        threading.Thread(target=self._read_lines, args=(self.process, lines), daemon=True).start()
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            line = ""
        if not line.startswith(f"node {self.id} of cluster "):
            status = self.process.poll()
            raise RuntimeError(f"node {self.id} didn't start (status {status}): {self.log_tail()}")
        return line

    @staticmethod
    def _read_lines(process, lines):
        with process.stdout:
            for line in process.stdout:
                lines.put(line)
        lines.put("")

    def log_tail(self, lines=3):
        try:
            return " | ".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "no log"

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def pause(self):
        """SIGSTOP; each of its threads has stopped when this returns, which on a busy machine takes
        a while and lets some run on until then."""
        self.signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")

        def all_stopped():
            return all(task.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "T"
                       for task in tasks.iterdir())
        wait_until(f"node {self.id} to stop", all_stopped, 20, poll=0.002)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL, and gone when this returns. The time of the signal."""
        at = time.monotonic()
        if self.is_running():
            self.process.kill()
        self.process.wait()
        return at

    def stop(self, seconds=30):
        """SIGTERM; the exit status."""
        if self.is_running():
            self.process.terminate()
        return self.process.wait(timeout=seconds)

    def events(self):
        """What the node wrote about its roles. A line that SIGKILL cut is not whole and not there."""
        path = self.directory / "events.jsonl"
        if not path.exists():
            return []
        text = path.read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


class Shell:
    """A `caucus-counter shell`. Lines are answered in order; several may be under way."""

    def __init__(self, program, nodes, timeout_ms=10000, options=(), on_answer=None):
        command = [str(program), "shell", "--nodes", nodes, "--timeout", str(timeout_ms), *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.sent = 0
        self.answered = 0
        self.timeout = timeout_ms / 1000
        self._on_answer = on_answer
        self._waiting = deque()  # lines without an answer
        self._answers = queue.Queue()
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._lock:
                asked = self._waiting.popleft()
                self.answered += 1
            line = line.rstrip("\n")
            if self._on_answer:
                self._on_answer(asked, line, time.monotonic())
            else:
                self._answers.put(line)
        self.process.stdout.close()
        self._answers.put(None)

    def outstanding(self):
        with self._lock:
            return len(self._waiting)

    def send(self, line):
        with self._lock:
            self._waiting.append(line)
            self.sent += 1
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def read(self):
        """The next answer."""
        answer = self._answers.get(timeout=self.timeout + 20)
        if answer is None:
            raise RuntimeError(f"the shell ended with status {self.process.wait()}")
        return answer

    def ask(self, line):
        self.send(line)
        return self.read()

    def status(self):
        """The JSON object of the node it is connected to, or None."""
        answer = self.ask("status")
        return json.loads(answer[3:]) if answer.startswith("ok ") else None

    def _close_input(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass  # It ended by itself; the status says how.

    def close(self, seconds=60):
        """No more lines; returns when all are answered."""
        self._close_input()
        status = self.process.wait(timeout=seconds)
        self._reader.join(timeout=5)
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._close_input()


class Cluster:
    """Nodes 1..count on loopback, below one directory."""

    def __init__(self, program, directory, count, options=()):
        self.program = program
        self.directory = Path(directory)
        ports = free_ports(2 * count)
        addresses = [f"127.0.0.1:{port}" for port in ports]
        self.member_list = [f"{i + 1}={address}" for i, address in enumerate(addresses[:count])]
        members = ",".join(self.member_list)
        self.nodes = [Node(program, i + 1, members, addresses[count + i],
                           self.directory / f"node-{i + 1}", options) for i in range(count)]
        self.addresses = ",".join(node.client for node in self.nodes)
        self._shells = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def node(self, node_id):
        return next(node for node in self.nodes if node.id == node_id)

    def start(self):
        for node in self.nodes:
            node.start()

    def kill_all(self):
        """SIGKILL to all at once: no node notices the death of another."""
        for node in self.nodes:
            node.signal(signal.SIGKILL)
        for node in self.nodes:
            node.kill()

    def shell(self, nodes=None, **options):
        shell = Shell(self.program, nodes or self.addresses, **options)
        self._shells.append(shell)
        return shell

    def command(self, *words, nodes=None):
        """A command of an operator: what became of it."""
        return subprocess.run([str(self.program), *map(str, words), "--nodes", nodes or self.addresses],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False)

    def ask(self, *words, nodes=None):
        """What a command prints that must succeed."""
        result = self.command(*words, nodes=nodes)
        if result.returncode != 0:
            raise RuntimeError(f"{words}: {result.stderr.strip()}")
        return result.stdout

    def members(self):
        """Node -> its role in the group."""
        return {x["id"]: x["role"] for x in json.loads(self.ask("members", "--json"))["members"]}

    def status_of(self, node, timeout_ms=2000):
        """What the node says of itself; None if it doesn't answer."""
        result = subprocess.run([str(self.program), "status", "--json", "--nodes", node.client,
                                 "--timeout", str(timeout_ms)], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL)
        answer = json.loads(result.stdout.splitlines()[0]) if result.stdout else {}
        return answer if "id" in answer else None

    def statuses(self):
        return [self.status_of(node) if node.is_running() else None for node in self.nodes]

    def leader(self, seconds=30):
        """The node that leads, once a majority agrees on it."""
        def agreed():
            told = [x for x in self.statuses() if x]
            for x in told:
                if x["role"] == "leader" and 2 * sum(
                        y["leader"] == x["id"] and y["term"] == x["term"]
                        for y in told) > len(self.nodes):
                    return self.node(x["id"])
            return None
        return wait_until("a leader", agreed, seconds)

    def wait_for_equal_replicas(self, seconds=30):
        """Until all nodes have applied the same; returns their statuses. Different states at the
        same index would be the end of all trust, so they are looked for on the way."""
        def equal():
            told = self.statuses()
            if any(x is None for x in told):
                return None
            digests = {}
            for x in told:
                if digests.setdefault(x["applied"], x["digest"]) != x["digest"]:
                    raise AssertionError(f"replicas differ at the same index: {told}")
            return told if len({x["applied"] for x in told}) == 1 else None
        return wait_until("all replicas to have applied the same", equal, seconds, poll=0.1)

    def leaders_by_term(self):
        """Term -> the nodes that led in it, by their own event logs."""
        leaders = {}
        for node in self.nodes:
            for event in node.events():
                if event["role"] == "leader":
                    leaders.setdefault(event["term"], set()).add(event["node"])
        return leaders

    def end(self):
        """Nothing that was started here runs on."""
        for shell in self._shells:
            shell.kill()
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                node.process.send_signal(signal.SIGCONT)
                node.kill()
