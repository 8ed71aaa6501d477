#!/usr/bin/env python3
"""Adds up what CI ran: ctest's reports (JUnit XML) and the steps that are no ctest run. Exits 1 when anything failed.

Usage: count_results.py FOLDER, with FOLDER/*.xml and FOLDER/steps.txt ("<step> passed|failed" a line).
"""
import pathlib
import sys
import xml.etree.ElementTree as xml

# The steps whose tests stand in a report; a failure without any failed test (it did not build) counts as one.
REPORT_OF_STEP = {"test": "release.xml", "sanitize": "dev.xml", "thread-sanitize": "tsan.xml"}


def count_report(path):
    passed, failed, skipped = 0, [], 0
    for case in xml.parse(path).getroot().iter("testcase"):
        if case.get("status") == "run":
            passed += 1
        elif case.get("status") in ("notrun", "disabled") and case.find("failure") is None:
            skipped += 1
        else:
            failed.append(case.get("name"))
    return passed, failed, skipped


def main():
    folder = pathlib.Path(sys.argv[1])
    passed, failed, skipped = 0, [], 0
    for line in (folder / "steps.txt").read_text().splitlines():
        step, verdict = line.split()
        report = folder / REPORT_OF_STEP.get(step, "none")
        if report.exists():
            step_passed, step_failed, step_skipped = count_report(report)
            passed += step_passed
            skipped += step_skipped
            failed += [f"{step}: {name}" for name in step_failed]
            if verdict == "failed" and not step_failed:
                failed.append(f"make {step}")
        elif verdict == "passed":
            passed += 1
        else:
            failed.append(f"make {step}")
    print()
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
