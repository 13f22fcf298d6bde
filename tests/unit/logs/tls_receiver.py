"""tls_receiver FOLDER: an HTTPS server for log lines. Its certificate is for 127.0.0.1 alone, by the authority FOLDER/good.pem;
FOLDER/stranger.pem is one that it has nothing to do with.

Prints its port, and then the body of each POST as a line.
"""
import http.server
import os
import ssl
import subprocess
import sys

FOLDER = sys.argv[1]


def at(name):
    return os.path.join(FOLDER, name)


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(204)
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # of clients that do not trust it


for name in ("good", "stranger"):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name,
            "-keyout", at(name + ".key"), "-out", at(name + ".pem"))
with open(at("names"), "w") as file:
    print("subjectAltName = IP:127.0.0.1", file=file)
openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=receiver", "-keyout", at("key"), "-out", at("request"))
openssl("x509", "-req", "-in", at("request"), "-CA", at("good.pem"), "-CAkey", at("good.key"), "-CAcreateserial",
        "-days", "2", "-extfile", at("names"), "-out", at("certificate"))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(at("certificate"), at("key"))
server = Server(("127.0.0.1", 0), Handler)
# Hands are shaken on the thread of a connection, so that one that hangs holds up no other.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
server.serve_forever()
