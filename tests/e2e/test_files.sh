# Files: upload, inspect, download; into services and out of them; templates; no helper containers.
image busybox
ok kurtosis enclave add --name e

it "a folder is uploaded, shown as a tree, and comes back as it was"
mkdir -p stuff/deep/er
echo one >stuff/one.txt
echo two >stuff/deep/er/two.txt
head -c 3000000 /dev/urandom >stuff/deep/big.bin
printf '#!/bin/sh\necho run\n' >stuff/run.sh
chmod 755 stuff/run.sh
ok kurtosis files upload e stuff --name stuff
says "Files package 'stuff' uploaded with UUID:"
ok kurtosis files inspect e stuff
says "Artifact 'stuff' contents:" one.txt deep two.txt "[2.9M]"
ok kurtosis files inspect e stuff deep/er/two.txt
says "File contents:" two
ok kurtosis files download e stuff back
ok diff -r stuff back
[ -x back/run.sh ] || die "the mode of run.sh is lost"

it "a single file is uploaded under its name; a download can stay packed"
ok kurtosis files upload e stuff/one.txt --name single
ok kurtosis files download e single packed --no-extract
ok tar -tzf packed/single.tgz
matches '(^|/)one.txt$'

it "the enclave shows its artifacts, by name"
ok kurtosis enclave inspect e
matches '^[0-9a-f]{12} +single$'
matches '^[0-9a-f]{12} +stuff$'

it "what is wrong is said"
fails kurtosis files upload e nowhere
says nowhere
fails kurtosis files upload e stuff --name stuff
says stuff
fails kurtosis files inspect e nothing
says nothing
fails kurtosis files inspect e stuff not/there
says not/there
fails kurtosis files download e nothing
says nothing

it "an ignore file keeps files out"
mkdir -p partial
touch partial/keep.txt partial/drop.log
echo '*.log' >partial/.kurtosisignore
ok kurtosis files upload e partial --name partial
ok kurtosis files inspect e partial
says keep.txt
never_says drop.log

it "several artifacts reach a service's folders before it starts, without any other container"
docker events --filter type=container --filter event=create --format '{{.Actor.Attributes.name}}' >events.out 2>&1 &
events=$!
ok kurtosis service add e reader "$image" --cmd "cat /all/one.txt /all/keep.txt /alone/one.txt /all/deep/er/two.txt" \
    --files "/all:stuff|partial,/alone:single"
ok kurtosis service logs e reader
says one two
script sleeper.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "holder", config = ServiceConfig(
        image = args["image"],
        cmd = ["sleep", "1000"],
        files = {"/all": Directory(artifact_names = ["stuff", "partial"]), "/keep": Directory(persistent_key = "kept")},
    ))
STAR
ok kurtosis run sleeper.star "{\"image\": \"$image\"}" --enclave e
kill $events
wait $events || true
same "containers made" "holder reader" "$(sed 's/--.*//' events.out | sort | xargs)"
ok kurtosis service exec e holder "cmp /all/deep/big.bin /all/deep/big.bin && wc -c </all/deep/big.bin && /all/run.sh"
says 3000000 run

it "a service's changes to its files stay its own"
ok kurtosis service exec e holder "echo changed >/all/one.txt"
ok kurtosis files inspect e stuff one.txt
says one
never_says changed

it "files of a service become an artifact, and go into another service"
script store.star <<'STAR'
def run(plan, args):
    plan.exec(service_name = "holder", recipe = ExecRecipe(command = ["sh", "-c", "mkdir -p /made && echo made-here >/made/file && echo more >/made/more"]))
    name = plan.store_service_files(service_name = "holder", src = "/made", name = "made")
    plan.add_service(name = "taker", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"], files = {"/taken": name}))
    result = plan.exec(service_name = "taker", recipe = ExecRecipe(command = ["cat", "/taken/file"]))
    plan.verify(value = result["output"], assertion = "==", target_value = "made-here\n")
STAR
ok kurtosis run store.star "{\"image\": \"$image\"}" --enclave e
says "Files with artifact name 'made' uploaded with artifact UUID"
ok kurtosis files download e made made
ok cat made/more
answers more

it "templates are rendered, with values of services that run"
script template.star <<'STAR'
def run(plan, args):
    holder = plan.get_service(name = "holder")
    plan.render_templates(name = "conf", config = {
        "etc/app.conf": struct(
            template = "host={{ .Host }}\n{{ range .Ports }}port={{ . }}\n{{ end }}{{ if .On }}on{{ else }}off{{ end }}\n",
            data = {"Host": holder.ip_address, "Ports": [80, 443], "On": True},
        ),
    })
STAR
ok kurtosis run template.star --enclave e
ok kurtosis files inspect e conf etc/app.conf
matches 'host=172\.16\.[0-9]+\.[0-9]+'
says port=80 port=443
matches '^on$'

it "a template that is wrong is an error"
script bad.star <<'STAR'
def run(plan, args):
    plan.render_templates(name = "bad", config = {"x": struct(template = "{{ .Unclosed", data = {})})
STAR
fails kurtosis run bad.star --enclave e
says "template"

it "run_sh runs in a container of its own, keeps what is asked for, and is gone"
script task.star <<'STAR'
def run(plan, args):
    result = plan.run_sh(
        run = "cat /in/one.txt; echo $WORD; mkdir /out; echo stored >/out/file",
        image = args["image"],
        files = {"/in": "stuff"},
        env_vars = {"WORD": "hello"},
        store = [StoreSpec(src = "/out/*", name = "outcome")],
    )
    plan.verify(value = result.output, assertion = "==", target_value = "one\nhello\n")
    plan.verify(value = result.code, assertion = "==", target_value = 0)
STAR
ok kurtosis run task.star "{\"image\": \"$image\"}" --enclave e
says "Command returned with exit code '0'"
ok kurtosis files inspect e outcome file
says stored
same "tasks left" "" "$(docker ps -aq --filter name=task-)"

it "a task that fails says its code and output"
script badtask.star <<'STAR'
def run(plan, args):
    plan.run_sh(run = "echo why; false", image = args["image"])
STAR
fails kurtosis run badtask.star "{\"image\": \"$image\"}" --enclave e
says "'1'" why

it "removing a service removes the volumes of its files, and keeps persistent ones until the enclave goes"
files_volumes() { docker volume ls -q --filter label=com.kurtosistech.volume-type=files-artifacts-expansion | wc -l; }
count=$(files_volumes)
ok kurtosis service rm e holder
same "volumes of files" $((count - 1)) "$(files_volumes)"
same "persistent volumes" 1 "$(docker volume ls -q --filter label=com.kurtosistech.volume-type=persistent-directory | wc -l)"
ok kurtosis enclave rm --force e
same "persistent volumes" 0 "$(docker volume ls -q --filter label=com.kurtosistech.volume-type=persistent-directory | wc -l)"
