# kurtosis run: scripts, packages, arguments, what is printed and when, failures in each phase.
image busybox

it "a script's instructions and results are printed, and its output at the end"
script hello.star <<'STAR'
def run(plan, args):
    plan.print("hello " + args.get("who", "world"))
    return {"greeted": args.get("who", "world"), "numbers": [1, 2.5, True, None]}
STAR
ok kurtosis run hello.star --enclave one
says "Created enclave: one" "Printing a message" "hello world" "Starlark code successfully run. Output was:" \
    '"greeted": "world"'

it "arguments are JSON or YAML, inline or in a file"
ok kurtosis run hello.star '{"who": "json"}' --enclave one
says "hello json"
never_says "Created enclave"
ok kurtosis run hello.star 'who: yaml' --enclave one
says "hello yaml"
echo '{"who": "file"}' >args.json
ok kurtosis run hello.star --args-file args.json --enclave one
says "hello file"
echo 'who: yamlfile # with a comment' >args.yml
ok kurtosis run hello.star --args-file args.yml --enclave one
says "hello yamlfile"
fails kurtosis run hello.star '{"who": ' --enclave one
says "not a valid JSON or YAML"
fails kurtosis run hello.star --args-file nowhere.json --enclave one
says "nowhere.json"

it "arguments reach the parameters of run by name"
script named.star <<'STAR'
def run(plan, first, second = "default"):
    plan.print(first + "/" + second)
STAR
ok kurtosis run named.star '{"first": "given"}' --enclave one
says "given/default" "No output was returned."
fails kurtosis run named.star --enclave one
says "first"

it "another main function can be named"
script other.star <<'STAR'
def main_of_mine(plan):
    plan.print("mine")
STAR
ok kurtosis run other.star --main-function-name main_of_mine --enclave one
says mine

it "an enclave is made, with a name made up, when none is named"
ok kurtosis run hello.star
matches 'Created enclave: [a-z]+-[a-z]+'

it "the enclave is shown at the end, unless that is not wanted"
ok kurtosis run hello.star --enclave one
says "User Services"
ok kurtosis run hello.star --enclave one --show-enclave-inspect=false
never_says "User Services"

it "a package is a folder with kurtosis.yml, given as the folder or as that file"
script package/kurtosis.yml <<'YAML'
name: github.com/example/package
YAML
script package/lib/words.star <<'STAR'
WORDS = ["from", "a", "module"]

def join():
    return " ".join(WORDS)
STAR
script package/text.txt <<'TEXT'
content of a file
TEXT
script package/main.star <<'STAR'
words = import_module("./lib/words.star")

def run(plan, args):
    plan.print(words.join())
    plan.print(read_file("/text.txt").strip())
    plan.print(len(words.WORDS))
STAR
number=0
for path in package package/kurtosis.yml "$PWD/package"; do
    number=$((number + 1))
    ok kurtosis run "$path" --enclave package$number
    says "from a module" "content of a file" "Starlark code successfully run"
done
cp package/main.star package/second.star
ok kurtosis run package --main-file second.star --enclave second
says "from a module"

it "a module of one's own package is imported by its path, not by the package's name"
echo 'import_module("github.com/example/package/lib/words.star")' >package/absolute.star
fails kurtosis run package --main-file absolute.star --enclave one
says "only relative import syntax"

it "what an enclave has already run is not run again"
ok kurtosis run package --enclave package1
says "SKIPPED - This instruction has already been run in this enclave"
never_says "from a module"

it "verbosity chooses what is shown of an instruction"
ok kurtosis run hello.star --enclave one --verbosity brief
says '> print msg="hello world"'
ok kurtosis run hello.star --enclave one -v detailed
matches '^> print$'
says "execution duration"
ok kurtosis run hello.star --enclave one -v EXECUTABLE
says '# from ' 'print(msg="hello world")'
ok kurtosis run hello.star --enclave quiet -v output_only
says "hello world"
never_says "Printing a message"
fails kurtosis run hello.star --enclave one -v chatty
says chatty

