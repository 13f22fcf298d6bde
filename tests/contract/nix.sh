#!/bin/sh
# nix.sh CONTRACT: the suite's group of flakes, with the Nix of this machine and a store of its own. Nothing is fetched: the
# builders are this machine's shell, and the images are made here.
set -eu
here=$(dirname "$(realpath "$0")")
contract=$1
if ! command -v nix >/dev/null; then
    echo "skipped: needs Nix (Debian: nix-bin)"
    exit 77
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/kurtosis-flakes.XXXXXX")
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT INT TERM
mkdir "$folder/tmp" "$folder/home" "$folder/conf"
export TMPDIR="$folder/tmp" HOME="$folder/home" NIX_CONF_DIR="$folder/conf" NIX_STORE_DIR="$folder/store" \
    NIX_STATE_DIR="$folder/state" NIX_LOG_DIR="$folder/log" NIX_DATA_DIR="$folder/data"
printf 'sandbox = false\nsubstituters =\nbuild-users-group =\n' >"$folder/conf/nix.conf"

flake() { # NAME SCRIPT: a flake whose outputs `default` and `image` are what /bin/sh makes of SCRIPT
    mkdir -p "$folder/flakes/$1"
    cat >"$folder/flakes/$1/flake.nix" <<END
{
  outputs = { self }: rec {
    image = derivation {
      name = "image.tar"; system = "$(uname -m)-linux"; builder = "/bin/sh"; PATH = "/bin:/usr/bin";
      args = [ "-c" '' $2 '' ];
    };
    packages."$(uname -m)-linux".default = image;
  };
}
END
}

# The archive is reached through a link, which must come along as it is.
flake good 'echo from the builder >&2; cp ${./.}/link $out'
sh "$here/image.sh" "$folder/flakes/good/image.tar" kurtosis-contract/flake-own-name:1 /flake
ln -s image.tar "$folder/flakes/good/link"

flake untagged 'cp ${./image.tar} $out'
sh "$here/image.sh" "$folder/untagged.tar" kurtosis-contract/none:1 "/flake-$$"
mkdir "$folder/untagged"
tar -C "$folder/untagged" -xf "$folder/untagged.tar"
sed -i 's/"RepoTags":\[[^]]*\]/"RepoTags":null/' "$folder/untagged/manifest.json"
tar -C "$folder/untagged" -cf "$folder/flakes/untagged/image.tar" config.json layer.tar manifest.json
export KURTOSIS_UNTAGGED="sha256:$(sha256sum "$folder/untagged/config.json" | cut -d' ' -f1)"

flake failing 'i=0; while [ $i -lt 100 ]; do i=$((i + 1)); echo line $i; done; exit 9'
flake folder 'mkdir $out'
flake junk 'echo no image >$out'
flake slow "echo it runs; exec sleep 1000000.$$"
mkdir "$folder/flakes/wrong"
echo '{ outputs = ' >"$folder/flakes/wrong/flake.nix"

export KURTOSIS_FLAKES="$folder/flakes"
status=0
"$contract" docker flakes || status=$?
if [ -n "$(ls "$folder"/tmp/kurtosis-nix-*)" ] || pgrep -f "sleep 1000000[.]$$"; then
    echo "builds left folders or processes:" "$folder"/tmp/kurtosis-nix-*/*
    status=1
fi
exit $status
