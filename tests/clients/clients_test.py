#!/usr/bin/env python3
"""Clients that nobody here wrote, unmodified, against `keyvigil serve` over TLS.

Usage: clients_test.py KEYVIGIL CLIENTS [TEST...]. `make test-clients` installs the clients into a folder and runs this;
pinned by package-lock.json, requirements.txt and Debian. Standard library only; the Python of Debian runs what needs
Azure's Python packages. What could not be installed is named by KEYVIGIL_WITHOUT_..., and what needs it is skipped.
"""
import collections
import datetime
import http.server
import json
import os
import pathlib
import shutil
import socket
import ssl
import string
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
KEYVIGIL = ""
NODE_MODULES = pathlib.Path()
SCHEMATHESIS = pathlib.Path()
DEBIAN_PYTHON = "/usr/bin/python3"

SUBSCRIPTION = "cccccccc-0000-4000-8000-000000000003"
GROUP = "rg-contoso"
TOR_ADDRESS = "203.0.113.66"
ALERTS = 250  # more than a page
# Published by Microsoft for every emulator of the storage service.
EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def needs(name):
    """Skips, with the reason that is given for it, what needs clients that could not be installed."""
    missing = os.environ.get(f"KEYVIGIL_WITHOUT_{name}", "")
    return unittest.skipIf(missing, missing)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def record(when, number, address):
    """One raw record: user `number` reads a secret of vault `number`."""
    vault = f"kv-{number:04}"
    secret = f"https://{vault}.vault.azure.net/secrets/database"
    identity = {"claim": {"appid": "bbbbbbbb-0000-4000-8000-000000000002", "scp": "user_impersonation",
                          "http://schemas.microsoft.com/identity/claims/objectidentifier":
                              f"aaaaaaaa-0000-4000-8000-{number:012}",
                          "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": f"u{number}@contoso.example"}}
    return {"time": when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}0000Z",
            "category": "AuditEvent", "operationName": "SecretGet", "operationVersion": "7.4", "resultType": "Success",
            "resultSignature": "OK", "durationMs": "21", "callerIpAddress": address,
            "correlationId": f"dddddddd-0000-4000-8000-{number:06}{int(when.timestamp() * 1000) % 1000000:06}",
            "identity": identity,
            "resourceId": f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS/{GROUP.upper()}/PROVIDERS/"
                          f"MICROSOFT.KEYVAULT/VAULTS/{vault.upper()}",
            "properties": {"id": secret, "clientInfo": "azsdk-js-keyvault-secrets/4.9.0",
                           "requestUri": f"{secret}?api-version=7.4", "httpStatusCode": 200}}


def yaml_as_json(text):
    """Read by schemathesis's Python: the standard library has no YAML."""
    script = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    return json.loads(subprocess.run([str(SCHEMATHESIS.with_name("python")), "-c", script], input=text, check=True,
                                     stdout=subprocess.PIPE).stdout)


