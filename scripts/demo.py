#!/usr/bin/env python3
"""What scripts/demo shows. Standard library only.

usage: demo.py --program PATH [--increments N] [--keep]
"""
import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from counter_cluster import Cluster, Node, wait_until  # noqa: E402

WINDOW = 64          # increments under way at a time
INCREMENTS_MIN = 12  # below it some kill would have none in flight, or none to send afterwards


class Screen:
    """A line that is rewritten on a terminal; now and then a line of its own anywhere else."""

    def __init__(self):
        self.is_terminal = sys.stdout.isatty()
        self.lock = threading.Lock()
        self.began = time.monotonic()
        self._last_plain = 0.0
        self._has_live = False

    def say(self, text):
        with self.lock:
            if self._has_live:
                print("\r\033[K", end="")
                self._has_live = False
            print(f"[{time.monotonic() - self.began:6.2f} s] {text}", flush=True)

    def live(self, text):
        if not self.is_terminal:
            if time.monotonic() - self._last_plain >= 0.5:
                self._last_plain = time.monotonic()
                self.say(text)
            return
        with self.lock:
            width = shutil.get_terminal_size().columns
            line = f"[{time.monotonic() - self.began:6.2f} s] {text}"
            print("\r\033[K" + line[:width - 1], end="", flush=True)
            self._has_live = True


class Monitor:
    """Asks one node again and again what it thinks of itself."""

    def __init__(self, cluster, node):
        self.node = node
        self.latest = None
        self._shell = cluster.shell(node.client, timeout_ms=500)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._ended.is_set():
                self.latest = self._shell.status()
                self._ended.wait(0.1)
        except (OSError, RuntimeError, ValueError):
            self.latest = None  # The demo is over, or was interrupted.

    def end(self):
        self._ended.set()
        self._thread.join(timeout=5)
        self._shell.close()


class Increments:
    """One client that adds 1 `total` times, and what it was told."""

    def __init__(self, cluster, total):
        self.total = total
        self.condition = threading.Condition()
        self.acknowledged = 0
        self.failed = []
        self.first_in_term = {}  # term -> when its first acknowledgement arrived
        self.allowed = 0         # how many may have been sent by now
        self._trigger = None     # (acknowledged, what to do then, at once)
        self.shell = cluster.shell(timeout_ms=30000, on_answer=self._note,
                                   options=["--terms", "--window", str(WINDOW)])
        self._feeder = threading.Thread(target=self._feed, daemon=True)
        self._feeder.start()

    def _note(self, _, line, at):
        words = line.split()
        with self.condition:
            if words[0] == "ok":
                self.acknowledged += 1
                self.first_in_term.setdefault(int(words[2]), at)
            else:
                self.failed.append(line)
            if self._trigger and self.acknowledged >= self._trigger[0]:
                self._trigger[1]()
                self._trigger = None
            self.condition.notify_all()

    def _answered(self):
        return self.acknowledged + len(self.failed)

    def _feed(self):
        try:
            for sent in range(self.total):
                with self.condition:
                    self.condition.wait_for(
                        lambda: sent < self.allowed and sent < self._answered() + WINDOW)
                self.shell.send("add 1")
        except (OSError, ValueError):
            pass  # The client ended; whoever waits for its answers says so.

    def allow(self, upto):
        with self.condition:
            self.allowed = upto
            self.condition.notify_all()

    def at(self, acknowledged, act):
        """Has `act` done the moment that so many are acknowledged, on the reader's thread."""
        with self.condition:
            self._trigger = (acknowledged, act)

    def wait_for(self, what, reached, seconds=120):
        def is_over():
            return reached() or self.failed or self.shell.process.poll() is not None
        with self.condition:
            deadline = time.monotonic() + seconds
            while not is_over():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"waited {seconds} s for {what}")
                self.condition.wait(0.1)
            if self.failed:
                raise RuntimeError(f"an increment ended with '{self.failed[0]}'")
            if not reached():
                raise RuntimeError(f"the client ended while it waited for {what}")


