# Services: add, inspect, ports, logs, exec, shell, stop, start, rm; as Docker shows them.
image busybox
ok kurtosis enclave add --name e
e=$(uuid_of e)

it "add starts one container, named, labelled and addressed as Kurtosis does"
ok kurtosis service add e web "$image" --cmd "httpd -f -v -p 80 -h /etc" --ports http=http:80/tcp,raw=7777/udp \
    --env COLOUR=blue,GREETING=a=b
web=$(service_container e web)
ok docker inspect "$web" --format '{{.Name}} {{json .Config.Labels}} {{json .Config.Env}}'
matches "^/web--[0-9a-f]{32} "
says '"com.kurtosistech.container-type":"user-service"' '"com.kurtosistech.id":"web"' \
    "\"com.kurtosistech.enclave-id\":\"$e\"" '"com.kurtosistech.enclave-name":"e"' \
    '"com.kurtosistech.ports":"http:80/TCP/http,raw:7777/UDP"' '"kurtosis_service_name":"web"' '"COLOUR=blue"' '"GREETING=a=b"'
ok docker inspect "$web" --format '{{json .NetworkSettings.Networks}}'
says kt-e web
matches '"IPAddress":"172\.16\.[0-9]+\.[0-9]+"'

it "inspect of the enclave shows its ports and where they are published; curl reaches them"
ok kurtosis enclave inspect e
matches '^[0-9a-f]{12} +web +http: 80/tcp -> http://127.0.0.1:[0-9]+ +RUNNING'
matches '^ +raw: 7777/udp -> 127.0.0.1:[0-9]+'
port=$(docker port "$web" 80/tcp | head -1 | sed 's/.*://')
ok curl --silent --fail "http://127.0.0.1:$port/passwd"
says root

it "port print prints the parts of a public port that are asked for"
ok kurtosis port print e web http
answers "http://127.0.0.1:$port"
ok kurtosis port print e web http --format number
answers "$port"
ok kurtosis port print e web http --format ip
answers "127.0.0.1"
ok kurtosis port print e web http --format protocol,number
answers "http://:$port"
fails kurtosis port print e web http --format colour
says "colour"
fails kurtosis port print e web https
says https

it "inspect shows the service, for people and for programs"
ok kurtosis service inspect e web
says "Name: web" "Status: RUNNING" "Image: $image" "http: 80/tcp" "httpd" "COLOUR: blue"
ok kurtosis service inspect e web --output json
jq -e '.image == "'"$image"'" and .ports.http.number == 80 and .ports.http.transport == 0 and .ports.raw.transport == 2
       and .env_vars.COLOUR == "blue" and .cmd[0] == "httpd"' <<<"$out" >/dev/null || die "the JSON is not as it should be"
ok kurtosis service inspect e web -o yaml
matches "image: \"?$image"
fails kurtosis service inspect e web -o toml
says toml
fails kurtosis service inspect e nobody
says nobody

it "exec runs a shell command, and shows its output and exit code"
ok kurtosis service exec e web 'echo $COLOUR; echo to-stderr >&2'
says "The command was successfully executed and returned '0'." blue to-stderr
fails kurtosis service exec e web 'echo before; exit 42'
says 42 before
ok kurtosis service exec e web 'head -c 300000 /dev/zero | tr "\0" x'
same "bytes of output" 300000 "$(grep -o x <<<"$out" | wc -l)"
ok kurtosis service exec e web 'id -u' --user 65534
says 65534

it "shell gives a terminal, with bash or sh"
# script(1) is the terminal.
echo 'echo the-answer-is-$((6 * 7)); exit' | CI= timeout 30 script --quiet --return --command "kurtosis service shell e web" /dev/null \
    >shell.out 2>&1 || die "shell fails: $(cat shell.out)"
grep -q the-answer-is-42 shell.out || die "the shell does not answer: $(cat shell.out)"

it "a shell's terminal has the size of the user's, also when that changes"
mkfifo keys
CI= timeout 100 script --quiet --return --command "tty >terminal; exec kurtosis service shell e web" /dev/null <keys >size.out 2>&1 &
shell=$!
exec 9>keys
echo 'echo ready-$((40 + 2))' >&9
comes ready-42 size.out
for size in "44 120" "31 87"; do
    # The terminal's new size is a SIGWINCH to the shell command, which is there before the keys are.
    ok stty -F "$(cat terminal)" rows "${size% *}" cols "${size#* }"
    echo 'echo size-is-$(stty size | tr " " x)' >&9
    comes "size-is-${size/ /x}" size.out
done
echo exit >&9
exec 9>&-
wait $shell || die "the shell does not end well: $(cat size.out)"

it "exec shows long output as it comes, all of it"
ok kurtosis service exec e web "head -c 5000000 /dev/zero | tr '\\0' x; echo the end"
same "bytes" 5000007 "${#out}"
says "returned '0'"
fails kurtosis service exec e web "head -c 3000000 /dev/zero | tr '\\0' x; exit 7"
same "bytes" 3000000 "${#out}"
says "returned '7'. Its output is above"

it "shell says what a service without a shell misses; a plan and exec run its programs"
script bare.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "bare", config = ServiceConfig(image = args["image"], entrypoint = ["/bin/busybox"], cmd = ["sleep", "1000"]))
    plan.exec(service_name = "bare", recipe = ExecRecipe(command = ["/bin/busybox", "rm", "-f", "/bin/sh", "/bin/ash", "/bin/bash"]))
    result = plan.exec(service_name = "bare", recipe = ExecRecipe(command = ["/bin/busybox", "echo", "it runs"]))
    plan.verify(value = result["output"], assertion = "==", target_value = "it runs\n")
