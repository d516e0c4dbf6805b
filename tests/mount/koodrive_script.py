# SPDX-License-Identifier: MIT
"""A service in a few lines, for what the simulator does not do: its clock, its refusals and its sessions are the test's."""

import email.utils
import hashlib
import hmac
import http.server
import json
import re
import threading
import time
import urllib.parse

BASE = "/koodrive/ose/v1"
JOB = "7100"
GOOD = {"data": {"jobInfo": {"taskId": JOB, "status": 2}}, "code": "0"}


class Call:
    """One request as it came, and its answer's status."""

    def __init__(self, method, target, headers, body):
        self.method, self.path, self.headers, self.body = method, target.partition("?")[0], headers, body
        self.target, self.status = target, None
        self.name = self.path.removeprefix(BASE)


class Service:
    """Knows the job JOB; `tokens` are good (None: all), `offset` is how far its clock is from ours, in seconds. A refused
    date is answered by 400 with `date_code`. session/refresh with a session of `sessions` gives its token."""

    def __init__(self, tokens=None, offset=0, sessions=None, date_code=None):
        self.tokens, self.offset, self.sessions, self.date_code = tokens, offset, sessions or {}, date_code
        self.calls, self.secret, self.echo = [], None, ""
        self.lock = threading.Lock()
        self.barrier = None  # refusals wait at it for each other
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                call = Call(self.command, self.path, self.headers, body)
                call.status, fields = service.judge(call)
                if call.status == 401 and service.barrier and call.name != "/session/refresh":
                    service.barrier.wait(60)
                text = json.dumps(fields).encode()
                self.send_response_only(call.status)
                self.send_header("Date", email.utils.formatdate(service.now(), usegmt=True))
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 64  # connections that come at a time
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def now(self):
        return int(time.time() + self.offset)

    def judge(self, call):
        """The status and the answer."""
        with self.lock:
            self.calls.append(call)
        date = time.strptime(call.headers["X-Date"], "%Y%m%dT%H%M%SZ")
        age = self.now() - int(time.mktime((*date[:8], 0)) - time.timezone)
        if not 0 <= age <= 900:
            return 400, {"msg": "X-Date", **({"code": self.date_code} if self.date_code else {})}
        if call.name == "/session/refresh":
            token = self.sessions.get(call.headers["x-session-id"])
            if token is None:
                return 401, {"code": 1, "msg": f"no session {call.headers['x-session-id']}"}
            self.tokens.add(token)
            return 200, {"code": 0, "accessToken": token}
        if self.secret is not None:
            good = call.headers["Authorization"] == signature(call, self.secret)
        else:
            good = self.tokens is None or call.headers["Authorization"] in self.tokens
        if not good:
            return 401, {"code": 1, "msg": f"refused {self.echo}"}
        return (200, GOOD) if call.target == f"{BASE}/{JOB}" else (404, {"code": 13000309})

    def statuses(self, name=r"/\d+"):
        """Of the calls whose names match, by default of those about a job."""
        return [call.status for call in self.calls if re.fullmatch(name, call.name)]


def signature(call, secret):
    """The Authorization that a request must have, made of what came."""
    headers = "".join(f"{name}:{call.headers[name].strip()}\n" for name in ("host", "x-date", "x-user-id"))
    pairs = urllib.parse.parse_qsl(call.target.partition("?")[2], keep_blank_values=True)
    query = "&".join(sorted(f"{urllib.parse.quote(k, safe='~')}={urllib.parse.quote(v, safe='~')}" for k, v in pairs))
    canonical = "\n".join([call.method, call.path + "/", query, headers, "host;x-date;x-user-id",
                           hashlib.sha256(call.body).hexdigest()])
    text = "HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"HMAC-SHA256 AppId=APP,SignedHeaders=host;x-date;x-user-id,Signature={digest}"
