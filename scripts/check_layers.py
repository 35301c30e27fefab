#!/usr/bin/env python3
"""Checks that every folder includes only what DESIGN allows, directly or through other headers.

The picture (an arrow means "is used by"; nothing points back):

    base -> membership -> raft types -+-> raft         -+
                                      +-> persistence  -+-> actors <-> include/caucus -> apps
                                      +-> transport    -+
tests may use anything; nothing uses tests.

usage: check_layers.py [ROOT]     prints one line per violation, exit status 1 if there is one
"""
import re
import sys
from pathlib import Path

ROOT_FOLDERS = ["actors", "apps", "base", "include", "membership", "persistence", "raft", "tests",
                "transport"]
# Folders that hold no C++. A new top-level folder needs an ADR and a line here.
OTHER_FOLDERS = ["build", "cmake", "docs", "scripts"]

# What raft, persistence and transport share: header-only, and part of no core.
RAFT_TYPES = {"raft/entry.hpp", "raft/message.hpp", "raft/persist_batch.hpp", "raft/snapshot_boundary.hpp"}

CORE = {"base", "membership", "raft_types"}
ALLOWED = {
    "base": {"base"},
    "membership": {"base", "membership"},
    "raft_types": CORE,
    "raft": CORE | {"raft"},
    "persistence": CORE | {"persistence"},
    "transport": CORE | {"transport"},
    "actors": CORE | {"raft", "persistence", "transport", "actors", "include"},
    "include": CORE | {"raft", "persistence", "transport", "actors", "include"},
    "apps": CORE | {"raft", "persistence", "transport", "actors", "include", "apps"},
    "tests": CORE | {"raft", "persistence", "transport", "actors", "include", "apps", "tests"},
}

# Foreign headers: pattern -> layers that may reach them.
FOREIGN = [
    (re.compile(r"caf/"), {"actors", "include", "apps", "tests"}, "CAF"),
    (re.compile(r"boost/"), {"transport", "apps", "tests"}, "Boost"),
    (re.compile(r"msgpack"), {"transport", "apps", "tests"}, "msgpack"),
    (re.compile(r"(spdlog|fmt)/"), {"actors", "apps", "tests"}, "spdlog"),
    (re.compile(r"nlohmann/"), {"actors", "apps", "tests"}, "nlohmann json"),
    (re.compile(r"doctest/"), {"tests"}, "doctest"),
]

# Base, membership and raft decide from what they are given: no clock, no thread, no file, no
# randomness, no stream. One seed must reproduce every run.
PURE = {"base", "membership", "raft_types", "raft"}
IMPURE_HEADER = re.compile(
    r"(chrono|ctime|time\.h|random|thread|mutex|shared_mutex|condition_variable|future|semaphore|"
    r"latch|barrier|stop_token|iostream|fstream|ostream|istream|sstream|syncstream|filesystem|"
    r"cstdio|stdio\.h|unistd\.h|fcntl\.h|pthread\.h|sys/.*|netinet/.*|arpa/.*)$")
IMPURE_WORD = re.compile(
    r"\b(system_clock|steady_clock|high_resolution_clock|random_device|mt19937|sleep_for|"
    r"sleep_until|clock_gettime|gettimeofday|std::rand|srand|getenv|std::thread|std::mutex|"
    r"std::cout|std::cerr)\b")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def without_comments(text):
    """Drops comments but keeps string literals, so that a // inside one is no comment."""
    return COMMENT.sub(lambda m: m.group(0) if m.group(0).startswith('"') else " ", text)


def layer_of(path):
    """The layer of a file named relative to the root."""
    return "raft_types" if path in RAFT_TYPES else path.split("/", 1)[0]


class Tree:
    def __init__(self, root):
        self.root = root
        self.text = {}
        for folder in ROOT_FOLDERS:
            for file in sorted((root / folder).rglob("*")):
                if file.suffix in (".hpp", ".cpp", ".h"):
                    name = file.relative_to(root).as_posix()
                    self.text[name] = without_comments(file.read_text(encoding="utf-8"))
        self.includes = {name: [self.resolve(name, quote, target)
                                for quote, target in INCLUDE.findall(text)]
                         for name, text in self.text.items()}

    def resolve(self, name, quote, target):
        """The included file of this tree, or the foreign header's name as (None, name)."""
        candidates = [target, "include/" + target]
        if quote == '"':
            candidates.insert(0, (Path(name).parent / target).as_posix())
        for candidate in candidates:
            if candidate in self.text:
                return candidate, target
        return None, target

    def reach(self, start):
        """Everything that `start` includes, directly or not, each with the shortest chain to it."""
        seen = {start: [start]}
        queue = [start]
        for at in queue:
            for ours, target in self.includes[at]:
                if ours is None:
                    yield None, target, seen[at] + [f"<{target}>"]
                elif ours not in seen:
                    seen[ours] = seen[at] + [ours]
                    queue.append(ours)
                    yield ours, target, seen[ours]


def violations(root):
    for folder in sorted(x.name for x in root.iterdir() if x.is_dir()):
        if not folder.startswith(".") and folder not in ROOT_FOLDERS + OTHER_FOLDERS:
            yield f"{folder}/: a top-level folder that DESIGN section 2 doesn't know (needs an ADR)"
    tree = Tree(root)
    found = {}  # (layer, what it must not reach) -> the shortest way there

    def note(layer, what, chain):
        known = found.get((layer, what))
        if known is None or len(chain) < len(known):
            found[layer, what] = chain

    for name in sorted(tree.text):
        layer = layer_of(name)
        for ours, target, chain in tree.reach(name):
            if ours is not None:
                if layer_of(ours) not in ALLOWED[layer]:
                    note(layer, f"{layer} must not use {layer_of(ours)}", chain)
                continue
            for pattern, allowed, title in FOREIGN:
                if pattern.match(target) and layer not in allowed:
                    note(layer, f"{layer} must not use {title}", chain)
            if layer in PURE and IMPURE_HEADER.match(target):
                note(layer, f"{layer} is pure, <{target}> is not", chain)
        if layer in PURE:
            for word in IMPURE_WORD.findall(tree.text[name]):
                note(layer, f"{layer} is pure, {word} is not", [name])
    for (_, what), chain in found.items():
        yield f"{what}: " + " -> ".join(chain)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    found = list(violations(root))
    for line in found:
        print(line)
    if found:
        print(f"check_layers: {len(found)} violations", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
