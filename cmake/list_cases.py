#!/usr/bin/env python3
"""Writes one ctest test per doctest case of a test program; runs after the program was linked.

usage: list_cases.py PROGRAM PREFIX OUTPUT [LABEL...]

Ours instead of doctest's own script, which loses labels and brackets in names, and accepts two cases
of one name (each run would run both) and a filter that matches nothing (and so passes).
"""
import subprocess
import sys

BANNER = "[doctest]"


def cases(program):
    listed = subprocess.run([program, "--list-test-cases", "--no-colors=true"], check=True,
                            capture_output=True, text=True).stdout
    return [line for line in listed.splitlines()
            if line and not line.startswith((BANNER, "====="))]


def quoted(text):
    return f"[==[{text}]==]"


def main():
    program, prefix, output, *labels = sys.argv[1:]
    names = cases(program)
    problems = [f"two cases are named '{name}'" for name in sorted(set(names))
                if names.count(name) > 1]
    problems += [f"'{name}': no ; \\ * or ? in a case's name, please" for name in names
                 if set(name) & set(";\\*?")]
    if problems:
        print(f"{program}: " + "\n".join(problems), file=sys.stderr)
        return 1
    with open(output, "w", encoding="utf-8") as out:
        for name in names:
            test = quoted(f"{prefix}: {name}")
            pattern = name.replace(",", "\\,")
            out.write(f"add_test({test} {quoted(program)} {quoted('--test-case=' + pattern)})\n")
            out.write(f"set_tests_properties({test} PROPERTIES TIMEOUT 300\n"
                      f"  LABELS {quoted(';'.join(labels))}\n"
                      "  SKIP_REGULAR_EXPRESSION [==[SKIPPED: ]==]\n"
                      "  FAIL_REGULAR_EXPRESSION [==[test cases: +0 ]==])\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
