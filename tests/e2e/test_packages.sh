# Packages from git repositories, through a mirror: a plain web server over bare repositories.
image busybox
mirror=$work/mirror
mkdir -p "$mirror"
address=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}')
[ -n "$address" ] || address=172.17.0.1
busybox httpd -f -p "$address:8099" -h "$mirror" &
httpd=$!
trap 'kill $httpd 2>/dev/null; fixture_rescue' EXIT
export KURTOSIS_GIT_MIRROR="https://github.com/=http://$address:8099/"
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b

publish() { # AUTHOR/REPO: what is in repo/AUTHOR/REPO, as a commit
    mkdir -p "$mirror/$1.git"
    [ -e "repo/$1/.git" ] || git init -q -b main "repo/$1"
    git -C "repo/$1" add .
    git -C "repo/$1" commit -q -m change
    [ -e "$mirror/$1.git/HEAD" ] || git init -q --bare -b main "$mirror/$1.git"
    git -C "repo/$1" push -q "$mirror/$1.git" --all
    git -C "repo/$1" push -q "$mirror/$1.git" --tags
    git -C "$mirror/$1.git" update-server-info
}

script repo/far/lib/kurtosis.yml <<<"name: github.com/far/lib"
script repo/far/lib/x.star <<<'TEXT = "library one"'
publish far/lib
script repo/me/shop/kurtosis.yml <<<"name: github.com/me/shop"
script repo/me/shop/conf/page.txt <<<"a page"
script repo/me/shop/main.star <<'STAR'
lib = import_module("github.com/far/lib/x.star")
def run(plan, args = {}):
    plan.print("first " + lib.TEXT + " " + read_file("conf/page.txt"))
    plan.upload_files(src = "./conf", name = "conf")
STAR
publish me/shop
git -C repo/me/shop tag 1.0
script repo/me/shop/main.star <<'STAR'
def run(plan, args = {}):
    plan.print("second")
STAR
publish me/shop

it "a package is cloned and run, with its dependencies, files and versions"
ok kurtosis run github.com/me/shop@1.0 --enclave p
says "first library one a page"
ok kurtosis files inspect p conf page.txt
says "a page"
ok kurtosis run github.com/me/shop --enclave p
says second
never_says first

it "a package is cloned again for each run"
script repo/me/shop/main.star <<'STAR'
def run(plan, args = {}):
    plan.print("third")
STAR
publish me/shop
ok kurtosis run github.com/me/shop --enclave p
says third

it "a version or a repository that is not there is said"
fails kurtosis run github.com/me/shop@none --enclave p
says "Tried using the passed version 'none' as commit as we couldn't find a tag/branch for it in the repo 'https://github.com/me/shop.git' but failed"
fails kurtosis run github.com/me/nothing --enclave p
says "Error in cloning git repository 'https://github.com/me/nothing.git'"

it "a dependency that is not a package is refused"
script repo/far/bare/x.star <<<'TEXT = "bare"'
publish far/bare
script bare.star <<'STAR'
x = import_module("github.com/far/bare/x.star")
def run(plan):
    pass
STAR
fails kurtosis run bare.star --enclave p
says "kurtosis.yml or valid Docker Compose yaml not found in the path of 'github.com/far/bare/x.star'"

it "a folder that replaced a dependency makes room for it again"
script local/shop/kurtosis.yml <<'YML'
name: github.com/me/local
replace:
  github.com/far/lib: ../lib
YML
script local/shop/main.star <<'STAR'
lib = import_module("github.com/far/lib/x.star")
def run(plan):
    plan.print(lib.TEXT)
STAR
script local/lib/kurtosis.yml <<<"name: github.com/far/lib"
script local/lib/x.star <<<'TEXT = "a local library"'
ok kurtosis run local/shop --enclave p
says "a local library"
script local/shop/kurtosis.yml <<<"name: github.com/me/local"
ok kurtosis run local/shop --enclave p
says "library one"

it "a folder with a Compose file runs as it is; what is left out is said"
script stack/compose.yml <<YML
services:
  web:
    image: $image
    command: sh -c 'cat /conf/page.txt; exec sleep 1000'
    environment: {LEVEL: "\${LEVEL:-low}"}
    restart: always
    volumes: ["./conf:/conf", "data:/data"]
    depends_on: [store]
  store:
    image: $image
    command: [sleep, "1000"]
    env_file: store.env
volumes:
  data: {}
YML
script stack/.env <<<"LEVEL=high"
script stack/store.env <<<"KIND=store"
script stack/conf/page.txt <<<"a mounted page"
ok kurtosis run stack --enclave c
says "'restart' of service 'web' is not supported and left out"
ok kurtosis service logs c web
says "a mounted page"
ok kurtosis service exec c web 'echo $LEVEL'
says high
ok kurtosis service exec c store 'echo $KIND'
says store
script repo/me/stack/compose.yml <<YML
services: {far: {image: "$image", command: [sleep, "1000"]}}
YML
publish me/stack
ok kurtosis run github.com/me/stack --enclave c
says "Service 'far' added"
script uses.star <<'STAR'
stack = import_module("github.com/me/stack/compose.yml")
def run(plan):
    stack.run(plan)
