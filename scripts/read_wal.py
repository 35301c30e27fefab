#!/usr/bin/env python3
"""Lists the log in a node's data directory as `caucus-wal dump --json` does, from the bytes alone.

A second reader of the format, written after docs/wal_format.md and nothing else: where the two differ, one of program and
document is wrong. For a sound log or one with a torn tail; at damage it stops with exit status 1.

usage: read_wal.py [--payloads] DIRECTORY
"""
import argparse
import json
import re
import struct
import sys
from pathlib import Path

KINDS = {1: "entries", 2: "hard state", 3: "truncation", 4: "group created", 5: "group deleted",
         6: "peer identity", 7: "peer forgotten", 8: "snapshot mark", 9: "small snapshot",
         10: "checkpoint", 11: "moved",
         12: "founding"}
ENTRY_KINDS = ["command", "no_op", "configuration", "session", "internal"]


def make_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = make_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


class Damage(Exception):
    pass


class Fields:
    """Takes little-endian numbers off the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, size, signed=False):
        return int.from_bytes(self.raw(size), "little", signed=signed)

    def raw(self, size):
        taken = self.data[self.at:self.at + size]
        if len(taken) < size:
            raise Damage("a field is cut off")
        self.at += size
        return taken

    def text(self):
        return self.raw(self.number(4)).decode(errors="replace")

    def nodes(self):
        return [self.number(8) for _ in range(self.number(4))]


def hex16(number):
    return f"{number:016x}"


def configuration(fields):
    sets = [fields.nodes() for _ in range(4)]
    flags = fields.number(1)
    addresses = {}
    for _ in range(fields.number(4)):
        node, port = fields.number(8), fields.number(2)
        host = fields.text()
        addresses[str(node)] = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    staging = fields.nodes() if flags & 2 else []
    return {"voters": sets[0], "outgoing": sets[1], "learners": sets[2], "learners_next": sets[3],
            "staging": staging, "auto_leave": bool(flags & 1), "addresses": addresses}


def entries(fields, payloads):
    first, count, _ = fields.number(8), fields.number(4), fields.number(4)
    listed = []
    for index in range(first, first + count):
        term, wall = fields.number(8), fields.number(8, signed=True)
        session, sequence, lowest = (fields.number(8) for _ in range(3))
        size, kind, _ = fields.number(4), fields.number(1), fields.number(3)
        entry = {"index": index, "term": term, "kind": ENTRY_KINDS[kind], "wall_ns": wall,
                 "session": session, "sequence": sequence, "lowest_unanswered": lowest,
                 "bytes": size}
        payload = fields.raw(size)
        if payloads:
            entry["payload"] = payload.hex()
        listed.append(entry)
    return listed


def boundary(fields):
    found = {name: fields.number(8) for name in ("index", "term", "members_id")}
    members = configuration(fields)
    return found | {"members": members} if found["index"] else found


def snapshot(fields):
    return boundary(fields) | {"wall_ns": fields.number(8, signed=True), "small": fields.number(1) == 1}


def mark(kind, fields, payloads):
    found = {"restarts": fields.number(1) == 1, "begins_after": boundary(fields), "snapshot": snapshot(fields)}
    if kind == 9:
        content = fields.raw(len(fields.data) - fields.at)
        found["snapshot_bytes"] = len(content)
        if payloads:
            found["payload"] = content.hex()
    return found


def checkpoint(fields):
    descriptor = Fields(fields.raw(fields.number(4)))
    found = {"generation": descriptor.number(8), "name": descriptor.text(), "members": configuration(descriptor)}
    found |= {name: fields.number(8) for name in ("term", "voted_for", "commit", "last")}
    found["begins_after"] = boundary(fields)
    return found | {"snapshots": [snapshot(fields) for _ in range(fields.number(4))]}


def body(kind, data, payloads, group):
    fields = Fields(data)
    if kind in (1, 11):
        found = {"entries": entries(fields, payloads)}
    elif kind == 2:
        found = {name: fields.number(8) for name in ("term", "voted_for", "commit")}
    elif kind == 3:
        found = {"from": fields.number(8)}
    elif kind == 4:
        found = {"generation": fields.number(8), "name": fields.text(),
                 "members": configuration(fields)}
    elif kind == 5:
        found = {"generation": fields.number(8), "name": fields.text()}
    elif kind == 6:
        found = {"node": fields.number(8), "directory": hex16(fields.number(8))}
    elif kind == 10:
        found = checkpoint(fields) if group else {"needed_from": fields.number(8)}
    elif kind in (8, 9):
        found = mark(kind, fields, payloads)
    elif kind == 7:
        found = {"node": fields.number(8)}
    else:
        found = {"founding": hex16(fields.number(8)), "members": fields.text()}
    if fields.at != len(data):
        raise Damage("a body has more bytes than it should")
    return found


def records(batch, segment, start, number, payloads):
    at = 48
    while at < len(batch):
        head = batch[at:at + 32]
        crc, body_crc, size, kind = struct.unpack_from("<IIIB", head)
        group, replica = struct.unpack_from("<QQ", head, 16)
        data = batch[at + 32:at + size]
        if crc != crc32c(head[4:]) or body_crc != crc32c(data) or kind not in KINDS:
            raise Damage(f"segment {segment}, offset {start + at}: the record is damaged")
        line = {"segment": segment, "offset": start + at, "batch": number, "record": KINDS[kind],
                "bytes": size}
        if group:
            line |= {"group": hex16(group), "replica": hex16(replica)}
        yield line | body(kind, data, payloads, group)
        at += (size + 7) // 8 * 8


class Log:
    def __init__(self, directory, payloads):
        self.payloads = payloads
        self.files = sorted(x for x in Path(directory).iterdir()
                            if re.fullmatch(r"wal-[0-9a-f]{16}\.log", x.name))
        self.last_batch = None
        self.epoch = 0
        self.oldest = 0
        if self.files:
            with open(self.files[-1], "rb") as newest:
                self.oldest, = struct.unpack_from("<Q", newest.read(128).ljust(128, b"\0"), 64)

    def lines(self):
        for path in self.files:
            yield from self.segment(path)

    def segment(self, path):
        data = path.read_bytes()
        (magic, version, begin, cluster, node, directory, sequence, epoch, first, oldest,
         recycled) = struct.unpack_from("<8sIIQQQQQQQQ", data)
        if magic != b"CaucusWL" or struct.unpack_from("<I", data, 124)[0] != crc32c(data[:124]):
            raise Damage(f"{path.name}: the header is damaged")
        if version != 1:
            raise Damage(f"{path.name}: format {version}, this reads 1")
        if sequence < self.oldest:
            return  # not needed any more; a start removes it
        yield {"segment": sequence, "file": path.name, "file_bytes": len(data),
               "cluster": hex16(cluster), "node": node, "directory": hex16(directory),
               "epoch": epoch, "first_batch": first, "oldest_segment": oldest,
               "recycled_from": recycled}
        if self.last_batch is None:
            self.last_batch = first - 1
        self.epoch = max(self.epoch, epoch)
        place = struct.pack("<QQ", directory, sequence)
        at = begin
        while True:
            head = data[at:at + 48]
            if len(head) < 48 or head[:4] != b"CBAT":
                return
            body_crc, number, epoch, durable, size, count = struct.unpack_from("<IQQQII", head, 4)
            crc, = struct.unpack_from("<I", head, 44)
            if (crc != crc32c(place + struct.pack("<Q", at) + head[:44]) or number != self.last_batch + 1
                    or epoch < self.epoch or at + size > len(data)
                    or body_crc != crc32c(data[at + 48:at + size])):
                return
            yield {"segment": sequence, "offset": at, "batch": number, "epoch": epoch, "bytes": size,
                   "durable_upto": durable, "records": count}
            yield from records(data[at:at + size], sequence, at, number, self.payloads)
            self.last_batch, self.epoch = number, epoch
            at += size


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--payloads", action="store_true", help="shows what entries carry, in hex")
    parser.add_argument("directory")
    args = parser.parse_args()
    try:
        for line in Log(args.directory, args.payloads).lines():
            print(json.dumps(line, separators=(",", ":"), ensure_ascii=False))
    except (Damage, OSError) as problem:
        print(f"read_wal: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
