# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs programs in interleaved rounds and keeps their times."""

import dataclasses
import json
import os
import signal
import statistics
import sys
import time

MIB = 1 << 20
ENVIRONMENT = dict(os.environ, LC_ALL="C")


class Failed(Exception):
    """A program ended badly, or what it wrote is not what it read."""


@dataclasses.dataclass
class Program:
    """One way to do the copy of a bed."""
    label: str
    argv: list                  # argv[0] is a path
    kind: str = "peer"          # peer, ours, or limit: it copies nothing
    is_fio: bool = False        # its own figure counts, not the clock
    target: float = None        # our speed must be this multiple of its own
    cpu_target: float = None    # our CPU time: at most this part of its own
    walls: list = dataclasses.field(default_factory=list)   # seconds
    cpus: list = dataclasses.field(default_factory=list)    # seconds
    failure: str = None

    @property
    def wall(self):
        return statistics.median(self.walls)

    @property
    def cpu(self):
        return statistics.median(self.cpus)

    @property
    def is_measured(self):
        return bool(self.walls) and self.failure is None


@dataclasses.dataclass
class Bed:
    """A copy to be done, and the programs that do it."""
    title: str
    size: int                   # bytes copied
    programs: list
    before: callable            # called ahead of every run
    check: callable             # raises Failed if the copy is wrong
    habit: str = None           # the label that stands for what people type
    target: float = None        # as Program.target, for the best peer
    repeat: int = 1             # samples of each program in a round
    is_fed: bool = False        # stdin is a pipe full of FEED
    is_drained: bool = False    # stdout is a pipe
    has_rate: bool = True       # size by time means something
    name: str = ""
    rounds: int = 0             # those that were done

    @property
    def ours(self):
        return next(p for p in self.programs if p.kind == "ours")

    @property
    def peers(self):
        return [p for p in self.programs
                if p.kind == "peer" and p.is_measured]

    @property
    def best_peer(self):
        return min(self.peers, key=lambda p: p.wall, default=None)

    def speed_over(self, program):
        return program.wall / self.ours.wall


# --- the other ends of pipes ----------------------------------------------

FEED = os.urandom(MIB)


def fork(work):
    """A child that does work() and exits 0 if it returned true."""
    pid = os.fork()
    if pid > 0:
        return pid
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        status = 0 if work() else 1
    finally:
        os._exit(status)


def feed(fd, size):
    left = size
    view = memoryview(FEED)
    while left > 0:
        at = (size - left) % MIB
        left -= os.write(fd, view[at:at + left])
    return True


def drain(fd, size):
    buffer = bytearray(MIB)
    total = 0
    while got := os.readv(fd, [buffer]):
        total += got
    return total == size


# --- one run --------------------------------------------------------------

def spawn(argv, fds):
    actions = [(os.POSIX_SPAWN_DUP2, fd, i) for i, fd in enumerate(fds)]
    return os.posix_spawn(argv[0], argv, ENVIRONMENT, file_actions=actions,
                          setpgroup=0, setsigdef=[signal.SIGPIPE])


class Run:
    """Starts what a run consists of, and leaves nothing of it behind."""

    def __init__(self, bed, program, log_path):
        self.bed, self.program = bed, program
        self.fds, self.pids = [], {}
        self.log_path = log_path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid, group in self.pids.items():
            os.kill(-pid if group else pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.close_fds()

    def close_fds(self):
        while self.fds:
            os.close(self.fds.pop())

    def open(self, path, flags):
        self.fds.append(os.open(path, flags | os.O_CLOEXEC, 0o600))
        return self.fds[-1]

    def pipe(self, work, end):
        """Our child works at that end of a new pipe; gives the other one."""
        both = os.pipe()
        self.fds += both

        def run():
            os.close(both[1 - end])
            return work(both[end], self.bed.size)

        self.pids[fork(run)] = False
        os.close(both[end])
        self.fds.remove(both[end])
        return both[1 - end]

    def wait(self, pid):
        _, status, usage = os.wait4(pid, 0)
        del self.pids[pid]
        return os.waitstatus_to_exitcode(status), usage

    def go(self):
        """Wall and CPU seconds; the CPU time is that of the program alone."""
        bed, argv = self.bed, self.program.argv
        log = self.open(self.log_path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        fd_in = (self.pipe(feed, 1) if bed.is_fed
                 else self.open(os.devnull, os.O_RDONLY))
        fd_out = self.pipe(drain, 0) if bed.is_drained else log
        start = time.monotonic()
        pid = spawn(argv, (fd_in, fd_out, log))
        self.pids[pid] = True
        self.close_fds()
        code, usage = self.wait(pid)
        ends = [self.wait(end)[0] for end in list(self.pids)]
        wall = time.monotonic() - start
        if code != 0:
            raise Failed(f"exit status {code}: {self.last_words()}")
        if any(ends):
            raise Failed("bytes were lost in a pipe")
        return wall, usage.ru_utime + usage.ru_stime

    def last_words(self):
        with open(self.log_path, errors="replace") as file:
            return (file.read().strip().splitlines() or ["no message"])[-1]


def fio_wall(log_path, size):
    """fio's own figure: what it sets up and tells is not I/O."""
    with open(log_path) as file:
        text = file.read()
    jobs = json.loads(text[text.index("{"):])["jobs"]
    return max(size / max(job["read"]["bw_bytes"], job["write"]["bw_bytes"])
               for job in jobs)


def sample(bed, program, log_path, is_checked):
    bed.before()
    with Run(bed, program, log_path) as run:
        wall, cpu = run.go()
    if program.is_fio:
        wall = fio_wall(log_path, bed.size)
    if program.kind != "limit" and is_checked:
        bed.check()
    program.walls.append(wall)
    program.cpus.append(cpu)


def try_sample(bed, program, log_path, is_checked):
    try:
        sample(bed, program, log_path, is_checked)
    except Failed as failure:
        program.failure = str(failure)
        print(f"  {program.label}: {failure}", file=sys.stderr)


def order_of(programs, i):
    """Each comes first in its turn, and after this neighbour or that."""
    turn = i % len(programs)
    order = programs[turn:] + programs[:turn]
    return order[::-1] if i % 2 else order


def measure(bed, rounds, log_path, deadlines):
    """All rounds, or at least 3 by the first deadline, 1 by the second."""
    enough, last = deadlines
    for i in range(rounds * bed.repeat):
        now = time.monotonic()
        if (i >= 3 and now > enough) or (i >= 1 and now > last):
            break
        for program in order_of(bed.programs, i):
            if program.failure is None:
                try_sample(bed, program, log_path, i == 0)
        bed.rounds = i + 1
