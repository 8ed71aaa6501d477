#!/bin/sh
# Azure's own clients against `keyvigil serve`: installs them into build/clients, pinned by package-lock.json in
# tests/clients and by Debian, then runs tests/clients/clients_test.py. Where they cannot be had, says that it was
# skipped and ends with 0: that a registry is away is no fault of the program.
# Usage: tools/test_clients.sh KEYVIGIL [TEST...]
set -eu
cd "$(dirname "$0")/.."
keyvigil=$1
shift
clients=build/clients

skip() {
  echo "test-clients: skipped: $*"
  exit 0
}

# An installed Node is enough; Debian's is asked for only where there is none.
missing=""
command -v az >/dev/null 2>&1 && /usr/bin/python3 -c 'import azure.mgmt.security' 2>/dev/null || missing="clients"
command -v npm >/dev/null 2>&1 || missing="$missing clients-node"
for group in $missing; do
  timeout 600 tools/set_up.sh "$group" || skip "the packages of group [$group] could not be installed"
done
mkdir -p "$clients"
if ! cmp -s tests/clients/package-lock.json "$clients/package-lock.json" || [ ! -d "$clients/node_modules" ]; then
  cp tests/clients/package.json tests/clients/package-lock.json "$clients/"
  if ! (cd "$clients" && timeout 300 npm ci --no-audit --no-fund --loglevel=error); then
    rm -f "$clients/package-lock.json"
    skip "npm could not install the clients; is a registry within reach?"
  fi
fi
exec python3 tests/clients/clients_test.py "$keyvigil" "$clients/node_modules" "$@"
