#!/bin/sh
# image.sh BUILD: the image of engine and API containers is made twice from the same files; the ids are the same, the
# archive has both tags, every program and no shell.
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
top=$(cd "$(dirname "$0")/../../.." && pwd)

programs=$(cd "$build/bin" && ls kurtosis-engine kurtosis-docker-driver kurtosis-apic kurtosis-log-sink)
# shellcheck disable=SC2086
"$top/cmake/image/build" "$work/again.tar" 1.20.0 "$build/bin" "$build/lib/kurtosis" $programs
cmp "$build/kurtosis-image.tar.id" "$work/again.tar.id"
cmp "$build/kurtosis-image.tar" "$work/again.tar"

tar -xOf "$work/again.tar" manifest.json | grep -q '"kurtosistech/engine:1.20.0","kurtosistech/core:1.20.0"'
tar -xOf "$work/again.tar" layer.tar | tar -t >"$work/names"
for program in $programs; do grep -qx "./usr/bin/$program" "$work/names"; done
! grep -qE '/(ba|da)?sh$|/busybox$' "$work/names"
config=$(tar -tf "$work/again.tar" | grep 'json$' | grep -v manifest)
[ "sha256:${config%.json}" = "$(cat "$work/again.tar.id")" ]
[ "sha256:$(tar -xOf "$work/again.tar" "$config" | sha256sum | cut -d' ' -f1)" = "$(cat "$work/again.tar.id")" ]

# The ceiling is for what users get: sanitizers have libraries of their own.
size=$(stat -c %s "$work/again.tar")
grep -q '^KURTOSIS_SANITIZE:STRING=..*' "$build/CMakeCache.txt" || [ "$size" -lt 60000000 ] || {
    echo "the image has $size bytes, more than 60 MB" >&2
    exit 1
}
echo "image: $size bytes, $(cat "$work/again.tar.id")"
