# Images that Nix builds: the engine uses what is in /nix of the Docker host. There Debian's Nix is put, made to need
# nothing from outside, as an installation of Nix's own is; its store belongs to a user, and there is no daemon.
image busybox
debians_nix=$(realpath "$(command -v nix || true)" 2>/dev/null || true)
case ${KURTOSIS_SANDBOX:-}$debians_nix in
"1/nix/"* | "1" | "0"* | "/"* | "")
    it "skipped: needs a sandbox, and Debian's nix-bin"
    return 0
    ;;
esac

made_nix=
[ -d /nix ] || { mkdir /nix && made_nix=1; }
mount -t tmpfs -o mode=755 tmpfs /nix
nix_away() {
    umount --lazy /nix
    [ -z "$made_nix" ] || rmdir /nix 2>/dev/null || true
}
trap 'nix_away; fixture_rescue' EXIT
own=/nix/store/00000000000000000000000000000000-nix-2.8.0
mkdir -p $own/bin $own/lib $own/libexec/nix /nix/var/nix
cp "$debians_nix" $own/lib/nix
# shellcheck disable=SC2046
cp -L $(ldd "$debians_nix" | grep -oE '/[^ ]+') $own/lib/
cat >launcher.c <<'C'
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    char *first[] = {LOADER, "--argv0", argv[0], "--library-path", OWN "/lib", OWN "/lib/nix"};
    char **args = calloc(argc + 7, sizeof *args);
    for (int i = 0; i < 6; i++)
        args[i] = first[i];
    for (int i = 1; i < argc; i++)
        args[5 + i] = argv[i];
    setenv("NIX_LIBEXEC_DIR", OWN "/libexec", 1);
    execv(args[0], args);
    return 127;
}
C
ok gcc -static "-DOWN=\"$own\"" "-DLOADER=\"$(echo $own/lib/ld-linux*)\"" -o $own/bin/nix launcher.c
ln -s ../../bin/nix $own/libexec/nix/build-remote
chown -R 1234:1234 /nix/store /nix/var

it "a flake of a package becomes an image; it is built with the rights of whom the store belongs to"
script shop/kurtosis.yml <<<"name: github.com/me/shop"
mkdir -p shop/flake/bin
sh "$here/../contract/image.sh" "$work/shop/flake/image.tar" me/own:1 /flake
cp "$(command -v busybox)" shop/flake/bin/busybox
script shop/flake/flake.nix <<NIX
{
  outputs = { self }: {
    image = derivation {
      name = "image.tar"; system = "$(uname -m)-linux"; builder = "\${./bin}/busybox"; allowSubstitutes = false;
      args = [ "sh" "-c" "\${./bin}/busybox cp \${./image.tar} \$out" ];
    };
    refused = derivation {
      name = "refused.tar"; system = "$(uname -m)-linux"; builder = "\${./bin}/busybox"; allowSubstitutes = false;
      args = [ "sh" "-c" "\${./bin}/busybox id -u >&2; exit 3" ];
    };
  };
}
NIX
script shop/main.star <<'STAR'
def run(plan, output = "image"):
    plan.add_service("one", ServiceConfig(image = NixBuildSpec(
        image_name = "me/nix", build_context_dir = ".", flake_location_dir = "flake", flake_output = output)))
STAR
ok kurtosis run shop --enclave e
says "> me/nix - locally built"
ok kurtosis service exec e one "ls /flake"
answers "/flake"
added_images="$added_images me/nix me/own:1"
same "owners of the store" 1234 "$(stat -c %u /nix/store/* | sort -u)"

it "a build that fails says so with its last lines"
fails kurtosis run shop '{"output": "refused"}' --enclave e
says "Failed to build the required image 'me/nix'" "refused.tar> 1234" "exit code 3"

trap fixture_rescue EXIT
ok kurtosis engine stop
nix_away