STAR
ok kurtosis run bare.star "{\"image\": \"$image\"}" --enclave e
fails kurtosis service shell e bare
says bare "its image has no program 'sh'" "e.g. '/bin/busybox'"
never_says "OCI runtime"
ok kurtosis service exec e bare "/bin/busybox echo 'it runs' here"
answers "it runs here"
fails kurtosis service exec e bare "/bin/busybox echo here | cat"
says "there is no shell in it" "'|' means something to a shell only"
fails kurtosis service exec e bare "no-such-program"
says "there is no shell in it, and no program 'no-such-program'"
ok kurtosis service rm e bare

it "logs shows the last lines with the service's name; filters, counts, all services"
script talker.star <<'STAR'
def run(plan, args):
    for name in ["talk1", "talk2"]:
        plan.add_service(name = name, config = ServiceConfig(
            image = args["image"],
            cmd = ["sh", "-c", "seq 1 300 | sed s/^/line-/; echo Special CASE; sleep 1000"],
        ))
STAR
ok kurtosis run talker.star "{\"image\": \"$image\"}" --enclave e
ok kurtosis service logs e talk1
says "[talk1] line-300" "[talk1] Special CASE"
never_says "line-100 " "[talk2]"
same "lines" 200 "$(grep -c talk1 <<<"$out")"
ok kurtosis service logs e talk1 --all
same "lines" 301 "$(grep -c talk1 <<<"$out")"
ok kurtosis service logs e talk1 -n 5
same "lines" 5 "$(grep -c talk1 <<<"$out")"
ok kurtosis service logs e talk1 --match "special case"
same "lines" 1 "$(grep -c talk1 <<<"$out")"
ok kurtosis service logs e talk1 --all --regex-match 'line-1[0-9]$'
same "lines" 10 "$(grep -c talk1 <<<"$out")"
ok kurtosis service logs e talk1 --all --match line -v
same "lines" 1 "$(grep -c talk1 <<<"$out")"
fails kurtosis service logs e talk1 --match a --regex-match b
ok kurtosis service logs e talk1 --since 1h
same "lines" 301 "$(grep -c talk1 <<<"$out")"
ok kurtosis service logs e talk1 --since 1h --until -1h -n 250 --match case -v
same "lines" 249 "$(grep -c talk1 <<<"$out")"
ok kurtosis service logs e talk1 --until "$(docker inspect "$(service_container e talk1)" --format '{{.Created}}')"
same "lines" 0 "$(grep -c 'talk1\]' <<<"$out")"
ok kurtosis service logs e talk1 --follow --until -2s -n 1
same "lines" 1 "$(grep -c talk1 <<<"$out")"
fails kurtosis service logs e talk1 --since yesterday
says "'yesterday' of '--since' is no time: write how long ago, e.g. 10m"
fails kurtosis service logs e talk1 --since 1m --until 2m
says "is not before the time until which they are"
ok kurtosis service logs e --all-services --all
says "[talk1] line-1" "[talk2] line-1"
fails kurtosis service logs e talk1 --regex-match '('
says '('

it "logs --follow shows lines as they come, until the service ends"
kurtosis service logs e web --follow >follow.out 2>&1 &
follow=$!
ok curl --silent "http://127.0.0.1:$port/nowhere"
comes response:404 follow.out
ok kurtosis service stop e web
timeout 30 tail --pid=$follow -f /dev/null || die "logs --follow does not end with the service"

it "stop stops the container and keeps it; start starts it again"
ok kurtosis enclave inspect e
matches 'web .*STOPPED'
same "container" "$web" "$(service_container e web)"
fails kurtosis service exec e web true
says web
ok kurtosis service logs e web
says web
ok kurtosis service start e web
ok kurtosis enclave inspect e
matches 'web .*RUNNING'
url=$(kurtosis port print e web http)
ok curl --silent --fail --retry 20 --retry-connrefused --retry-delay 1 "$url/passwd"
says root
fails kurtosis service start e nobody
says nobody

it "rm removes the container; its address is free for the next one"
address=$(docker inspect "$web" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
ok kurtosis service rm e web
same "containers" "" "$(service_container e web)"
ok kurtosis enclave inspect e
never_says "web "
ok kurtosis service add e next "$image" --cmd "sleep 1000"
same "address" "$address" "$(docker inspect "$(service_container e next)" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')"
fails kurtosis service rm e web
says web

it "a service can be described in JSON"
echo "{\"image\": \"$image\", \"cmd\": [\"sleep\", \"1000\"], \"env_vars\": {\"A\": \"1\"}, \"ports\": {\"x\": {\"number\": 80, \"transport\": 0, \"wait\": \"\"}}}" >service.json
ok kurtosis service add e described --json-service-config service.json
ok kurtosis service exec e described 'echo A=$A'
says A=1

it "a user, limits, labels and an init process reach the container"
script config.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "limited", config = ServiceConfig(
        image = args["image"],
        cmd = ["sleep", "1000"],
        user = User(uid = 1234, gid = 2345),
        max_cpu = 500,
        max_memory = 64,
        labels = {"team": "blue"},
        private_ip_address_placeholder = "MY_ADDRESS",
        env_vars = {"ADDRESS": "http://MY_ADDRESS:80"},
    ))
STAR
ok kurtosis run config.star "{\"image\": \"$image\"}" --enclave e
ok docker inspect "$(service_container e limited)" --format \
    '{{.Config.User}} {{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.Init}} {{index .Config.Labels "com.kurtosistech.custom.team"}}'
answers "1234:2345 500000000 64000000 true blue"
ok kurtosis service exec e limited 'echo $ADDRESS; id -u; id -g'
matches 'http://172\.16\.[0-9]+\.[0-9]+:80'
says 1234 2345
