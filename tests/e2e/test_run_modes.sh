# The ways in which a run can be run: resources that are checked, what must be permitted, tasks that stay, steps side by side.
image busybox
ok kurtosis enclave add --name m

star() { # BODY of run(plan), from standard input, with IMAGE as a name
    { echo "IMAGE = \"$image\"" && echo 'def run(plan):' && sed 's/^/    /'; } >run.star
}

it "what the machine does not have is refused before anything starts, unless that is not to be checked"
star <<'STAR'
plan.add_service(name = "small", config = ServiceConfig(image = IMAGE, cmd = ["sleep", "1000"], min_cpu = 1, min_memory = 1))
plan.add_service(name = "huge", config = ServiceConfig(image = IMAGE, cmd = ["sleep", "1000"], min_cpu = 10000000))
plan.add_service(name = "vast", config = ServiceConfig(image = IMAGE, cmd = ["sleep", "1000"], min_memory = 1000000000))
STAR
fails kurtosis run run.star --enclave m
says "service 'huge' requires '10000000' millicores of cpu but based on our calculation we will only have" \
    "service 'vast' requires '1000000000' megabytes of memory but based on our calculation we will only have"
never_says "service 'small' requires"
same "containers" "" "$(service_container m small)"
ok kurtosis run run.star --enclave m --resource-check=false
matches 'small +<none> +RUNNING'
matches 'huge +<none> +RUNNING'

it "what reaches into the host must be permitted"
star <<'STAR'
plan.add_service(name = "root", config = ServiceConfig(image = IMAGE, cmd = ["sleep", "1000"], host_pid_namespace = True))
STAR
fails kurtosis run run.star --enclave m
says "this run did not opt in. Pass --privileged on the CLI"
same "containers" "" "$(service_container m root)"
ok kurtosis run run.star --enclave m --privileged
same "whose processes it sees" host "$(docker inspect "$(service_container m root)" --format '{{.HostConfig.PidMode}}')"

it "a task's container goes when it is done, and stays where nobody is to wait for that"
star <<'STAR'
plan.run_sh(name = "task-a", run = "echo from a task", image = IMAGE)
STAR
ok kurtosis run run.star --enclave m
says "from a task"
same "containers" "" "$(service_container m task-a)"
star <<'STAR'
plan.run_sh(name = "task-b", run = "echo from a task", image = IMAGE)
STAR
ok kurtosis run run.star --enclave m --non-blocking-tasks
says "from a task"
[ -n "$(service_container m task-b)" ] || die "the container of the task is gone"

it "what was done is not done again, unless a feature says so; an unknown feature is an error"
star <<'STAR'
plan.print("once")
STAR
ok kurtosis run run.star --enclave m
says once
ok kurtosis run run.star --enclave m
says SKIPPED
ok kurtosis run run.star --enclave m --experimental NO_INSTRUCTIONS_CACHING
never_says SKIPPED
fails kurtosis run run.star --enclave m --experimental TIME_TRAVEL
says TIME_TRAVEL NO_INSTRUCTIONS_CACHING

it "steps that do not depend on each other run side by side"
star <<'STAR'
for name in ["one", "other"]:
    plan.add_service(name = name, config = ServiceConfig(image = IMAGE, cmd = ["sleep", "1000"]))
# each waits for a sign that the other one gives
sign = "touch /sign; while ! wget -q -O /dev/null http://%s/sign; do sleep 0.1; done"
plan.exec(service_name = "one", recipe = ExecRecipe(command = ["sh", "-c", "httpd -p 80 -h / && " + sign % "other"]))
plan.exec(service_name = "other", recipe = ExecRecipe(command = ["sh", "-c", "httpd -p 80 -h / && " + sign % "one"]))
STAR
ok kurtosis run run.star --enclave m --parallel
says "Starlark code successfully run"

it "a failure ends what runs beside it, and the enclave can be used"
star <<'STAR'
plan.exec(service_name = "one", recipe = ExecRecipe(command = ["sleep", "1000"]))
plan.exec(service_name = "other", recipe = ExecRecipe(command = ["sh", "-c", "echo oh no; exit 3"]))
STAR
LIMIT=60 fails kurtosis run run.star --enclave m --parallel
says "One or more instructions failed to execute in parallel" "exit code '3'" "oh no"
star <<'STAR'
plan.exec(service_name = "one", recipe = ExecRecipe(command = ["echo", "still there"]))
STAR
ok kurtosis run run.star --enclave m
says "still there"
