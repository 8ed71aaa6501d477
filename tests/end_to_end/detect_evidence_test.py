#!/usr/bin/env python3
"""No claim of any alert is untrue: the evidence twin recomputes them from the raw log.

Run by ctest with the path of the program, or by hand:
    python3 tests/end_to_end/detect_evidence_test.py build/release/keyvigil [SEED ...]
Standard library only. Each world is one seed of `simulate`; the seeds are printed.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reference"))
import evidence_twin  # noqa: E402
import shape_twin  # noqa: E402

KEYVIGIL = ""  # set from the command line, below
SEEDS = [11, 12, 13]


def run(*arguments):
    return subprocess.run([KEYVIGIL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
                          check=False)


class World:
    """One simulated estate, its alerts as a whole, and a twin's log of it."""

    def __init__(self, folder, seed):
        self.folder = pathlib.Path(folder)
        self.logs = self.folder / f"logs-{seed}.json"
        self.lists = ["--tor", self.folder / "tor.txt", "--suspicious", self.folder / "suspicious.txt",
                      "--service-tags", self.folder / "tags.json"]
        made = run("simulate", "--size", "small", "--days", "30", "--seed", seed, "--attacks", "all", "--twins",
                   "--output", self.logs, "--tor-list", self.lists[1], "--suspicious-list", self.lists[3],
                   "--service-tags", self.lists[5])
        assert made.returncode == 0, made.stderr.decode()
        with open(self.logs, encoding="utf-8") as lines:
            self.log = evidence_twin.Log(lines)

    def detect_as(self, shape):
        done = run("detect", self.logs, *self.lists, "--learning-days", "10", "--show-learning", "--format", shape,
                   "--quiet", "--alerts-per-1000-vault-days", "50")
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().splitlines()

    def detect(self):
        return [json.loads(line) for line in self.detect_as("jsonl")]


class Evidence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(kept.cleanup)
        cls.worlds = [World(kept.name, seed) for seed in SEEDS]

    def test_no_claim_is_untrue(self):
        types = set()
        for world in self.worlds:
            alerts = world.detect()
            claims, untrue = evidence_twin.audit(alerts, world.log)
            types |= {alert["properties"]["alertType"] for alert in alerts}
            self.assertGreater(claims, 100)
            self.assertEqual(untrue, [], f"{len(untrue)} of {claims} claims of {len(alerts)} alerts are untrue")
        self.assertGreater(len(types), 10, types)

    def test_no_other_shape_says_what_the_records_do_not(self):
        world = self.worlds[0]
        audits = [evidence_twin.Audit(alert, world.log).run() for alert in world.detect()]
        for shape in ("ocsf", "ecs", "gelf", "cef", "csv", "eventhub", "stix"):
            with self.subTest(shape):
                texts = world.detect_as(shape)[1 if shape == "csv" else 0:]
                self.assertEqual(len(texts), len(audits))
                shaped = [shape_twin.audit(shape, text, audit) for text, audit in zip(texts, audits)]
                untrue = [claim for one in shaped for claim in one.untrue]
                self.assertGreater(sum(one.claims for one in shaped), 2 * len(audits))
                self.assertEqual(untrue, [], f"{len(untrue)} claims are untrue")

    def test_the_twin_of_shapes_notices_what_is_untrue(self):
        world = self.worlds[0]
        audits = [evidence_twin.Audit(alert, world.log).run() for alert in world.detect()]
        spoiled = world.detect_as("ocsf")[0].replace('"api":{"operation":"', '"api":{"operation":"Other')
        self.assertNotEqual(shape_twin.audit("ocsf", spoiled, audits[0]).untrue, [])

    def test_the_twin_notices_what_is_untrue(self):
        world = self.worlds[0]
        alert = next(alert for alert in world.detect() if "attacker Object ID" in
                     alert["properties"]["extendedProperties"])
        for spoil in (self.blame_somebody_else, self.repeat_a_record, self.move_the_first_event, self.add_an_object):
            spoiled = json.loads(json.dumps(alert))
            spoil(spoiled["properties"])
            self.assertNotEqual(evidence_twin.audit([spoiled], world.log)[1], [], spoil.__name__)

    @staticmethod
    def blame_somebody_else(alert):
        alert["extendedProperties"]["attacker Object ID"] = "00000000-0000-4000-8000-000000000000"

    @staticmethod
    def repeat_a_record(alert):
        alert["supportingEvidence"]["records"].append(alert["supportingEvidence"]["records"][0])

    @staticmethod
    def move_the_first_event(alert):
        alert["supportingEvidence"]["observed"]["firstEvent"] = "2026-01-01T00:00:00.000Z"
        alert["supportingEvidence"]["observed"]["suspiciousEvents"] += 1

    @staticmethod
    def add_an_object(alert):
        alert["supportingEvidence"]["rotationList"]["objects"].append({"vault": "kv-none", "object": "secrets/none"})


if __name__ == "__main__":
    KEYVIGIL = sys.argv.pop(1)
    if sys.argv[1:]:
        SEEDS = [int(seed) for seed in sys.argv[1:]]
    print("seeds", *SEEDS)
    unittest.main(argv=sys.argv[:1])
