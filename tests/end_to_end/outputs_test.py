#!/usr/bin/env python3
"""`keyvigil outputs` from outside: what arrives at a receiver of each kind, field by field, on the loopback.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/outputs_test.py build/release/keyvigil
Standard library, and the program openssl for the certificates of the receivers.
"""
import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

KEYVIGIL = ""  # set from the command line, below
SIGNING_KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


def run(*arguments, **environment):
    done = subprocess.run([KEYVIGIL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          check=False, env={**os.environ, **environment})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def wait_for(received):
    """The program may be done before the receiver's thread is."""
    while not received:
        time.sleep(0.01)


def make_authority(folder):
    """A test CA, and a certificate of it for 127.0.0.1 and for localhost each."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, cwd=folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=Test CA")
    for name, subject in [("address", "IP:127.0.0.1"), ("other", "DNS:elsewhere.example")]:
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(f"subjectAltName={subject}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def server_context(folder, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


@contextlib.contextmanager
def http_receiver(context=None, status=200, body=b"", headers=()):
    """Yields the URL of a server and the list of requests that it gets: (path, headers, body)."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # the name that http.server asks for
            data = self.rfile.read(int(self.headers["content-length"]))
            requests.append((self.path, self.headers, data))
            answer = body(data) if callable(body) else body
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            pass  # a client that does not trust us hangs up

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def stream_receiver(context=None):
    """Yields a port and the list of what each connection sent until it was closed."""
    received = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                if context:
                    connection = context.wrap_socket(connection, server_side=True)
                data = b""
                while piece := connection.recv(65536):
                    data += piece
                received.append(data)
            except OSError:
                pass
            finally:
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], received
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


class Mailbox(threading.Thread):
    """A mail server for one mail at a time: says what the test wants, keeps what it got."""

    def __init__(self, context=None, replies=()):
        super().__init__()
        self.context = context
        self.replies = dict(replies)  # verb -> reply in its place
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.commands = []
        self.mails = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.talk(connection)
            except OSError:
                pass
            finally:
                connection.close()

    def talk(self, connection):
        lines = connection.makefile("rb")
        secure = False

        def say(text):
            connection.sendall(text.encode() + b"\r\n")
        say("220 mail.example")
        while line := lines.readline():
            command = line.decode().strip()
            self.commands.append(command)
            verb = command.split(" ")[0].upper()
            if verb in self.replies:
                say(self.replies[verb])
            elif verb == "EHLO":
                offers = ["250-mail.example"] + (["250-STARTTLS"] if self.context and not secure else [])
                say("\r\n".join(offers + ["250 AUTH PLAIN"]))
            elif verb == "STARTTLS":
                say("220 go ahead")
                connection = self.context.wrap_socket(connection, server_side=True)  # takes the socket over
                lines = connection.makefile("rb")
                secure = True
            elif verb == "AUTH":
                say("334 ")
                self.commands.append("login " + lines.readline().decode().strip())
                say("235 welcome")
            elif verb == "DATA":
                say("354 go on")
                data = b""
                while (piece := lines.readline()) not in (b".\r\n", b""):
                    data += piece[1:] if piece.startswith(b".") else piece
                self.mails.append((secure, data))
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                connection.close()
                return
            else:
                say("250 fine")


