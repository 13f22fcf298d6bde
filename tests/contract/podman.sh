#!/bin/sh
# podman.sh CONTRACT GROUP...: groups of the suite on a Podman of its own, in a sandbox (tests/sandbox).
set -eu
here=$(dirname "$(realpath "$0")")
if [ "${KURTOSIS_SANDBOX:-}" != 1 ]; then
    if [ "$(id -u)" != 0 ] || ! command -v podman >/dev/null || ! command -v runc >/dev/null; then
        echo "skipped: needs root, and Podman with runc"
        exit 77
    fi
    exec "$here/../sandbox" "$0" "$@"
fi
contract=$1
shift
folder=$(mktemp -d "${TMPDIR:-/tmp}/kurtosis-podman.XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$here/../podman" start "$folder"
status=0
DOCKER_HOST=unix://$folder/podman.sock "$contract" docker "$@" || status=$?
export DOCKER_HOST="unix://$folder/podman.sock"
docker ps --all --quiet | xargs --no-run-if-empty docker rm --force >/dev/null || true
"$here/../podman" stop "$folder"
umount "$folder/root/overlay" 2>/dev/null || true
exit $status
