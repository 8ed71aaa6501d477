#!/bin/sh
# Clients that nobody here wrote against `keyvigil serve`: installs them into build/clients, pinned by package-lock.json
# and requirements.txt in tests/clients and by Debian, then runs tests/clients/clients_test.py. Suites whose clients
# cannot be had are skipped, each for itself, with a sentence: that a registry is away is no fault of the program.
# Usage: tools/test_clients.sh KEYVIGIL [TEST...]
set -eu
cd "$(dirname "$0")/.."
keyvigil=$1
shift
clients=build/clients
venv=$clients/python

# Names what is not there and why, for us and for clients_test.py.
without() {
  echo "test-clients: skipped is what needs $1: $2"
  export "KEYVIGIL_WITHOUT_$1=$2"
}

set_up() {
  timeout 600 tools/set_up.sh "$1"
}

has_azure() {
  command -v az >/dev/null 2>&1 && /usr/bin/python3 -c 'import azure.mgmt.security' 2>/dev/null
}

# Runs a command where FROM/LOCK is not what was installed last into INTO, and remembers that it is now.
install_locked() {
  from=$1 lock=$2 into=$3
  shift 3
  if [ -d "$into" ] && cmp -s "$from" "$lock"; then return 0; fi
  rm -rf "$into" "$lock"
  "$@" || return 1
  cp "$from" "$lock"
}

install_node_packages() {
  cp tests/clients/package.json tests/clients/package-lock.json "$clients/"
  (cd "$clients" && timeout 300 npm ci --no-audit --no-fund --loglevel=error)
}

install_python_packages() {
  python3 -m venv "$venv" &&
    timeout 300 "$venv/bin/pip" install --quiet --retries 1 --disable-pip-version-check \
      -r tests/clients/requirements.txt
}

mkdir -p "$clients"
has_azure || set_up clients || true
has_azure ||
  without AZURE "Azure's command line and Python packages could not be installed; is Debian's archive in reach?"

# An installed Node is enough; Debian's is asked for only where there is none.
command -v npm >/dev/null 2>&1 || set_up clients-node || true
if ! command -v npm >/dev/null 2>&1; then
  without NODE "npm could not be installed; is Debian's archive in reach?"
elif ! install_locked tests/clients/package-lock.json "$clients/installed-lock.json" "$clients/node_modules" \
  install_node_packages; then
  without NODE "npm could not install the clients; is a registry in reach?"
fi

python3 -c 'import ensurepip, venv' 2>/dev/null || set_up clients-python || true
if ! install_locked tests/clients/requirements.txt "$clients/installed-requirements.txt" "$venv" \
  install_python_packages; then
  without SCHEMATHESIS "pip could not install schemathesis into a virtual environment; is a registry in reach?"
fi
exec python3 tests/clients/clients_test.py "$keyvigil" "$clients" "$@"
