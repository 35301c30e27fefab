#!/usr/bin/env python3
"""Rules of style that a regular expression can tell. Long files are only mentioned.

usage: check_tidy.py [ROOT]     one line per finding, exit status 1 if one of them is an error
"""
import re
import sys
from pathlib import Path

FOLDERS = ["actors", "apps", "base", "cmake", "docs", "include", "membership", "persistence", "raft",
           "scripts", "tests", "transport"]
CODE = {".hpp", ".cpp"}
LINE_MAX = 100
FILE_MAX = 400

# (what is wrong, pattern, suffixes it is looked for in or None for all, folder or "" for all)
RULES = [
    # Written so that this file doesn't match itself.
    ("unfinished work without its issue: write TO" + "DO(#12)",
     re.compile(r"\bTO" + r"DO\b(?!\(#\d+\))|\bFIX" + r"ME\b|\bXX" + r"X\b"), None, ""),
    ("trailing white space", re.compile(r"[ \t]+$"), CODE | {".py", ".sh", ""}, ""),
    ("a tab", re.compile(r"\t"), CODE | {".py"}, ""),
    ("a name that says nothing (STYLE section 7.3)",
     re.compile(r"\b(class|struct) \w*(util|helper|manager)\w*\b"), CODE, ""),
    ("tests wait for a condition, they don't sleep",
     re.compile(r"\bsleep_for\((std::chrono::(seconds|minutes)|\d+(s|min)\b)"), {".cpp"}, "tests/"),
    ("an absolute path of somebody's machine", re.compile(r"(?<![\w.])/(home|root|work)/"), None, ""),
]


def text_files(root):
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                try:
                    yield file, file.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue


def findings(root):
    """Yields (is_error, text)."""
    for file, text in text_files(root):
        name = file.relative_to(root).as_posix()
        lines = text.splitlines()
        if file.suffix in CODE and len(lines) > FILE_MAX:
            yield False, f"{name}: {len(lines)} lines; is there a cut (more than {FILE_MAX})?"
        if file.suffix == ".hpp" and "#pragma once" not in text:
            yield True, f"{name}: no #pragma once"
        for number, line in enumerate(lines, 1):
            if file.suffix in CODE and len(line) > LINE_MAX:
                yield True, f"{name}:{number}: {len(line)} columns, more than {LINE_MAX}"
            for what, pattern, suffixes, folder in RULES:
                if suffixes is not None and file.suffix not in suffixes:
                    continue
                if name.startswith(folder) and pattern.search(line):
                    yield True, f"{name}:{number}: {what}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    errors = 0
    for is_error, text in findings(root):
        print(("" if is_error else "note: ") + text)
        errors += is_error
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
