"""Writes a key set and prints a token of it, as Entra ID makes them. Arguments: key set file, issuer, audience."""
import base64
import json
import sys
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

key_set_file, issuer, audience = sys.argv[1:4]
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
numbers = key.public_key().public_numbers()


def base64url(number):
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


with open(key_set_file, "w", encoding="ascii") as file:
    json.dump({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "key-1",
                         "n": base64url(numbers.n), "e": base64url(numbers.e)}]}, file)
now = int(time.time())
print(jwt.encode({"iss": issuer, "aud": audience, "iat": now, "nbf": now - 60, "exp": now + 7200,
                  "tid": "eeeeeeee-0000-4000-8000-000000000005", "oid": "ffffffff-0000-4000-8000-000000000006",
                  "sub": "ffffffff-0000-4000-8000-000000000006", "appid": "bbbbbbbb-0000-4000-8000-000000000002",
                  "roles": ["KeyVigil.Operator"], "xms_mirid": "/subscriptions/x/resourcegroups/y/providers/z"},
                 key, algorithm="RS256", headers={"kid": "key-1"}))