def with_plain_parameters(document):
    """schemathesis 4.32 cannot follow a reference in a parameter for which it has a dictionary."""
    def plain(schema):
        if "$ref" in schema:
            return plain(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
        return {**schema, **({"allOf": [plain(part) for part in schema["allOf"]]} if "allOf" in schema else {})}

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    parameters = [one for operation in operations for one in operation.get("parameters", [])]
    for one in [*parameters, *document["components"]["parameters"].values()]:
        if "schema" in one:
            one["schema"] = plain(one["schema"])
    return document


def lines(records):
    return "".join(json.dumps(item) + "\n" for item in records)


class Service:
    """A running `keyvigil serve --dev` in a folder of its own."""

    def __init__(self, folder, extra=""):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        (self.folder / "tor.txt").write_text(TOR_ADDRESS + "\n", encoding="ascii")
        (self.folder / "keyvigil.yaml").write_text(
            "lists:\n  tor: [tor.txt]\n"
            f"serve:\n  store: keyvigil.db\n  listen: 127.0.0.1:{self.port}\n  checkpoint_seconds: 1\n{extra}",
            encoding="ascii")
        self.log = open(self.folder / "serve.log", "wb")
        self.process = subprocess.Popen([KEYVIGIL, "serve", "--dev", "--config", str(self.folder / "keyvigil.yaml")],
                                        stdout=self.log, stderr=self.log, cwd=self.folder)
        self.url = f"https://localhost:{self.port}"
        self.wait_until(self.is_ready, "the service to listen")
        dev = self.folder / "keyvigil-dev"
        self.authority = next(path for path in dev.iterdir() if "BEGIN CERTIFICATE" in path.read_text(errors="replace")
                              and "PRIVATE KEY" not in path.read_text(errors="replace")
                              and ("authority" in path.name or "ca" in path.stem))
        self.token = (dev / "token").read_text(encoding="ascii").strip()

    def is_ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return (self.folder / "keyvigil-dev" / "token").exists()
        except OSError:
            return False

    def wait_until(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise AssertionError(f"waited in vain for {what}:\n" + (self.folder / "serve.log").read_text()[-3000:])

    def request(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, data=body, method=method,
                                         headers={"Authorization": "Bearer " + self.token})
        context = ssl.create_default_context(cafile=str(self.authority))
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return answer.status, answer.read()

    def json(self, path):
        return json.loads(self.request("GET", path)[1])

    def figure(self, name):
        text = self.request("GET", "/metrics")[1].decode()
        return sum(float(line.split()[-1]) for line in text.splitlines()
                   if line.startswith(name) and line[len(name):len(name) + 1] in (" ", "{"))

    def environment(self, **more):
        return {**os.environ, "KEYVIGIL_URL": self.url, "KEYVIGIL_TOKEN": self.token, "KEYVIGIL_GROUP": GROUP,
                "KEYVIGIL_SUBSCRIPTION": SUBSCRIPTION, "KEYVIGIL_AUTHORITY": str(self.authority),
                "KEYVIGIL_ALERTS": str(ALERTS), "NODE_EXTRA_CA_CERTS": str(self.authority),
                "REQUESTS_CA_BUNDLE": str(self.authority), **more}

    def alerts(self):
        found, path = [], f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
        while path:
            page = json.loads(self.request("GET", path)[1])
            found += page["value"]
            path = (page.get("nextLink") or "").removeprefix(self.url)
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


def run(command, environment, cwd=None, timeout=600):
    done = subprocess.run(command, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} {command[1]} ended with {done.returncode}:\n{text[-4000:]}")
    return text


def node(script, environment, timeout=600):
    # Node resolves packages from the script's own folder.
    place = NODE_MODULES.parent / script
    shutil.copyfile(HERE / script, place)
    return run([str(NODE_MODULES / ".bin" / "node"), str(place)], environment, timeout=timeout)


class TokenEndpoint(http.server.BaseHTTPRequestHandler):
    """What an Azure host offers to `az login --identity`."""
    token = ""

    def do_GET(self):
        body = json.dumps({"access_token": self.token, "expires_on": str(int(time.time()) + 3600),
                           "resource": "https://management.core.windows.net/", "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class ArmClients(unittest.TestCase):
    """250 users from a Tor exit: as many alerts."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.service = Service(cls.folder.name)
        now = datetime.datetime.utcnow() - datetime.timedelta(hours=2)
        found = [record(now + datetime.timedelta(milliseconds=10 * i), i, TOR_ADDRESS) for i in range(ALERTS)]
        later = [record(now + datetime.timedelta(hours=1), 0, "192.0.2.10")]  # lets time pass the others
        assert cls.service.request("POST", "/v1/logs", lines(found + later).encode())[0] in (200, 202, 204)
        cls.service.wait_until(lambda: len(cls.service.alerts()) == ALERTS, f"{ALERTS} alerts")

    @classmethod
    def tearDownClass(cls):
        cls.service.stop()
        cls.folder.cleanup()

    @needs("NODE")
    def test_1_arm_security_for_javascript(self):
        print(node("arm_security.mjs", self.service.environment()))

    @needs("AZURE")
    def test_2_management_client_for_python(self):
        print(run([DEBIAN_PYTHON, str(HERE / "management_client.py")], self.service.environment()))


@needs("AZURE")
class AzureCli(unittest.TestCase):
    """`az`, logged in as a managed identity with a token that the service checks as it checks Entra ID's."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)
        issuer, audience = "https://issuer.example/", "https://management.azure.com"
        token = run([DEBIAN_PYTHON, str(HERE / "make_token.py"), str(folder / "keys.json"), issuer, audience],
                    os.environ).strip()
        self.service = Service(folder, "  issuers:\n"
                                       f"    - issuers: ['{issuer}']\n      audiences: ['{audience}']\n"
                                       f"      key_set_file: {folder / 'keys.json'}\n"
                                       "      grants:\n        - app_role: KeyVigil.Operator\n"
                                       "          roles: [reader, operator]\n")
        self.addCleanup(self.service.stop)
        when = datetime.datetime.utcnow() - datetime.timedelta(hours=2)
        items = [record(when + datetime.timedelta(minutes=i), i, TOR_ADDRESS) for i in range(3)]
        items.append(record(when + datetime.timedelta(hours=1), 0, "192.0.2.10"))
        self.service.request("POST", "/v1/logs", lines(items).encode())
        self.service.wait_until(lambda: len(self.service.alerts()) == 3, "3 alerts")
        handler = type("Handler", (TokenEndpoint,), {"token": token})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.environment = self.service.environment(
            AZURE_CONFIG_DIR=str(folder / "az"), AZURE_CORE_COLLECT_TELEMETRY="false",
            APPSETTING_WEBSITE_SITE_NAME="x", MSI_SECRET="s",
            MSI_ENDPOINT=f"http://127.0.0.1:{server.server_port}/msi/token")

    def az(self, *arguments):
        text = run(["az", *arguments, "--output", "json", "--only-show-errors"], self.environment)
        return json.loads(text) if text.strip() else None

    def test_az_security(self):
        url = self.service.url
        self.az("cloud", "register", "--name", "keyvigil", "--endpoint-resource-manager", url,
                "--endpoint-active-directory", url, "--endpoint-active-directory-resource-id", url,
                "--endpoint-management", url, "--endpoint-active-directory-graph-resource-id", url)
        self.az("cloud", "set", "--name", "keyvigil")
        self.az("login", "--identity")
        self.az("account", "set", "--subscription", SUBSCRIPTION)
        alerts = self.az("security", "alert", "list")
        self.assertEqual(len(alerts), 3)
        name = alerts[0]["name"]
        self.assertEqual(self.az("security", "alert", "show", "--name", name, "--location", "global")["name"], name)
        for status, expected in (("Dismiss", "Dismissed"), ("InProgress", "InProgress"), ("Resolve", "Resolved"),
                                 ("Activate", "Active")):
            self.az("security", "alert", "update", "--name", name, "--location", "global", "--status", status)
            self.assertEqual(self.az("security", "alert", "show", "--name", name, "--location", "global")["status"],
                             expected)
        rule = ["--rule-name", "drill"]
        self.az("security", "alerts-suppression-rule", "update", *rule, "--alert-type", "KV_TORAccess",
                "--reason", "Other", "--state", "Enabled", "--comment", "a drill")
        self.az("security", "alerts-suppression-rule", "upsert_scope", *rule, "--field", "entities.ip.address",
                "--any-of", "203.0.113.66")
        shown = self.az("security", "alerts-suppression-rule", "show", *rule)
        self.assertEqual(shown["alertType"], "KV_TORAccess")
        self.assertEqual(len(shown["suppressionAlertsScope"]["allOf"]), 1)
        self.az("security", "alerts-suppression-rule", "delete_scope", *rule, "--field", "entities.ip.address")
        self.assertEqual(len(self.az("security", "alerts-suppression-rule", "list")), 1)
        self.az("security", "alerts-suppression-rule", "delete", *rule)
        self.assertEqual(self.az("security", "alerts-suppression-rule", "list"), [])
        self.assertGreaterEqual(len(self.az("security", "location", "list")), 1)


@needs("SCHEMATHESIS")
class OpenApi(unittest.TestCase):
    """schemathesis on everything that the service's own description says, over a service that has something of all."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        # Nobody listens there: every alert becomes a dead letter.
        cls.service = Service(cls.folder, "outputs:\n  - {name: nobody, kind: webhook, url: 'http://127.0.0.1:9/', "
                                          "plain_text: true, most_attempts: 1, learning: true, backfilled: true}\n")
        cls.values = cls.seed()
        cls.document = with_plain_parameters(yaml_as_json(cls.service.request("GET", "/openapi.yaml")[1]))

    @classmethod
    def tearDownClass(cls):
        cls.service.stop()
        cls.temporary.cleanup()

    @classmethod
    def seed(cls):
        """Something of each kind that a path or a query can name."""
        service = cls.service
        when = datetime.datetime.utcnow() - datetime.timedelta(hours=2)
        items = [record(when + datetime.timedelta(minutes=i), i, TOR_ADDRESS) for i in range(4)]
        items.append(record(when + datetime.timedelta(hours=1), 0, "192.0.2.10"))
        service.request("POST", "/v1/logs", lines(items).encode())
        for i in range(10):
            body = json.dumps([record(when + datetime.timedelta(hours=1), 10 + i, "192.0.2.10")])
            service.request("POST", f"/dataCollectionRules/drill/streams/s-{i}?api-version=2023-01-01", body.encode())
        service.wait_until(lambda: len(service.alerts()) == 4, "4 alerts")
        dead = lambda: service.json("/v1/outputs/dead")["value"]
        service.wait_until(lambda: len(dead()) == 4, "4 dead letters")
        alert = service.json("/v1/alerts")["value"][0]
        return {"ALERT": alert["id"], "ALERT_NAME": alert["name"], "CALLER": alert["caller"]["key"],
                "VAULT": alert["vault"]["id"], "LETTER": dead()[0]["id"], "ADDRESS": TOR_ADDRESS,
                "APPLICATION": items[0]["identity"]["claim"]["appid"], "TOKEN": service.token,
                "AUTHORITY": service.authority, "HOOKS": HERE / "schemathesis_hooks.py"}

    def schemathesis(self, document, *arguments):
        """What it ended with and said, and what its hooks noted, by kind."""
        place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        config = string.Template((HERE / "schemathesis.toml").read_text(encoding="ascii")).substitute(self.values)
        (place / "schemathesis.toml").write_text(config, encoding="utf-8")
        (place / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
        (place / "answers").touch()
        done = subprocess.run([str(SCHEMATHESIS), "run", str(place / "openapi.json"), "--url", self.service.url,
                               "--no-color", *arguments], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.service.environment(KEYVIGIL_ANSWERS=str(place / "answers")), timeout=600,
                              check=False)
        noted = collections.Counter((place / "answers").read_text(encoding="utf-8").splitlines())
        return done.returncode, done.stdout.decode(errors="replace"), noted

    def test_1_everything_is_as_described(self):
        began = time.monotonic()
        ended, text, noted = self.schemathesis(self.document)
        self.assertEqual(ended, 0, text[-20000:])
        print(text[text.rfind("= SUMMARY ="):])
        for note, times in sorted(noted.items()):
            if note.startswith("excused"):
                print(f"{times:5} {note}")
        print(f"schemathesis: {sum(times for note, times in noted.items() if note.startswith('status'))} answers "
              f"in {time.monotonic() - began:.0f} s")
        # What never succeeded was hardly tested.
        wanted = {f"status {operation['operationId']} {status}" for operations in self.document["paths"].values()
                  for operation in operations.values() for status in operation["responses"] if status.startswith("2")}
        self.assertEqual(wanted - noted.keys(), set())

    def test_2_a_wrong_description_is_told(self):
        wrong = json.loads(json.dumps(self.document))
        paths, schemas = wrong["paths"], wrong["components"]["schemas"]
        del paths["/v1/overview"]["get"]["responses"]["200"]
        schemas["Catalogue"]["properties"]["value"]["items"]["properties"]["learned"] = {"type": "string"}
        paths["/healthz"]["get"]["responses"]["200"]["content"] = {"application/json": {"schema": {}}}
        paths["/v1/sources"]["get"]["responses"]["200"]["headers"] = {"x-none": {"required": True, "schema": {}}}
        parameters = paths["/v1/audit"]["get"]["parameters"]
        next(one for one in parameters if one["name"] == "limit")["schema"]["maximum"] = 5
        findings = {"getOverview": "ST103", "getCatalogue": "ST108", "getHealth": "ST105", "listSources": "ST107",
                    "listAuditLines": "ST201"}
        chosen = [argument for operation in findings for argument in ("--include-operation-id", operation)]
        ended, text, _ = self.schemathesis(wrong, "--phases", "coverage", *chosen)
        self.assertEqual(ended, 1, text)
        for operation, finding in findings.items():
            self.assertIn(f"- {finding} ", text, operation)


@needs("NODE")
class Ingestion(unittest.TestCase):
    def test_monitor_ingestion_uploads_100000_records(self):
        with tempfile.TemporaryDirectory() as folder:
            service = Service(folder)
            try:
                start = datetime.datetime.utcnow() - datetime.timedelta(hours=3)
                items = [record(start + datetime.timedelta(milliseconds=70 * i), i % 300,
                                TOR_ADDRESS if i % 1000 == 0 else "192.0.2.10") for i in range(100_000)]
                path = pathlib.Path(folder) / "records.jsonl"
                path.write_text(lines(items), encoding="ascii")
                print(node("monitor_ingestion.mjs", service.environment(KEYVIGIL_RECORDS=str(path))))
                service.wait_until(lambda: service.figure("keyvigil_records_total") >= 100_000, "all records", 120)
                self.assertEqual(service.figure("keyvigil_records_total"), 100_000)
            finally:
                service.stop()


@needs("NODE")
class BlobContainer(unittest.TestCase):
    """Azurite as the storage account, filled by Azure's client while the service follows."""

    def test_a_container_is_followed(self):
        with tempfile.TemporaryDirectory() as folder_name:
            folder = pathlib.Path(folder_name)
            port = free_port()
            (folder / "azurite").mkdir()
            with open(folder / "azurite.log", "wb") as log:
                main = NODE_MODULES / "azurite" / "dist" / "src" / "blob" / "main.js"
                azurite = subprocess.Popen(
                    [str(NODE_MODULES / ".bin" / "node"), str(main), "--blobHost", "127.0.0.1",
                     "--blobPort", str(port), "--location", str(folder / "azurite"), "--silent",
                     "--skipApiVersionCheck", "--disableTelemetry"], stdout=log, stderr=log)
            service = None
            try:
                connection = ("DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
                              f"AccountKey={EMULATOR_KEY};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;")
                (folder / "key").write_text(EMULATOR_KEY + "\n", encoding="ascii")
                expected = self.make_blobs(folder / "blobs")
                environment = {**os.environ, "KEYVIGIL_CONNECTION": connection,
                               "KEYVIGIL_BLOBS": str(folder / "blobs")}
                filler = threading.Thread(target=lambda: node("fill_container.mjs", environment))
                begin = (datetime.datetime.utcnow() - datetime.timedelta(days=1)).strftime("%Y-%m-%d")
                time.sleep(3)  # azurite starts
                filler.start()
                (folder / "service").mkdir()
                container = f"http://127.0.0.1:{port}/devstoreaccount1/insights-logs-auditevent"
                service = Service(folder / "service",
                                  "  inputs:\n"
                                  f"    - container: {container}\n"
                                  f"      key: {{file: {folder / 'key'}}}\n      plain_text: true\n"
                                  f"      from: {begin}\n      poll_seconds: 1\n")
                filler.join()
                service.wait_until(lambda: {alert["properties"]["compromisedEntity"] for alert in service.alerts()}
                                   == expected, "the alerts of the container", 120)
            finally:
                if service:
                    service.stop()
                azurite.terminate()
                azurite.wait(30)

    @staticmethod
    def make_blobs(folder):
        """Six vaults, three hours, every vault once from a Tor exit."""
        hour = datetime.datetime.utcnow().replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=4)
        vaults = range(6)
        for vault in vaults:
            for number in range(3):
                start = hour + datetime.timedelta(hours=number)
                items = [record(start + datetime.timedelta(minutes=i), vault,
                                TOR_ADDRESS if number == 1 and i == 7 else "192.0.2.10") for i in range(40)]
                path = folder / (items[0]["resourceId"][1:] + start.strftime("/y=%Y/m=%m/d=%d/h=%H/m=00/PT1H.json"))
                path = folder / ("resourceId=" + items[0]["resourceId"]).lstrip("/") / path.relative_to(
                    folder / items[0]["resourceId"][1:])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(lines(items), encoding="ascii")
        return {f"kv-{vault:04}" for vault in vaults}


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: clients_test.py KEYVIGIL CLIENTS [TEST...]")
    KEYVIGIL, clients = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    NODE_MODULES, SCHEMATHESIS = clients / "node_modules", clients / "python" / "bin" / "schemathesis"
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
