# Registries that stall, cut and lie, and a Docker daemon that is killed while it pulls and builds.
source "$root/tests/chaos/lib.sh"
own_daemon "killing the Docker daemon"
image busybox
daemon=$KURTOSIS_SANDBOX_FOLDER
patience=60 # engine and API container are just coming back
mkdir -p "$work/registry"
cat >"$work/registry/config.yml" <<YML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry/data}}
http: {addr: "127.0.0.1:5062"}
YML
OTEL_TRACES_EXPORTER=none docker-registry serve "$work/registry/config.yml" >"$work/registry/log" 2>&1 &
mode() { echo "$1" >"$work/registry/mode.new" && mv "$work/registry/mode.new" "$work/registry/mode"; }
mode good
python3 "$root/tests/chaos/registry.py" 5063 127.0.0.1:5062 "$work/registry/mode" >"$work/registry/says" 2>&1 &
for port in 5062 5063; do
    curl --silent --output /dev/null --retry 100 --retry-delay 0 --retry-max-time 20 --retry-connrefused --noproxy '*' \
        "http://127.0.0.1:$port/v2/"
done
# A layer that no other image has, or Docker would not fetch it.
head -c 1000000 /dev/urandom >"$work/noise"
container=$(docker create "$image" true)
docker cp "$work/noise" "$container:/noise"
docker commit "$container" 127.0.0.1:5062/box:1 >/dev/null
docker rm "$container" >/dev/null
docker push --quiet 127.0.0.1:5062/box:1 >/dev/null
docker rmi 127.0.0.1:5062/box:1 >/dev/null
# Docker itself would try a layer five times, for a minute and more.
"$root/tests/dockerd" stop "$daemon"
"$root/tests/dockerd" start "$daemon" --max-download-attempts 1
script pull.star <<'STAR'
def run(plan):
    plan.add_service("a", ServiceConfig(image = "127.0.0.1:5063/box:1", cmd = ["sleep", "1000000"]))
    plan.print(plan.exec("a", ExecRecipe(["echo", "hello from a"]))["output"])
STAR
absent() { # the image is not there, not even in parts that would pass for it
    fails docker image inspect 127.0.0.1:5063/box:1
}
ok kurtosis enclave add --name faults

it "a layer that breaks off is an error, and nothing starts"
mode cut
fails kurtosis run pull.star --enclave faults
says "Failed fetching the required image '127.0.0.1:5063/box:1'."
absent

it "a layer with other bytes than announced is refused"
mode lie
fails kurtosis run pull.star --enclave faults
says "Failed fetching the required image '127.0.0.1:5063/box:1'." "verification failed" \
    "what the registry sent is not what it had announced"
absent

it "a pull that stalls is called off with its enclave, and another goes on without it"
mode stall
kurtosis run pull.star --enclave faults >"$work/run" 2>&1 &
run_pid=$!
comes stalled "$work/registry/says"
ok kurtosis enclave rm --force faults
wait $run_pid || true
mode good
ok kurtosis run pull.star --enclave after
says "127.0.0.1:5063/box:1 - remotely downloaded" "hello from a"
ok kurtosis enclave rm --force after
docker rmi 127.0.0.1:5063/box:1 >/dev/null

it "a daemon that is killed during a pull fails the run, and the next run is whole"
ok kurtosis enclave add --name killed
mode stall
: >"$work/registry/says"
kurtosis run pull.star --enclave killed >"$work/run" 2>&1 &
run_pid=$!
comes stalled "$work/registry/says"
"$root/tests/dockerd" kill "$daemon"
mode good
"$root/tests/dockerd" start "$daemon" --max-download-attempts 1
code=0
wait $run_pid || code=$?
[ $code != 0 ] || die "the run succeeds: $(cat "$work/run")"
comes_back kurtosis run pull.star --enclave killed
says "hello from a"

it "a daemon that is killed during a build, too"
script shop/kurtosis.yml <<<"name: github.com/me/shop"
script shop/Dockerfile <<'DOCKER'
FROM 127.0.0.1:5063/box:1
COPY wait /wait
RUN if [ "$(cat /wait)" = long ]; then sleep 98765; fi
CMD ["sleep", "1000000"]
DOCKER
script shop/wait <<<long
script shop/main.star <<'STAR'
def run(plan):
    plan.add_service("b", ServiceConfig(image = ImageBuildSpec(image_name = "me/b", build_context_dir = ".")))
    plan.print(plan.exec("b", ExecRecipe(["echo", "hello from b"]))["output"])
STAR
kurtosis run shop --enclave killed >"$work/run" 2>&1 &
run_pid=$!
becomes "builds that run" 1 sh -c "pgrep -c -f '^sleep 9876[5]' || true"
"$root/tests/dockerd" kill "$daemon"
kill -KILL $(pgrep -f '^sleep 9876[5]') 2>/dev/null || true
"$root/tests/dockerd" start "$daemon" --max-download-attempts 1
code=0
wait $run_pid || code=$?
[ $code != 0 ] || die "the run succeeds: $(cat "$work/run")"
echo short >shop/wait
comes_back kurtosis run shop --enclave killed
says "hello from b"
ok kurtosis clean --all
docker rmi me/b 127.0.0.1:5063/box:1 >/dev/null