it "a dry run starts nothing"
script service.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
STAR
ok kurtosis run service.star "{\"image\": \"$image\"}" --dry-run --enclave dry
says "Adding service with name 'web' and image '$image'"
never_says "added with service UUID"
same "containers of dry" "1 1 1" "$(holds "com.kurtosistech.enclave-id=$(uuid_of dry)")"

it "a dry run fetches no image, leaves no enclave of its own, and fails as a run would"
enclaves=$(kurtosis enclave ls)
ok kurtosis run service.star '{"image": "nowhere.invalid/none:1"}' --dry-run
says "Container images that a run would use:" "> nowhere.invalid/none:1" "Adding service with name 'web'"
fails kurtosis run service.star --dry-run
says "key \"image\" not in dict"
same "enclaves" "$enclaves" "$(kurtosis enclave ls)"

it "results come as they happen, not at the end"
script slow.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
    plan.print("early")
    plan.exec(service_name = "web", recipe = ExecRecipe(command = ["sh", "-c", "while ! test -e /go; do sleep 0.1; done"]))
    plan.print("late")
STAR
kurtosis run slow.star "{\"image\": \"$image\"}" --enclave slow >slow.out 2>&1 &
slow=$!
comes early slow.out
! grep -q '^late' slow.out || die "the last result came before its time"
docker exec "$(service_container slow web)" touch /go
wait $slow || die "the run fails: $(cat slow.out)"
grep -q '^late' slow.out || die "the last result does not come"

it "a client that leaves does not undo the run, and says how to see it"
kurtosis run slow.star "{\"image\": \"$image\"}" --enclave left >left.out 2>&1 &
left=$!
comes early left.out
kill -INT $left
code=0
wait $left || code=$?
same "exit code after Ctrl-C" 1 $code
grep -qF "the run goes on in the enclave. 'kurtosis enclave attach left' shows it" left.out || die "$(cat left.out)"

it "another client can attach to the run, sees it from its beginning, and ends with it"
kurtosis enclave attach left >attached.out 2>&1 &
attached=$!
comes early attached.out
kurtosis enclave attach left --only-new >new.out 2>&1 &
new=$!
comes "This is the run of a script" new.out
docker exec "$(service_container left web)" touch /go
wait $attached || die "attach fails: $(cat attached.out)"
wait $new || die "attach fails: $(cat new.out)"
grep -q '^late' attached.out || die "the last result is not shown: $(cat attached.out)"
grep -qF 'Starlark code successfully run' attached.out || die "its end is not shown: $(cat attached.out)"
grep -q '^late' new.out || die "the last result is not shown: $(cat new.out)"
! grep -q '^early' new.out || die "what was there before is shown: $(cat new.out)"

it "what has ended can be seen again, and its exit code is the run's"
ok kurtosis enclave attach left
says "This was the run of a script" early late "Starlark code successfully run"
printf 'def run(plan):\n    plan.verify(1, "==", 2)\n' >wrong.star
fails kurtosis run wrong.star --enclave left
fails kurtosis enclave attach left
says "Error encountered running Starlark code"
ok kurtosis enclave add --name empty
fails kurtosis enclave attach empty
says "nothing has been run in this enclave"

it "a client that is killed leaves the run going; the next run waits for it and says how to see it"
kurtosis run slow.star "{\"image\": \"$image\"}" --enclave killed >killed.out 2>&1 &
killed=$!
comes early killed.out
kill -9 $killed
wait $killed || true
kurtosis run hello.star --enclave killed >next.out 2>&1 &
next=$!
comes "'kurtosis enclave attach $(uuid_of killed | cut -c 1-12)' shows what it does" next.out
kurtosis enclave attach killed --only-new >attached.out 2>&1 &
attached=$!
comes "This is the run of a script" attached.out
docker exec "$(service_container killed web)" touch /go
wait $attached || die "attach fails: $(cat attached.out)"
grep -q '^late' attached.out || die "the last result is not shown: $(cat attached.out)"
wait $next || die "the next run fails: $(cat next.out)"
grep -q "hello world" next.out || die "the next run does not run: $(cat next.out)"

