#!/usr/bin/env python3
"""A standing attacker: does to `keyvigil serve` what strangers, broken disks and bad days do, and looks what is left.

Usage: attack.py KEYVIGIL [--seconds N] [--seed S] [--kind K]... [--jobs J] [--rounds R] [--keep FOLDER]

Kinds take turns until the time is over; each has one round at least. Round n of every kind has the seed S + n, and the
same seed gives the same steps. What fails is told at once, with the command that repeats it, and its folder is kept.
At the end there is a table of counts; the exit code is 1 where anything failed. Everything is on the loopback
interface, in a folder for temporary files. What a kind does and what must hold stands in its file beside this one.
"""
import argparse
import collections
import concurrent.futures
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from rounds import COLUMNS, KINDS, serve_test  # noqa: E402
import bodies  # noqa: E402,F401  (a kind enters itself into KINDS)
import clocks  # noqa: E402,F401
import damage  # noqa: E402,F401
import feeds  # noqa: E402,F401
import folders  # noqa: E402,F401
import kills  # noqa: E402,F401
import raw_requests  # noqa: E402,F401
import shortage  # noqa: E402,F401
import states  # noqa: E402,F401


FAILURES_TOLD = 10  # of a kind; then it has said enough, and has no more turns


class Campaign:
    """Rounds of kinds in turn, by some workers at once; what they counted, and what failed."""

    def __init__(self, program, kinds, seed, seconds, rounds, kept_folder):
        self.program, self.kinds, self.seed = program, kinds, seed
        self.deadline = time.monotonic() + seconds
        self.rounds, self.kept_folder = rounds, kept_folder
        self.counts = {kind: collections.Counter() for kind in kinds}
        self.skips = {kind: set() for kind in kinds}
        self.failures = []
        self.turn = 0
        self.lock = threading.Lock()

    def run(self, jobs):
        with concurrent.futures.ThreadPoolExecutor(jobs) as workers:
            for done in [workers.submit(self.work) for _ in range(jobs)]:
                done.result()

    def next_turn(self):
        """Kind and seed, or nothing where the time is over, or enough rounds were made."""
        with self.lock:
            failed = collections.Counter(kind for kind, _ in self.failures)
            if all(failed[kind] >= FAILURES_TOLD for kind in self.kinds):
                return None
            while True:
                number, place = divmod(self.turn, len(self.kinds))
                over = number > 0 and time.monotonic() >= self.deadline
                if over or (self.rounds and number >= self.rounds):
                    return None
                self.turn += 1
                if failed[self.kinds[place]] < FAILURES_TOLD:
                    return self.kinds[place], self.seed + number

    def work(self):
        while (turn := self.next_turn()) is not None:
            kind, seed = turn
            one = KINDS[kind](seed, self.kept_folder)
            one.perform()
            with self.lock:
                self.counts[kind] += one.counts
                self.skips[kind] |= one.skips
                if one.failure is not None:
                    self.failures.append((kind, seed))
                    self.tell(one)

    def tell(self, failed):
        print(f"FAILED: kind {failed.name}, seed {failed.seed}, step {len(failed.steps)}: "
              f"{failed.steps[-1] if failed.steps else 'the first start'}\n  {failed.failure}\n"
              f"  again: python3 tests/attack/attack.py {self.program} --kind {failed.name} --seed {failed.seed} "
              f"--rounds 1\n  kept: {self.kept_folder / f'{failed.name}-{failed.seed}'}", flush=True)

    def table(self):
        rows = [("kind", *COLUMNS)] + [(kind, *(str(self.counts[kind][column]) for column in COLUMNS))
                                       for kind in self.kinds]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) if place == 0 else cell.rjust(width)
                           for place, (cell, width) in enumerate(zip(row, widths))) for row in rows]
        return "\n".join(lines + [f"{kind} skipped: {why}" for kind in self.kinds for why in sorted(self.skips[kind])])


def arguments_of(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", metavar="KEYVIGIL")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time, which is printed")
    parser.add_argument("--kind", action="append", choices=sorted(KINDS), help="repeatable; default: all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=0, help="of each kind at most; default: as the time allows")
    parser.add_argument("--keep", metavar="FOLDER", help="for what failed; default: a new one for temporary files")
    parser.add_argument("--list", action="store_true", help="say what each kind does, and what must hold")
    return parser.parse_args(words)


def main(words):
    arguments = arguments_of(words)
    if arguments.list:
        for kind in KINDS.values():
            print(f"{kind.name}: {kind.what}\n  holds: {kind.holds}")
        return 0
    seed = random.SystemRandom().randrange(1 << 31) if arguments.seed is None else arguments.seed
    kept = pathlib.Path(arguments.keep or tempfile.mkdtemp(prefix="keyvigil-attack-"))
    kept.mkdir(exist_ok=True)
    kinds = arguments.kind or list(KINDS)
    print(f"attack: seed {seed}, {arguments.seconds:g} s, kinds {', '.join(kinds)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="keyvigil-attacked-") as place:
        # A copy that anybody may run, and that a build does not change meanwhile.
        pathlib.Path(place).chmod(0o755)
        serve_test.KEYVIGIL = shutil.copy(arguments.program, place)
        pathlib.Path(serve_test.KEYVIGIL).chmod(0o755)
        campaign = Campaign(arguments.program, kinds, seed, arguments.seconds, arguments.rounds, kept)
        campaign.run(arguments.jobs)
    print(campaign.table())
    print(f"attack: {len(campaign.failures)} rounds failed of {sum(one['rounds'] for one in campaign.counts.values())}")
    if not campaign.failures and not arguments.keep:
        kept.rmdir()
    return 1 if campaign.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
