#!/bin/sh
# Proves that a bare Debian 12 is enough: clones this repository's last commit into a minimal Debian and runs the
# commands of the README there. As root; asks only for debootstrap, and for the apt mirror that this machine uses.
# Usage: tools/fresh_machine.sh FOLDER [COMMAND...]      COMMAND defaults to: make test
#
# FOLDER/pristine is made once and kept; every run works on a copy, FOLDER/machine. Commands run without a terminal,
# without standard input and with an empty environment.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:?usage: tools/fresh_machine.sh FOLDER [COMMAND...]}
shift
[ $# -gt 0 ] || set -- make test
[ "$(id -u)" -eq 0 ] || { echo "fresh machine: needs root, for debootstrap and chroot" >&2; exit 2; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
pristine="$folder/pristine"
machine="$folder/machine"

if [ ! -d "$pristine" ]; then
  command -v debootstrap >/dev/null || { echo "fresh machine: debootstrap is missing; apt-get install it" >&2; exit 2; }
  mirror=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 2>/dev/null | head -n 1)
  debootstrap --variant=minbase --include=ca-certificates,git,make bookworm "$pristine.part" \
    "${mirror:-http://deb.debian.org/debian}"
  # The machine inside reaches the network as the one outside does.
  rm -f "$pristine.part/etc/apt/sources.list"
  cp -R /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d "$pristine.part/etc/apt/" 2>/dev/null || true
  cp /usr/share/keyrings/debian-archive-*.gpg "$pristine.part/usr/share/keyrings/" 2>/dev/null || true
  mv "$pristine.part" "$pristine"
fi

if grep -q " $machine/" /proc/mounts; then
  echo "fresh machine: something is mounted inside $machine; unmount it first" >&2
  exit 2
fi
rm -rf "$machine"
cp -a "$pristine" "$machine"
cp /etc/resolv.conf "$machine/etc/resolv.conf"
cp /etc/hosts "$machine/etc/hosts"
git clone -q --no-hardlinks "$here" "$machine/root/keyvigil"
if [ -n "${KEYVIGIL_SHARED:-}" ]; then cp -R "$KEYVIGIL_SHARED" "$machine/root/shared"; fi

# In a mount namespace of its own: however this ends, nothing of this machine stays mounted inside the other.
exec unshare --mount --propagation private sh -c '
  machine=$1
  shift
  mount -t proc proc "$machine/proc"
  mount --bind /dev "$machine/dev"
  exec chroot "$machine" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 sh -c "cd /root/keyvigil && exec \"\$@\"" fresh "$@"' fresh "$machine" "$@" </dev/null
