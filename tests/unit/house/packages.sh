#!/bin/sh
# Every library that a CMakeLists.txt asks for comes from a package of cmake/packages.txt, so that a machine with
# nothing installed builds as this one does.
set -eu
cd "$(dirname "$0")/../../.."

missing=0
for module in $(grep -rhoE 'house_need\([a-z0-9_]+ [^) ]+' --include=CMakeLists.txt . | awk '{ print $2 }' | sort -u); do
    file=$(pkg-config --variable=pcfiledir "$module")/$module.pc
    package=$(dpkg-query --search "$file" "$(readlink -f "$file")" 2>/dev/null | head -1 | cut -d: -f1)
    if ! grep -qE "^[a-z]+ +$package( |\$)" cmake/packages.txt; then
        echo "'$module' is in Debian's '$package', which cmake/packages.txt does not list" >&2
        missing=1
    fi
done
exit $missing
