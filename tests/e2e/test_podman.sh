# What a user does on Podman, with the engine as a container of Podman.
[ "${KURTOSIS_SANDBOX:-}" = 1 ] || {
    echo "skipped: Podman's networks need a sandbox of our own (root)"
    trap - EXIT
    exit 77
}
for program in podman runc catatonit /usr/lib/podman/netavark /usr/lib/podman/aardvark-dns; do
    command -v $program >/dev/null && continue
    echo "skipped: there is no $(basename $program)"
    trap - EXIT
    exit 77
done
podman=$(mktemp -d /tmp/kurtosis-e2e-podman.XXXXXX)
"$root/tests/podman" start "$podman"
export DOCKER_HOST=unix://$podman/podman.sock
before_podman=$(docker_holds)
image busybox
mkdir -p shop/site
echo "name: github.com/me/shop" >shop/kurtosis.yml
echo "served by Podman" >shop/site/index.html
cat >shop/Dockerfile <<DOCKER
FROM $image
ARG WORD=none
RUN echo "built with \$WORD" >/word
DOCKER
cat >shop/main.star <<'STAR'
def run(plan, args):
    site = plan.upload_files("site", name = "site")
    web = plan.add_service("web", ServiceConfig(
        image = args["image"],
        cmd = ["httpd", "-f", "-p", "80", "-h", "/site"],
        files = {"/site": site},
        ports = {"http": PortSpec(number = 80, application_protocol = "http")},
        ready_conditions = ReadyCondition(GetHttpRequestRecipe("http", "/"), "code", "==", 200),
    ))
    plan.add_service("client", ServiceConfig(
        image = ImageBuildSpec(image_name = "me/client", build_context_dir = ".", build_args = {"WORD": "care"}),
        cmd = ["sh", "-c", "cat /word; sleep 1000000"],
        env_vars = {"WEB": web.hostname},
        min_cpu = 0,
        max_memory = 64,
        tini_enabled = True,
    ))
    got = plan.exec("client", ExecRecipe(["sh", "-c", "ping -c 1 -w 10 $WEB >/dev/null && wget -q -O - http://$WEB/ && cat /word"]))
    plan.print(got["output"])
    plan.store_service_files("client", "/word", "word")
    once = plan.run_sh(run = "cat /in/word", image = args["image"], files = {"/in": "word"})
    plan.print("once: " + once.output)
STAR

it "a package runs: files, names, ports, health, a build, a task, an init process"
ok kurtosis run shop "{\"image\": \"$image\"}" --enclave shop
says "Service 'web' added" "Service 'client' added" "served by Podman" "built with care" "once: built with care"
same "the engine" 1 "$(docker ps --quiet --filter label=com.kurtosistech.container-type=kurtosis-engine | wc -l)"

it "a published port answers on this machine"
url=$(kurtosis port print shop web http)
ok curl --silent --fail "$url"
answers "served by Podman"

it "logs are stored and followed, commands run, files come out"
becomes "the client's log" "[client] built with care" sh -c "kurtosis service logs shop client --all | sed 's/\x1b\[[0-9;]*m//g'"
ok kurtosis service exec shop web "id -u"
says 0
ok kurtosis files download shop word got
ok cat got/word
answers "built with care"

it "a service stops, starts with its address and port, and goes"
address=$(docker inspect "$(service_container shop web)" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
ok kurtosis service stop shop web
ok kurtosis enclave inspect shop
matches 'web .*STOPPED'
ok kurtosis service start shop web
same "the address" "$address" "$(docker inspect "$(service_container shop web)" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')"
ok curl --silent --fail --retry 50 --retry-delay 0 --retry-connrefused "$url"
ok kurtosis service rm shop client
same "containers left of it" "" "$(service_container shop client)"

it "a service that crashes shows its exit code and its last lines"
script crash.star <<'STAR'
def run(plan, args):
    plan.add_service("bad", ServiceConfig(image = args["image"], cmd = ["sh", "-c", "echo the reason; exit 7"],
        ports = {"raw": PortSpec(number = 1234)}))
STAR
fails kurtosis run crash.star "{\"image\": \"$image\"}" --enclave shop
says "the reason" 7

it "GPUs, which Podman would leave out, are refused"
script gpu.star <<'STAR'
def run(plan, args):
    plan.add_service("gpu", ServiceConfig(image = args["image"], gpu = GpuConfig(count = 1)))
STAR
fails kurtosis run gpu.star "{\"image\": \"$image\"}" --enclave shop
says "this is Podman"

it "the engine is restarted and finds its enclave; in the end nothing is left"
ok kurtosis engine restart
ok kurtosis enclave inspect shop
matches 'web .*RUNNING'
ok kurtosis clean --all
ok kurtosis engine stop
docker rmi --force me/client >/dev/null 2>&1 || true
remove_images
added_images=
same "what Podman holds" "$before_podman" "$(docker_holds)"
"$root/tests/podman" stop "$podman"
umount "$podman/root/overlay" 2>/dev/null || true
rm -rf "$podman"
unset DOCKER_HOST
