# kill -9 of the engine, the driver or an API container at several moments of a run: afterwards everything that is said is
# true, everything works again, and nothing is orphaned.
source "$root/tests/chaos/lib.sh"
truth_patience=20 # a run whose client is gone goes on
image busybox
arguments="{\"image\": \"$image\"}"
script long.star <<'STAR'
def run(plan, args):
    for i in range(6):
        plan.add_service(name = "s%d" % i, config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
        plan.exec(service_name = "s%d" % i, recipe = ExecRecipe(command = ["echo", "done %d" % i]))
STAR

# Kills one process of a container by name, as the kernel would.
kill_process() { # CONTAINER PROGRAM
    local pid
    pid=$(docker top "$1" -eo pid,comm | awk -v program="${2:0:15}" '$2 == program { print $1; exit }')
    [ -n "$pid" ] || die "there is no process '$2' in container '$1'"
    kill -KILL "$pid"
}

kill_engine() { kill_process "$(engine_container)" kurtosis-engine; }
kill_driver() { kill_process "$(engine_container)" kurtosis-docker-driver; }
kill_apic() { kill_process "$(api_container "$1")" kurtosis-apic; }

for victim in engine driver apic; do
    for moment in "s0' added" "done 1" "s3' added" "done 5"; do
        name="$victim-$(tr -dc 'a-z0-9' <<<"$moment")"
        it "$victim killed when the run says \"$moment\""
        ok kurtosis enclave add --name "$name"
        timeout 100 kurtosis run long.star "$arguments" --enclave "$name" >run.out 2>&1 &
        runner=$!
        comes "$moment" run.out
        kill_$victim "$name"
        status=0
        wait $runner || status=$?
        [ $status != 124 ] || die "the run hangs: $(cat run.out)"

        comes_back kurtosis enclave ls
        matches "$name +RUNNING"
        comes_back kurtosis enclave inspect "$name"
        truth "$name"

        it "$victim killed when \"$moment\": another run in that enclave works"
        comes_back kurtosis run long.star "$arguments" --enclave "$name"
        says "Starlark code successfully run"
        truth "$name"
        uuid=$(uuid_of "$name")
        ok kurtosis enclave rm --force "$name"
        same "containers, networks, volumes" "0 0 0" "$(holds "com.kurtosistech.enclave-id=$uuid")"
    done
done

it "engine killed while enclaves are made: each is either whole or not there"
for round in 1 2 3; do
    for number in 1 2 3 4; do
        kurtosis enclave add --name "r$round-$number" >/dev/null 2>&1 &
    done
    timeout 20 docker events --filter type=network --filter event=create --format x | head -1 >/dev/null
    kill_engine
    wait
    comes_back kurtosis enclave ls
    for name in $(plain | awk '$3 == "RUNNING" || $3 == "STOPPED" || $3 == "EMPTY" { print $2 }'); do
        ok kurtosis enclave inspect "$name"
    done
    ok kurtosis clean --all
    # What was half made is not shown, and undone by the engine in its own time.
    becomes "objects with an enclave" "0 0 0" holds com.kurtosistech.enclave-id
done

it "API container killed outright, and its container stopped: the enclave can be looked at and removed"
ok kurtosis enclave add --name gone
docker kill "$(api_container gone)" >/dev/null
ok kurtosis enclave ls
matches 'gone +(STOPPED|RUNNING)'
ok kurtosis enclave inspect gone
ok kurtosis enclave rm --force gone

it "engine container removed behind Kurtosis' back: the next command starts another, and the enclave is there"
ok kurtosis enclave add --name survivor
docker rm --force "$(engine_container)" >/dev/null
ok kurtosis enclave ls
matches 'survivor +RUNNING'
ok kurtosis service add survivor one "$image" --cmd "sleep 1000"
truth survivor

it "a service's container removed behind Kurtosis' back does not block the rest"
docker rm --force "$(service_container survivor one)" >/dev/null
ok kurtosis enclave inspect survivor
ok kurtosis service add survivor two "$image" --cmd "sleep 1000"
ok kurtosis enclave rm --force survivor
