#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets every system call of aiodd fail once, with each errno that it can fail
with, and looks at what the run says of itself and what it leaves behind.

A run of each mode is logged first (tests/fault.c); then it is repeated, once
for each call, occurrence and errno. --only MODE:CALL:NUMBER:ERRNO repeats one.
"""

import argparse
import collections
import concurrent.futures
import errno
import fcntl
import hashlib
import json
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

KIB, MIB = 1024, 1024 * 1024
TIME_LIMIT = 300        # seconds, and only for what would never end
OLD = b"O"              # what destinations are full of before
FIRST_BLOCK = 4096      # what commit=first-last keeps back

NOISE = random.Random("faults").randbytes(MIB + 100)
SMALL = NOISE[:300000]
HOLES = b"".join(NOISE[at:at + 64 * KIB] if at // (64 * KIB) % 2 else
                 bytes(64 * KIB) for at in range(0, 512 * KIB, 64 * KIB))
TEXT = bytes(b"abcXYZ 019\n"[byte % 11] for byte in NOISE[:20000])

SEEK_DATA = "0x3"
SYNC = ("fsync", "fdatasync", "syncfs")
WRITE = ("write", "pwrite64", "writev", "copy_file_range", "fallocate")
# On a side of the copy, once interrupted is not given up.
RESUMED = ("read", "pread64", "write", "pwrite64", "copy_file_range", "splice",
           "fsync", "fdatasync", "ftruncate", "epoll_wait", "epoll_pwait",
           "poll", "ppoll", "io_getevents", "io_pgetevents",
           "openat")


class Mode:
    """A command line, and what must be there after it."""

    def __init__(self, args, source="noise", **more):
        self.args = args.split()
        self.source = source
        self.old_size = more.get("old_size", MIB + 8192)
        self.seek = more.get("seek", 0)
        self.convert = more.get("convert", bytes)
        self.program = more.get("program", "aiodd")
        self.is_disk = "of=@" in args
        self.is_to_pipe = more.get("is_to_pipe", False)
        self.is_from_pipe = more.get("is_from_pipe", False)
        self.is_kept = "notrunc" in args or self.is_disk
        self.is_renamed = "commit=rename" in args
        self.is_first_last = "commit=first-last" in args
        self.is_verified = "verify=yes" in args
        self.is_synced = ("conv=fsync" in args or "fsync" in args
                          or self.is_verified or self.is_renamed
                          or self.is_disk)
        self.is_json = "status=json" in args

    def data(self):
        return self.convert(SOURCES[self.source])


SOURCES = {"noise": NOISE, "small": SMALL, "holes": HOLES, "text": TEXT,
           "tiny": NOISE[:30000]}
# @ is the disk.
MODES = {
    "aio": Mode("if=noise of=d io=aio iosize=64K depth=4 conv=fsync"),
    "aio-tail": Mode("if=noise of=d io=aio iosize=64K depth=4 bs=512 seek=1 "
                     "conv=notrunc,fsync", seek=512),
    "inline": Mode("if=small of=d io=inline", "small"),
    "plain": Mode("if=small of=d bs=4K", "small"),
    "kernel": Mode("if=noise of=d bs=64K"),
    "tiny": Mode("if=tiny of=d bs=4K", "tiny"),
    "holes": Mode("holes d", "holes"),
    "sparse": Mode("if=holes of=d bs=32K conv=sparse,fdatasync", "holes"),
    "from-pipe": Mode("of=d bs=64K iflag=fullblock", "small",
                      is_from_pipe=True),
    "to-pipe": Mode("if=small bs=64K", "small", is_to_pipe=True),
    "convert": Mode("if=text of=d conv=ucase ibs=1000 obs=4096", "text",
                    convert=bytes.upper),
    "hash": Mode("if=small of=d hash=sha256,xxh128", "small"),
    "sums": Mode("noise d sums=sums verify=yes io=aio iosize=64K depth=4"),
    "rename": Mode("small d commit=rename", "small"),
    "expect": Mode("small d commit=rename verify=yes expect=sha256:"
                   + hashlib.sha256(SMALL).hexdigest(), "small"),
    "json": Mode("small d status=json report=report.json", "small"),
    "rate": Mode("if=small of=d rate=100M conv=fsync", "small"),
    "first-last": Mode("if=noise of=@ commit=first-last io=aio iosize=64K "
                       "depth=4"),
    "disk-verify": Mode("if=small of=@ verify=yes", "small"),
    "disk-json": Mode("if=small of=@ verify=yes commit=first-last "
                      "status=json report=report.html", "small"),
    "dd": Mode("if=small of=d bs=4K conv=fsync", "small", program="dd"),
    "direct": Mode("if=noise of=d bs=64K oflag=direct"),
}


# --- one run --------------------------------------------------------------

Call = collections.namedtuple("Call", "name number about args failed errnos")
Case = collections.namedtuple("Case", "mode name number errno")


def read_log(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    calls = []
    for line in lines[:-1]:
        name, number, about, args, failed, errnos = line.split("\t")
        calls.append(Call(name, int(number), about, args.split(),
                          bool(failed), errnos.split()))
    return calls, lines[-1] if lines else "nothing"


def read_file(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def full_pipe(data):
    """The end to be read of a pipe that holds this."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, MIB)
    os.write(ends[1], data)
    os.close(ends[1])
    return ends[0]


