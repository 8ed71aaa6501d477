#!/usr/bin/env python3
"""`keyvigil detect`, and the commands around it, from outside: what a person or a script sees.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/detect_test.py build/release/keyvigil
Standard library only. Part of the logs is written here, by hand, so that the program's own simulator is not the only
witness; the rest comes from `keyvigil simulate`.
"""
import csv
import gzip
import io
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYVIGIL = ""  # set from the command line, below

TOR_ADDRESS = "203.0.113.66"
SUSPICIOUS_ADDRESS = "198.51.100.23"
OFFICE_ADDRESS = "192.0.2.10"
ALICE = "aaaaaaaa-0000-4000-8000-000000000001"
APP = "bbbbbbbb-0000-4000-8000-000000000002"
SUBSCRIPTION = "cccccccc-0000-4000-8000-000000000003"

# Sanitizers watch the same code in every run of one estate, and make each several times as long.
once_is_enough = unittest.skipIf("KEYVIGIL_SANITIZED" in os.environ, "sanitizers watch one run of this estate")

# Every form of `keyvigil simulate --form` that carries a vault's records; the HSM's are another service's.
VAULT_FORMS = ["raw", "records", "array", "pretty", "diagnostics", "audit", "audit-text", "query", "query-audit",
               "rest", "rest-audit", "csv", "csv-audit", "csv-us", "csv-audit-us", "csv-semicolons", "tabs", "sdk",
               "kusto", "results", "messages"]


def run(*arguments, stdin=b"", one_core=False):
    """Runs the program without a terminal; returns code, standard output and standard error."""
    def pin():
        if one_core:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    done = subprocess.run([KEYVIGIL, *map(str, arguments)], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=600, check=False, preexec_fn=pin)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def record(minute, address, operation="SecretGet", status=200, vault="kv-contoso-pay", day=5, identity=True):
    """One raw audit record, as the vault's blob has it, on the given day of May 2026 and minute of that day."""
    claim = {"appid": APP, "http://schemas.microsoft.com/identity/claims/objectidentifier": ALICE,
             "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "alice@contoso.example",
             "scp": "user_impersonation"}
    phrase = {200: "OK", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}[status]
    secret = f"https://{vault}.vault.azure.net/secrets/database"
    return {
        "time": f"2026-05-{day:02}T{minute // 60:02}:{minute % 60:02}:07.1230000Z",
        "category": "AuditEvent", "operationName": operation, "operationVersion": "7.4", "resultType": "Success",
        "resultSignature": phrase, "resultDescription": "", "durationMs": "21", "callerIpAddress": address,
        "correlationId": f"dddddddd-0000-4000-8000-{day:04}{minute:08}",
        "identity": {"claim": claim} if identity else {},
        "properties": {"id": secret, "clientInfo": "azsdk-python-keyvault-secrets/4.7.0",
                       "requestUri": f"{secret}?api-version=7.4", "httpStatusCode": status},
        "resourceId": f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS/RG-PAY/PROVIDERS/MICROSOFT.KEYVAULT"
                      f"/VAULTS/{vault.upper()}",
    }


def quiet_day(day=5):
    return [record(minute, OFFICE_ADDRESS, day=day) for minute in range(480, 1020, 20)]


def attacked_day(day=5):
    """One alert of each type that threat lists decide, on three vaults, among ordinary accesses."""
    attacks = [record(611, TOR_ADDRESS, vault="kv-contoso-tor", day=day),
               record(633, SUSPICIOUS_ADDRESS, vault="kv-contoso-read", day=day),
               record(655, SUSPICIOUS_ADDRESS, status=403, vault="kv-contoso-shut", day=day)]
    return sorted(quiet_day(day) + attacks, key=lambda one: one["time"])


def json_lines(records):
    return "".join(json.dumps(one) + "\n" for one in records).encode()


def alerts_of(output):
    return [json.loads(line) for line in output.decode().splitlines()]


def types_of(output):
    return sorted(alert["properties"]["alertType"] for alert in alerts_of(output))


ALL_THREE = ["KV_SuspiciousIPAccess", "KV_SuspiciousIPAccessDenied", "KV_TORAccess"]


