#!/usr/bin/env python3
"""`keyvigil token`, from outside.

Run by ctest with the path of the program, or by hand: python3 tests/end_to_end/token_test.py build/release/keyvigil
Standard library only.
"""
import hashlib
import re
import subprocess
import sys
import unittest

KEYVIGIL = ""  # set from the command line, below


def run(*arguments):
    done = subprocess.run([KEYVIGIL, "token", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


class Token(unittest.TestCase):
    def test_the_hash_is_the_salted_digest_of_the_token(self):
        code, out, _ = run("new", "--name", "siem", "--role", "reader", "--role", "ingest")
        self.assertEqual(code, 0)
        token = re.search(r"^(kv_[A-Za-z0-9_-]{43})$", out, re.MULTILINE).group(1)
        salt, digest = re.search(r"hash: sha256:([0-9a-f]{32}):([0-9a-f]{64})$", out, re.MULTILINE).groups()
        self.assertEqual(hashlib.sha256(bytes.fromhex(salt) + token.encode()).hexdigest(), digest)
        self.assertIn("- name: siem\n", out)
        self.assertIn("roles: [reader, ingest]\n", out)
        self.assertNotIn("subscriptions", out)

    def test_no_two_are_equal(self):
        outputs = [run("new")[1] for _ in range(5)]
        self.assertEqual(len(set(re.search(r"kv_\S+", out).group() for out in outputs)), 5)

    def test_subscriptions_are_written_where_they_are_given(self):
        _, out, _ = run("new", "--subscription", "11111111-2222-4333-8444-555555555555")
        self.assertIn("subscriptions: [11111111-2222-4333-8444-555555555555]\n", out)

    def test_what_would_be_syntax_in_the_configuration_is_refused(self):
        for arguments in [("new", "--name", "a: b"), ("new", "--name", ""), ("new", "--role", "owner"),
                          ("new", "--subscription", "a]"), ()]:
            code, out, error = run(*arguments)
            self.assertEqual(code, 2, arguments)
            self.assertNotIn("kv_", out + error)


if __name__ == "__main__":
    KEYVIGIL = sys.argv.pop(1)
    unittest.main()