def drain(fd):
    with os.fdopen(fd, "rb") as file:
        return file.read()


class Bench:
    """A directory and a disk, for one run at a time."""

    def __init__(self, options, directory, disk):
        self.options = options
        self.dir = directory
        self.disk = disk
        os.makedirs(os.path.join(directory, "files"))
        for name, data in SOURCES.items():
            with open(self.path(name), "wb") as file:
                file.truncate(len(data))
                for at in range(0, len(data), 4096):
                    block = data[at:at + 4096]
                    if block.strip(b"\0"):
                        os.pwrite(file.fileno(), block, at)
        self.given = set(os.listdir(self.path("")))

    def path(self, name):
        return os.path.join(self.dir, "files", name)

    def clear(self, mode):
        for name in set(os.listdir(self.path(""))) - self.given:
            os.unlink(self.path(name))
        dst = self.disk if mode.is_disk else self.path("d")
        # A disk that has gone is no file to be made.
        fd = os.open(dst, os.O_WRONLY | (0 if mode.is_disk else os.O_CREAT))
        with os.fdopen(fd, "wb") as file:
            try:
                os.write(fd, OLD * mode.old_size)
            except OSError as e:
                raise OSError(e.errno, e.strerror, dst) from e
            if mode.is_disk:
                os.fsync(file.fileno())

    def run(self, mode, fault=()):
        self.clear(mode)
        programs = self.options.programs
        log = os.path.join(self.dir, "log")
        args = [arg.replace("@", self.disk) for arg in mode.args]
        command = [self.options.fault, log, str(TIME_LIMIT), *fault, "--",
                   os.path.join(programs, mode.program), *args]
        stdin = (full_pipe(mode.data()) if mode.is_from_pipe
                 else os.open("/dev/null", os.O_RDONLY))
        out, stdout = os.pipe()
        fcntl.fcntl(stdout, fcntl.F_SETPIPE_SZ, MIB)
        with open(os.path.join(self.dir, "err"), "wb") as err:
            subprocess.run(command, cwd=self.path(""), stdin=stdin,
                           stdout=stdout, stderr=err, check=False,
                           env={"LC_ALL": "C", **self.options.environment})
        os.close(stdin)
        os.close(stdout)
        return Result(self, mode, log, drain(out))


