# Bad input: one clear error that says what to do, exit 1, nothing left behind.
image busybox
ok kurtosis enclave add --name e
held=$(docker_holds)

run_star() { # TEXT-OF-RUN: the body of run(plan, args); fails, and leaves Docker as it was
    printf 'def run(plan, args):\n%s\n' "$1" >bad.star
    fails kurtosis run bad.star "{\"image\": \"$image\"}" --enclave e
    same "what Docker holds" "$held" "$(docker_holds)"
}

it "a file that is not there"
fails kurtosis run nowhere.star --enclave e
says nowhere.star

it "a file that is no script, a folder that is no package"
touch notes.txt
fails kurtosis run notes.txt --enclave e
says ".star"
mkdir -p empty
fails kurtosis run empty --enclave e
says kurtosis.yml

it "none of these makes an enclave"
fails kurtosis run nowhere.star --enclave never
ok kurtosis enclave ls
never_says never

it "a DOCKER_HOST that is no address, at once"
XDG_DATA_HOME=$work/stranger LIMIT=5 DOCKER_HOST=bogus fails kurtosis engine status
says "DOCKER_HOST" "unix:///"

it "a full disk under standard output"
fails sh -c 'kurtosis enclave ls >/dev/full'
says "standard output"

it "a package whose kurtosis.yml is wrong"
mkdir -p package
echo 'name: [unfinished' >package/kurtosis.yml
echo 'def run(plan): pass' >package/main.star
fails kurtosis run package --enclave e
says kurtosis.yml
echo 'description: no name' >package/kurtosis.yml
fails kurtosis run package --enclave e
says name
echo 'name: github.com/example/package' >package/kurtosis.yml
rm package/main.star
fails kurtosis run package --enclave e
says main.star
echo 'nam: x' >>package/kurtosis.yml
fails kurtosis run package --enclave e
says "kurtosis.yml" "line 2, column 1: unknown key 'nam'"
printf 'name: github.com/example/package\nreplace: {github.com/example/lib: ../lib}\n' >package/kurtosis.yml
fails kurtosis run package --enclave e
says "'../lib' that 'replace' in" "kurtosis.yml' names for 'github.com/example/lib'"

it "files that a package names and that are not in it, with the place"
echo 'name: github.com/example/package' >package/kurtosis.yml
import_of() { # CALL
    printf 'x = %s\ndef run(plan):\n    pass\n' "$1" >package/main.star
    fails kurtosis run package --enclave e --dry-run
    matches 'at \[github.com/example/package/main.star:1:1[48]\]'
}
import_of 'import_module("./main.star")'
says "There's a cycle in the import_module calls"
import_of 'import_module("none.star")'
says "'/none.star' doesn't exist in the package 'example/package'"
import_of 'read_file("../../../../etc/passwd")'
says "'../etc/passwd'"
import_of 'read_file("/../../../../../etc/passwd")'
says "'../../etc/passwd'"
import_of 'import_module("https://github.com/far/lib/x.star")'
says "the locator of another package begins with 'github.com/', not with a scheme"

it "what a package's folder has and cannot go along is left out"
printf 'def run(plan):\n    plan.print("runs")\n' >package/main.star
mkdir -p package/.venv
ln -s /usr/bin/env package/.venv/env
ln -s nowhere package/dangling
mkfifo package/pipe
ok kurtosis run package --enclave e
says runs

it "a syntax error, with its place"
run_star '    plan.print("a"'
says "There was an error interpreting Starlark code"
matches 'at \[3:1\]'
printf 'def run(plan, args)\n    pass\n' >bad.star
fails kurtosis run bad.star --enclave e
matches '1:20|\[1:2[0-9]\]|\[2:'

it "a script without run()"
echo 'x = 1' >bad.star
fails kurtosis run bad.star --enclave e
says "run"

it "a name that is not defined"
run_star '    plan.print(undefined_name)'
says undefined_name

it "an instruction that does not exist"
run_star '    plan.launch_rocket(name = "x")'
says launch_rocket

it "an argument that does not exist, one that is missing, one of the wrong type"
run_star '    plan.print(message = "x")'
says message print
run_star '    plan.add_service(name = "web")'
says config add_service
run_star '    plan.add_service(name = 5, config = ServiceConfig(image = args["image"]))'
says name String
run_star '    plan.add_service(name = "web", config = "nginx")'
says ServiceConfig
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], colour = "red"))'
says colour ServiceConfig
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], ports = {"http": 80}))'
says ports

