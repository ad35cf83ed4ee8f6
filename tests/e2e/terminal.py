"""A terminal of a test's own, and a command that runs at it as if a person had typed it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios


class Terminal:
    """A command at a terminal as large as it is asked to be, which ends with the case at the
    latest."""

    def __init__(self, case, command, environment, rows=33, columns=77):
        self.case = case
        self.ours, theirs = pty.openpty()
        case.addCleanup(os.close, self.ours)
        self.seen = ""
        self.resize(rows, columns)
        self.process = subprocess.Popen(
            command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)
        os.close(theirs)

    def resize(self, rows, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def settings(self):
        """What stty shows."""
        return termios.tcgetattr(self.ours)

    def type(self, text):
        os.write(self.ours, text.encode())

    def read(self, seconds=30):
        """Some more; nothing at the end."""
        self.case.assertTrue(select.select([self.ours], [], [], seconds)[0], self.seen)
        try:
            text = os.read(self.ours, 65536).decode(errors="replace")
        except OSError:
            return ""
        self.seen += text
        return text

    def until(self, pattern, start=0):
        """Reads until this is seen, from this place on."""
        while not (found := re.compile(pattern).search(self.seen, start)):
            self.case.assertTrue(self.read(), f"{pattern} is not in {self.seen!r}")
        return found

    def say(self, text, pattern):
        """Types a line; what answers it."""
        start = len(self.seen)
        self.type(text + "\r")
        return self.until(pattern, start)

    def end(self):
        """The exit status, once all is read."""
        while self.read():
            pass
        return self.process.wait(timeout=30)