it "a run goes on while the engine is another one; its client says how to see the rest"
script waiting.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
    plan.print("early")
    plan.wait(service_name = "web", recipe = ExecRecipe(command = ["test", "-e", "/go"]), field = "code", assertion = "==",
              target_value = 0, interval = "200ms", timeout = "5m")
    plan.print("late")
STAR
kurtosis run waiting.star "{\"image\": \"$image\"}" --enclave cut >cut.out 2>&1 &
cut=$!
comes early cut.out
ok kurtosis engine restart
code=0
wait $cut || code=$?
same "exit code of the client" 1 $code
grep -qF "the run was cut off: 'kurtosis enclave attach cut' shows how it goes on" cut.out || die "$(cat cut.out)"
becomes "whether the API container is back" yes sh -c "kurtosis service inspect cut web >service.out 2>&1 && echo yes"
kurtosis enclave attach cut >attached.out 2>&1 &
attached=$!
comes early attached.out
docker exec "$(service_container cut web)" touch /go
wait $attached || die "attach fails: $(cat attached.out)"
grep -q '^late' attached.out || die "the last result is not shown: $(cat attached.out)"

it "a failing script exits 1 with file, line, column, the call stack and the cause"
script broken.star <<'STAR'
def inner(values):
    return values["missing"]

def outer(plan):
    return inner({"there": 1})

def run(plan, args):
    outer(plan)
STAR
fails kurtosis run broken.star --enclave one
says "There was an error interpreting Starlark code" "missing" "run" "outer" "inner" \
    "Error encountered running Starlark code."
matches '\[2:18\]'
matches '\[5:17\]'
matches '\[8:10\]'

it "fail() is an error with its text"
script failing.star <<'STAR'
def run(plan, args):
    plan.print("never shown")
    fail("because I said so")
STAR
fails kurtosis run failing.star --enclave one
says "because I said so"
never_says "Printing a message"

it "a failure in execution says which instruction, and what came before it stays"
script half.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "stays", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
    plan.exec(service_name = "stays", recipe = ExecRecipe(command = ["sh", "-c", "echo oh no; exit 3"]))
    plan.print("never shown")
STAR
fails kurtosis run half.star "{\"image\": \"$image\"}" --enclave half
says "There was an error executing Starlark code" "instruction (number 2)" "half.star" "exit code '3'" "oh no" \
    "Service 'stays' added with service UUID"
never_says "never shown"
ok kurtosis enclave inspect half
matches 'stays +<none> +RUNNING'

it "verify fails with both values"
script verify.star <<'STAR'
def run(plan, args):
    plan.verify(value = "a", assertion = "==", target_value = "b")
STAR
fails kurtosis run verify.star --enclave one
says "\"a\"" "\"b\"" "=="

it "twenty services start in parallel, and each is there"
script twenty.star <<'STAR'
def run(plan, args):
    plan.add_services(configs = {
        "s%d" % i: ServiceConfig(image = args["image"], cmd = ["httpd", "-f", "-p", "80"], ports = {"http": PortSpec(80)})
        for i in range(20)
    })
STAR
ok kurtosis run twenty.star "{\"image\": \"$image\"}" --enclave twenty --parallelism 8
says "Successfully added the following '20' services:"
same "running services" 20 "$(docker ps -q --filter label=com.kurtosistech.enclave-name=twenty \
    --filter label=com.kurtosistech.container-type=user-service | wc -l)"
same "private addresses" 20 "$(docker ps -q --filter label=com.kurtosistech.enclave-name=twenty \
    --filter label=com.kurtosistech.container-type=user-service |
    xargs docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' | sort -u | wc -l)"
