# Where Docker is found: sockets, contexts, TCP with TLS, ssh, Podman.
[ "${KURTOSIS_SANDBOX:-}" = 1 ] || {
    echo "skipped: moving the Docker daemon needs one of our own (root)"
    trap - EXIT
    exit 77
}
image busybox
script hello.star <<'STAR'
def run(plan):
    plan.add_service("a", ServiceConfig(image = "busybox:1.36", cmd = ["sleep", "1000000"]))
    plan.print(plan.exec("a", ExecRecipe(["echo", "hello from a"]))["output"])
STAR
usual=/var/run/docker.sock
# A socket can only move within its file system.
export HOME=/run/e2e/home XDG_RUNTIME_DIR=/run/e2e/runtime
mkdir -p $HOME $XDG_RUNTIME_DIR

runs() { # ENCLAVE: an engine is started, runs something and is stopped
    ok kurtosis run hello.star --enclave "$1"
    says "hello from a"
    ok kurtosis clean --all
    ok kurtosis engine stop
}

it "a rootless Docker's socket is found, and Docker Desktop's"
for path in "$XDG_RUNTIME_DIR/docker.sock" "$HOME/.docker/run/docker.sock"; do
    mkdir -p "$(dirname "$path")"
    mv $usual "$path"
    ok kurtosis engine status
    says "No Kurtosis engine is running"
    mv "$path" $usual
done

it "a socket on which nobody listens does not hide the next one"
mv $usual "$XDG_RUNTIME_DIR/docker.sock"
ok python3 -c "import socket; s = socket.socket(socket.AF_UNIX); s.bind('$usual')"
ok kurtosis engine status
rm $usual
mv "$XDG_RUNTIME_DIR/docker.sock" $usual

it "the context that is in use is used, and one that is not there is named"
mv $usual /run/elsewhere.sock
ok docker context create far --docker "host=unix:///run/elsewhere.sock"
ok docker context use far
runs context
ok docker context use default
fails kurtosis engine status
says "cannot connect to the Docker daemon"
ok env DOCKER_CONTEXT=far kurtosis engine status
fails env DOCKER_CONTEXT=nowhere kurtosis engine status
says "there is no Docker context 'nowhere'"
ok env DOCKER_HOST=unix:///run/elsewhere.sock DOCKER_CONTEXT=nowhere kurtosis engine status
mv /run/elsewhere.sock $usual

it "an address of another kind is refused with those there are"
fails env DOCKER_HOST=http://127.0.0.1 kurtosis engine status
says "cannot use the Docker address 'http://127.0.0.1'" "ssh://user@name"
fails env DOCKER_HOST=ssh://-oProxyCommand=x kurtosis engine status
says "cannot use the Docker address"

it "over ssh, Docker's own command at the other end is the connection"
mkdir -p "$work/ssh"
cat >"$work/ssh/ssh" <<'SH'
#!/bin/sh
echo "$@" >>"$(dirname "$0")/called"
while [ "$1" != -- ]; do shift; done
[ "$2" = me@far ] || { echo "ssh: cannot find $2" >&2; exit 255; }
shift 2
unset DOCKER_HOST
exec "$@"
SH
chmod +x "$work/ssh/ssh"
ok env PATH="$work/ssh:$PATH" DOCKER_HOST=ssh://me@far:2200 kurtosis engine status
says "No Kurtosis engine is running"
grep -q -- '-p 2200 -- me@far docker system dial-stdio' "$work/ssh/called" || die "ssh is called otherwise"
fails env PATH="$work/ssh:$PATH" DOCKER_HOST=ssh://me@near kurtosis engine status
says "ssh: cannot find me@near" "ssh://me@near"

