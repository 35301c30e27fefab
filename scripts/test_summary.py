#!/usr/bin/env python3
"""Reads ctest's JUnit file; names each failure and each skip with its reason, then counts.

usage: test_summary.py FILE            last line: N tests, N run, N skipped
       test_summary.py --total FILE... last line: N passed, N failed; each file must name the same
                                       tests (as many under the sanitizers as elsewhere)
"""
import re
import sys
import xml.etree.ElementTree as ElementTree


def read(path):
    """Yields (name, "passed" | "failed" | "skipped", reason)."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        skipped = case.find("skipped")
        message = "" if skipped is None else skipped.get("message", "")
        if case.get("status") == "run":
            yield case.get("name"), "passed", ""
        elif case.get("status") == "disabled" or message.startswith("SKIP_"):
            reason = re.search(r"SKIPPED: (.*)", case.findtext("system-out") or "")
            yield case.get("name"), "skipped", reason.group(1) if reason else "no reason given"
        else:
            # Among them what couldn't even start, which ctest files under "not run".
            yield case.get("name"), "failed", message


def main():
    is_total = "--total" in sys.argv
    try:
        files = [list(read(path)) for path in sys.argv[1:] if path != "--total"]
    except (OSError, ElementTree.ParseError) as problem:
        print(f"test_summary: no results: {problem}", file=sys.stderr)
        return 1
    cases = [case for file in files for case in file]
    names = [{name for name, _, _ in file} for file in files]
    only_in_some = set().union(*names) - set.intersection(*names) if names else set()
    for name in sorted(only_in_some):
        print(f"MISSING {name}: not in every preset")
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for name, state, reason in cases:
        count[state] += 1
        if state == "failed":
            print(f"FAILED  {name}" + (f": {reason}" if reason else ""))
        elif state == "skipped":
            print(f"SKIPPED {name}: {reason}")
    if is_total:
        print(f"{count['passed']} passed, {count['failed']} failed")
    else:
        print(f"{len(cases)} tests, {count['passed'] + count['failed']} run, "
              f"{count['skipped']} skipped")
    return 1 if count["failed"] or only_in_some or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
