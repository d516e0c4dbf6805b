# SPDX-License-Identifier: MIT
"""A proxy on this machine: it writes down what it is asked for, and connects to where CONNECT says."""

import socket
import socketserver
import threading


class Proxy:
    """lines: the first line of each request; text: all that it was sent in clear text. refuse: it answers 407."""

    def __init__(self):
        self.lines, self.text, self.refuse = [], b"", False
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                proxy.serve(self.request)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(65536)
            if not piece:
                break
            head += piece
            self.text += piece
        line = head.split(b"\r\n")[0].decode(errors="replace")
        self.lines.append(line)
        if self.refuse or not line.startswith("CONNECT "):
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, port = line.split()[1].rsplit(":", 1)
        with socket.create_connection((host.strip("[]"), int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            other = threading.Thread(target=self.pour, args=(server, client), daemon=True)
            other.start()
            self.pour(client, server)
            other.join()

    @staticmethod
    def pour(source, target):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.server.shutdown()
        self.server.server_close()
