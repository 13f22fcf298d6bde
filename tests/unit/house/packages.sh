#!/bin/sh
# Every library that the build asks for comes from a package of group build in cmake/packages.txt, so that quickstart on a
# machine with nothing installed builds as this one does; and docs/dependencies.md knows each package.
set -eu
cd "$(dirname "$0")/../../.."

missing=0
for module in $(grep -rhoE 'house_need\([a-z0-9_]+ [^) ]+' --include=CMakeLists.txt --include=house.cmake . | awk '{ print $2 }' | sort -u); do
    file=$(pkg-config --variable=pcfiledir "$module")/$module.pc
    package=$(dpkg-query --search "$file" "$(readlink -f "$file")" 2>/dev/null | head -1 | cut -d: -f1)
    if ! grep -qE "^build +$package( |\$)" cmake/packages.txt; then
        echo "'$module' is in Debian's '$package', which cmake/packages.txt does not list for build" >&2
        missing=1
    fi
done
# Libraries stand there by their own names.
for package in $(awk '!/^#/ { print $2 }' cmake/packages.txt | grep -vE '^lib.*-dev$|^zlib1g-dev$'); do
    if ! grep -qE "(^|[^a-z])$package([^a-z-]|\$)" docs/dependencies.md; then
        echo "'$package' of cmake/packages.txt is not in docs/dependencies.md" >&2
        missing=1
    fi
done
exit $missing