class Result:
    def __init__(self, bench, mode, log, out):
        self.mode = mode
        self.calls, end = read_log(log)
        word, _, number = end.partition(" ")
        self.end = end
        self.status = int(number) if word == "exit" else None
        self.err = read_file(os.path.join(bench.dir, "err")).decode(
            errors="replace")
        path = bench.disk if mode.is_disk else bench.path("d")
        self.is_there = mode.is_disk or os.path.exists(path)
        self.dst = out if mode.is_to_pipe else read_file(path)
        self.dst_name = bench.disk if mode.is_disk else path
        self.failed = next((c for c in self.calls if c.failed), None)
        names = set(os.listdir(bench.path(""))) - bench.given
        self.left = sorted(name for name in names if ".aiodd-" in name)
        self.files = {name: read_file(bench.path(name)) for name in
                      ("sums", "report.json", "report.html") if name in names}

    def is_of_dst(self, call):
        """The destination by its name, or by that of its new file."""
        head, tail = os.path.split(self.dst_name)
        return (call.about == self.dst_name or
                call.about.startswith(f"{head}/.{tail}.aiodd-"))

    def is_of_a_side(self, call):
        """Not what opens a description again, or is beside the copy."""
        return (self.is_of_dst(call) or not call.about or
                os.path.basename(call.about) == self.mode.source or
                call.about in ("d", self.dst_name))

    def lines(self):
        """The objects of status=json."""
        things = []
        for line in self.err.splitlines():
            try:
                things.append(json.loads(line))
            except ValueError:
                pass
        return things

    def count(self):
        """The bytes that it says it has copied; None if it does not."""
        found = re.findall(r"^(\d+) bytes? .*copied", self.err, re.M)
        found += [thing["bytes"] for thing in self.lines()
                  if thing.get("type") == "end"]
        return int(found[-1]) if found else None

    def image(self):
        """What a destination is that has all of it."""
        data = self.mode.data()
        if self.mode.is_to_pipe or not self.mode.is_kept:
            return data
        old = OLD * self.mode.old_size
        end = self.mode.seek + len(data)
        return old[:self.mode.seek] + data + old[end:]

    def is_stderr_lost(self):
        return (self.failed is not None and self.failed.name == "write"
                and self.failed.args[0] == "2")

    def is_whole(self):
        image = self.image()
        dst = self.dst[:len(image)] if self.mode.is_disk else self.dst
        return dst == image


# --- what must hold -------------------------------------------------------
# Each gives what is wrong, or None.

def ends(result):
    if result.status is None:
        return result.end
    if result.status not in (0, 1, 3, 4, 5):
        return f"exit status {result.status}"
    if re.search(r"Assertion|Sanitizer|runtime error:", result.err):
        return "an assertion"
    return None


def success_is_whole(result):
    if result.status == 0 and not result.is_whole():
        return f"exit status 0, but {difference(result)}"
    return None


def failure_is_told(result):
    if result.status and not result.err and not result.is_stderr_lost():
        return f"exit status {result.status} without a word"
    return None


def message_that_is_lost_is_told(result):
    if result.status == 0 and result.is_stderr_lost() and \
            result.case_errno not in ("EINTR",):
        return "exit status 0, and a message was lost"
    return None


def part_does_not_look_whole(result):
    mode = result.mode
    if not result.status or mode.is_kept or mode.is_to_pipe or \
            not result.is_there:
        return None
    if result.dst == OLD * mode.old_size or result.is_whole():
        return None
    if mode.is_renamed:
        return "neither the old file nor the new one"
    if len(result.dst) == len(mode.data()):
        return f"of full size, but {difference(result)}"
    return None


def first_block_is_last(result):
    if result.status and result.mode.is_first_last and \
            result.dst[:FIRST_BLOCK] != OLD * FIRST_BLOCK and \
            not result.is_whole():
        return "the first block is there before the rest"
    return None


