# SPDX-License-Identifier: MIT
"""A service that answers what a test says, for answers and moments the simulator does not play. One thread a request."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BASE = "/koodrive/ose/v1/"
NOT_FOUND = (400, {"code": 13000309, "msg": "no such resource"})


class ScriptedService:
    """answers: what comes after the base path ("task/list", "task/7", "share/taskDetail/7", "7") → a body (object, text or
    bytes), a pair of HTTP status and body, or a function of the query that gives one of these. What is not there is
    unknown to the service. Share tasks have their id behind the path, as it stands in the request's body."""

    def __init__(self):
        self.answers, self.log, self.lock, self.gates = {}, [], threading.Lock(), {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # a response in one packet: else the second waits for the first to be acknowledged

            def do_GET(self):
                self.answer("")

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer("/" + body["taskId"] if "taskId" in body else "")

            def answer(self, suffix):
                url = urllib.parse.urlsplit(self.path)
                query = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
                status, body = service.play(url.path.removeprefix(BASE) + suffix, query)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *arguments: None  # who was killed while it was being answered
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def play(self, path, query):
        with self.lock:
            self.log.append((path, query))
            gate = self.gates.get(path)
        if gate is not None:
            gate.wait(60)
        with self.lock:
            found = self.answers.get(path if path != "task/result" else "task/result/" + query.get("taskId", ""), NOT_FOUND)
            found = found(query) if callable(found) else found
        status, body = found if isinstance(found, tuple) else (200, found)
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        return status, body.encode() if isinstance(body, str) else body

    def hold(self, path):
        """Requests for the path are not answered before the gate that this returns is set()."""
        with self.lock:
            self.gates[path] = threading.Event()
            return self.gates[path]

    def asked(self, *paths):
        """How many requests there were: all, or those for these paths."""
        with self.lock:
            return sum(not paths or path in paths for path, _ in self.log)

    def paths(self):
        """The paths asked for so far, each once, in order."""
        with self.lock:
            return sorted({path for path, _ in self.log})

    def forget(self):
        with self.lock:
            self.log.clear()

    def close(self):
        for gate in self.gates.values():
            gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    # ---- answers

    def add_share(self, task, **info):
        info = {"taskId": task, "taskType": 1, "taskStatus": 1, "progress": 50, "createTime": "20240930091932", **info}
        self.answers["share/taskDetail/" + task] = {"code": 0, "jobInfo": info, "taskInfos": []}

    def add_basic(self, task, succeeded=1, failures=(), **info):
        info = {"taskId": task, "taskName": "n", "taskType": 1, "userId": "u", "status": 2, **info}
        rows = [{"userName": name, "desc": desc} for name, desc in failures]
        data = {"successCount": succeeded, "failCount": len(rows), "failInfoList": rows}
        self.answers["task/" + task] = {"code": 0, "msg": "ok", **info}
        self.answers["task/result/" + task] = {"code": 0, "data": data}
        times = {"createTime": "2024-09-30T09:19:32Z", "startTime": "2024-09-30T09:19:33Z"}
        times["endTime"] = "2024-09-30T09:19:34Z" if info["status"] >= 2 else ""
        return {**info, **times}

    def add_job(self, task, files=(), **info):
        info = {"taskId": task, "taskType": 1, "userId": "u", "status": 1, "createTime": "20240930091932",
                "beginTime": "20240930091933", "endTime": "", **info}
        infos = [{"fileId": file, "status": "1", "newFileId": "n"} for file in files]
        self.answers[task] = {"code": "0", "data": {"jobInfo": {**info, "progress": 30}, "taskInfos": infos}}
        return info

    def list(self, basic=(), jobs=()):
        """Both lists have these items and no others, on one page each."""
        self.answers["task/list"] = {"code": 0, "taskList": list(basic)}
        self.answers["jobs"] = {"code": "0", "data": list(jobs)}
