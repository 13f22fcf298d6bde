# What run knows before anything runs: arguments from the web, --dependencies with --pull, the graph of the instructions.
image busybox
mirror=$work/mirror
mkdir -p "$mirror"
address=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}')
[ -n "$address" ] || address=172.17.0.1
busybox httpd -f -p "$address:8098" -h "$mirror" &
httpd=$!
export KURTOSIS_REGISTRY_PORT=5051
registry=$("$root/tests/images/registry" start 2>/dev/null)
trap 'kill $httpd 2>/dev/null; "$root/tests/images/registry" stop; fixture_rescue' EXIT
export KURTOSIS_GIT_MIRROR="https://github.com/=http://$address:8098/"
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git config --global "url.http://$address:8098/.insteadOf" https://github.com/

it "arguments can come from a URL"
script hello.star <<'STAR'
def run(plan, args):
    plan.print("hello " + args["who"])
STAR
echo 'who: web # with a comment' >"$mirror/args.yml"
ok kurtosis run hello.star --args-file "http://$address:8098/args.yml" --enclave one
says "hello web"
ok kurtosis run hello.star '{"who": "inline"}' --args-file "http://$address:8098/args.yml" --enclave one
says "hello inline"
fails kurtosis run hello.star --args-file "http://$address:8098/nowhere.yml" --enclave one
says "http://$address:8098/nowhere.yml" "status 404"
fails kurtosis run hello.star --args-file "http://$address:1/args.yml" --enclave one
says "cannot read the arguments" "http://$address:1/args.yml"
head -c 9000000 /dev/zero >"$mirror/large"
fails kurtosis run hello.star --args-file "http://$address:8098/large" --enclave one
says "has more than 8388608 bytes"

it "--dependencies says what is needed, and runs nothing"
script far/lib/kurtosis.yml <<<"name: github.com/far/lib"
script far/lib/x.star <<<'NAME = "far"'
git init -q -b main far/lib
git -C far/lib add .
git -C far/lib commit -q -m one
mkdir -p "$mirror/far"
git clone -q --bare far/lib "$mirror/far/lib.git"
git -C "$mirror/far/lib.git" update-server-info
script home/shop/kurtosis.yml <<<"name: github.com/me/shop"
script home/shop/main.star <<STAR
lib = import_module("github.com/far/lib/x.star")

def run(plan):
    page = plan.render_templates(name = "page", config = {"a": struct(template = "{{ .n }}", data = {"n": lib.NAME})})
    plan.add_service(name = "web", config = ServiceConfig(image = "$registry/busybox:1.36", files = {"/page": page}))
    plan.exec(service_name = "web", recipe = ExecRecipe(command = ["echo", "a \"b\" c"]), description = "Say \"b\"")
    plan.print("done")
STAR
cd home/shop
ok kurtosis run . --dependencies
answers "Images:
 $registry/busybox:1.36
Packages:
 github.com/far/lib"
same "what is beside the package" shop "$(ls ..)"

it "--pull brings it to this machine, and names the packages in kurtosis.yml"
! docker image inspect "$registry/busybox:1.36" >/dev/null 2>&1 || die "the image is there already"
ok kurtosis run . --dependencies --pull
docker image inspect "$registry/busybox:1.36" >/dev/null || die "the image is not there"
same "the package's file" 'NAME = "far"' "$(cat ../lib/x.star)"
same "kurtosis.yml" "name: github.com/me/shop

replace:
  github.com/far/lib: ../lib" "$(cat kurtosis.yml)"
it "what is there is taken as it is, and replaces that are there stay"
echo 'NAME = "near"' >../lib/x.star
ok kurtosis run . --dependencies --pull
same "the package's file" 'NAME = "near"' "$(cat ../lib/x.star)"
same "replaces" 1 "$(grep -c '^replace:' kurtosis.yml)"
ok kurtosis run . --enclave shop
ok kurtosis files inspect shop page a
says near
docker rmi "$registry/busybox:1.36" >/dev/null 2>&1 || true
mkdir ../empty
cd ../empty
fails kurtosis run ../shop --dependencies --pull
says "change to the folder of a package"
fails kurtosis run ../shop --pull
says "'--pull' goes together with '--dependencies'"
cd "$work"

it "--output-graph draws the instructions and what they depend on"
mkdir graphs
ok kurtosis run home/shop --enclave shop --output-graph --output-graph-path graphs --with-mermaid
says "The graph of the instructions is in" "Starlark code successfully run"
same "kind of the picture" "$(printf '\x89PNG')" "$(head -c 4 graphs/kurtosis-graph-shop-*.png)"
matches 'kurtosis-graph-shop-[0-9]{8}-[0-9]{6}\.png'
sed -E 's/[0-9a-f]{32}/ID/g' graphs/kurtosis-graph-shop-*.md >graph.md
same "the graph as Mermaid" '```mermaid
graph TD
  ID["render_templates(page)"]
  ID["add_service(web)"]
  ID --> ID
  ID["exec(web Say #quot;b#quot;)"]
  ID --> ID
```' "$(cat graph.md)"
fails kurtosis run home/shop --enclave shop --output-graph --output-graph-path nowhere
says "cannot write the graph to 'nowhere'"
mkdir bin
ln -s "$(command -v kurtosis)" bin/kurtosis
fails env PATH="$work/bin" kurtosis run home/shop --enclave shop --output-graph
says "needs the program 'dot'"

kill $httpd
"$root/tests/images/registry" stop
trap 'fixture_rescue' EXIT
