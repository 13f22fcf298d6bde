#!/bin/sh
# podman.sh CONTRACT [GROUP...]: the suite on a Podman of its own, in a sandbox (tests/sandbox).
set -eu
here=$(dirname "$(realpath "$0")")
if [ "${KURTOSIS_SANDBOX:-}" != 1 ]; then
    for program in podman runc catatonit /usr/lib/podman/netavark /usr/lib/podman/aardvark-dns; do
        command -v $program >/dev/null && [ "$(id -u)" = 0 ] && continue
        echo "skipped: needs root and $(basename $program)"
        exit 77
    done
    exec "$here/../sandbox" "$0" "$@"
fi
contract=$1
shift
folder=$(mktemp -d "${TMPDIR:-/tmp}/kurtosis-podman.XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$here/../podman" start "$folder"
status=0
DOCKER_HOST=unix://$folder/podman.sock "$contract" podman "$@" || status=$?
export DOCKER_HOST="unix://$folder/podman.sock"
docker ps --all --quiet | xargs --no-run-if-empty docker rm --force >/dev/null || true
"$here/../podman" stop "$folder"
umount "$folder/root/overlay" 2>/dev/null || true
exit $status