def count_is_there(result):
    mode, count = result.mode, result.count()
    if count is None or (mode.is_renamed and result.status):
        return None
    start = FIRST_BLOCK if mode.is_first_last and result.status else 0
    data = mode.data()[start:count]
    at = mode.seek + start
    if result.dst[at:at + len(data)] != data:
        return f"{count} bytes copied, but {difference(result)}"
    if result.status == 0 and count != len(mode.data()):
        return f"exit status 0, but {count} bytes copied"
    return None


def nothing_is_left(result):
    if result.left and not (result.failed and
                            result.failed.name.startswith("unlink")):
        return f"left behind: {' '.join(result.left)}"
    return None


def success_is_synced(result):
    if result.status or not result.mode.is_synced:
        return None
    last = None
    for call in result.calls:
        if result.is_of_dst(call) and call.name in SYNC + WRITE:
            last = call
    if last is None or last.name not in SYNC or last.failed:
        return "exit status 0, but it is not synced"
    return None


def success_is_read_back(result):
    mode = result.mode
    if result.status or not mode.is_verified:
        return None
    most = nr_bytes = 0
    for call in result.calls:
        if call.name in SYNC and result.is_of_dst(call):
            nr_bytes = 0
        elif call.failed or not result.is_of_dst(call):
            pass
        elif call.name in ("pread64", "read"):
            nr_bytes += int(call.args[2], 16)
        elif call.name == "io_submit" and call.args[4] == "0":
            nr_bytes += int(call.args[5])
        most = max(most, nr_bytes)
    held = FIRST_BLOCK if mode.is_first_last else 0
    if most + held < len(mode.data()):
        return f"exit status 0, but only {most} bytes were read back"
    return None


def written_by(call):
    """The descriptor that a call writes by, as text."""
    if call.name == "copy_file_range":
        return str(int(call.args[2], 16))
    if call.name in WRITE:
        return call.args[0]
    if call.name == "io_submit" and call.args[4] == "1":
        return call.args[6]
    return None


def close_is_heard(result):
    """What had been written by a descriptor can be lost at its close."""
    if result.status != 0 or result.case_errno == "EINTR":
        return None
    written = set()
    for call in result.calls:
        if call.failed and call.name == "close" and \
                result.is_of_dst(call) and call.args[0] in written:
            return "exit status 0, but its close failed"
        if call.name == "close":
            written.discard(call.args[0])
        elif not call.failed:
            written.add(written_by(call))
    return None


def words_are_true(result):
    words = {"is verified": result.mode.is_verified,
             "is safe to remove": result.mode.is_disk}
    for word, may_be in words.items():
        if word in result.err and not (may_be and (
                result.status == 0 or result.is_stderr_lost())):
            return f"'{word}' with exit status {result.status}"
    for thing in result.lines() + reports(result):
        if thing.get("type") not in ("end", "report"):
            continue
        if thing["safe_to_remove"] and result.status and \
                not result.is_stderr_lost():
            return f"safe_to_remove with exit status {result.status}"
    return None


def digests_are_right(result):
    if result.status:
        return None
    wanted = hashlib.sha256(result.mode.data()).hexdigest()
    if any(arg.startswith("hash=") for arg in result.mode.args) and \
            not result.is_stderr_lost() and \
            f"SHA256 (d) = {wanted}" not in result.err:
        return "exit status 0, but not the digest"
    if "sums=sums" in result.mode.args and \
            result.files.get("sums") != f"{wanted}  d\n".encode():
        return "exit status 0, but not the sums"
    return None


def reports(result):
    found = []
    for name, data in result.files.items():
        text = data.decode(errors="replace")
        if name.endswith(".html"):
            text = re.sub(r'.*id="report">(.*?)</script.*', r"\1", text,
                          flags=re.S)
        if name.startswith("report"):
            found.append(json.loads(text))
    return found


def report_is_right(result):
    try:
        found = reports(result)
    except ValueError as e:
        return f"no JSON in the report: {e}"
    wanted = sum(arg.startswith("report=") for arg in result.mode.args)
    if result.status == 0 and len(found) < wanted:
        return "exit status 0, but no report"
    for report in found:
        if report["status"] != result.status and not result.is_stderr_lost():
            return (f"status {report['status']} in the report, "
                    f"exit status {result.status}")
    return None