class Demo:
    def __init__(self, program, directory, increments):
        self.screen = Screen()
        self.cluster = Cluster(program, directory, 3)
        self.total = increments
        self.monitors = []
        self.load = None
        self.gaps = []
        self._ended = threading.Event()
        self._painter = None

    def run(self):
        screen = self.screen
        for node in self.cluster.nodes:
            screen.say(node.start().strip() + f" (process {node.process.pid})")
        leader = self.cluster.leader()
        self.monitors = [Monitor(self.cluster, node) for node in self.cluster.nodes]
        screen.say(f"node {leader.id} leads; adding 1, {self.total} times, up to {WINDOW} at a time")
        self.load = Increments(self.cluster, self.total)
        self._painter = threading.Thread(target=self._paint, daemon=True)
        self._painter.start()
        first, second = self.total // 3, 2 * self.total // 3
        self.fail_over(first, allowed_after=second - 1)
        self.fail_over(second, allowed_after=self.total)
        self.load.wait_for("all increments", lambda: self.load.acknowledged == self.total)
        self._end_painting()
        screen.say(f"all {self.total} increments are acknowledged; failovers took "
                   + " and ".join(f"{gap:.0f} ms" for gap in self.gaps))
        for monitor in self.monitors:
            monitor.end()
        self.monitors = []
        self.load.shell.close()

    def fail_over(self, at, allowed_after):
        """Kills the leader the moment `at` increments are acknowledged, with others in flight."""
        load, screen = self.load, self.screen
        # All nodes first: two of three make progress, but then none may be lost.
        leader, term = wait_until("all nodes to agree on a leader", self._leader_of_all, 60)
        killed = {}

        def kill():
            killed["in_flight"] = load.shell.outstanding()
            killed["at"] = time.monotonic()
            leader.signal(signal.SIGKILL)
        load.at(at, kill)
        load.allow(at + min(4 * WINDOW, (self.total - at) // 4))
        load.wait_for(f"{at} increments", lambda: killed)
        leader.kill()  # Only waits for its end.
        # What is sent from here on can only be acknowledged by the next leader.
        load.allow(allowed_after)
        screen.say(f"SIGKILL to node {leader.id}, leader of term {term}, process "
                   f"{leader.process.pid}: {killed['in_flight']} increments are in flight")
        if killed["in_flight"] == 0:
            raise RuntimeError("nothing was in flight at the kill")

        def first_after():
            return min((t for k, t in list(load.first_in_term.items()) if k > term), default=None)
        load.wait_for("the next leader's first acknowledgement", first_after)
        gap = 1000 * (first_after() - killed["at"])
        self.gaps.append(gap)
        screen.say(f"failover: {gap:.0f} ms from the SIGKILL to the first increment acknowledged "
                   f"afterwards, in term {max(load.first_in_term)}")
        leader.start()
        screen.say(f"node {leader.id} is restarted on its directory (process {leader.process.pid})")

    def _leader_of_all(self):
        told = [monitor.latest for monitor in self.monitors]
        if not all(told) or len({(x["term"], x["leader"]) for x in told}) != 1:
            return None
        return (self.cluster.node(told[0]["leader"]), told[0]["term"]) if told[0]["leader"] else None

    def _end_painting(self):
        self._ended.set()
        self._painter.join()

    def _paint(self):
        before, then = 0, time.monotonic()
        rate = 0.0
        while not self._ended.wait(0.1):
            now, count = time.monotonic(), self.load.acknowledged
            if now - then >= 0.3:
                rate, before, then = (count - before) / (now - then), count, now
            alive = [x for x in self.monitors if x.latest and x.node.is_running()]
            told = [x.latest for x in alive]
            leading = max((x for x in told if x["role"] == "leader"), key=lambda x: x["term"],
                          default=None)
            term = max((x["term"] for x in told), default=0)
            who = f"node {leading['id']}" if leading and leading["term"] == term else "nobody"
            up = "".join(str(x.node.id) if x in alive else "-" for x in self.monitors)
            self.screen.live(f"leader {who:7} term {term:<3} up {up}  count {count:6} of {self.total}"
                             f"  {rate:7.0f}/s")

    def verify(self):
        """Asks each node itself; True if all tell exactly what was added."""
        statuses = self.cluster.wait_for_equal_replicas(60)
        self.screen.say("every node, asked itself:")
        print("  NODE  ROLE      TERM  APPLIED  COUNT    DIGEST")
        for x in statuses:
            print(f"  {x['id']:<4}  {x['role']:8}  {x['term']:<4}  {x['applied']:<7}  "
                  f"{x['count']:<7}  {x['digest']}")
        if all(x["count"] == self.total for x in statuses):
            self.screen.say(f"ok: exactly {self.total} on every node")
            return True
        self.screen.say(f"WRONG: {self.total} increments were acknowledged once each")
        return False

    def explain(self):
        """How to talk to what --keep left running."""
        cluster, program = self.cluster, self.cluster.program
        print(f"\nThe cluster stays up; its directories and logs are in {cluster.directory}. Try:\n"
              f"  {program} status --nodes {cluster.addresses}\n"
              f"  {program} add 5 --nodes {cluster.addresses}\n"
              f"  {program} watch --nodes {cluster.addresses}\n"
              f"End it:\n  kill {' '.join(str(n.process.pid) for n in cluster.nodes)}; "
              f"rm -r {cluster.directory}")


def parse():
    parser = argparse.ArgumentParser(prog="demo", add_help=False)
    parser.add_argument("--program")
    parser.add_argument("--increments", type=int, default=20000, metavar="N")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--check", action="store_true")  # only the command line
    arguments = parser.parse_args()
    if arguments.increments < INCREMENTS_MIN:
        parser.error(f"--increments must be at least {INCREMENTS_MIN}")
    return arguments


def main():
    arguments = parse()
    if arguments.check:
        return 0
    # An interruption or a closed terminal ends the nodes, too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    directory = tempfile.mkdtemp(prefix="caucus-demo-")
    demo = Demo(Path(arguments.program).resolve(), directory, arguments.increments)
    is_ok = False
    try:
        demo.run()
        is_ok = demo.verify()
    except KeyboardInterrupt:
        print("\ndemo: interrupted", file=sys.stderr)
    except Exception as problem:  # pylint: disable=broad-except
        print(f"\ndemo: FAILED: {problem}", file=sys.stderr)
        for node in demo.cluster.nodes:
            print(f"  node {node.id}: {node.log_tail(2)}", file=sys.stderr)
    finally:
        if arguments.keep and is_ok:
            demo.explain()
        else:
            demo.cluster.end()
            if is_ok:
                shutil.rmtree(directory)
            else:
                print(f"demo: the nodes' directories and logs are kept in {directory}",
                      file=sys.stderr)
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
