# A full disk: clear errors, nothing half made, and all is well once there is room.
source "$root/tests/chaos/lib.sh"
own_daemon "filling Docker's disk"
image busybox

it "Docker moves to a small disk"
ok kurtosis engine stop
"$root/tests/dockerd" stop "$KURTOSIS_SANDBOX_FOLDER"
mkdir -p "$work/small"
mount -t tmpfs -o size=400m tmpfs "$work/small"
# A daemon whose disk is full can leave the bridge of a network that it could not write down: the next daemon does not
# know it, and gives its addresses away again.
back_to_the_large_disk() {
    "$root/tests/dockerd" stop "$work/small" || true
    umount -l "$work/small"
    ip -o link show type bridge | awk -F': ' '$2 ~ /^br-/ { print $2 }' | while read -r bridge; do ip link delete "$bridge"; done
    "$root/tests/dockerd" start "$KURTOSIS_SANDBOX_FOLDER"
}
trap 'back_to_the_large_disk; fixture_rescue' EXIT
"$root/tests/dockerd" start "$work/small" --storage-driver vfs
image busybox
ok kurtosis enclave add --name e
ok kurtosis service add e small "$image" --cmd "sleep 1000"

it "the disk is filled"
dd if=/dev/zero of="$work/small/filler" bs=1M 2>/dev/null || true

it "a service that cannot be made is an error that names it; nothing of it is left"
held=$(docker_holds)
fails kurtosis service add e big "$image" --cmd "sleep 1000"
says big
matches '[Nn]o space left|full'
same "what Docker holds" "$held" "$(docker_holds)"

it "files that cannot be stored are an error that names them"
head -c 20000000 /dev/urandom >big.bin
fails kurtosis files upload e big.bin --name big
says big
matches '[Nn]o space left|full'

it "an enclave that cannot be made is an error that names it"
fails kurtosis enclave add --name another
says another
ok kurtosis enclave ls
never_says another

it "with room again, everything works"
rm "$work/small/filler"
ok kurtosis service add e big "$image" --cmd "sleep 1000"
ok kurtosis service exec e big "echo alive"
ok kurtosis files upload e big.bin --name big
ok kurtosis clean --all
ok kurtosis engine stop
back_to_the_large_disk
trap 'fixture_rescue' EXIT
