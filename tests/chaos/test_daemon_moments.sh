# The Docker daemon is killed while containers are made and started, while a command runs, while logs are followed: nothing
# hangs, and afterwards everything that is said is true.
source "$root/tests/chaos/lib.sh"
own_daemon "killing the Docker daemon"
image busybox
daemon=$KURTOSIS_SANDBOX_FOLDER
patience=60
script several.star <<'STAR'
def run(plan, args):
    for i in range(6):
        plan.add_service(name = "s%d" % i, config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"],
            files = {"/data": "some"}, ports = {"raw": PortSpec(number = 7000, wait = None)}))
STAR
echo content >some

# Ends within two minutes, however.
ends() { # PID WHAT
    timeout 120 tail --pid="$1" --follow /dev/null || die "$2 hangs"
}

blow() { # the daemon dies and comes again
    "$root/tests/dockerd" kill "$daemon"
    ends "$1" "$2"
    "$root/tests/dockerd" start "$daemon"
    comes_back kurtosis enclave ls
    matches 'e +RUNNING'
}

ok kurtosis enclave add --name e
uuid=$(uuid_of e)
ok kurtosis files upload e some --name some

for moment in create start; do
    it "daemon killed when a service's container is in its '$moment'"
    timeout 60 docker events --filter type=container --filter "event=$moment" --filter label=com.kurtosistech.container-type=user-service \
        --format '{{.Action}}' >events.out 2>/dev/null &
    events=$!
    kurtosis run several.star "{\"image\": \"$image\"}" --enclave e >run.out 2>&1 &
    runner=$!
    comes "$moment" events.out
    blow "$runner" "the run"
    wait $events || true
    truth e comes_back

    it "daemon killed in '$moment': the run is taken up again"
    comes_back kurtosis run several.star "{\"image\": \"$image\"}" --enclave e
    truth e comes_back
    for i in 0 1 2 3 4 5; do ok kurtosis service rm e "s$i"; done
done

it "daemon killed while a command runs in a service, and while its log is followed: both end"
ok kurtosis service add e web "$image" --cmd "sleep 1000"
kurtosis service logs e web --follow >logs.out 2>&1 &
logs=$!
kurtosis service exec e web "touch /tmp/begun; sleep 1000" >exec.out 2>&1 &
exec=$!
becomes "the command" begun docker exec "$(service_container e web)" sh -c 'cd /tmp; ls begun 2>/dev/null || true'
blow "$exec" "the command"
ends "$logs" "the log"
! wait $exec || die "the command claims to have ended well: $(cat exec.out)"
comes_back kurtosis service start e web
comes_back kurtosis service exec e web "echo alive"
says alive

it "everything can be removed"
ok kurtosis enclave rm --force e
same "containers, networks, volumes" "0 0 0" "$(holds "com.kurtosistech.enclave-id=$uuid")"
