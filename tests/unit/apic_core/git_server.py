"""git_server FOLDER: a web server over the bare repositories in FOLDER, through git http-backend.

Prints its port, and two ports of HTTPS: with the certificate FOLDER/server.pem, and with FOLDER/other.pem. /open/... is for everybody, /private/... wants the user "token" with the password "good/secret", /moved/...
redirects to /open/..., /away/... to OTHER (below), /silent/... takes a request and says nothing. Each request is written to
FOLDER/requests: path, and user and password if it has any.
"""
import base64
import http.server
import os
import ssl
import subprocess
import sys
import threading

FOLDER = sys.argv[1]
LOCK = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    other = ""

    def log_message(self, *_):
        pass

    def credentials(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        return base64.b64decode(value).decode() if kind == "Basic" else ""

    def answer(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def handle_git(self):
        space, _, rest = self.path[1:].partition("/")
        with LOCK, open(os.path.join(FOLDER, "requests"), "a") as file:
            print(self.server.server_port, self.path, self.credentials(), file=file)
        if space == "silent":
            self.rfile.read()  # until the client has gone
        elif space == "moved":
            self.answer(301, Location="/open/" + rest)
        elif space == "away":
            self.answer(302, Location=self.other + rest)
        elif space == "private" and self.credentials() != "token:good/secret":
            self.answer(401, WWW_Authenticate='Basic realm="git"')
        elif space in ("open", "private"):
            self.backend(rest)
        else:
            self.answer(404)

    do_GET = do_POST = handle_git

    def backend(self, rest):
        path, _, query = rest.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = dict(os.environ, GIT_PROJECT_ROOT=FOLDER, GIT_HTTP_EXPORT_ALL="1", PATH_INFO="/" + path, QUERY_STRING=query,
                   REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""),
                   HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                   GIT_PROTOCOL=self.headers.get("Git-Protocol", ""), GIT_CONFIG_COUNT="1",
                   GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
        done = subprocess.run(["git", "http-backend"], input=body, stdout=subprocess.PIPE, env=env, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value for name, value in lines if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in lines:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


# The second one is another host: what is redirected there must not take the token along.
servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
Handler.other = "http://localhost:%d/private/" % servers[1].server_port
threading.Thread(target=servers[1].serve_forever, daemon=True).start()
for name in ("server", "other"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(FOLDER, name + ".pem"), os.path.join(FOLDER, "server.key"))
    secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    servers.append(secure)
print("%d %d %d" % tuple(servers[i].server_port for i in (0, 2, 3)), flush=True)
servers[0].serve_forever()