it "certificates are made for a daemon, its users and a stranger"
tls=$work/tls
mkdir -p "$tls"/{good,stranger,bare}
cat >certify <<'SH' # FOLDER FILE NAME CA-FOLDER: a key pair of that name, signed by the folder's CA
#!/bin/sh -e
openssl req -newkey rsa:2048 -nodes -subj "/CN=$3" -keyout "$1/$2-key.pem" -out request.pem
echo "subjectAltName = DNS:localhost, IP:127.0.0.1" >names
openssl x509 -req -in request.pem -CA "$4/ca.pem" -CAkey "$4/ca-key.pem" -CAcreateserial -days 2 -extfile names -out "$1/$2.pem"
SH
chmod +x certify
for folder in good stranger; do
    ok openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$folder" -keyout "$tls/$folder/ca-key.pem" \
        -out "$tls/$folder/ca.pem"
    ok ./certify "$tls/$folder" cert user "$tls/$folder"
    mv "$tls/$folder/cert-key.pem" "$tls/$folder/key.pem"
done
ok ./certify "$tls" server localhost "$tls/good"
cp "$tls/good/ca.pem" "$tls/bare"
"$root/tests/dockerd" stop "$KURTOSIS_SANDBOX_FOLDER"
"$root/tests/dockerd" start "$KURTOSIS_SANDBOX_FOLDER" --host unix://$usual --host tcp://127.0.0.1:2376 --tlsverify \
    --tlscacert "$tls/good/ca.pem" --tlscert "$tls/server.pem" --tlskey "$tls/server-key.pem"
mv $usual /run/elsewhere.sock # for the engine, which is on the daemon's machine, it must be back before

it "TCP with TLS needs the daemon's and the user's certificate to be good"
cat >with <<SH # FOLDER NAME COMMAND...
#!/bin/sh
export DOCKER_HOST=tcp://\$2:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$tls/\$1
shift 2
exec "\$@"
SH
chmod +x with
ok ./with good 127.0.0.1 kurtosis engine status
says "No Kurtosis engine is running"
ok ./with good localhost kurtosis engine status
fails ./with stranger 127.0.0.1 kurtosis engine status
says "with TLS: the greeting failed: unable to get local issuer certificate" "certificates are in '$tls/stranger'"
fails ./with bare 127.0.0.1 kurtosis engine status
says "TLS connection to the Docker daemon" "certificate" "broke"
fails ./with good 127.0.0.2 kurtosis engine status
ok env DOCKER_HOST=tcp://127.0.0.1:2376 DOCKER_TLS=1 DOCKER_CERT_PATH="$tls/good" kurtosis engine status
fails env DOCKER_HOST=tcp://127.0.0.1:2376 kurtosis engine status
says "HTTPS server" "DOCKER_TLS_VERIFY=1"

it "a context brings its certificates, and all works over TLS"
mv /run/elsewhere.sock $usual
ok docker context create secure --docker \
    "host=tcp://127.0.0.1:2376,ca=$tls/good/ca.pem,cert=$tls/good/cert.pem,key=$tls/good/key.pem"
export DOCKER_CONTEXT=secure
runs secure
unset DOCKER_CONTEXT
same "helpers that are left" "" "$(pgrep -x docker-tls || true)"

if command -v podman >/dev/null; then
    it "where there is only Podman, its service is started"
    mv $usual /run/elsewhere.sock
    mkdir -p "$work/podman"
    printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' "$work/podman/root" "$work/podman/run" \
        >"$work/podman/storage.conf"
    export CONTAINERS_STORAGE_CONF=$work/podman/storage.conf
    fails kurtosis engine status # Docker is installed, and does not run
    says "cannot connect to the Docker daemon" "is it running?"
    mount --bind /dev/null "$(command -v dockerd)"
    ok kurtosis engine status
    says "No Kurtosis engine is running"
    ok curl --silent --fail --unix-socket /run/podman/podman.sock http://podman/_ping
    ok kurtosis engine status
    kill "$(pgrep -f '[p]odman system service --time=0')"
    becomes "services of Podman" 0 sh -c "pgrep -c -f '[p]odman system service --time=0' || true"
    ok kurtosis engine status # its socket is still there, and nobody listens
    kill "$(pgrep -f '[p]odman system service --time=0')"
    rm -f /run/podman/podman.sock
    umount "$(command -v dockerd)"
    mv /run/elsewhere.sock $usual
fi
