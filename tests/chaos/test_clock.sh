# A clock that is set: lines with times of a clock that was three hours ahead until it was set right, from a real daemon.
# (Its log file gets these times here, since setting the clock would set everybody's.)
source "$root/tests/chaos/lib.sh"
own_daemon "writing into the log of a container"
image busybox
script ticker.star <<'STAR'
def run(plan, args):
    plan.add_service(name = "ticker", config = ServiceConfig(image = args["image"], cmd = ["sh", "-c", "sleep 1000000"]))
STAR
ok kurtosis enclave add --name e
ok kurtosis run ticker.star "{\"image\": \"$image\"}" --enclave e
container=$(service_container e ticker)

# Prints these numbers, and waits until Docker has them.
print() { # FROM TO
    ok docker exec "$container" sh -c "seq $1 $2 >/proc/1/fd/1"
    becomes "last line at Docker" "$2" docker logs --tail 1 "$container"
}

# As if what Docker has of the container had been printed three hours later than it was.
ahead() {
    python3 - "$(docker inspect "$container" --format '{{.LogPath}}')" <<'PYTHON'
import datetime, json, sys
with open(sys.argv[1], "r+") as log:
    lines = log.readlines()
    for i, line in enumerate(lines):
        old = json.loads(line)["time"]
        new = datetime.datetime.fromisoformat(old[:19]) + datetime.timedelta(hours=3)
        lines[i] = line.replace(old, new.isoformat() + old[19:])
    log.seek(0)
    log.writelines(lines)
PYTHON
}

kill_driver() {
    docker top "$(engine_container)" -eo pid,comm | awk '$2 ~ /^kurtosis-docker/ { print $1 }' | xargs kill -KILL
}

# All lines that the store has are these, in this order.
stored() { # TO [FLAG...]
    local to=$1
    shift
    ok kurtosis service logs e ticker --all "$@"
    same "lines" "$(seq 1 "$to" | sed 's/^/[ticker] /')" "$(plain)"
}

it "lines of before and after the clock was set back are there once, in the order in which they were printed"
ok kurtosis engine stop
print 1 1000
ahead
print 1001 2000
ok kurtosis engine start
stored 2000

it "a driver that is killed loses none of the lines that are older than those it has, and doubles none"
for round in 1 2 3; do
    kill_driver
    print $((2000 + 100 * round - 99)) $((2000 + 100 * round))
    becomes "lines" $((2000 + 100 * round)) sh -c 'kurtosis service logs e ticker --all | wc -l'
done
stored 2300

it "who reads gets what was printed before he asked, though newer lines are stored"
for i in $(seq 2301 2320); do
    print "$i" "$i"
    ok kurtosis service logs e ticker -n 1
    same "line" "[ticker] $i" "$(plain)"
done

it "lines are chosen by their times, wherever they stand"
ok kurtosis service logs e ticker --until -1h
same "lines" "$(seq 1001 2320 | sed 's/^/[ticker] /')" "$(plain)"
ok kurtosis service logs e ticker --since -1h -n 10
same "lines" "$(seq 991 1000 | sed 's/^/[ticker] /')" "$(plain)"

it "services are stopped, started and removed in the usual time"
begin=$SECONDS
ok kurtosis service stop e ticker
ok kurtosis service start e ticker
ok kurtosis service rm e ticker
[ $((SECONDS - begin)) -lt 60 ] || die "it took $((SECONDS - begin)) s"
ok kurtosis enclave rm --force e