class Outputs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("openssl") is None:
            raise unittest.SkipTest("the program openssl makes the certificates; install the package openssl")
        cls.keep = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.keep.name)
        make_authority(cls.folder)
        cls.tls = server_context(cls.folder, "address")

    @classmethod
    def tearDownClass(cls):
        cls.keep.cleanup()

    def send(self, settings, **environment):
        """One output with these settings: exit code and what was said of it."""
        config = self.folder / "keyvigil.yaml"
        config.write_text("outputs:\n  - " + json.dumps({"name": "out", "timeout_seconds": 10, **settings}) + "\n")
        code, out, err = run("outputs", "--config", config, **environment)
        self.assertEqual(err, "")
        for secret in environment.values():
            self.assertNotIn(secret, out)
        return code, out

    def deliver(self, settings, **environment):
        code, out = self.send(settings, **environment)
        self.assertEqual((code, out), (0, "out: delivered\n"))

    # ---- files ----

    def test_a_file_gets_a_line(self):
        self.deliver({"kind": "file", "path": "alerts.jsonl"})
        self.deliver({"kind": "file", "path": "alerts.jsonl"})
        lines = (self.folder / "alerts.jsonl").read_text().splitlines()
        self.assertEqual(len(lines), 2)
        properties = json.loads(lines[0])["properties"]
        self.assertTrue(properties["alertType"].startswith("SIMULATED_KV_"))
        self.assertTrue(properties["alertDisplayName"].startswith("[SAMPLE ALERT] "))

    # ---- HTTP ----

    def test_a_webhook_is_signed(self):
        with http_receiver(self.tls, status=202) as (url, requests):
            self.deliver({"kind": "webhook", "url": url + "/hook?tenant=1", "format": "eventhub", "ca_file": "ca.pem",
                          "secret": {"environment": "HOOK"}}, HOOK=SIGNING_KEY)
        (path, headers, body), = requests
        self.assertEqual(path, "/hook?tenant=1")
        self.assertEqual(headers["content-type"], "application/json")
        self.assertRegex(headers["webhook-id"], r"^[0-9a-f-]{36}-1$")
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(b"k" * 32, content, hashlib.sha256).digest()).decode()
        self.assertEqual(headers["webhook-signature"], "v1," + expected)
        self.assertEqual(json.loads(body)["VendorName"], "KeyVigil")

    def test_a_certificate_is_always_checked(self):
        settings = {"kind": "webhook", "secret": {"environment": "HOOK"}}
        with http_receiver(self.tls) as (url, requests):
            code, out = self.send({**settings, "url": url}, HOOK=SIGNING_KEY)
            self.assertEqual((code, requests), (3, []))
            self.assertIn("certificate", out)
        with http_receiver(server_context(self.folder, "other")) as (url, requests):
            code, out = self.send({**settings, "url": url, "ca_file": "ca.pem"}, HOOK=SIGNING_KEY)
            self.assertEqual((code, requests), (3, []), out)

    def test_a_refusal_is_said_without_secrets(self):
        with http_receiver(status=403, body=b"Invalid token") as (url, _):
            code, out = self.send({"kind": "splunk", "url": url + "/?x=hush-hush", "plain_text": True,
                                   "secret": {"environment": "TOKEN"}}, TOKEN="token-to-keep")
        self.assertEqual(code, 3)
        self.assertEqual(out, f"out: not delivered: {url} answered 403: Invalid token\n")

    def test_slack_gets_blocks(self):
        with http_receiver(self.tls, body=b"ok") as (url, requests):
            self.deliver({"kind": "slack", "ca_file": "ca.pem", "secret": {"environment": "SLACK"}},
                         SLACK=url + "/services/T000/B000/xyz")
        (path, _, body), = requests
        self.assertEqual(path, "/services/T000/B000/xyz")
        message = json.loads(body)
        self.assertIn("[SAMPLE ALERT]", message["text"])
        kinds = [block["type"] for block in message["blocks"]]
        self.assertEqual(kinds[:3], ["header", "section", "section"])
        self.assertLessEqual(len(message["blocks"][0]["text"]["text"]), 150)
        for block in message["blocks"]:
            for field in block.get("fields", []):
                self.assertEqual(field["type"], "plain_text")

    def test_teams_gets_a_card(self):
        secret = self.folder / "teams_url"
        with http_receiver(self.tls, status=202) as (url, requests):
            secret.write_text(url + "/workflows/1/triggers/manual?sig=abc\n")
            self.deliver({"kind": "teams", "ca_file": "ca.pem", "secret": {"file": "teams_url"}})
        (path, _, body), = requests
        self.assertEqual(path, "/workflows/1/triggers/manual?sig=abc")
        content = json.loads(body)["attachments"][0]["content"]
        self.assertEqual((content["type"], content["version"]), ("AdaptiveCard", "1.4"))
        self.assertTrue(all(part["type"] == "RichTextBlock" for part in content["body"]))

    def test_splunk_gets_an_event(self):
        with http_receiver(self.tls, body=b'{"text":"Success","code":0}') as (url, requests):
            self.deliver({"kind": "splunk", "url": url, "index": "security", "format": "ocsf", "ca_file": "ca.pem",
                          "secret": {"environment": "TOKEN"}}, TOKEN="0123-4567")
        (path, headers, body), = requests
        self.assertEqual(path, "/services/collector/event")
        self.assertEqual(headers["authorization"], "Splunk 0123-4567")
        event = json.loads(body)
        self.assertEqual((event["index"], event["sourcetype"]), ("security", "keyvigil:alert"))
        self.assertEqual(event["event"]["class_uid"], 2004)
        self.assertAlmostEqual(event["time"] * 1000, event["event"]["time"], delta=1)

    def test_elasticsearch_gets_a_bulk(self):
        answer = b'{"errors":false,"items":[{"index":{"status":201}}]}'
        with http_receiver(self.tls, body=answer) as (url, requests):
            self.deliver({"kind": "elasticsearch", "url": url, "index": "alerts", "ca_file": "ca.pem", "user": "writer",
                          "secret": {"environment": "PASSWORD"}}, PASSWORD="open-sesame")
        (path, headers, body), = requests
        self.assertEqual((path, headers["content-type"]), ("/_bulk", "application/x-ndjson"))
        self.assertEqual(base64.b64decode(headers["authorization"].split(" ")[1]), b"writer:open-sesame")
        action, document = [json.loads(line) for line in body.decode().splitlines()]
        self.assertEqual(action["index"]["_index"], "alerts")
        self.assertEqual(action["index"]["_id"], document["keyvigil"]["alert_id"])
        self.assertEqual(document["ecs"]["version"], "9.4.0")

    def test_elasticsearch_says_why_it_refuses_an_alert(self):
        answer = b'{"errors":true,"items":[{"index":{"status":400,"error":{"type":"mapper","reason":"no"}}}]}'
        with http_receiver(body=answer) as (url, _):
            code, out = self.send({"kind": "elasticsearch", "url": url, "index": "alerts", "plain_text": True})
        self.assertEqual(code, 3)
        self.assertIn("out: refused:", out)
        self.assertIn("mapper: no", out)

    # ---- syslog ----

    def check_message(self, message):
        found = re.fullmatch(r"<(\d+)>1 (\S+) (\S+) keyvigil - (\w{1,32}) (\[keyvigil@32473 .*?[^\\]\]) (CEF:0\|.*)",
                             message.decode())
        self.assertIsNotNone(found, message)
        self.assertEqual(int(found[1]) // 8, 13)
        self.assertIn('alertType="SIMULATED_KV_', found[5])
        self.assertIn("[SAMPLE ALERT]", found[6])

    def check_frame(self, data):
        length, message = data.split(b" ", 1)
        self.assertEqual(int(length), len(message))
        self.check_message(message)

    def test_syslog_over_udp_is_a_datagram(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(20)
            self.deliver({"kind": "syslog", "url": f"udp://127.0.0.1:{receiver.getsockname()[1]}"})
            self.check_message(receiver.recv(65536))

    def test_syslog_over_tcp_counts_its_octets(self):
        with stream_receiver() as (port, received):
            self.deliver({"kind": "syslog", "url": f"tcp://127.0.0.1:{port}"})
            wait_for(received)
        self.check_frame(received[0])

    def test_syslog_over_tls_counts_its_octets(self):
        with stream_receiver(self.tls) as (port, received):
            self.deliver({"kind": "syslog", "url": f"tls://127.0.0.1:{port}", "ca_file": "ca.pem"})
            wait_for(received)
        self.check_frame(received[0])

    def test_syslog_over_tls_checks_authority_and_name(self):
        for name, settings in [("address", {}), ("other", {"ca_file": "ca.pem"})]:
            with stream_receiver(server_context(self.folder, name)) as (port, received):
                code, out = self.send({"kind": "syslog", "url": f"tls://127.0.0.1:{port}", **settings})
            self.assertEqual(code, 3, out)
            self.assertIn("cannot agree on TLS", out)
            self.assertEqual([data for data in received if data], [])

    def test_syslog_says_that_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        code, out = self.send({"kind": "syslog", "url": f"tcp://127.0.0.1:{port}"})
        self.assertEqual(code, 3)
        self.assertIn("cannot connect: Connection refused", out)

    # ---- mail ----

    MAIL = {"kind": "mail", "from": "keyvigil@contoso.example", "to": ["soc@contoso.example", "b@contoso.example"]}

    def test_a_mail_goes_over_tls_and_can_be_read(self):
        with Mailbox(self.tls) as box:
            self.deliver({**self.MAIL, "url": f"smtp://127.0.0.1:{box.port}", "ca_file": "ca.pem", "user": "kv",
                          "secret": {"environment": "PASSWORD"}}, PASSWORD="open-sesame")
        (secure, data), = box.mails
        self.assertTrue(secure)
        self.assertIn("MAIL FROM:<keyvigil@contoso.example>", [command.split(" SIZE")[0] for command in box.commands])
        self.assertIn("RCPT TO:<soc@contoso.example>", box.commands)
        self.assertIn("RCPT TO:<b@contoso.example>", box.commands)
        login = next(command for command in box.commands if command.startswith("login "))
        self.assertEqual(base64.b64decode(login.split(" ")[1]), b"\0kv\0open-sesame")
        mail = email.message_from_bytes(data, policy=email.policy.default)
        self.assertIn("[SAMPLE ALERT]", mail["subject"])
        self.assertEqual(mail["from"], "keyvigil@contoso.example")
        self.assertRegex(mail["message-id"], r"^<[0-9a-f-]{36}-1@contoso\.example>$")
        self.assertEqual(mail["auto-submitted"], "auto-generated")
        self.assertIsNotNone(mail["date"].datetime)
        self.assertIn("What to do", mail.get_content())
        self.assertTrue(all(len(line) <= 998 for line in data.split(b"\r\n")))

    def test_a_mail_is_not_sent_in_plain_text_unless_said_so(self):
        with Mailbox() as box:
            code, out = self.send({**self.MAIL, "url": f"smtp://127.0.0.1:{box.port}"})
            self.assertEqual((code, box.mails), (3, []), out)
            self.deliver({**self.MAIL, "url": f"smtp://127.0.0.1:{box.port}", "plain_text": True})
        self.assertEqual(len(box.mails), 1)

    def test_a_mailbox_that_does_not_exist_refuses(self):
        with Mailbox(replies={"RCPT": "550 no such user"}) as box:
            code, out = self.send({**self.MAIL, "url": f"smtp://127.0.0.1:{box.port}", "plain_text": True})
        self.assertEqual(code, 3)
        self.assertIn("out: refused:", out)

    def test_a_busy_mail_server_is_tried_again(self):
        with Mailbox(replies={"MAIL": "451 later"}) as box:
            code, out = self.send({**self.MAIL, "url": f"smtp://127.0.0.1:{box.port}", "plain_text": True})
        self.assertEqual(code, 3)
        self.assertIn("out: not delivered:", out)

    # ---- the command ----

    def test_an_output_is_chosen_by_name(self):
        config = self.folder / "two.yaml"
        config.write_text("outputs:\n  - {name: a, kind: file, path: a.jsonl}\n"
                          "  - {name: b, kind: file, path: b.jsonl}\n")
        self.assertEqual(run("outputs", "--config", config, "--name", "b"), (0, "b: delivered\n", ""))
        self.assertFalse((self.folder / "a.jsonl").exists())
        code, _, err = run("outputs", "--config", config, "--name", "c")
        self.assertEqual(code, 2)
        self.assertIn("expected an output of", err)

    def test_a_configuration_without_outputs_is_refused(self):
        config = self.folder / "none.yaml"
        config.write_text("learning_days: 3\n")
        code, _, err = run("outputs", "--config", config)
        self.assertEqual(code, 2)
        self.assertIn("expected a section `outputs`", err)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: outputs_test.py KEYVIGIL [unittest arguments]")
    KEYVIGIL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