it "a port out of range, or with an unknown transport, or a bad id"
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], ports = {"http": PortSpec(number = 70000)}))'
says 65535
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], ports = {"http": PortSpec(number = 80, transport_protocol = "PIGEON")}))'
says PIGEON TCP UDP
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], ports = {"HTTP PORT": PortSpec(number = 80)}))'
says "Port name 'HTTP PORT' is invalid"

it "a bad service name, a name twice"
run_star '    plan.add_service(name = "Web_1", config = ServiceConfig(image = args["image"]))'
says "Service name 'Web_1' is invalid"
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"]))
    plan.add_service(name = "web", config = ServiceConfig(image = args["image"]))'
says "service with the name 'web' already exists inside the package"

it "a service or a files artifact that does not exist"
run_star '    plan.remove_service(name = "nobody")'
says nobody
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], files = {"/x": "no-artifact"}))'
says "no-artifact"
run_star '    plan.upload_files(src = "nowhere.txt")'
says nowhere.txt

it "errors of all services are reported before anything starts"
run_star '    plan.add_service(name = "good", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
    plan.add_service(name = "Bad_1", config = ServiceConfig(image = args["image"]))
    plan.add_service(name = "Bad_2", config = ServiceConfig(image = args["image"]))
    plan.add_service(name = "third", config = ServiceConfig(image = args["image"], files = {"/x": "no-artifact"}))'
says "There was an error validating Starlark code" Bad_1 Bad_2 no-artifact
never_says "added with service UUID"

it "an image that cannot be had, before anything starts"
run_star '    plan.add_service(name = "good", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
    plan.add_service(name = "web", config = ServiceConfig(image = "127.0.0.1:1/nobody/nothing:1"))'
says "127.0.0.1:1/nobody/nothing:1" "validating"
never_says "added with service UUID"
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = "Not An Image"))'
says "Not An Image"

it "a host port that is in use"
docker run --detach --name e2e-holds-port --publish 28765:80 "$image" sleep 1000 >/dev/null
held=$(docker_holds)
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"],
        ports = {"http": PortSpec(number = 80, wait = None)}, public_ports = {"http": PortSpec(number = 28765)}))'
says 28765
docker rm --force e2e-holds-port >/dev/null
held=$(docker_holds)

it "a container that ends at once: its exit code and its logs"
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], cmd = ["sh", "-c", "echo last words; exit 7"],
        ports = {"http": PortSpec(number = 80, wait = "60s")}))'
says web "last words"

it "a program that is not in the image"
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], cmd = ["no-such-program"]))'
says web no-such-program

it "a port that never opens: which one, how long, and the logs of the service"
printf 'def run(plan, args):\n    plan.add_service(name = "web", config = ServiceConfig(image = args["image"],
        cmd = ["sh", "-c", "echo not listening; sleep 1000"], ports = {"http": PortSpec(number = 80, wait = "1s")}))\n' >bad.star
fails kurtosis run bad.star "{\"image\": \"$image\"}" --enclave e
says 80 web "not listening"

it "too little memory"
run_star '    plan.add_service(name = "web", config = ServiceConfig(image = args["image"], max_memory = 3))'
says memory

it "an enclave's services still work after all this"
ok kurtosis service add e fine "$image" --cmd "sleep 1000"
ok kurtosis service exec e fine "echo alive"
says alive

it "options of service add that make no sense"
fails kurtosis service add e web2 "$image" --ports http=eighty
says eighty
fails kurtosis service add e web2 "$image" --ports http=80/pigeon
says pigeon
fails kurtosis service add e web2 "$image" --env NOVALUE
says NOVALUE
fails kurtosis service add e web2 "$image" --files /x:no-artifact
says no-artifact
fails kurtosis service add e web2 "$image" extra words
says accepts

it "no Docker: every command says so, and what to do"
ok kurtosis engine stop
for words in "engine start" "enclave ls" "run bad.star"; do
    # shellcheck disable=SC2086
    DOCKER_HOST=unix:///nowhere/docker.sock fails kurtosis $words
    says Docker /nowhere/docker.sock
done
ok kurtosis enclave ls

it "an engine that does not answer is said to be so"
pid=$(docker top "$(engine_container)" -eo pid,comm | awk '$2 == "kurtosis-engine" { print $1; exit }')
kill -STOP "$pid"
LIMIT=60 fails kurtosis enclave ls
says "engine restart"
kill -CONT "$pid"
ok kurtosis enclave ls
