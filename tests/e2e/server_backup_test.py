#!/usr/bin/env python3
"""Copies of what a server keeps: podium backup while it runs, podium restore while none does."""

import http.client
import os
import pathlib
import socket
import stat
import subprocess

import api_server
import world as worlds


setUpModule = api_server.begin
tearDownModule = api_server.end


class BackupTest(api_server.ServerCase):
    def podium(self, *arguments, status=0):
        run = subprocess.run([worlds.PODIUM, *arguments], env=self.server.environment, text=True,
                             capture_output=True, timeout=60, check=False)
        self.assertEqual(run.returncode, status, f"{arguments}\n{run.stdout}{run.stderr}")
        return run.stdout if status == 0 else run.stderr

    def test_backup_and_restore(self):
        copy = self.server.folder / "copy.db"
        self.kubectl("create", "configmap", "kept", "--from-literal=a=b")
        before = self.get("configmap", "kept")
        self.assertRegex(self.podium("backup", str(copy)),
                         rf"^\d+ objects of revision \d+ copied to {copy}\n$")
        self.assertEqual(stat.S_IMODE(os.stat(copy).st_mode), 0o600)
        self.assertIn("is there already", self.podium("backup", str(copy), status=1))
        self.kubectl("delete", "configmap", "kept")
        self.kubectl("create", "configmap", "later")
        later = int(self.get("configmap", "later")["metadata"]["resourceVersion"])

        self.assertIn("store.db", self.podium("restore", str(copy), status=1))
        self.server.stop()
        self.assertIn('start one with "podium server"',
                      self.podium("backup", str(copy) + "2", status=1))
        data = pathlib.Path(self.server.environment["PODIUM_DATA_DIR"]) / "server"
        for file in data.glob("store.db*"):
            file.rename(self.server.folder / file.name)
        self.assertRegex(self.podium("restore", str(copy)), r"^\d+ objects restored from ")
        self.server.start()

        self.assertEqual(self.get("configmap", "kept"), before)
        self.assertIn("NotFound", self.kubectl("get", "configmap", "later", status=1))
        # No client has seen a revision that is given again.
        self.kubectl("create", "configmap", "after")
        after = int(self.get("configmap", "after")["metadata"]["resourceVersion"])
        self.assertGreater(after, later)

    def test_nobody_else_says_where_the_server_writes(self):
        connection = self.server.connect()
        target = self.server.folder / "stolen.db"
        connection.request("POST", f"/podium/v1/backup?path={target}")
        answer = connection.getresponse()
        answer.read()
        self.assertEqual(answer.status, 403)
        connection.close()
        self.assertFalse(target.exists())

    def test_what_is_asked_for_has_to_be_clear(self):
        class Root(http.client.HTTPConnection):
            def connect(connection):  # pylint: disable=no-self-argument
                connection.sock = socket.socket(socket.AF_UNIX)
                connection.sock.connect(
                    self.server.environment["PODIUM_RUN_DIR"] + "/server.sock")

        for method, path, status in (("GET", "/podium/v1/backup?path=/x", 405),
                                     ("POST", "/podium/v1/backup", 400),
                                     ("POST", "/podium/v1/backup?path=relative", 400),
                                     ("POST", "/podium/v1/other", 404)):
            connection = Root("localhost", timeout=30)
            connection.request(method, path)
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.status, status, (method, path))
            connection.close()


if __name__ == "__main__":
    api_server.main()