def interruption_is_resumed(result):
    call = result.failed
    if result.status and result.case_errno == "EINTR" and call and \
            call.name in RESUMED and result.is_of_a_side(call):
        return f"exit status {result.status} after EINTR"
    return None


RULES = (ends, success_is_whole, failure_is_told, message_that_is_lost_is_told,
         part_does_not_look_whole, first_block_is_last, count_is_there,
         nothing_is_left, success_is_synced, success_is_read_back,
         close_is_heard, words_are_true, digests_are_right, report_is_right,
         interruption_is_resumed)


def difference(result):
    image = result.image()
    dst = result.dst[:len(image)] if result.mode.is_disk else result.dst
    wrong = [at for at, (a, b) in enumerate(zip(dst, image)) if a != b]
    text = f"{len(dst)} bytes of {len(image)} are there"
    return text + (f", {len(wrong)} wrong from {wrong[0]}" if wrong else "")


def wrongs(result):
    return [text for text in (rule(result) for rule in RULES) if text]


# --- all of them ----------------------------------------------------------

def errnos_of(call):
    """What it can fail with in earnest."""
    if "eventfd" in call.about or "signalfd" in call.about:
        return [word for word in call.errnos
                if call.name == "read" and word in ("EINTR", "EAGAIN")]
    # That it has no data from there on: then there is none to copy.
    if call.name == "lseek" and call.args[2] == SEEK_DATA:
        return [word for word in call.errnos if word != "ENXIO"]
    return call.errnos


def list_cases(bench, names):
    """The cases of each mode; what a run without a fault does wrong."""
    cases, broken = [], []
    for name in names:
        result = bench.run(MODES[name])
        result.case_errno = None
        if result.status != 0 or wrongs(result) or not result.calls:
            broken.append((Case(name, "", 0, ""), result,
                           wrongs(result) or [result.end]))
            continue
        cases += [Case(name, call.name, call.number, word)
                  for call in result.calls
                  if call.name not in bench.options.leave_out
                  for word in errnos_of(call)]
    return cases, broken


def can_be(result):
    """Where threads take turns another call can have this number, and what that
    cannot fail with shows nothing."""
    call = result.failed
    return call is None or result.case_errno in errnos_of(call)


def shuffled(cases, rng):
    """So that any beginning of it has something of every kind."""
    kinds = collections.defaultdict(list)
    for case in cases:
        kinds[case.mode, case.name, case.errno].append(case)
    groups = list(kinds.values())
    for group in groups:
        rng.shuffle(group)
    rng.shuffle(groups)
    ordered = []
    while groups:
        ordered += [group.pop() for group in groups]
        groups = [group for group in groups if group]
    return ordered


def run_case(bench, case):
    fault = (case.name, str(case.number), str(getattr(errno, case.errno)))
    result = bench.run(MODES[case.mode], fault)
    result.case_errno = case.errno
    return result


class Runs:
    """Cases, by as many threads as there are benches."""

    def __init__(self, options, cases):
        self.options = options
        self.todo = queue.SimpleQueue()
        for case in cases:
            self.todo.put(case)
        self.nr_cases = len(cases)
        self.nr_run = self.nr_missed = 0
        self.failures = []
        self.lock = threading.Lock()
        self.start = time.monotonic()

    def is_time_over(self):
        return (self.options.seconds and
                time.monotonic() - self.start > self.options.seconds)

    def work(self, bench):
        while not self.is_time_over():
            try:
                case = self.todo.get_nowait()
            except queue.Empty:
                return
            result = run_case(bench, case)
            found = wrongs(result) if can_be(result) else []
            with self.lock:
                self.note(case, result, found)

    def note(self, case, result, found):
        self.nr_run += 1
        self.nr_missed += result.failed is None or not can_be(result)
        if self.options.show:
            first = result.err.splitlines()[:1] if result.status else []
            print(f"# {':'.join(map(str, case))}: {result.end}", *first)
        if found:
            self.failures.append((case, result, found))
            show(case, result, found)
        elif self.nr_run % 500 == 0:
            print(f"# {self.nr_run} of {self.nr_cases}, "
                  f"{len(self.failures)} wrong", flush=True)

    def go(self, benches):
        with concurrent.futures.ThreadPoolExecutor(len(benches)) as pool:
            list(pool.map(self.work, benches))


