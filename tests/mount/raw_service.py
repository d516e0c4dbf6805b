# SPDX-License-Identifier: MIT
"""A peer that answers every request with the same bytes, for what no HTTP server would say. It closes after each."""

import socket
import threading

JSON = "Content-Type: application/json"


def http(status, *headers, body=b""):
    """The bytes of an answer."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


class RawService:
    """answer: the bytes, or a function that gives them for the request's head; heads: those of all requests; end: how a
    head ends."""

    def __init__(self, answer, end=b"\r\n\r\n"):
        self.answer, self.end, self.heads, self.lock = answer, end, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(60)
                try:
                    self.talk(connection)
                except OSError:
                    pass  # who asked has gone

    def talk(self, connection):
        head = b""
        while self.end not in head:
            piece = connection.recv(65536)
            if not piece:
                return
            head += piece
        with self.lock:
            self.heads.append(head.decode("latin-1"))
        connection.sendall(self.answer(self.heads[-1]) if callable(self.answer) else self.answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):  # else what it has not read would reset the connection, and the answer with it
            pass

    def asked(self):
        with self.lock:
            return len(self.heads)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
