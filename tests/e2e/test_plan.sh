# The plan's instructions, one after the other, on real services.
image busybox
arguments="{\"image\": \"$image\"}"
ok kurtosis enclave add --name e

star() { # BODY of run(plan, args), from standard input; runs in the enclave and must succeed
    { echo 'def run(plan, args):' && sed 's/^/    /'; } >plan.star
    ok kurtosis run plan.star "$arguments" --enclave e
}

it "add_service returns name, address, host name and ports, usable before they are known"
star <<'STAR'
web = plan.add_service(name = "web", config = ServiceConfig(
    image = args["image"],
    cmd = ["httpd", "-f", "-p", "80", "-h", "/www"],
    ports = {"http": PortSpec(number = 80, application_protocol = "http", wait = "10s")},
    files = {"/www": plan.render_templates(name = "pages", config = {
        "index.json": struct(template = '{"name": "{{ .Name }}", "list": [1, 2, 3]}', data = {"Name": "pages"}),
    })},
))
plan.add_service(name = "client", config = ServiceConfig(
    image = args["image"],
    cmd = ["sleep", "1000"],
    env_vars = {"URL": web.ports["http"].url, "ADDRESS": web.ip_address, "HOST": web.hostname},
))
result = plan.exec(service_name = "client", recipe = ExecRecipe(command = ["sh", "-c", "wget -q -O - $URL/index.json; echo; echo $HOST $ADDRESS"]))
plan.print("port " + str(web.ports["http"].number) + " at " + web.ip_address + " says " + result["output"])
STAR
says "Service 'web' added with service UUID" '"name": "pages"'
matches 'port 80 at 172\.16\.[0-9]+\.[0-9]+ says'
matches '^web 172\.16\.[0-9]+\.[0-9]+'

it "request asks over HTTP, and jq takes the answer apart"
star <<'STAR'
answer = plan.request(service_name = "web", recipe = GetHttpRequestRecipe(
    port_id = "http",
    endpoint = "/index.json",
    extract = {"name": ".name", "sum": ".list | add", "all": ".list"},
))
plan.verify(value = answer["code"], assertion = "==", target_value = 200)
plan.verify(value = answer["extract.name"], assertion = "==", target_value = "pages")
plan.verify(value = answer["extract.sum"], assertion = "==", target_value = 6)
plan.verify(value = answer["extract.sum"], assertion = "IN", target_value = [5, 6])
missing = plan.request(service_name = "web", recipe = GetHttpRequestRecipe(port_id = "http", endpoint = "/nowhere"), acceptable_codes = [404])
plan.print(missing["code"])
STAR
says "Request had response code '200'" 404

it "request refuses an unexpected code, an unknown port and an unknown service"
for case in 'endpoint = "/nowhere")|404' ; do
    printf 'def run(plan, args):\n    plan.request(service_name = "web", recipe = GetHttpRequestRecipe(port_id = "http", %s)\n' "${case%|*}" >bad.star
    fails kurtosis run bad.star --enclave e
    says "${case#*|}"
done
printf 'def run(plan, args):\n    plan.request(service_name = "web", recipe = GetHttpRequestRecipe(port_id = "ftp", endpoint = "/"))\n' >bad.star
fails kurtosis run bad.star --enclave e
says "Request required port ID 'ftp' to exist on service 'web'"
printf 'def run(plan, args):\n    plan.request(service_name = "nobody", recipe = GetHttpRequestRecipe(port_id = "http", endpoint = "/"))\n' >bad.star
fails kurtosis run bad.star --enclave e
says "nobody"

it "exec gives code and output, refuses an unexpected code, or accepts it when told"
star <<'STAR'
good = plan.exec(service_name = "client", recipe = ExecRecipe(command = ["sh", "-c", "echo out; echo err >&2; exit 4"]), acceptable_codes = [0, 4])
plan.verify(value = good["code"], assertion = "==", target_value = 4)
plan.exec(service_name = "client", recipe = ExecRecipe(command = ["false"]), skip_code_check = True)
taken = plan.exec(service_name = "client", recipe = ExecRecipe(command = ["echo", '{"a": {"b": 7}}'], extract = {"b": "fromjson | .a.b"}))
plan.verify(value = taken["extract.b"], assertion = "==", target_value = 7)
STAR
says "Command returned with exit code '4'" "Command returned with exit code '1' with no output"

