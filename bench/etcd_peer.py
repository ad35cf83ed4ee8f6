#!/usr/bin/env python3
"""etcd beside the API server: memory with so many keys of 1 KiB, and what a put and a get cost.

  bench/etcd_peer.py [--etcd /usr/bin/etcd] [--objects 10000,100000] [--requests 3000] [--clients 10]

A single member on loopback, in a folder that goes at the end, with etcd's own defaults. Requests go
through its JSON gateway (HTTP/1.1), which costs it more than gRPC does: memory compares with
podium's, processor time only roughly.
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def encoded(text):
    return base64.b64encode(text.encode()).decode()


class Etcd:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="etcd_peer_")
        self.port, peer = free_port(), free_port()
        client, other = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{peer}"
        self.process = subprocess.Popen(
            [program, "--data-dir", self.folder, "--listen-client-urls", client,
             "--advertise-client-urls", client, "--listen-peer-urls", other,
             "--initial-advertise-peer-urls", other, "--initial-cluster", f"default={other}",
             "--log-level", "error"], stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.ask(self.connect(), "range", {"key": encoded("a")})
                return
            except (OSError, ValueError):
                time.sleep(0.05)
        raise SystemExit("etcd does not answer")

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    @staticmethod
    def ask(connection, what, body):
        connection.request("POST", "/v3/kv/" + what, json.dumps(body))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise ValueError(text.decode())
        return json.loads(text)

    def memory(self):
        """Proportional set size, in MiB."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(text.split("Pss:")[1].split()[0]) / 1024

    def processor(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)


def fill(etcd, begin, end):
    connection = etcd.connect()
    for at in range(begin, end, 100):
        etcd.ask(connection, "txn", {"success": [
            {"requestPut": {"key": encoded(f"/registry/configmaps/a/object-{number}"),
                            "value": encoded("x" * 1024)}} for number in range(at, at + 100)]})


def drive(etcd, what, body_of, clients, requests):
    def one(first):
        connection = etcd.connect()
        for number in range(first, requests, clients):
            etcd.ask(connection, what, body_of(number))
    before, begin = etcd.processor(), time.monotonic()
    threads = [threading.Thread(target=one, args=(first,)) for first in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begin
    print(json.dumps({"what": what, "clients": clients, "requests": requests,
                      "rate": round(requests / seconds),
                      "server_cpu_us_each": round((etcd.processor() - before) * 1e6 / requests)}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--etcd", default="etcd")
    parser.add_argument("--objects", default="10000,100000")
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--clients", type=int, default=10)
    options = parser.parse_args()
    etcd = Etcd(options.etcd)
    try:
        drive(etcd, "put", lambda number: {"key": encoded(f"/registry/put-{number}"),
                                           "value": encoded("x" * 1024)},
              options.clients, options.requests)
        drive(etcd, "range", lambda number: {"key": encoded(f"/registry/put-{number}")},
              options.clients, options.requests)
        empty, made = etcd.memory(), 0
        for objects in map(int, options.objects.split(",")):
            fill(etcd, made, objects)
            made = objects
            time.sleep(2)
            memory = etcd.memory()
            print(json.dumps({"what": "memory", "objects": objects, "before_mib": round(empty, 1),
                              "filled_mib": round(memory, 1),
                              "bytes_each": round((memory - empty) * 2**20 / objects)}))
    finally:
        etcd.close()


if __name__ == "__main__":
    main()
