# Services that are updated in place, services that end by themselves, and what one looks at then: inspect, dump.
image busybox
ok kurtosis enclave add --name u
u=$(uuid_of u)
mkdir files
echo one >files/note
ok kurtosis files upload u files --name first
ok kurtosis files upload u files --name second

script web.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "web", config = ServiceConfig(
        image = args["image"],
        entrypoint = ["httpd", "-f", "-v"],
        cmd = ["-p", "80", "-h", "/srv"],
        ports = {
            "http": PortSpec(number = 80, application_protocol = "http", wait = "20s"),
            "dns": PortSpec(number = 53, transport_protocol = "UDP", wait = None),
        },
        env_vars = {"COLOUR": "blue", "OWN": "at ${IP}"},
        private_ip_address_placeholder = "${IP}",
        files = {"/srv": "first", "/keep": Directory(persistent_key = "kept")},
        max_cpu = 500, min_cpu = 100, max_memory = 64, min_memory = 16,
        labels = {"team": "red"},
        user = User(uid = 0),
        tini_enabled = True,
        devices = ["/dev/full"],
        capabilities = ["NET_ADMIN"],
    ))
STAR
ok kurtosis run web.star "{\"image\": \"$image\"}" --enclave u
first=$(service_container u web)
url=$(kurtosis port print u web http)
address=$(docker inspect "$first" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
ok docker exec "$first" sh -c 'echo precious >/keep/note'
kurtosis service inspect u web | grep '^UUID' >uuid.before

it "update changes what is said, and keeps name, UUID, address, ports of the host and everything else"
ok kurtosis service update u web --env "COLOUR=green,NEW=a=b" --files "/etc/more:second" --ports "extra=7000/udp"
second=$(service_container u web)
[ "$first" != "$second" ] || die "the container is still the same"
same "public address" "$url" "$(kurtosis port print u web http)"
same "address" "$address" "$(docker inspect "$second" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')"
ok kurtosis service inspect u web
same "UUID" "$(cat uuid.before)" "$(grep '^UUID' <<<"$out")"
ok docker inspect "$second" --format '{{json .Config}} {{json .HostConfig}}'
says '"COLOUR=green"' '"NEW=a=b"' "\"OWN=at $address\"" '["httpd","-f","-v"]' '"com.kurtosistech.custom.team":"red"' '"NanoCpus":500000000' \
    '"Memory":64000000' '"User":"0"' '"Init":true' '"PathOnHost":"/dev/full"' 'NET_ADMIN' '"7000/udp"' '"53/udp"'
ok docker exec "$second" cat /srv/note /keep/note /etc/more/note
same "files" "one precious one" "$(tr '\n' ' ' <<<"$out" | sed 's/ *$//')"
ok curl --silent --fail --retry 20 --retry-connrefused --retry-delay 1 "$url/note"

it "inspect shows the whole configuration, the needs included"
ok kurtosis service inspect u web -o json
jq -e '.min_cpu == 100 and .min_memory == 16 and .ports.http.wait == "20s" and .private_ip_address_placeholder == "${IP}"
       and .files["/srv"] == ["first"] and .ports.extra.wait == "30s"' <<<"$out" >/dev/null || die "the JSON is not as it should be"

it "update sets another command, as one word; a wrong change changes nothing"
ok kurtosis service update u web --cmd -p80
ok docker inspect "$(service_container u web)" --format '{{json .Config.Cmd}}'
answers '["-p80"]'
third=$(service_container u web)
fails kurtosis service update u web --ports nonsense
says nonsense
fails kurtosis service update u nobody --env A=B
says nobody
same "container" "$third" "$(service_container u web)"

it "stop and start keep the ports of the host"
url=$(kurtosis port print u web http)
ok kurtosis service stop u web
ok kurtosis enclave inspect u
never_says "exit code"
ok kurtosis service start u web
same "public address" "$url" "$(kurtosis port print u web http)"

it "a service that ends by itself is shown with its exit code and its last lines"
script crash.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "crash", config = ServiceConfig(image = args["image"], cmd = [
        "sh", "-c", "seq 1 50; echo the reason; while [ ! -e /tmp/die ]; do sleep 0.1; done; echo bye >&2; exit 7"]))
    plan.add_service(name = "fine", config = ServiceConfig(image = args["image"], cmd = ["true"]))
STAR
ok kurtosis run crash.star "{\"image\": \"$image\"}" --enclave u
ok docker exec "$(service_container u crash)" touch /tmp/die
ok docker wait "$(service_container u crash)"
ok kurtosis enclave inspect u
says "Service 'crash' ended with exit code 7; its last lines were:" "  the reason" "  bye"
never_says "'fine' ended"
matches 'crash .*STOPPED'
ok kurtosis service inspect u crash
says "Status: STOPPED" "Exit code: 7" "Last lines:" "  bye"
never_says "  40"
ok kurtosis service inspect u fine
says "Exit code: 0"
ok kurtosis enclave inspect u -o json
jq -e '.services[] | select(.name == "crash") | .container.exit_code == 7' <<<"$out" >/dev/null || die "no exit code in the JSON"

it "a template becomes a files artifact, whatever characters are in it"
printf 'Hello "{{.name}}"\n{{range .list}}- {{.}} \\ %%\n{{end}}{{.big}}\n' >template
echo '{"name": "wörld", "list": ["a", "b"], "big": 9007199254740993}' >data.json
ok kurtosis files rendertemplate u template data.json conf/app.txt --name rendered
says rendered
ok kurtosis files inspect u rendered conf/app.txt
says 'Hello "wörld"' '- a \ %' 9007199254740993
fails kurtosis files rendertemplate u template data.json /absolute --name other
says "must be relative"
echo '{' >broken.json
fails kurtosis files rendertemplate u template broken.json x
says "broken.json" "no JSON"
fails kurtosis files rendertemplate u absent data.json x
says absent

it "enclave dump writes what is known of each container, and the files artifacts"
ok kurtosis enclave dump u
folder="u--$u"
web=$(docker inspect "$(service_container u web)" --format '{{.Name}}')
[ "$(jq -r .Name "$folder$web/spec.json")" = "$web" ] || die "there is no description of web"
grep -q "the reason" "$folder"/crash--*/output.log || die "there is no log of crash"
[ -s "$folder/kurtosis-api--$u/output.log" ] || die "there is no log of the API container"
grep -q 'KURTOSIS_BUS_SECRET=\*\*\*' "$folder/kurtosis-api--$u/spec.json" || die "the secret is not hidden"
same "artifact" one "$(cat "$folder/files/first/note")"
same "rendered" 1 "$(grep -c wörld "$folder/files/rendered/conf/app.txt")"
fails kurtosis enclave dump u
says "exists already"
ok kurtosis enclave dump u elsewhere
[ -d elsewhere/files ] || die "the other directory was not used"

it "dump and engine logs write those of the engine, too"
ok kurtosis dump everything
ls everything/engines | grep -q '^kurtosis-engine--' || die "no engine in the dump"
[ -s "everything/enclaves/u--$u$web/spec.json" ] || die "no service in the dump"
ok kurtosis engine logs engines
[ -s "$(echo engines/kurtosis-engine--*/output.log)" ] || die "no log of the engine"

it "there is nothing to connect on this machine, and connect says so"
ok kurtosis enclave connect u
says "published on this machine already"
