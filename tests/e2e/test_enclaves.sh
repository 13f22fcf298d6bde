# Enclaves: add, ls, inspect, stop, rm, clean; what they are made of; that they are apart.
image busybox

it "add makes exactly one network, one API container and one volume"
ok kurtosis enclave add --name blue
says "Creating new enclave..." "Created enclave: blue"
blue=$(uuid_of blue)
[[ $blue =~ ^[0-9a-f]{32}$ ]] || die "the UUID is '$blue'"
same "containers, networks, volumes" "1 1 1" "$(holds "com.kurtosistech.enclave-id=$blue")"

it "they are named and labelled as Kurtosis users know them"
ok docker network inspect kt-blue --format '{{json .Labels}}'
says "\"com.kurtosistech.app-id\":\"kurtosis\"" "\"com.kurtosistech.enclave-name\":\"blue\"" \
    "\"com.kurtosistech.enclave-id\":\"$blue\"" "com.kurtosistech.enclave-creation-time"
ok docker inspect "kurtosis-api--$blue" --format '{{json .Config.Labels}}'
says "\"com.kurtosistech.container-type\":\"api-container\"" "com.kurtosistech.private-ip"
ok docker volume inspect "$blue" --format '{{json .Labels}}'
says "\"com.kurtosistech.volume-type\":\"enclave-data\""

it "its network is a block of 1024 addresses of 172.16.0.0/16"
ok docker network inspect kt-blue --format '{{(index .IPAM.Config 0).Subnet}}'
matches '^172\.16\.[0-9]+\.0/22$'

if [ "${KURTOSIS_SANDBOX:-}" = 1 ]; then
    it "its network is none that the host has a route to, of a VPN for example"
    busybox ip route add 172.16.0.0/17 dev lo
    ok kurtosis enclave add --name routed
    busybox ip route del 172.16.0.0/17 dev lo
    ok docker network inspect kt-routed --format '{{(index .IPAM.Config 0).Subnet}}'
    matches '^172\.16\.(12[89]|1[3-9][0-9]|2[0-9]+)\.0/22$'
    ok kurtosis enclave rm --force routed
fi

it "with --ipv6 the network has addresses of both kinds"
ok kurtosis enclave add --name six --ipv6
ok docker network inspect kt-six --format '{{.EnableIPv6}} {{json .IPAM.Config}}'
matches '^true .*"fd[0-9a-f:]+/64"'

it "with IPv6, too, services reach those of their enclave and not those of another"
ok kurtosis enclave add --name seven --ipv6
six_of() { # ENCLAVE SERVICE: the service's IPv6 address
    docker inspect "$(service_container "$1" "$2")" --format '{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}'
}
for place in "six web" "six near" "seven web"; do
    # shellcheck disable=SC2086
    ok kurtosis service add $place "$image" --cmd "httpd -f -p 80 -h /etc" --ports http=http:80/tcp
done
ok kurtosis service exec six web "timeout 2 wget -q -O - http://[$(six_of six near)]/passwd"
says root
ok kurtosis service exec six web "if timeout 2 wget -q -O - http://[$(six_of seven web)]/passwd; then echo reached; else echo apart; fi"
says apart
never_says reached
ok kurtosis enclave rm --force six seven

it "a name is made up when none is given"
ok kurtosis enclave add
matches 'Created enclave: [a-z]+-[a-z]+'
made_up=$(plain | sed -n 's/.*Created enclave: \([a-z0-9-]*\).*/\1/p')

it "ls shows both, oldest first, with short UUIDs or full ones"
ok kurtosis enclave ls
matches 'UUID +Name +Status +Creation Time'
matches "^${blue:0:12} +blue +RUNNING"
same "order" "blue $made_up" "$(plain | awk '$3 == "RUNNING" { print $2 }' | xargs)"
ok kurtosis enclave ls --full-uuids
matches "^$blue +blue +RUNNING"

it "inspect takes a name, a short UUID or a full one"
for identifier in blue "${blue:0:12}" "$blue"; do
    ok kurtosis enclave inspect "$identifier"
    matches '^Name: +blue$'
    matches "^UUID: +${blue:0:12}$"
    matches '^Status: +RUNNING$'
    says "Creation Time:" "Files Artifacts" "User Services"
done

it "a name that is taken is refused, and nothing of it is left"
held=$(docker_holds)
fails kurtosis enclave add --name blue
says "blue"
same "what Docker holds" "$held" "$(docker_holds)"

it "a bad name is refused with the rule"
for name in 'a b' 'snow☃' "$(printf 'x%.0s' {1..61})" 'under_score'; do
    fails kurtosis enclave add --name "$name"
    says '^[-A-Za-z0-9]{1,60}$'
done
ok kurtosis enclave ls
same "enclaves" 2 "$(plain | grep -c RUNNING)"

it "an unknown enclave is a clear error in every command"
for words in "enclave inspect" "enclave stop" "enclave rm -f" "service logs" "service exec"; do
    case $words in service\ exec) rest="web ls" ;; service\ logs) rest=web ;; *) rest= ;; esac
    # shellcheck disable=SC2086
    fails kurtosis $words nowhere $rest
    says nowhere
done

it "services of one enclave cannot reach those of another, by name or by address"
ok kurtosis enclave add --name red
for enclave in blue red; do
    ok kurtosis service add $enclave web "$image" --cmd "httpd -f -p 80 -h /etc" --ports http=http:80/tcp
done
address=$(docker inspect "$(service_container red web)" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
ok kurtosis service exec blue web "timeout 2 wget -q -O - http://web/passwd"
says root
ok kurtosis service exec blue web "if timeout 2 wget -q -O - http://$address/passwd; then echo reached; else echo apart; fi"
says apart
never_says reached
ok kurtosis service exec red web "timeout 2 wget -q -O - http://$address/passwd"
says root

it "a service is one container more, and nothing else"
same "containers, networks, volumes" "2 1 1" "$(holds "com.kurtosistech.enclave-id=$blue")"

it "rm refuses a running enclave without --force"
fails kurtosis enclave rm red
says red force
ok kurtosis enclave ls
matches 'red +RUNNING'

it "stop stops all of an enclave's containers"
ok kurtosis enclave stop red
ok kurtosis enclave ls
matches 'red +STOPPED'
same "running containers of red" "" "$(docker ps -q --filter label=com.kurtosistech.enclave-id="$(uuid_of red)")"
ok kurtosis enclave inspect red
matches '^Status: +STOPPED$'

it "running something in a stopped enclave is refused"
fails kurtosis service add red late "$image"
says red

it "clean removes stopped enclaves and keeps running ones"
ok kurtosis clean
says "red"
ok kurtosis enclave ls
never_says " red "
matches 'blue +RUNNING'

it "rm --force removes several at once, each with all it has"
ok kurtosis enclave rm --force blue "$made_up"
ok kurtosis enclave ls
never_says blue "$made_up"
same "containers, networks, volumes" "0 0 0" "$(holds "com.kurtosistech.enclave-id=$blue")"

it "many enclaves at once get names, networks and addresses of their own"
for number in 1 2 3 4 5 6; do kurtosis enclave add --name many$number >"$work/many$number" 2>&1 & done
wait
ok kurtosis enclave ls
same "enclaves" 6 "$(plain | grep -cE 'many[1-6] +RUNNING')"
same "different subnets" 6 "$(docker network ls -q --filter label=com.kurtosistech.app-id=kurtosis |
    xargs docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' | sort -u | wc -l)"

it "clean --all removes running ones too, and says which"
ok kurtosis clean --all
says many1 many6 "Successfully cleaned enclaves"
ok kurtosis enclave ls
never_says RUNNING
