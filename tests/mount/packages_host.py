# SPDX-License-Identifier: MIT
"""The host that download links lead to: a small HTTP server that does what a test tells it to."""

import hashlib
import http.server
import io
import random
import re
import threading
import zipfile

MODIFIED = "Mon, 30 Sep 2024 09:30:00 GMT"
MODIFIED_SECONDS = 1727688600


def make_zip(size=3 << 20, seed=1):
    """A zip of members that do not compress, about SIZE bytes."""
    random_bytes = random.Random(seed).randbytes
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for number in range(8):
            package.writestr(f"dir/file-{number}", random_bytes(size // 8))
    return out.getvalue()


class Host:
    """Serves CONTENT at /package.zip?sign=N. What it may be told: ranges (False: 200 always), length (False: none with 200),
    validators (False: none), refuse (signs answered with 403), redirect (a host name: 302 there), gone (a status), hold (an
    event: waits for it before it answers ranges but the first byte), cut (bytes after which a body breaks off, once), pause
    (bytes after which a body waits for an event), tag (the ETag; empty: none), modified (Last-Modified)."""

    def __init__(self):
        self.content = make_zip()
        self.ranges = self.length = self.validators = True
        self.refuse, self.redirect, self.gone, self.hold, self.cut = set(), None, None, None, None
        self.pause, self.tag, self.modified = None, None, MODIFIED
        self.requests = []
        self.sent = 0
        self.lock = threading.Lock()
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                host.answer(self)

        # on all addresses of this machine: 127.0.0.1 and localhost are two hosts to a client
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def link(self, sign=1, host="127.0.0.1"):
        return f"http://{host}:{self.port}/package.zip?sign={sign}"

    def close(self):
        if self.hold is not None:
            self.hold.set()
        if self.pause is not None:
            self.pause[1].set()
        self.server.shutdown()
        self.server.server_close()

    def ranged(self):
        """The ranges asked for but the first byte: [(first, last)]."""
        found = [re.fullmatch(r"bytes=(\d+)-(\d+)", r["headers"].get("Range", "")) for r in self.requests]
        return [(int(m[1]), int(m[2])) for m in found if m and m[2] != "0"]

    def answer(self, handler):
        sign = int(re.search(r"sign=(\d+)", handler.path)[1])
        name = handler.headers["Host"].rpartition(":")[0]
        with self.lock:
            self.requests.append({"sign": sign, "host": name, "headers": dict(handler.headers)})
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers.get("Range", ""))
        if self.hold is not None and (asked is None or asked[2] != "0"):
            self.hold.wait()
        if self.gone is not None:
            self.reply(handler, self.gone, b"<gone/>", {})
        elif sign in self.refuse:
            self.reply(handler, 403, b"<expired/>", {})
        elif self.redirect is not None and name != self.redirect:
            self.reply(handler, 302, b"", {"Location": self.link(sign, self.redirect)})
        else:
            self.give(handler, asked)

    def give(self, handler, asked):
        content, headers, status = self.content, {}, 200
        if self.validators:
            tag = hashlib.md5(content).hexdigest() if self.tag is None else self.tag
            headers = {"Last-Modified": self.modified, **({"ETag": f'"{tag}"'} if tag else {})}
        if self.ranges and asked:
            first, last = int(asked[1]), min(int(asked[2]), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[first:last + 1], 206
        self.reply(handler, status, content, headers)

    def reply(self, handler, status, body, headers):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if self.length or status != 200:
            handler.send_header("Content-Length", str(len(body)))
        else:
            handler.send_header("Connection", "close")
            handler.close_connection = True
        handler.end_headers()
        if self.cut is not None and len(body) > self.cut:
            body, self.cut = body[:self.cut], None
            handler.close_connection = True
        try:
            if self.pause is not None and len(body) > self.pause[0]:
                handler.wfile.write(body[:self.pause[0]])
                self.pause[1].wait()
                handler.wfile.write(body[self.pause[0]:])
            else:
                handler.wfile.write(body)
            with self.lock:
                self.sent += len(body)
        except OSError:
            handler.close_connection = True  # it has heard enough
