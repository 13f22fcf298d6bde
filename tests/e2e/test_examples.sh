# The example packages, as a newcomer runs them, on stand-ins for the official images.

it "the registry serves the stand-ins"
address=$(KURTOSIS_REGISTRY_PORT=5050 "$root/tests/images/registry" start 2>"$work/registry.err") ||
    die "the registry does not start: $(cat "$work/registry.err")"
ok curl --silent --fail "http://$address/v2/_catalog"
says postgres nginx postgrest/postgrest

it "quickstart runs with its images pulled from a registry"
arguments=$(printf '{"postgres_image": "%s/postgres:15.2-alpine", "api_image": "%s/postgrest/postgrest:v12.0.2", "nginx_image": "%s/nginx:1.25-alpine"}' \
    "$address" "$address" "$address")
ok kurtosis run "$root/examples/quickstart" "$arguments" --enclave quickstart
says "Service 'postgres' added" "Service 'api' added" "Service 'nginx' added" "Verification succeeded" \
    "nginx, the API server and PostgreSQL work together" "Starlark code successfully run"
added_images="$address/postgres:15.2-alpine $address/postgrest/postgrest:v12.0.2 $address/nginx:1.25-alpine"

it "curl on the printed URL answers with rows from PostgreSQL"
ok kurtosis port print quickstart nginx http
ok curl --silent --fail "$out/books"
same "first title" "The C Programming Language" "$(jq -r '.[0].title' <<<"$out")"
same "rows" 5 "$(jq length <<<"$out")"
ok kurtosis service exec quickstart postgres "psql -U app -d library -c \"INSERT INTO books VALUES (6, 'A New One', 'Somebody', 2026)\""
url=$(kurtosis port print quickstart nginx http)
ok curl --silent --fail "$url/books"
same "rows after an insert" 6 "$(jq length <<<"$out")"

it "three services are three containers, and nothing else"
uuid=$(uuid_of quickstart)
same "containers and networks" "4 1" "$(holds "com.kurtosistech.enclave-id=$uuid" | cut -d' ' -f1,2)"

it "running it again in the same enclave works"
ok kurtosis run "$root/examples/quickstart" "$arguments" --enclave quickstart
says "Starlark code successfully run"
"$root/tests/images/registry" stop

it "postgres runs exactly as the architecture page shows it"
image postgres
ok kurtosis run "$root/examples/postgres" --enclave postgres
says "Service 'postgres' added" "service_name"
matches 'postgres +postgresql: 5432/tcp -> postgresql://127.0.0.1:[0-9]+ +RUNNING'
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    kurtosis service exec postgres postgres "pg_isready -h 127.0.0.1" >/dev/null 2>&1 && break
done
ok kurtosis service exec postgres postgres "PGPASSWORD=password psql -h 127.0.0.1 -U postgres -c 'SELECT version()'"
says "PostgreSQL 15"
