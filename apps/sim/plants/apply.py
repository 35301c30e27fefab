#!/usr/bin/env python3
"""Copies folders and files and plants known bugs into the copy, each behind a switch.

A plant is a patch in this folder, named by the bug's id (S-17.patch, canary.patch). Its lines ask
`PLANTED(S_17)`, so that all of them fit into one program and production code knows nothing of them.
Hunks are found by their text, not by line numbers: context and removed lines must occur exactly once
in the file, in one piece. What doesn't fit any more fails the build and says where.

usage: apply.py SOURCE_ROOT OUTPUT_ROOT FOLDER_OR_FILE...
"""
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Unfit(Exception):
    pass


def read_hunks(patch):
    """(file, [(kind, text)]) for each hunk; the text before the first `---` is the description."""
    file, hunk = None, None
    for line in patch.read_text(encoding="utf-8").splitlines():
        if line.startswith("--- "):
            hunk = None
        elif line.startswith("+++ "):
            file = line[4:].split("\t")[0].removeprefix("b/")
        elif line.startswith("@@"):
            if hunk:
                yield file, hunk
            hunk = []
            yield file, hunk
        elif hunk is not None and line[:1] in (" ", "-", "+", ""):
            hunk.append((line[:1] or " ", line[1:]))


def hunks_of(patch):
    found = []
    for file, hunk in read_hunks(patch):
        if not found or found[-1][1] is not hunk:
            found.append((file, hunk))
    return found


def apply_hunk(lines, hunk, where):
    old = [text for kind, text in hunk if kind in " -"]
    new = [text for kind, text in hunk if kind in " +"]
    places = [i for i in range(len(lines) - len(old) + 1) if lines[i:i + len(old)] == old]
    if len(places) != 1:
        raise Unfit(f"{where}: its place is found {len(places)} times")
    at = places[0]
    return lines[:at] + new + lines[at + len(old):]


def plant(patch, texts):
    changed = {}
    for file, hunk in hunks_of(patch):
        if file not in texts:
            raise Unfit(f"{patch.name}: there is no {file}")
        lines = changed.get(file, texts[file])
        changed[file] = apply_hunk(lines, hunk, f"{patch.name}, {file}")
    if not changed:
        raise Unfit(f"{patch.name}: no hunk")
    texts.update(changed)
    return set(changed)


def with_include(lines):
    first = next(i for i, line in enumerate(lines) if line.startswith("#include"))
    return lines[:first] + ['#include "apps/sim/planted.hpp"'] + lines[first:]


def table(plants):
    names = "".join(f"  {ident},\n" for ident, _, _ in plants)
    rows = "".join(f'  {{"{name}", plant::{ident}, {int(of_log)}}},\n'
                   for ident, name, of_log in plants)
    return f"""#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace caucus::sim {{

enum class plant : uint8_t {{
  none,
{names}}};

struct plant_row {{
  std::string_view name;
  plant which = plant::none;
  int64_t storage = 0; ///< `options::storage` with which it can be found: 1 if it is in persistence.
}};

inline constexpr std::array<plant_row, {len(plants)}> plant_table{{{{
{rows}}}}};

}} // namespace caucus::sim
"""


def write_if_changed(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main():
    source, output, wanted = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    texts = {}
    for name in wanted:
        is_file = (source / name).is_file()
        for file in [source / name] if is_file else sorted((source / name).glob("*.[ch]pp")):
            texts[file.relative_to(source).as_posix()] = file.read_text(encoding="utf-8").split("\n")
    changed, plants, unfit = set(), [], []
    for patch in sorted(HERE.glob("*.patch")):
        name = patch.stem
        broken = set()
        try:
            broken = plant(patch, texts)
        except Unfit as why:
            unfit.append(str(why))
        changed |= broken
        of_log = any(file.startswith("persistence/") for file in broken)
        plants.append((re.sub(r"\W", "_", name), name, of_log))
    if unfit:
        sys.exit("error: planted bugs don't fit the core any more; bring these patches into line "
                 "with it (apps/sim/plants/README.md):\n  " + "\n  ".join(unfit))
    for file, lines in texts.items():
        write_if_changed(output / file, "\n".join(with_include(lines) if file in changed else lines))
    write_if_changed(output / "sim_plants.hpp", table(plants))


if __name__ == "__main__":
    main()
