"""SIGKILL for `keyvigil detect --state` at random times: the state is the old one or the new one, nothing is lost."""
import json
import signal
import subprocess
import time

from rounds import Broken, Round, serve_test

PARTS = 3
LATEST_KILL_SECONDS = 0.12


class States(Round):
    name = "states"
    what = "`detect --state` over parts of a log, killed at random times and run again"
    holds = "every run that is not killed ends well; alerts printed are those of runs that nobody killed, and the state"

    def attack(self):
        lines, settings, _ = self.simulated(self.chance.randrange(2000, 8000), self.chance.randrange(1, 1000))
        (self.folder / "settings").mkdir()
        self.config = self.folder / "settings" / "keyvigil.yaml"
        self.config.write_text(settings)
        parts = []
        for number in range(PARTS):
            parts.append(self.folder / f"part-{number}.json")
            parts[-1].write_bytes(b"".join(lines[number * len(lines) // PARTS:(number + 1) * len(lines) // PARTS]))
        quiet, killed = self.folder / "quiet.state", self.folder / "killed.state"
        expected, found = {}, {}
        for number, part in enumerate(parts):
            expected |= self.run_whole(part, quiet)
            for _ in range(self.chance.randrange(1, 5)):
                delay = self.chance.uniform(0, LATEST_KILL_SECONDS)
                self.step(f"kill `detect` {delay * 1000:.0f} ms after it began with part {number}")
                found |= self.run_killed(part, killed, delay)
            found |= self.run_whole(part, killed)
            self.counts["acknowledged"] += part.read_bytes().count(b"\n")
        self.expect_alerts(found, expected)
        if quiet.read_bytes() != killed.read_bytes():
            raise Broken("others", "the state after kills is another one than without")

    def command(self, part, state):
        return [serve_test.KEYVIGIL, "detect", str(part), "--config", str(self.config), "--state", str(state),
                "--format", "jsonl", "--quiet", "--allow-empty"]

    @staticmethod
    def alerts_in(text):
        """The last revision of each; a kill may cut the last line."""
        whole = text[:text.rfind(b"\n") + 1]
        return {alert["name"]: alert for alert in map(json.loads, whole.splitlines())}

    def run_whole(self, part, state):
        done = subprocess.run(self.command(part, state), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300,
                              check=False)
        if done.returncode != 0:
            raise Broken("crashes" if done.returncode < 0 else "others",
                         f"`detect` ended with {done.returncode}: {done.stderr[-500:]}")
        return self.alerts_in(done.stdout)

    def run_killed(self, part, state, delay):
        output = self.folder / "killed.jsonl"
        with output.open("wb") as file:
            running = subprocess.Popen(self.command(part, state), stdout=file, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            running.kill()
            code = running.wait()
        if code not in (0, -signal.SIGKILL):
            raise Broken("crashes" if code < 0 else "others", f"`detect` ended with {code} before it was killed")
        self.counts["harms"] += code == -signal.SIGKILL
        return self.alerts_in(output.read_bytes())