class InAFolder(unittest.TestCase):
    """Each test has a folder of its own with the two lists."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.tor = self.write("tor.txt", f"{TOR_ADDRESS}\n203.0.113.67\n".encode())
        self.suspicious = self.write("suspicious.netset", f"# made up\n{SUSPICIOUS_ADDRESS}/32\n".encode())

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def detect(self, *arguments, **options):
        return run("detect", *arguments, "--tor", self.tor, "--suspicious", self.suspicious, **options)

    def detect_lines(self, *arguments, **options):
        """Standard output of a run that must succeed, as jsonl."""
        code, out, err = self.detect(*arguments, "--format", "jsonl", **options)
        self.assertEqual(code, 0, err)
        return out


class TheThreeAlerts(InAFolder):
    def test_fire_once_each_and_name_their_evidence(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        out = self.detect_lines(logs)
        self.assertEqual(types_of(out), ALL_THREE)
        by_type = {alert["properties"]["alertType"]: alert["properties"] for alert in alerts_of(out)}
        for code, vault, severity in [("KV_TORAccess", "kv-contoso-tor", "Medium"),
                                      ("KV_SuspiciousIPAccess", "kv-contoso-read", "Medium"),
                                      ("KV_SuspiciousIPAccessDenied", "kv-contoso-shut", "Low")]:
            self.assertIn(vault, json.dumps(by_type[code]).lower())
            self.assertEqual(by_type[code]["severity"], severity)
            self.assertIn(ALICE, json.dumps(by_type[code]).lower())
        self.assertIn(TOR_ADDRESS, json.dumps(by_type["KV_TORAccess"]))
        self.assertEqual(by_type["KV_TORAccess"]["startTimeUtc"][:19], "2026-05-05T10:11:07")

    def test_do_not_fire_on_a_quiet_day(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        self.assertEqual(self.detect_lines(logs), b"")

    def test_do_not_fire_without_lists(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        code, out, err = run("detect", logs, "--format", "jsonl")
        self.assertEqual((code, out), (0, b""), err)

    def test_a_lone_challenge_from_a_suspicious_address_is_nobodys_operation(self):
        challenge = record(600, SUSPICIOUS_ADDRESS, operation="Authentication", status=401, identity=False)
        logs = self.write("logs.json", json_lines([challenge]))
        self.assertEqual(self.detect_lines(logs), b"")

    def test_a_challenge_from_tor_fires(self):
        challenge = record(600, TOR_ADDRESS, operation="Authentication", status=401, identity=False)
        logs = self.write("logs.json", json_lines([challenge, challenge]))
        self.assertEqual(types_of(self.detect_lines(logs)), ["KV_TORAccess"])

    def test_an_address_on_both_kinds_of_list_raises_the_tor_alert(self):
        self.write("suspicious.netset", f"{TOR_ADDRESS}\n".encode())
        logs = self.write("logs.json", json_lines([record(600, TOR_ADDRESS)]))
        self.assertEqual(types_of(self.detect_lines(logs)), ["KV_TORAccess"])

    def test_a_private_address_never_matches(self):
        self.write("suspicious.netset", b"10.0.0.0/8\n")
        logs = self.write("logs.json", json_lines([record(600, "10.1.2.3")]))
        self.assertEqual(self.detect_lines(logs), b"")


class Golden(InAFolder):
    """What people and playbooks read of an alert does not change by accident. KEYVIGIL_BLESS=1 writes it anew."""

    def test_the_alerts_are_as_they_were(self):
        self.write("logs.json", json_lines(attacked_day()))
        os.chdir(self.folder)
        self.addCleanup(os.chdir, ROOT)
        for form in ["jsonl", "csv", "eventhub", "table", "ocsf", "ecs", "cef", "stix", "syslog", "gelf"]:
            code, out, err = run("detect", "logs.json", "--tor", "tor.txt", "--suspicious", "suspicious.netset",
                                 "--format", form)
            self.assertEqual(code, 0, err)
            golden = ROOT / "tests" / "end_to_end" / "golden" / f"attacked_day.{form}"
            if os.environ.get("KEYVIGIL_BLESS"):
                golden.parent.mkdir(exist_ok=True)
                golden.write_bytes(out)
            self.assertEqual(out, golden.read_bytes(), form)


class EveryWayIn(InAFolder):
    """The same accesses give the same bytes, however they arrive."""

    def setUp(self):
        super().setUp()
        self.records = attacked_day(5) + attacked_day(6)
        self.expected = self.detect_lines(self.write("plain.json", json_lines(self.records)))
        self.assertEqual(types_of(self.expected), sorted(ALL_THREE * 2))

    def test_envelopes(self):
        for name, data in [("envelope", json.dumps({"records": self.records})), ("array", json.dumps(self.records)),
                           ("pretty", "\n".join(json.dumps(one, indent=2) for one in self.records)),
                           ("crlf", json_lines(self.records).decode().replace("\n", "\r\n")),
                           ("bom", "\ufeff" + json_lines(self.records).decode()),
                           ("no_last_line_end", json_lines(self.records).decode().rstrip("\n"))]:
            with self.subTest(name):
                self.assertEqual(self.detect_lines(self.write(name, data.encode())), self.expected)

    def test_standard_input(self):
        self.assertEqual(self.detect_lines("-", stdin=json_lines(self.records)), self.expected)

    def test_standard_input_compressed_and_newest_first(self):
        data = gzip.compress(json_lines(self.records[::-1]))
        self.assertEqual(self.detect_lines("-", stdin=data), self.expected)

    def test_standard_input_beside_files_newest_first(self):
        files = [self.write(f"{start}.json", json_lines(self.records[start::3][::-1])) for start in (1, 2)]
        self.assertEqual(self.detect_lines("-", *files, stdin=json_lines(self.records[::3][::-1])), self.expected)

    def test_gzip_by_content_and_not_by_name(self):
        data = json_lines(self.records)
        half = data.index(b"\n", len(data) // 2) + 1
        self.assertEqual(self.detect_lines(self.write("logs.txt", gzip.compress(data))), self.expected)
        members = gzip.compress(data[:half]) + gzip.compress(data[half:])
        self.assertEqual(self.detect_lines(self.write("two_members", members)), self.expected)

    def test_newest_first(self):
        self.assertEqual(self.detect_lines(self.write("down.json", json_lines(self.records[::-1]))), self.expected)

    def test_shuffled(self):
        for seed in range(3):
            shuffled = self.records[:]
            random.Random(seed).shuffle(shuffled)
            with self.subTest(seed=seed):
                self.assertEqual(self.detect_lines(self.write("mixed.json", json_lines(shuffled))), self.expected)

    def test_several_files_in_any_order(self):
        first = self.write("b.json", json_lines(self.records[::2]))
        second = self.write("a.json", json_lines(self.records[1::2]))
        self.assertEqual(self.detect_lines(first, second), self.expected)
        self.assertEqual(self.detect_lines(second, first), self.expected)

    def test_a_folder_in_the_layout_of_the_blobs(self):
        for one in self.records:
            path = (f"insights-logs-auditevent/resourceId={one['resourceId']}/y=2026/m=05/d={one['time'][8:10]}"
                    f"/h={one['time'][11:13]}/m=00/PT1H.json")
            file = self.folder / "blobs" / path
            earlier = file.read_bytes() if file.exists() else b""
            self.write(f"blobs/{path}", earlier + json_lines([one]))
        self.assertEqual(self.detect_lines(self.folder / "blobs"), self.expected)

    def test_a_folder_of_any_files(self):
        for number, one in enumerate(self.records):
            self.write(f"any/{number % 3}/{number}.log", json_lines([one]))
        self.assertEqual(self.detect_lines(self.folder / "any"), self.expected)

    def test_a_glob(self):
        self.write("globbed/a.json", json_lines(self.records[:20]))
        self.write("globbed/b.json", json_lines(self.records[20:]))
        self.assertEqual(self.detect_lines(str(self.folder / "globbed/*.json")), self.expected)

    def test_the_same_file_twice_is_one(self):
        plain = self.folder / "plain.json"
        copy = self.write("copy.json", json_lines(self.records))
        self.assertEqual(self.detect_lines(plain, copy), self.expected)

    def test_one_core(self):
        self.assertEqual(self.detect_lines(self.folder / "plain.json", one_core=True), self.expected)


class AsOthersWriteIt(InAFolder):
    """The same accesses in the dialects of spreadsheets, shells, browsers, collectors and archives."""
    CLAIM = "identity_claim_http_schemas_"
    COLUMNS = {
        "TimeGenerated": ("time",), "Category": ("category",), "OperationName": ("operationName",),
        "ResourceId": ("resourceId",), "ResultSignature": ("resultSignature",), "CallerIPAddress": ("callerIpAddress",),
        "CorrelationId": ("correlationId",), "id_s": ("properties", "id"), "requestUri_s": ("properties", "requestUri"),
        "clientInfo_s": ("properties", "clientInfo"), "httpStatusCode_d": ("properties", "httpStatusCode"),
        "identity_claim_appid_g": ("identity", "claim", "appid"), "identity_claim_scp_s": ("identity", "claim", "scp"),
        CLAIM + "microsoft_com_identity_claims_objectidentifier_g":
            ("identity", "claim", "http://schemas.microsoft.com/identity/claims/objectidentifier"),
        CLAIM + "xmlsoap_org_ws_2005_05_identity_claims_upn_s":
            ("identity", "claim", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"),
    }

    def setUp(self):
        super().setUp()
        self.records = attacked_day(11) + attacked_day(25)
        self.expected = self.detect_lines(self.write("plain.json", json_lines(self.records)))
        self.assertEqual(types_of(self.expected), sorted(ALL_THREE * 2))

    def table(self, separator=",", line_end="\r\n", time=lambda text: text, zone="", records=None):
        def cell(record, path):
            for name in path:
                record = record[name]
            return str(record)
        text = io.StringIO()
        rows = csv.writer(text, delimiter=separator, lineterminator=line_end)
        rows.writerow([name + zone if name == "TimeGenerated" else name for name in self.COLUMNS])
        for one in self.records if records is None else records:
            cells = [cell(one, path) for path in self.COLUMNS.values()]
            rows.writerow([time(cells[0]), *cells[1:]])
        return text.getvalue()

    def expect(self, name, data):
        with self.subTest(name):
            self.assertEqual(self.detect_lines(self.write(name, data)), self.expected)

    def test_tables(self):
        self.expect("semicolons", ("\ufeff" + self.table(";")).encode())
        self.expect("tabs", self.table("\t", "\n").encode())
        self.expect("carriage_returns", self.table(line_end="\r").encode())
        self.expect("sep", ("sep=;\r\n" + self.table(";")).encode())
        self.expect("type", ("#TYPE System.Management.Automation.PSCustomObject\r\n" + self.table()).encode())
        self.expect("utf16_csv", self.table("\t").encode("utf-16"))
        self.expect("utf16_json", json.dumps(self.records, indent=2).encode("utf-16"))

    def test_times_of_any_locale(self):
        def shown(pattern):
            def show(text):
                year, month, day, hour, minute = (int(text[at:end]) for at, end in
                                                  ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16)))
                return pattern.format(y=year, m=month, d=day, h=hour, h12=(hour + 11) % 12 + 1, minute=minute,
                                      rest=text[17:23], half="AM" if hour < 12 else "PM")
            return show
        for name, pattern in [("gb", "{d:02}/{m:02}/{y}, {h:02}:{minute:02}:{rest}"),
                              ("gb_no_comma", "{d:02}/{m:02}/{y} {h:02}:{minute:02}:{rest}"),
                              ("us_24", "{m}/{d}/{y}, {h:02}:{minute:02}:{rest}"),
                              ("us", "{m}/{d}/{y}, {h12}:{minute:02}:{rest} {half}"),
                              ("us_narrow", "{m}/{d}/{y}, {h12}:{minute:02}:{rest}\u202f{half}"),
                              ("de", "{d}.{m}.{y}, {h:02}:{minute:02}:{rest}"),
                              ("jp", "{y}/{m}/{d} {h}:{minute:02}:{rest}")]:
            self.expect(name, self.table(time=shown(pattern), zone=" [UTC]").encode())
        day_first = shown("{d:02}/{m:02}/{y}, {h:02}:{minute:02}:{rest}")
        for name, table, sentence in [
                ("ambiguous", self.table(time=day_first, records=attacked_day(11)), "order of day and month"),
                ("local", self.table(time=day_first, zone=" [Local Time]"), "set the portal's clock to UTC")]:
            with self.subTest(name):
                code, out, err = self.detect(self.write(name, table.encode()))
                self.assertNotEqual(code, 0)
                self.assertEqual(out, b"")
                self.assertIn(sentence, err)

    def test_an_empty_table_is_no_damage(self):
        for end in ("", "\n", "\r", "\r\n"):
            code, _, err = self.detect(self.write("empty.csv", self.table(records=[]).rstrip().encode() + end.encode()))
            self.assertGreaterEqual(code, 0, err)
            self.assertNotIn("refused:", err)

    def test_collectors(self):
        envelope = json.dumps({"records": self.records})
        lines = [json.dumps(one) for one in self.records]
        self.expect("message", json.dumps({"@timestamp": "2026-05-11T10:00:00Z", "message": envelope}).encode())
        self.expect("original", json.dumps({"event": {"original": envelope}, "message": "in"}).encode())
        self.expect("splunk", "".join(json.dumps({"result": {"_raw": one}}) + "\n" for one in lines).encode())
        self.expect("hec", "".join(json.dumps({"time": 1.5, "event": one}) + "\n" for one in self.records).encode())
        table = io.StringIO()
        csv.writer(table).writerows([["_time", "_raw"], *(["2026-05-11", one] for one in lines)])
        self.expect("splunk.csv", table.getvalue().encode())
        self.expect("source", json.dumps([{"_source": {"body": one}} for one in lines]).encode())

    def test_a_neighbour_with_a_line_end_in_its_text_loses_only_itself(self):
        neighbour = '{"category":"AppServiceConsoleLogs","resultDescription":"one\ntwo"}'
        text = '{"records":[' + ",".join([neighbour, *map(json.dumps, self.records), neighbour]) + "]}"
        code, out, err = self.detect(self.write("mixed.json", text.encode()), "--format", "jsonl")
        self.assertIn("to be escaped", err, code)
        self.assertEqual(out, self.expected)

    def test_a_zip_of_blobs(self):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for number, one in enumerate(self.records):
                file.writestr(f"y=2026/m=05/d={one['time'][8:10]}/h={one['time'][11:13]}/m=00/{number}.json",
                              json.dumps(one) + "\n")
            file.writestr("more/", "")
        self.expect("blobs.zip", archive.getvalue())
        with self.subTest("standard input"):
            self.assertEqual(self.detect_lines("-", stdin=archive.getvalue()), self.expected)


class EveryForm(InAFolder):
    """What `keyvigil simulate --form` writes for one world is one world."""

    def simulate(self, form, output):
        arguments = ["--size", "small", "--days", "2", "--events", "600", "--attacks", "--seed", "7"]
        code, _, err = run("simulate", *arguments, "--form", form, "--output", output,
                           "--tor-list", self.tor, "--suspicious-list", self.suspicious)
        self.assertEqual(code, 0, err)

    def test_gives_byte_identical_alerts(self):
        expected = None
        for form in VAULT_FORMS:
            with self.subTest(form):
                self.simulate(form, self.folder / form)
                out = self.detect_lines(self.folder / form)
                self.assertNotEqual(out, b"")
                expected = expected or out
                self.assertEqual(out, expected)

    def test_the_same_seed_gives_the_same_bytes(self):
        self.simulate("raw", self.folder / "first")
        self.simulate("raw", self.folder / "second")

        def content(path):
            if path.is_file():
                return path.read_bytes()
            return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
        self.assertEqual(content(self.folder / "first"), content(self.folder / "second"))


class Output(InAFolder):
    def setUp(self):
        super().setUp()
        self.logs = self.write("logs.json", json_lines(attacked_day()))

    def test_is_jsonl_in_a_pipe(self):
        code, out, _ = self.detect(self.logs)
        self.assertEqual(code, 0)
        self.assertEqual(out, self.detect_lines(self.logs))

    def test_to_a_file_is_the_same(self):
        target = self.folder / "alerts.jsonl"
        code, out, err = self.detect(self.logs, "--format", "jsonl", "--output", target)
        self.assertEqual((code, out), (0, b""), err)
        self.assertEqual(target.read_bytes(), self.detect_lines(self.logs))

    def test_as_table_names_type_and_vault(self):
        code, out, _ = self.detect(self.logs, "--format", "table")
        self.assertEqual(code, 0)
        names = [code.removeprefix("KV_") for code in ALL_THREE]
        for word in names + ["kv-contoso-tor", "Medium"]:
            self.assertIn(word, out.decode())

    def test_as_csv_has_a_row_for_each_alert(self):
        code, out, _ = self.detect(self.logs, "--format", "csv")
        self.assertEqual(code, 0)
        rows = list(csv.reader(io.StringIO(out.decode())))
        self.assertEqual(len(rows), 1 + len(ALL_THREE))
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})

    def test_as_event_hub_messages_spells_as_event_hubs_do(self):
        code, out, _ = self.detect(self.logs, "--format", "eventhub")
        self.assertEqual(code, 0)
        found = [message["AlertType"] for message in map(json.loads, out.decode().splitlines())]
        self.assertEqual(sorted(found), ALL_THREE)

    def test_until_and_from_limit_what_is_reported(self):
        self.assertEqual(types_of(self.detect_lines(self.logs, "--until", "2026-05-05T10:20:00Z")), ["KV_TORAccess"])
        self.assertEqual(types_of(self.detect_lines(self.logs, "--from", "2026-05-05T10:50:00Z")),
                         ["KV_SuspiciousIPAccessDenied"])

    def test_of_some_types_says_which_and_that_nothing_is_learned(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        code, out, err = self.detect(logs, "--only", "threat-lists", "--format", "jsonl")
        self.assertEqual((code, types_of(out)), (0, ALL_THREE), err)
        self.assertIn("KV_SuspiciousIPAccess, KV_TORAccess, KV_SuspiciousIPAccessDenied", err)
        self.assertIn("compares behaviour", err)
        code, out, err = self.detect(logs, "--only", "KV_TORAccess", "--format", "jsonl")
        self.assertEqual((code, types_of(out)), (0, ["KV_TORAccess"]), err)

    def test_ends_with_a_summary_on_standard_error(self):
        damaged = self.write("more.json", b'{"time": "2026-\n' + json_lines(attacked_day()[:1]))
        code, _, err = self.detect(self.logs, damaged, "--max-refused", "10")
        self.assertEqual(code, 0, err)
        for words in [r"\b31\b|\b32\b", r"refused\D+1\b|\b1\D+refused", r"duplicates?\D+1\b|\b1\D+duplicate", r"late",
                      r"success", r"denied", r"KV_TORAccess"]:
            self.assertRegex(err, re.compile(words, re.IGNORECASE))

    def test_says_what_it_passed_over_and_could_not_read(self):
        elsewhere = record(600, OFFICE_ADDRESS)
        elsewhere["resourceId"] = f"/SUBSCRIPTIONS/{SUBSCRIPTION}/PROVIDERS/MICROSOFT.ATTESTATION/PROVIDERS/A"
        activity = record(601, OFFICE_ADDRESS, operation="MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE")
        activity["category"] = "Administrative"
        nowhere = record(602, "unknown")
        log = self.write("log.json", json_lines(quiet_day() + [elsewhere, activity, nowhere]))
        code, output, message = self.detect(log)
        self.assertEqual((code, output), (0, b""))
        self.assertIn("skipped: 1 other service, 1 Activity Log, nothing that lets anybody in", message)
        self.assertIn("1 events name an address that cannot be read", message)

    def test_a_role_of_the_activity_log_is_no_access_of_a_vault(self):
        role = record(611, TOR_ADDRESS, operation="MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE")
        role["category"] = "Administrative"
        role["identity"] = {"claims": role["identity"]["claim"]}
        log = self.write("log.json", json_lines(attacked_day() + [role]))
        code, output, message = self.detect(log)
        self.assertEqual((code, types_of(output)), (0, ALL_THREE), message)

    def test_has_no_escape_codes_outside_a_terminal(self):
        code, out, err = self.detect(self.logs, "--format", "table")
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", out.decode() + err)


class DamagedInput(InAFolder):
    DAMAGE = b'{"time": "2026-05-05T10:00:00Z", "operationName": \nnot json at all\n'

    def test_never_stops_the_stream(self):
        lines = json_lines(attacked_day()).splitlines(keepends=True)
        middle = len(lines) // 2
        clean = self.write("clean.json", b"".join(lines))
        damaged = self.write("damaged.json", b"".join(lines[:middle]) + self.DAMAGE + b"".join(lines[middle:]))
        self.assertEqual(self.detect_lines(damaged, "--max-refused", "50"), self.detect_lines(clean))

    def test_is_kept_whole_in_the_refused_file(self):
        damaged = self.write("damaged.json", json_lines(quiet_day()) + self.DAMAGE)
        refused = self.folder / "refused"
        code, _, err = self.detect(damaged, "--refused", refused)
        self.assertEqual(code, 4, err)
        self.assertIn(b"not json at all", refused.read_bytes())

    def test_beyond_the_allowed_share_gives_exit_code_4(self):
        damaged = self.write("damaged.json", json_lines(attacked_day()) + b"no JSON\nnor this\n")  # 2 of 32
        for allowed in [[], ["--max-refused", "0"], ["--max-refused", "6"]]:
            code, out, err = self.detect(damaged, *allowed, "--format", "jsonl")
            self.assertEqual(code, 4, err)
            self.assertEqual(types_of(out), ALL_THREE)
        self.assertEqual(self.detect(damaged, "--max-refused", "6.5")[0], 0)

    def test_says_where(self):
        damaged = self.write("damaged.json", json_lines(quiet_day()) + self.DAMAGE)
        _, _, err = self.detect(damaged)
        self.assertRegex(err, rf"damaged\.json\D+{len(quiet_day()) + 1}\b")


class ExitCodes(InAFolder):
    def test_0_without_alerts(self):
        self.assertEqual(self.detect(self.write("logs.json", json_lines(quiet_day())), "--fail-on", "Low")[0], 0)

    def test_1_where_an_alert_is_as_severe_as_said(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        self.assertEqual(self.detect(logs, "--fail-on", "Medium")[0], 1)
        self.assertEqual(self.detect(logs, "--fail-on", "low")[0], 1)

    def test_2_for_a_severity_that_no_alert_has(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        code, out, err = self.detect(logs, "--fail-on", "High")
        self.assertEqual((code, out), (2, b""), err)
        self.assertIn("Medium", err)
        self.assertEqual(self.detect(logs, "--fail-on", "Medium", "--only", "KV_SuspiciousIPAccessDenied")[0], 2)

    def test_2_for_wrong_words_with_the_words(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        for arguments, words in [(["--formatt", "jsonl"], "formatt"), (["--format", "xml"], "jsonl"),
                                 (["--fail-on", "Terrible"], "Terrible"), (["--from", "yesterday"], "yesterday")]:
            with self.subTest(arguments):
                code, out, err = self.detect(logs, *arguments)
                self.assertEqual((code, out), (2, b""), err)
                self.assertIn(words, err)

    def test_2_for_an_unknown_type_with_its_nearest_name(self):
        code, out, err = self.detect(self.write("logs.json", json_lines(quiet_day())), "--only", "KV_TorAcess")
        self.assertEqual((code, out), (2, b""))
        self.assertIn("'KV_TORAccess'", err)

    def test_2_without_input_and_for_unknown_commands(self):
        self.assertEqual(run("detect")[0], 2)
        self.assertEqual(run("detekt")[0], 2)

    def test_2_for_an_unknown_configuration_key_with_its_nearest_name(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        config = self.write("keyvigil.yaml", b"watermrk_minutes: 15\n")
        code, _, err = self.detect(logs, "--config", config)
        self.assertEqual(code, 2, err)
        self.assertIn("watermrk_minutes", err)

    def test_3_where_input_cannot_be_read(self):
        code, _, err = self.detect(self.folder / "absent.json")
        self.assertEqual(code, 3, err)
        self.assertIn("absent.json", err)

    def test_3_where_output_cannot_be_written(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        self.assertEqual(self.detect(logs, "--output", self.folder / "absent" / "alerts.jsonl")[0], 3)

    def test_3_where_the_reader_of_the_output_is_full(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("this system has no /dev/full")
        logs = self.write("logs.json", json_lines(attacked_day()))
        self.assertEqual(self.detect(logs, "--output", "/dev/full")[0], 3)


class State(InAFolder):
    def last_of_each(self, *outputs):
        """id -> the last line about it, without the mark of an open alert."""
        return {alert["name"]: alert for output in outputs for alert in alerts_of(output)}

    def test_stop_and_resume_anywhere_gives_the_same_alerts(self):
        records = attacked_day(5) + attacked_day(6)
        whole = self.write("whole.json", json_lines(records))
        expected = self.last_of_each(self.detect_lines(whole, "--state", self.folder / "whole.state", "--final"))
        self.assertEqual(len(expected), 6)
        for cut in [1, 8, 9, 30, len(records) - 1]:
            with self.subTest(cut=cut):
                state = self.folder / f"{cut}.state"
                first = self.detect_lines(self.write("first.json", json_lines(records[:cut])), "--state", state)
                second = self.detect_lines(self.write("second.json", json_lines(records[cut:])), "--state", state,
                                           "--final")
                self.assertEqual(self.last_of_each(first, second), expected)

    def test_a_state_without_histories_and_one_with_are_not_mixed(self):
        logs = self.write("logs.json", json_lines(attacked_day()))
        for first, then, says in [(["--only", "threat-lists"], [], "found one written with an --only"),
                                  ([], ["--only", "KV_TORAccess"], "found one that has learned")]:
            state = self.folder / f"{len(first)}.state"
            code, _, err = self.detect(logs, "--state", state, *first)
            self.assertEqual(code, 0, err)
            before = state.read_bytes()
            code, out, err = self.detect(logs, "--state", state, *then)
            self.assertEqual((code, out), (2, b""), err)
            self.assertIn(says, err)
            self.assertEqual(state.read_bytes(), before)
            code, _, err = self.detect(logs, "--state", state, *first)
            self.assertEqual(code, 0, err)

    def test_events_younger_than_the_watermark_are_held_and_said(self):
        records = quiet_day() + [record(1019, TOR_ADDRESS)]
        state = self.folder / "held.state"
        logs = self.write("logs.json", json_lines(records))
        code, out, err = self.detect(logs, "--format", "jsonl", "--state", state)
        self.assertEqual((code, out), (0, b""), err)
        self.assertRegex(err, re.compile(r"held", re.IGNORECASE))
        empty = self.write("empty.json", b"")
        self.assertEqual(types_of(self.detect_lines(empty, "--state", state, "--final")), ["KV_TORAccess"])

    def test_a_damaged_state_file_is_refused_with_a_sentence(self):
        logs = self.write("logs.json", json_lines(quiet_day()))
        state = self.folder / "some.state"
        self.detect_lines(logs, "--state", state)
        data = bytearray(state.read_bytes())
        data[len(data) // 2] ^= 0x40
        state.write_bytes(data)
        code, _, err = self.detect(logs, "--state", state)
        self.assertIn(code, (2, 3), err)
        self.assertIn("some.state", err)


class AroundDetect(InAFolder):
    def test_every_command_has_help_with_an_example(self):
        for command in [[], ["detect"], ["simulate"], ["evaluate"], ["catalogue"], ["intel"], ["intel", "check"],
                        ["version"]]:
            with self.subTest(command):
                code, out, err = run(*command, "--help")
                self.assertEqual(code, 0, err)
                self.assertRegex(out.decode(), re.compile(r"example", re.IGNORECASE))
                self.assertIn("keyvigil " + " ".join(command[:1]), out.decode())

    def test_version_is_a_number(self):
        code, out, _ = run("version")
        self.assertEqual(code, 0)
        self.assertRegex(out.decode(), r"\b\d+\.\d+\.\d+\b")

    def test_the_catalogue_has_fourteen(self):
        code, out, _ = run("catalogue")
        self.assertEqual(code, 0)
        self.assertEqual(len(set(re.findall(r"\bKV_\w+", out.decode()))), 14)

    def test_intel_check_says_what_it_understood(self):
        self.write("suspicious.netset", f"{SUSPICIOUS_ADDRESS}/32\n10.0.0.0/8\nnonsense\n".encode())
        code, out, err = run("intel", "check", self.suspicious)
        self.assertEqual(code, 0, err)
        self.assertIn("suspicious.netset", out.decode())
        self.assertIn("nonsense", out.decode() + err)


class Behaviour(unittest.TestCase):
    """Alerts about behaviour on weeks of a simulated estate: what must not matter does not."""

    OPTIONS = ["--format", "jsonl", "--learning-days", "8", "--alerts-per-1000-vault-days", "100"]
    WORLD = ["--size", "small", "--days", "24", "--seed", "5", "--attacks", "all", "--strength", "human"]

    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.kept.cleanup)
        cls.folder = pathlib.Path(cls.kept.name)
        cls.logs = cls.simulated("plain.json")
        cls.expected = cls.detected(cls.logs)

    @classmethod
    def simulated(cls, name, *more):
        path = cls.folder / name
        code, _, err = run("simulate", *cls.WORLD, "--output", str(path) + ("/" if name.endswith("/") else ""), *more)
        assert code == 0, err
        return path

    @classmethod
    def detected(cls, *arguments):
        code, out, err = run("detect", *arguments, *cls.OPTIONS)
        assert code == 0, err
        return out

    def test_fires_on_the_attacks(self):
        types = set(types_of(self.expected))
        self.assertGreaterEqual(len(types), 5, types)
        self.assertFalse(types & set(ALL_THREE), "no list was given")
        for alert in alerts_of(self.expected):
            evidence = alert["properties"]["supportingEvidence"]
            self.assertLessEqual(evidence["verdict"]["calibratedP"], evidence["verdict"]["threshold"])
            self.assertTrue(evidence["reasons"])
            for reason in evidence["reasons"]:
                self.assertRegex(reason["sentence"], r"\.$")
                self.assertNotIn("nan", reason["sentence"])

    def test_the_rotation_list_begins_with_the_list_that_opened_the_episode(self):
        found = [alert["properties"] for alert in alerts_of(self.expected)
                 if alert["properties"]["alertType"].split("_", 1)[1] == "ListGetAnomaly"]
        self.assertTrue(found)
        for properties in found:
            evidence = properties["supportingEvidence"]
            after_list = [reason for reason in evidence["reasons"] if reason["code"] == "ReadsAfterList"]
            for reason in after_list:  # none where fused evidence has another name
                self.assertGreaterEqual(len(evidence["rotationList"]["objects"]), reason["observed"])
                self.assertLess(evidence["observed"]["firstEvent"], properties["startTimeUtc"])

    @once_is_enough
    def test_incidents_group_and_change_nothing(self):
        path = self.folder / "incidents.jsonl"
        self.assertEqual(self.detected(self.logs, "--incidents", str(path)), self.expected)
        ids = [alert["properties"]["systemAlertId"] for alert in alerts_of(self.expected)]
        incidents = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertTrue(incidents)
        grouped = [each for incident in incidents for each in incident["alerts"]]
        self.assertEqual(len(grouped), len(set(grouped)), "an alert is in one incident")
        self.assertLessEqual(set(grouped), set(ids))
        for incident in incidents:
            self.assertGreaterEqual(len(incident["alerts"]), 2)
            self.assertTrue(incident["linkedBy"])
            self.assertLessEqual(incident["startTimeUtc"], incident["endTimeUtc"])

    def test_incidents_that_cannot_be_written_are_said_before_the_run(self):
        """Also where the input is a pipe that nobody has written to: nothing of it is read."""
        for path in (self.folder / "none" / "x", self.folder):
            reading, writing = os.pipe()
            self.addCleanup(os.close, writing)
            done = subprocess.run([KEYVIGIL, "detect", "-", "--incidents", str(path)], stdin=reading,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
            os.close(reading)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(b"expected to write incidents", done.stderr)

    def test_a_run_that_fails_leaves_the_incidents_before(self):
        path = self.folder / "before.jsonl"
        path.write_text("before\n")
        code, _, _ = run("detect", self.logs, *self.OPTIONS, "--incidents", str(path), "--output", "/dev/full")
        self.assertEqual(code, 3)
        self.assertEqual(path.read_text(), "before\n")
        self.assertFalse((self.folder / "before.jsonl.partial").exists())

    @once_is_enough
    def test_duplicates_and_disorder_do_not_matter(self):
        other = self.simulated("disorder.json", "--disorder", "0.02", "--duplicates", "0.05")
        self.assertEqual(self.detected(other), self.expected)

    @once_is_enough
    def test_the_layout_of_files_does_not_matter(self):
        folder = self.folder / "blobs"
        folder.mkdir()
        self.simulated("blobs/")
        self.assertEqual(self.detected(folder), self.expected)

    @once_is_enough
    def test_a_stop_with_state_does_not_matter(self):
        lines = self.logs.read_bytes().splitlines(keepends=True)

        # An alert that closes without new evidence is not printed again: the mark of an open one stays.
        def revisions(out):
            alerts = alerts_of(out)
            for alert in alerts:
                alert["properties"].pop("open", None)
            return {alert["name"]: alert for alert in alerts}
        last = revisions(self.detected(self.logs, "--state", self.folder / "whole.state", "--final"))
        for cut in [len(lines) // 3, len(lines) * 3 // 4]:
            state = self.folder / f"{cut}.state"
            found = {}
            for name, part, more in [("first.json", lines[:cut], []), ("second.json", lines[cut:], ["--final"])]:
                path = self.folder / name
                path.write_bytes(b"".join(part))
                out = self.detected(path, "--state", state, *more)
                found.update(revisions(out))
            self.assertEqual(found, last)

    @once_is_enough
    def test_only_some_types_are_the_same_alerts(self):
        addresses = sorted({json.loads(line)["callerIpAddress"] for line in self.logs.read_bytes().splitlines()})
        (self.folder / "some.txt").write_text("\n".join(addresses[::7]))
        (self.folder / "exits.txt").write_text("\n".join(addresses[3::11]))
        lists = ["--suspicious", self.folder / "some.txt", "--tor", self.folder / "exits.txt"]
        everything = self.detected(self.logs, *lists)
        listed = [line for line in everything.splitlines(keepends=True)
                  if json.loads(line)["properties"]["alertType"] in ALL_THREE]
        self.assertGreater(len(listed), 10)
        self.assertGreater(len(everything.splitlines()), len(listed))
        self.assertEqual(self.detected(self.logs, *lists, "--only", "threat-lists"), b"".join(listed))
        with_users = [line for line in everything.splitlines(keepends=True)
                      if json.loads(line)["properties"]["alertType"] in ALL_THREE + ["KV_UserAnomaly"]]
        self.assertEqual(self.detected(self.logs, *lists, "--only", "threat-lists,kv_useranomaly"),
                         b"".join(with_users))

    def test_nothing_is_raised_while_the_estate_is_learned(self):
        code, out, err = run("detect", self.logs, "--format", "jsonl", "--learning-days", "30")
        self.assertEqual((code, out), (0, b""), err)
        self.assertIn("held back", err)

    def test_show_learning_marks_them_informational(self):
        code, out, err = run("detect", self.logs, "--format", "jsonl", "--learning-days", "30", "--show-learning",
                             "--alerts-per-1000-vault-days", "100")
        self.assertEqual(code, 0, err)
        severities = {alert["properties"]["severity"] for alert in alerts_of(out)}
        self.assertEqual(severities, {"Informational"})


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: detect_test.py KEYVIGIL [unittest arguments]")
    KEYVIGIL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