STAR
ok kurtosis run uses.star --enclave c

it "what the user's git has other addresses for is fetched by it, whatever the mirror says"
script repo/mine/lib/kurtosis.yml <<<"name: github.com/mine/lib"
script repo/mine/lib/x.star <<<'TEXT = "my library"'
publish mine/lib
git -C repo/mine/lib tag v1
script repo/mine/lib/x.star <<<'TEXT = "my newer library"'
publish mine/lib
script repo/mine/shop/kurtosis.yml <<<"name: github.com/mine/shop"
script repo/mine/shop/main.star <<'STAR'
lib = import_module("github.com/mine/lib/x.star@v1")
far = import_module("github.com/far/lib/x.star")
def run(plan):
    plan.print(lib.TEXT + ", " + far.TEXT)
STAR
publish mine/shop
mv "$mirror/mine" elsewhere
fails kurtosis run github.com/mine/shop
says "Error in cloning git repository 'https://github.com/mine/shop.git'"
export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1
git config --global "url.file://$work/elsewhere/.insteadOf" https://github.com/mine/
ok kurtosis run github.com/mine/shop --enclave g
says "my library, library one"
ok kurtosis run github.com/mine/shop --dependencies --enclave g2
says github.com/mine/lib github.com/far/lib
fails kurtosis run github.com/mine/nothing --enclave g
says "the client's git cannot fetch 'https://github.com/mine/nothing.git'" "elsewhere/nothing.git"
fails kurtosis run github.com/mine/shop@v9 --enclave g
says "Tried using the passed version 'v9' as commit"

it "the user's access token is kept in the enclaves that are made from then on, and shown to nobody"
fails kurtosis engine restart --github-auth-token "a token"
says "--github-auth-token"
ok kurtosis engine restart --github-auth-token sesame-4711
ok kurtosis enclave add --name token
same "the token" sesame-4711 "$(docker cp "$(api_container token):/kurtosis-data/github-auth/token.txt" - | tar -xO)"
ok kurtosis enclave dump token token.dump
! grep -rq sesame token.dump || die "the dump has the token"

it "a mirror with a certificate of an authority of one's own is used when that is trusted, and else said to be not"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mine -addext "subjectAltName=IP:$address" -keyout mine.key -out mine.pem 2>openssl.log
mkfifo listens
python3 - "$address" "$mirror" <<'PYTHON' >listens 2>/dev/null &
import functools, http.server, ssl, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[2])
server = http.server.ThreadingHTTPServer((sys.argv[1], 8100), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("mine.pem", "mine.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print("listens", flush=True)
server.serve_forever()
PYTHON
secure=$!
read -r _ <listens
trap 'kill $httpd $secure 2>/dev/null; fixture_rescue' EXIT
KURTOSIS_GIT_MIRROR="https://github.com/=https://$address:8100/" ok kurtosis engine restart
fails kurtosis run github.com/me/shop --enclave distrust
says "certificate verification failed" "KURTOSIS_GIT_CA"
KURTOSIS_GIT_CA=$work/mine.key fails kurtosis engine restart
says "which has no certificate in PEM form in it"
KURTOSIS_GIT_CA=$work/nowhere.pem fails kurtosis engine restart
says "KURTOSIS_GIT_CA" "nowhere.pem"
ok kurtosis engine status
says "is running with the following info" # it was not stopped for one that cannot be
KURTOSIS_GIT_CA=$work/mine.pem KURTOSIS_GIT_MIRROR="https://github.com/=https://$address:8100/" ok kurtosis engine restart
ok kurtosis run github.com/me/shop --enclave trust
says third
kill $secure
ok kurtosis engine restart

it "enclaves share what was cloned: a commit that was cloned before needs no network"
shop=$(git -C repo/me/shop rev-parse HEAD)
ok kurtosis run "github.com/me/shop@$shop" --enclave p
same "the cache's volume" 1 "$(docker volume ls -q --filter name=kurtosis-package-cache | wc -l)"
kill $httpd
wait $httpd || true
ok kurtosis run "github.com/me/shop@$shop" --enclave fresh
says third
never_says "cannot be reached"

it "without a network the version that was cloned last has to do, and that is said"
ok kurtosis run github.com/me/shop --enclave fresh2
says third "'https://github.com/me/shop.git' cannot be reached" "commit ${shop:0:12} is used, which 'the default branch' was at"

it "without the mirror the error says what can be done"
fails kurtosis run github.com/me/shop@other --enclave p
says "KURTOSIS_GIT_MIRROR"
