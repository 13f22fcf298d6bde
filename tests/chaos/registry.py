#!/usr/bin/env python3
"""registry.py PORT UPSTREAM MODE_FILE: a registry in front of a good one that does, with layers, what MODE_FILE says.

  good    passes all on
  cut     ends the connection in the middle of a layer
  stall   sends half of a layer, says so on standard output, and then nothing more
  lie     sends a layer of the right length whose bytes are others
  fake    gives a manifest that is not the one of its digest
"""
import http.client
import http.server
import sys

PORT, UPSTREAM, MODE_FILE = int(sys.argv[1]), sys.argv[2], sys.argv[3]
LAYER_MIN = 4096  # bytes of what counts as a layer


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with open(MODE_FILE) as file:
            mode = file.read().strip()
        upstream = http.client.HTTPConnection(UPSTREAM)
        headers = {"Host": UPSTREAM, "Accept": ", ".join(self.headers.get_all("Accept") or ["*/*"])}
        upstream.request(self.command, self.path, headers=headers)
        answer = upstream.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else len(body)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            return
        is_layer = "/blobs/" in self.path and len(body) >= LAYER_MIN
        if mode == "fake" and "/manifests/" in self.path:
            body = body[:-1] + b" " if body.endswith(b"}") else body
        if not is_layer or mode in ("good", "fake"):
            self.wfile.write(body)
        elif mode == "lie":
            self.wfile.write(body[:-100] + bytes(100))
        else:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if mode == "stall":
                print("stalled", flush=True)
                self.connection.recv(1)
            self.close_connection = True
            self.connection.close()

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Front).serve_forever()