it "wait tries until the value is as wanted, or its time is over"
star <<'STAR'
plan.exec(service_name = "client", recipe = ExecRecipe(command = ["sh", "-c", "(sleep 1; touch /ready) >/dev/null 2>&1 &"]))
plan.wait(
    service_name = "client",
    recipe = ExecRecipe(command = ["test", "-e", "/ready"]),
    field = "code", assertion = "==", target_value = 0,
    interval = "100ms", timeout = "20s",
)
STAR
cat >bad.star <<'STAR'
def run(plan, args):
    plan.wait(service_name = "client", recipe = ExecRecipe(command = ["test", "-e", "/never"]),
              field = "code", assertion = "==", target_value = 0, interval = "50ms", timeout = "500ms")
STAR
fails kurtosis run bad.star --enclave e
says "500ms" "code"

it "ready conditions hold up what comes after"
star <<'STAR'
plan.add_service(name = "slow", config = ServiceConfig(
    image = args["image"],
    cmd = ["sh", "-c", "sleep 1; touch /up; sleep 1000"],
    ready_conditions = ReadyCondition(
        recipe = ExecRecipe(command = ["test", "-e", "/up"]),
        field = "code", assertion = "==", target_value = 0, interval = "50ms", timeout = "20s",
    ),
))
plan.exec(service_name = "slow", recipe = ExecRecipe(command = ["test", "-e", "/up"]))
STAR

it "add_services adds all or, when one fails, none"
star <<'STAR'
plan.add_services(configs = {
    "a%d" % i: ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]) for i in range(3)
})
STAR
says "Successfully added the following '3' services:" "Service 'a0' added with UUID"
cat >bad.star <<'STAR'
def run(plan, args):
    plan.add_services(configs = {
        "b1": ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]),
        "b2": ServiceConfig(image = args["image"], cmd = ["sh", "-c", "exit 9"], ports = {"http": PortSpec(80)}),
    })
STAR
fails kurtosis run bad.star "$arguments" --enclave e
says b2
same "services b*" "" "$(service_container e b1)$(service_container e b2)"

it "get_service, remove_service, stop_service and start_service find what earlier runs made"
star <<'STAR'
web = plan.get_service(name = "web")
plan.print("web is at " + web.ip_address)
plan.stop_service(name = "a0")
plan.start_service(name = "a0")
plan.remove_service(name = "a1")
STAR
matches 'web is at 172\.16\.'
says "Service 'a0' stopped" "Service 'a0' started" "Service 'a1' with service UUID"
same "containers of a1" "" "$(service_container e a1)"

it "adding a service that an earlier run made updates it: same name, address and UUID"
before_address=$(docker inspect "$(service_container e a2)" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}} {{.Name}}')
star <<'STAR'
plan.add_service(name = "a2", config = ServiceConfig(image = args["image"], cmd = ["sleep", "2000"]))
STAR
same "address and name" "$before_address" \
    "$(docker inspect "$(service_container e a2)" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}} {{.Name}}')"
ok docker inspect "$(service_container e a2)" --format '{{json .Config.Cmd}}'
says 2000

it "service_name is the older word for name: accepted, with one warning"
star <<'STAR'
plan.add_service(service_name = "old1", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
plan.add_service(service_name = "old2", config = ServiceConfig(image = args["image"], cmd = ["sleep", "1000"]))
STAR
same "warnings" 1 "$(plain | grep -ci 'service_name.*deprecated\|deprecated.*service_name\|older word')"

it "values of a run go into its output"
star <<'STAR'
result = plan.run_sh(run = "printf 42", image = args["image"])
return struct(answer = result.output, address = plan.get_service(name = "web").ip_address)
STAR
says '"answer": "42"'
matches '"address": "172\.16\.'