def show(case, result, found):
    mode = MODES[case.mode]
    print(f"# --only {':'.join(map(str, case))}: {'; '.join(found)}")
    if result.failed:
        print(f"#   failed: {case.name} {' '.join(result.failed.args)} "
              f"of {result.failed.about or '-'}")
    print(f"#   {mode.program} {' '.join(mode.args)}: {result.end}")
    for line in result.err.splitlines()[:5]:
        print(f"#   | {line[:200]}")
    sys.stdout.flush()


def summarize(runs):
    seconds = time.monotonic() - runs.start
    print(f"# {runs.nr_run} of {runs.nr_cases} runs in {seconds:.0f} s; in "
          f"{runs.nr_missed} the call did not come again")
    kinds = collections.Counter(
        (case.mode, case.name, re.sub(r"\d+", "N", found[0]))
        for case, _, found in runs.failures)
    for (mode, name, text), nr in sorted(kinds.items()):
        print(f"# {nr:4} {mode:12} {name:16} {text}")


def verdict(nr, is_good, text):
    print(f"{'ok' if is_good else 'not ok'} {nr} - {text}")


def pick(options, cases):
    if options.only:
        mode, name, number, word = options.only.split(":")
        return [Case(mode, name, int(number), word)]
    cases = shuffled(cases, random.Random(options.seed))
    return cases[:options.cases or None]


def run_all(options, directory):
    benches = [Bench(options, os.path.join(directory, str(i)), disk)
               for i, disk in enumerate(options.disk)]
    names = options.modes.split(",") if options.modes else list(MODES)
    if options.only:
        names = [options.only.split(":")[0]]
    cases, broken = list_cases(benches[0], names)
    for failure in broken:
        show(*failure)
    verdict(1, not broken, f"{len(names)} modes without a fault")
    runs = Runs(options, pick(options, cases))
    runs.go(benches)
    summarize(runs)
    verdict(2, not runs.failures,
            f"{runs.nr_run} of {len(cases)} faults, seed {options.seed}"
            + (f": {len(runs.failures)} wrong" if runs.failures else ""))
    print("1..2")
    return 1 if broken or runs.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aiodd", required=True)
    parser.add_argument("--fault", required=True, help="tests/fault, built")
    parser.add_argument("--dir", required=True, help="where files are made")
    parser.add_argument("--disk", action="append", required=True,
                        help="a disk to write to; one for each job")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--cases", type=int, default=0, help="0: all")
    parser.add_argument("--seconds", type=int, default=0, help="0: no end")
    parser.add_argument("--modes", help="only these, parted by commas")
    parser.add_argument("--only", metavar="MODE:CALL:NUMBER:ERRNO")
    parser.add_argument("--leave-out", default="", metavar="CALL,...")
    parser.add_argument("--show", action="store_true", help="print each run")
    options = parser.parse_args()
    options.leave_out = options.leave_out.split(",")
    options.environment = {key: value for key, value in os.environ.items()
                           if key.endswith("SAN_OPTIONS")}
    directory = tempfile.mkdtemp(prefix="faults.", dir=options.dir)
    options.programs = os.path.join(directory, "bin")
    os.mkdir(options.programs)
    for name in ("aiodd", "dd"):
        os.symlink(os.path.realpath(options.aiodd),
                   os.path.join(options.programs, name))
    try:
        return run_all(options, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
