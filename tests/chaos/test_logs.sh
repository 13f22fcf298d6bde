# Logs: eight services print numbered lines while the engine, and with it the driver that collects them, is killed three
# times: no line is lost, none comes twice, and what was removed can still be read.
image busybox
lines=${LOGS_LINES:-40000}
script printers.star <<'STAR'
def run(plan, args):
    plan.add_services(configs = {
        "s%d" % i: ServiceConfig(image = args["image"], cmd = ["sh", "-c", "seq 1 %s; sleep 1000000" % args["lines"]])
        for i in range(8)
    })
STAR
seq 1 "$lines" >expected

kill_engine() {
    local pid
    pid=$(docker top "$(engine_container)" -eo pid,comm | awk '$2 == "kurtosis-engine" { print $1; exit }')
    [ -n "$pid" ] || die "no engine runs"
    kill -KILL "$pid"
}

stored() { # SERVICE: the last line that can be read; nothing while the engine is away
    timeout 60 kurtosis service logs e "$1" -n 1 2>/dev/null | sed 's/^\[[^]]*\] //'
}

# Waits until a service's line is at least this.
reached() { # SERVICE LINE
    local now until=$((SECONDS + 240))
    until now=$(stored "$1") && [ "${now:-0}" -ge "$2" ]; do
        [ $SECONDS -lt $until ] || die "service $1 has stored $now lines, not $2; engine: $(docker logs --tail 20 "$(engine_container)" 2>&1)"
        sleep 0.1
    done
}

it "every line of eight services is there once, though the engine was killed three times while they printed"
ok kurtosis enclave add --name e
LIMIT=240 ok kurtosis run printers.star "{\"image\": \"$image\", \"lines\": \"$lines\"}" --enclave e
begin=$SECONDS
for part in 0 1 3; do
    reached s7 $((lines * part / 5))
    kill_engine
done
for i in 0 1 2 3 4 5 6 7; do
    reached s$i "$lines"
    kurtosis service logs e s$i --all >seen 2>err || die "cannot read s$i: $(cat err)"
    sed "s/^\[s$i\] //" seen | cmp - expected || die "the lines of s$i are not as printed: $(wc -l <seen) of $lines"
done
echo "  $((lines * 8)) lines in $((SECONDS - begin)) s"

it "the logs of a removed service can be read by its name and by its UUID"
uuid=$(docker inspect "$(service_container e s0)" --format '{{index .Config.Labels "com.kurtosistech.guid"}}')
ok kurtosis service rm e s0
for name in s0 "$uuid"; do
    ok kurtosis service logs e "$name" -n 2
    same "lines" "$(printf '[%s] %s\n' "$name" $((lines - 1)) "$name" "$lines")" "$(plain | head -2)"
done

it "a service that dies at once has left its words"
script dying.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "dying", config = ServiceConfig(image = args["image"], cmd = ["sh", "-c", "echo first; echo second >&2; printf third"]))
STAR
ok kurtosis run dying.star "{\"image\": \"$image\"}" --enclave e
ok kurtosis service logs e dying --all
says "[dying] first" "[dying] second" "[dying] third"

it "a service that is started again goes on in the same log, and is followed"
ok kurtosis service start e dying
becomes "lines" 6 sh -c 'kurtosis service logs e dying --all | wc -l'

it "logs also go where --log-sinks says, from the oldest line on; wrong flags are refused"
volume=$(docker volume inspect kurtosis-logs-storage --format '{{.Mountpoint}}')
ok kurtosis engine restart --log-sinks file:///var/log/kurtosis/all.json --log-quota 500MB --log-retention-period 24h
comes '"log":"second","stream":"stderr"' "$volume/all.json"
comes '"kurtosis_service_name":"dying"' "$volume/all.json"
fails kurtosis engine start --log-quota many
says "'many' is no number of bytes"
fails kurtosis engine start --log-retention-period 0s
says keeps nothing
fails kurtosis engine restart --log-sinks ftp://x
says "there is no log sink like 'ftp://x'"
ok kurtosis engine start

it "a killed driver loses nothing either, and a destroyed enclave leaves no logs"
docker top "$(engine_container)" -eo pid,comm | awk '$2 ~ /^kurtosis-docker/ { print $1 }' | xargs kill -KILL
becomes "lines" 6 sh -c 'kurtosis service logs e dying --all | wc -l'
ok kurtosis enclave rm --force e
volume=$(docker volume inspect kurtosis-logs-storage --format '{{.Mountpoint}}')
same "logs left" "" "$(find "$volume" -name '*.pack' -o -name '*.hot')"
