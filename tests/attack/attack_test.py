#!/usr/bin/env python3
"""The attacker is not blind: a fault that is planted in the service is found, and counted where it belongs.

Run by ctest with the path of the program, or by hand: python3 tests/attack/attack_test.py KEYVIGIL
"""
import contextlib
import io
import json
import pathlib
import re
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True
import attack  # noqa: E402
import rounds  # noqa: E402
from rounds import COLUMNS, KINDS, Broken, Round, serve_test  # noqa: E402

PROGRAM = ""  # set from the command line, below

# A service that forgets: what a first run leaves in its log is gone at the next start.
FORGETS = """#!/bin/sh
for word in "$@"; do
  if [ "$before" = --store ]; then rm -f "$word-wal"; fi
  before=$word
done
exec '{program}' "$@"
"""
CRASHES = """#!/bin/sh
(sleep 1; kill -SEGV $$) >/dev/null 2>&1 &
exec '{program}' "$@"
"""
# Again and again: an instrumented program may need longer to start than to be stopped the first time.
HANGS = """#!/bin/sh
(for again in 1 2 3 4 5; do sleep 1; kill -STOP $$ || exit; sleep 7; kill -CONT $$; done) >/dev/null 2>&1 &
exec '{program}' "$@"
"""
# No list is read: what it would expose stays unseen. `detect` reads it.
BLIND = """#!/bin/sh
if [ "$1" = serve ]; then
  for word in "$@"; do
    if [ "$before" = --config ]; then
      sed -i 's/^  tor: .*/  tor: []/; s/^  suspicious: .*/  suspicious: []/' "$word"
    fi
    before=$word
  done
fi
exec '{program}' "$@"
"""


class Planted(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="keyvigil-attack-test-")
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name)
        self.folder.chmod(0o755)
        # What is lost never shows.
        sooner = unittest.mock.patch.object(rounds, "SHOWN_WITHIN_SECONDS", 5)
        sooner.start()
        self.addCleanup(sooner.stop)

    def attacked(self, kind, script=None, seed=1):
        """Counts, and all that was said, of one round of a kind; the program is run by a script where one is given."""
        program = pathlib.Path(PROGRAM).resolve()
        if script is not None:
            wrapper = self.folder / "wrapped"
            wrapper.write_text(script.format(program=program))
            program = wrapper
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = attack.main([str(program), "--kind", kind, "--seed", str(seed), "--rounds", "1", "--jobs", "1",
                                "--keep", str(self.folder / "kept")])
        text = said.getvalue()
        row = re.search(rf"^{kind} .*", text, re.MULTILINE).group().split()
        return code, dict(zip(COLUMNS, map(int, row[1:]))), text

    def expect_found(self, kind, column, script, seed=1):
        code, counts, text = self.attacked(kind, script, seed)
        self.assertEqual(code, 1, text)
        self.assertGreater(counts[column], 0, text)
        self.assertIn(f"FAILED: kind {kind}, seed {seed}, step ", text)
        self.assertIn(f"--kind {kind} --seed {seed} --rounds 1", text)
        self.assertTrue((self.folder / "kept" / f"{kind}-{seed}" / "steps.txt").is_file(), text)

    def test_a_service_that_forgets_what_it_acknowledged(self):
        self.expect_found("kills", "lost", FORGETS, seed=12)  # one that sends: what is followed is read again

    def test_alerts_that_are_missing(self):
        self.expect_found("kills", "missing", BLIND)

    def test_a_crash(self):
        self.expect_found("raw", "crashes", CRASHES)

    def test_a_hang(self):
        self.expect_found("raw", "hangs", HANGS)

    def test_a_record_that_is_dropped_on_its_way(self):
        """As a proxy would that answers for more than it passes on."""
        whole = serve_test.Service.ask

        def drops_one(service, method, path, body=None, *rest, **more):
            dropped = path == "/v1/logs" and body is not None and body.count(b"\n") == 1
            if not dropped or service.dropped:
                return whole(service, method, path, body, *rest, **more)
            service.dropped = True
            return 200, {}, b'{"records":1,"refused":0}'

        with unittest.mock.patch.object(serve_test.Service, "ask", drops_one), \
                unittest.mock.patch.object(serve_test.Service, "dropped", False, create=True):
            code, counts, text = self.attacked("raw")
        self.assertEqual(code, 1, text)
        self.assertEqual(counts["lost"], 1, text)

    def test_the_same_seed_gives_the_same_steps(self):
        serve_test.KEYVIGIL = PROGRAM
        for kind in ("kills", "damage"):
            with self.subTest(kind):
                first, again, other = (KINDS[kind](seed, self.folder) for seed in (3, 3, 4))
                for one in (first, again, other):
                    one.perform()
                self.assertTrue(first.steps)
                self.assertEqual(first.steps, again.steps)
                self.assertNotEqual(first.steps, other.steps)

    def test_nothing_where_nothing_is_wrong(self):
        code, counts, text = self.attacked("clocks")
        self.assertEqual(code, 0, text)
        self.assertGreater(counts["acknowledged"], 100, text)
        self.assertFalse(any((self.folder / "kept").iterdir()))


class Laws(unittest.TestCase):
    class Anything(Round):
        name = "anything"
        what = holds = "of this test"

    def setUp(self):
        self.addCleanup(KINDS.pop, "anything", None)
        self.round = self.Anything(1, pathlib.Path("."))

    def expect_broken(self, column, law, *arguments):
        with self.assertRaises(Broken) as broken:
            law(*arguments)
        self.assertEqual(broken.exception.column, column)

    def test_sums(self):
        figures = {"events_decided_total": 7.0, "events_held": 3.0}
        self.round.expect_sum(figures, 10)
        self.expect_broken("lost", self.round.expect_sum, figures, 11)
        self.expect_broken("doubled", self.round.expect_sum, figures, 9)

    def test_alerts(self):
        alerts = {"a": {"x": 1}, "b": {"x": 2}}
        self.round.expect_alerts(alerts, dict(alerts))
        self.expect_broken("missing", self.round.expect_alerts, {"a": {"x": 1}}, alerts)
        self.expect_broken("doubled", self.round.expect_alerts, alerts, {"a": {"x": 1}})
        self.expect_broken("missing", self.round.expect_alerts, alerts, {"a": {"x": 1}, "b": {"x": 3}})

    def test_records_that_were_decided_twice(self):
        self.round.expect_once({1: 1, 2: 1})
        self.expect_broken("doubled", self.round.expect_once, {1: 1, 2: 2})

    def test_the_same_seed_is_the_same_chance(self):
        again = self.Anything(1, pathlib.Path("."))
        other = self.Anything(2, pathlib.Path("."))
        first = json.dumps([self.round.chance.random() for _ in range(5)])
        self.assertEqual(first, json.dumps([again.chance.random() for _ in range(5)]))
        self.assertNotEqual(first, json.dumps([other.chance.random() for _ in range(5)]))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
