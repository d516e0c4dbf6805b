# SPDX-License-Identifier: MIT
"""Runs the real koodrive-sim and talks to it, with the standard library only."""

import hashlib
import hmac
import http.client
import json
import os
import select
import signal
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("KOODRIVE_SIM", str(REPO / "build" / "sim" / "koodrive-sim"))
TOKEN = "koodrive-sim-token"
API = "/koodrive/ose/v1/"
DETAIL = API + "share/taskDetail"
RESULT = API + "task/result"
SHARE_TASK, SHARE = "1521827471237047552", "1537770199275722241"
IMPORT_TASK = "1215215"
DEADLINE = 60  # seconds; only a bug ever gets there


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


def service_headers(date=None, **changes):
    """Good headers; a keyword (with _ for -) changes one, None leaves it out."""
    headers = {
        "Authorization": "Bearer " + TOKEN,
        "X-User-Id": "1505084218764547200",
        "X-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(date)),
        "Content-Type": "application/json",
    }
    for name, value in changes.items():
        headers[name.replace("_", "-")] = value
    return {name: value for name, value in headers.items() if value is not None}


def sign(secret, method, path, query, headers, body=b""):
    """The Signature of a request: query and headers are lists of pairs, of which all headers are signed."""

    def encode(text):
        return urllib.parse.quote(text, safe="-_.~")

    uri = "/".join(encode(segment) for segment in path.split("/"))
    uri += "" if uri.endswith("/") else "/"
    arguments = "&".join(f"{n}={v}" for n, v in sorted((encode(n), encode(v)) for n, v in query))
    lines = sorted((name.lower(), value.strip()) for name, value in headers)
    signed = ";".join(name for name, _ in lines)
    canonical = "\n".join([method, uri, arguments, "".join(f"{n}:{v}\n" for n, v in lines), signed,
                           hashlib.sha256(body).hexdigest()])
    text = "HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    return signed, hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def app_headers(app_id, secret, method, path, query=(), body=b"", date=None, **changes):
    """service_headers() with the Authorization of an app that signs x-date and x-user-id."""
    headers = service_headers(date, **changes)
    signed, signature = sign(secret, method, path, query, [(n, headers[n]) for n in ("X-Date", "X-User-Id")], body)
    return headers | {"Authorization": f"HMAC-SHA256 AppId={app_id},SignedHeaders={signed},Signature={signature}"}


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "still waiting for: " + what
        time.sleep(0.01)


class Simulator:
    """A running koodrive-sim on a free port."""

    def __init__(self, *options):
        self.stderr_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [BINARY, "--port=0", *options], stdout=subprocess.PIPE, stderr=self.stderr_file, stdin=subprocess.DEVNULL
        )
        try:
            self.ready_line = self._read_ready_line()
            self.url = self.ready_line.split()[-1]
            self.host, port = self.url.removeprefix("http://").rsplit(":", 1)
            self.host = self.host.strip("[]")
            self.port = int(port)
        except BaseException:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            raise

    def _read_ready_line(self):
        line, deadline = b"", time.monotonic() + DEADLINE
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready, "no readiness line"
            piece = os.read(self.process.stdout.fileno(), 4096)
            assert piece, "ended before it was ready: " + self.stderr()
            line += piece
        return line.decode()

    def stderr(self):
        self.stderr_file.seek(0)
        return self.stderr_file.read().decode(errors="replace")

    def close(self, signal_number=signal.SIGTERM):
        """Ends it; an end that is not clean is an error. Safe to call twice."""
        if self.process.stdout.closed:
            return
        try:
            self.process.send_signal(signal_number)
            rest, _ = self.process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise AssertionError("does not end on a signal")
        assert self.process.returncode == 0, self.stderr()
        assert rest == b"", "more than the readiness line on stdout"
        assert self.stderr() == ""

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=DEADLINE)

    def request(self, method, target, body=None, headers=None, connection=None):
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request(method, target, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            if own:
                connection.close()

    def detail(self, task=SHARE_TASK, share=SHARE, headers=None, body=None, connection=None):
        if body is None:
            body = json.dumps({"taskId": task, "shareId": share})
        return self.request("POST", DETAIL, body, service_headers() if headers is None else headers, connection)

    def result(self, task=IMPORT_TASK, headers=None, key="taskId", connection=None):
        target = RESULT if task is None else f"{RESULT}?{key}={task}"
        headers = service_headers(Content_Type=None) if headers is None else headers
        return self.request("GET", target, None, headers, connection)

    def get(self, path, headers=None, **query):
        """A GET of the service: get("jobs", type=6, limit=10), get(JOBID)."""
        target = API + path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        return self.request("GET", target, None, service_headers(Content_Type=None) if headers is None else headers)

    def post(self, path, body=None, headers=None):
        body = json.dumps(body) if isinstance(body, dict) else body
        return self.request("POST", API + path, body, service_headers() if headers is None else headers)

    def list_tasks(self, **query):
        """All items of task/list, however many pages."""
        items, cursor = [], {}
        while True:
            page = self.get("task/list", **query, **cursor).json()
            items += page["taskList"]
            if "nextCursor" not in page:
                return items
            cursor = {"pageCursor": page["nextCursor"]}

    def admin(self, method, path, body=None, status=200):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        answer = self.request(method, "/_sim/" + path, body)
        assert answer.status == status, answer.body
        assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
        return answer.json()

    def counters(self):
        return self.admin("GET", "counters")

    def log(self, query=""):
        return self.admin("GET", "requests" + query)["requests"]

    def fault(self, **fields):
        return self.admin("POST", "faults", fields)["id"]

    def package_url(self, kind="share"):
        """The link to a package of a generated task of that kind (share or job), from a detail asked for now."""
        if kind == "job":
            job = self.generated("job", taskType=6, status="completed")[0]
            return self.get(job["taskId"]).json()["data"]["jobInfo"]["downloadUrl"]
        share = self.generated("share", taskType=1, status="completed")[0]
        return self.detail(share["taskId"], share["shareId"]).json()["jobInfo"]["downloadUrl"]

    def download(self, url, headers=None, method="GET", **more):
        """What is behind a link to a package; keywords are more headers, with _ for -."""
        target = url.removeprefix("http://").partition("/")[2]
        headers = (headers or {}) | {name.replace("_", "-"): value for name, value in more.items()}
        return self.request(method, "/" + target, None, headers)

    def shapes(self, *names):
        """Gives answers these shapes from now on."""
        self.admin("PUT", "shapes", list(names))

    def generated(self, kind, **fields):
        """The generated tasks of that kind, and with these fields in /_sim/tasks."""
        fields.update(generated=True, kind=kind)
        return [t for t in self.admin("GET", "tasks")["tasks"] if fields.items() <= t.items()]
