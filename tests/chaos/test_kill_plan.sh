# The API container killed as each instruction of a small plan begins, then the same run again: what there is in the end is what
# there is after an undisturbed run.
source "$root/tests/chaos/lib.sh"
patience=60 # the container is started again, later each time
image busybox
arguments="{\"image\": \"$image\"}"
script plan.star <<'STAR'
def run(plan, args):
    conf = plan.render_templates(name = "conf", config = {"f": struct(template = "{{ .x }}", data = {"x": "content"})})
    a = plan.add_service("a", ServiceConfig(image = args["image"], cmd = ["sleep", "1000"], files = {"/conf": conf}))
    plan.exec("a", ExecRecipe(["sh", "-c", "mkdir -p /out && cp /conf/f /out/copy"]))
    made = plan.run_sh(run = "echo made >/made", image = args["image"], store = [StoreSpec("/made", "made")])
    plan.store_service_files("a", "/out", "stored")
    plan.add_service("b", ServiceConfig(image = args["image"], cmd = ["sleep", "1000"], files = {"/made": "made", "/stored": "stored"}, env_vars = {"A": a.ip_address}))
    plan.set_service("b", ServiceConfig(image = args["image"], labels = {"changed": "yes"}))
    plan.print("all done")
STAR
beginnings=("Rendering a template" "Adding service with name 'a'" "Executing command on service 'a'" "Running sh script"
    "Storing files from service 'a'" "Adding service with name 'b'" "Setting config of service 'b'" "Printing a message")

kill_apic() { # ENCLAVE: as the kernel would
    local pid
    pid=$(docker top "$(api_container "$1")" -eo pid,comm | awk '$2 == "kurtosis-apic" { print $1; exit }')
    [ -z "$pid" ] || kill -KILL "$pid"
}

# Containers with what matters of them, artifacts, and what is in files: without identifiers.
state() { # ENCLAVE
    local name
    docker ps -a --filter "label=com.kurtosistech.enclave-name=$1" --filter label=com.kurtosistech.container-type=user-service \
        --format '{{.Label "com.kurtosistech.id"}} {{.Image}} {{.State}} {{.Label "com.kurtosistech.custom.changed"}}' | sort
    kurtosis enclave inspect "$1" | awk '/Files Artifacts/ { on = 1; next } /=====/ { on = 0 } on && NF == 2 && $2 != "Name" { print "artifact", $2 }' | sort
    for name in "a:/conf/f" "a:/out/copy" "b:/made/made" "b:/stored/copy"; do
        echo "$name $(kurtosis service exec "$1" "${name%%:*}" "cat ${name#*:}" 2>/dev/null | grep -v 'exit code' | xargs)"
    done
}

it "an undisturbed run"
ok kurtosis run plan.star "$arguments" --enclave undisturbed
says "all done"
expected=$(state undisturbed)
echo "$expected"
ok kurtosis enclave rm --force undisturbed

for number in "${!beginnings[@]}"; do
    it "killed at \"${beginnings[$number]}\" the next run ends as an undisturbed one"
    name="k$number"
    timeout 100 kurtosis run plan.star "$arguments" --enclave "$name" >run.out 2>&1 &
    runner=$!
    comes "${beginnings[$number]}" run.out
    kill_apic "$name"
    status=0
    wait $runner || status=$?
    [ $status != 124 ] || die "the run hangs: $(cat run.out)"
    comes_back kurtosis run plan.star "$arguments" --enclave "$name"
    says "Starlark code successfully run"
    same "the end" "$expected" "$(state "$name")"
    ok kurtosis enclave rm --force "$name"
done
