#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies between random offsets, in random lengths, requests and depths, onto
disks that answer late and out of order. What was there before must be there
after, but for the bytes of the copy: read through the page cache, past it, and
when it has been dropped.

A case is made from "SEED:BED:NUMBER" alone; --only BED:NUMBER repeats it.
"""

import argparse
import collections
import concurrent.futures
import errno
import fcntl
import hashlib
import mmap
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time

KIB, MIB = 1024, 1024 * 1024
PAGE = 4096
TIME_LIMIT = 300        # seconds, and only for what would never end
DST_SIZE = 2 * MIB      # of a destination before
SRC_SIZE = 2 * MIB
BLKFLSBUF = 0x1261

rng = random.Random("properties")
OLD = rng.randbytes(DST_SIZE)
# Noise, with stretches of zeros of all lengths, where sectors begin.
SRC = bytearray(rng.randbytes(SRC_SIZE))
for _ in range(40):
    zeros = bytes(rng.choice((512, 4096, 8192, 70000, 131072)))
    zeros_at = rng.randrange(SRC_SIZE - len(zeros)) // 512 * 512
    SRC[zeros_at:zeros_at + len(zeros)] = zeros
SRC = bytes(SRC)


# --- cases ----------------------------------------------------------------

class Case:
    """Operands, and the image that they must make."""

    def __init__(self, seed, bed, number):
        self.rng = random.Random(f"{seed}:{bed.name}:{number}")
        self.number = number
        self.bed = bed
        self.blocks = self.rng.choice((512, 512, 512, 4096, 4096, 1000,
                                       KIB, 64 * KIB))
        self.request = self.rng.choice((4, 8, 16, 20, 64, 64, 256)) * KIB
        self.skip = self.place(512 * KIB)
        self.seek = self.some_seek()
        self.length = self.some_length()
        self.is_kept = bed.is_disk or self.rng.random() < .7
        self.is_sparse = self.rng.random() < .2
        # Or old data goes where zeros are.
        self.is_skipping = self.is_sparse and self.rng.random() < .5
        self.is_update = not self.is_skipping and self.rng.random() < .2
        self.is_read_before = self.rng.random() < .4
        self.is_hashed = self.rng.random() < .25
        self.is_from_pipe = self.rng.random() < .05
        self.args = self.operands()
        # What is refused is carried out in another manner than its neighbours.
        self.refusal = []
        if self.rng.random() < .3:
            self.refusal = ["io_submit", str(self.rng.randrange(2, 12)),
                            str(self.rng.choice((errno.EAGAIN,
                                                 errno.EINVAL)))]

    def place(self, limit):
        """Mostly beside a boundary."""
        unit = self.rng.choice((512, 512, 4096, self.request))
        beside = self.rng.choice((0, 0, 0, 1, 100, 511, 512, 1024, 4095,
                                  self.rng.randrange(4096)))
        return min(self.rng.randrange(limit) // unit * unit + beside, limit)

    def some_seek(self):
        """Half of them where a sector begins, and seldom a page."""
        if self.rng.random() < .5:
            return self.rng.randrange(KIB) * 512
        return self.place(512 * KIB)

    def some_length(self):
        """Less than 128 KiB is no bulk; many requests take long. A third ends
        with a request of less than a sector."""
        lot = self.rng.random()
        if lot < .1:
            return self.place(128 * KIB) + 1
        if lot < .4:
            nr = -(-128 * KIB // self.request) + self.rng.randrange(8)
            room = min(SRC_SIZE - self.skip, DST_SIZE - self.seek)
            return min(nr, room // self.request - 1) * self.request \
                + self.rng.randrange(1, 512)
        return 128 * KIB + self.place(min(20 * self.request, MIB))

    def conversions(self):
        words = ["notrunc"] if self.is_kept else []
        if self.is_sparse:
            words.append("sparse")
        sync = self.rng.choice(("fsync", "fsync", "fdatasync", ""))
        return words + [sync] if sync else words

    def operands(self):
        pick = self.rng.choice
        bed = self.bed
        args = [f"of={bed.dst}", f"bs={self.blocks}", f"seek={self.seek}B",
                f"count={self.length}B",
                f"io={pick(('aio',) * 6 + ('auto', 'inline'))}",
                f"iosize={self.request}",
                f"depth={pick((1, 2, 3, 4, 8, 16))}"]
        if not self.is_from_pipe:
            args += [f"if={pick(bed.sources)}", f"skip={self.skip}B"]
        words = self.conversions()
        if words:
            args.append(f"conv={','.join(words)}")
        flags = [word for word, chance in (("direct", .15), ("sync", .03))
                 if self.rng.random() < chance]
        # By record, direct fails where it does with dd.
        if "direct" in flags and (self.is_from_pipe or
                                  self.length < 128 * KIB):
            flags.remove("direct")
        if flags:
            args.append(f"oflag={','.join(flags)}")
        if self.is_hashed:
            args.append("hash=sha256")
        if self.rng.random() < .15 and not self.is_sparse:
            args.append("verify=yes")
        if self.is_skipping:
            args.append("zeros=skip")
        if self.is_update:
            args.append("update=yes")
        if bed.is_disk and self.rng.random() < .15:
            args.append("commit=first-last")
        return args

    def data(self):
        return SRC[self.skip:self.skip + self.length]

    def is_left_out(self, block):
        return self.is_skipping and not block.strip(b"\0")

    def image(self):
        image, data = bytearray(OLD), self.data()
        if not self.is_kept:
            # As with dd, a seek of less than a block keeps nothing.
            old = image if self.seek >= self.blocks else bytearray(self.seek)
            image = old[:self.seek] + bytearray(len(data))
        for at in range(0, len(data), self.blocks):
            block = data[at:at + self.blocks]
            if self.is_left_out(block):
                # But the beginning is not, where it commits the disk.
                is_last = "commit=first-last" in self.args
                block = block[:max(PAGE - at, 0)] if is_last else b""
            to = self.seek + at
            image[to:to + len(block)] = block
        return bytes(image)


# --- where copies go ------------------------------------------------------

class Disk:
    """A disk whose bytes are those of a file."""

    is_disk = True

    def __init__(self, name, device, backing, sources):
        self.name, self.dst, self.backing = name, device, backing
        self.sources = sources

    def fill(self):
        with open(self.backing, "r+b") as file:
            file.write(OLD)
        self.drop()

    def drop(self):
        with open(self.dst, "rb") as file:
            fcntl.ioctl(file.fileno(), BLKFLSBUF)


class Tree:
    """A file of a file system."""

    is_disk = False

    def __init__(self, name, directory, sources):
        self.name, self.sources = name, sources
        self.dst = os.path.join(directory, "dst")

    def fill(self):
        with open(self.dst, "wb") as file:
            file.write(OLD)
            file.flush()
            os.fsync(file.fileno())
        self.drop()

    def drop(self):
        with open(self.dst, "rb") as file:
            os.fdatasync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def size_of(bed):
    """Disks are longer than what is looked at."""
    info = os.stat(bed.dst)
    return info.st_size if stat.S_ISREG(info.st_mode) else DST_SIZE


def read_cached(bed):
    with open(bed.dst, "rb") as file:
        return file.read(size_of(bed))


def read_direct(bed):
    size = size_of(bed)
    fd = os.open(bed.dst, os.O_RDONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, -(-size // PAGE) * PAGE)
    try:
        at = 0
        while at < size:
            count = os.preadv(fd, [memoryview(buffer)[at:]], at)
            if count == 0:
                break
            at += count
    finally:
        os.close(fd)
    return buffer[:size]


def read_dropped(bed):
    bed.drop()
    return read_cached(bed)


READS = {"the page cache": read_cached, "O_DIRECT": read_direct,
         "a fresh page cache": read_dropped}


# --- one run --------------------------------------------------------------

def copy(options, case):
    command = [options.aiodd, *case.args]
    if case.refusal:
        command = [options.fault, "/dev/null", str(TIME_LIMIT), *case.refusal,
                   "--", *command]
    stdin = subprocess.DEVNULL
    if case.is_from_pipe:
        stdin = os.open(options.source, os.O_RDONLY)
        os.lseek(stdin, case.skip, os.SEEK_SET)
        cat = subprocess.Popen(["cat"], stdin=stdin, stdout=subprocess.PIPE)
        os.close(stdin)
        stdin = cat.stdout
    try:
        return subprocess.run(command, stdin=stdin, capture_output=True,
                              timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, "hang", b"", b"")
    finally:
        if case.is_from_pipe:
            stdin.close()
            cat.wait()


def difference(there, wanted):
    wrong = [at for at, (a, b) in enumerate(zip(there, wanted)) if a != b]
    if len(there) != len(wanted):
        return f"{len(there)} bytes, not {len(wanted)}"
    return f"{len(wrong)} bytes wrong from {wrong[0]} to {wrong[-1]}"


def run_case(options, case):
    """What is wrong."""
    bed = case.bed
    bed.fill()
    reader = open(bed.dst, "rb")
    try:
        if case.is_read_before:
            reader.read(DST_SIZE)
        else:
            reader.close()
        done = copy(options, case)
        case.err = done.stderr.decode(errors="replace")
        if done.returncode != 0:
            return [f"exit status {done.returncode}"]
        wrong, wanted = [], case.image()
        for name, read in READS.items():
            try:
                there = read(bed)
            except OSError as e:
                wrong.append(f"by {name}: {e.strerror}")
                continue
            if there != wanted:
                wrong.append(f"by {name}: {difference(there, wanted)}")
    finally:
        reader.close()
    return wrong + wrong_words(case)


def wrong_words(case):
    wrong = []
    digest = hashlib.sha256(case.data()).hexdigest()
    if case.is_hashed and digest not in case.err:
        wrong.append("not the digest")
    counts = re.findall(r"^(\d+) bytes? .*copied", case.err, re.M)
    if counts[-1:] != [str(case.length)]:
        wrong.append(f"{counts} bytes copied, not {case.length}")
    return wrong


# --- all of them ----------------------------------------------------------

class Runs:
    """So many cases on each bed; the beds side by side."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.nr_run = 0
        self.failures = collections.Counter()
        self.start = time.monotonic()

    def is_time_over(self):
        return (self.options.seconds and
                time.monotonic() - self.start > self.options.seconds)

    def work(self, bed, numbers):
        for number in numbers:
            if self.is_time_over():
                return
            case = Case(self.options.seed, bed, number)
            wrong = run_case(self.options, case)
            with self.lock:
                self.note(case, wrong)

    def note(self, case, wrong):
        self.nr_run += 1
        if wrong:
            self.failures[case.bed.name] += 1
            print(f"# --only {case.bed.name}:{case.number}: "
                  f"{'; '.join(wrong)}")
            print(f"#   aiodd {' '.join(case.args)}"
                  + (f", {' '.join(case.refusal)}" if case.refusal else "")
                  + (", from a pipe" if case.is_from_pipe else "")
                  + (", cached before" if case.is_read_before else ""))
            for line in case.err.splitlines()[:4]:
                print(f"#   | {line}")
        elif self.nr_run % 100 == 0:
            print(f"# {self.nr_run}, {self.failures.total()} wrong")
        sys.stdout.flush()


def make_beds(options, source):
    beds = [Tree(f"tree{i}", path, [source, os.path.join(path, "src")])
            for i, path in enumerate(options.tree)]
    for bed in beds:
        shutil.copy(source, bed.sources[1])
    for i, words in enumerate(options.disk):
        device, _, backing = words.partition(",")
        beds.append(Disk(f"disk{i}", device, backing,
                         [source] + [bed.sources[1] for bed in beds[:1]]))
    return beds


def run_all(options):
    with open(options.source, "wb") as file:
        file.write(SRC)
    beds = make_beds(options, options.source)
    share = -(-options.cases // len(beds))
    work = {bed: range(share) for bed in beds}
    if options.only:
        name, number = options.only.split(":")
        work = {bed: [int(number)] for bed in beds if bed.name == name}
    runs = Runs(options)
    with concurrent.futures.ThreadPoolExecutor(len(beds)) as pool:
        list(pool.map(runs.work, work.keys(), work.values()))
    seconds = time.monotonic() - runs.start
    print(f"# {runs.nr_run} runs in {seconds:.0f} s")
    for nr, bed in enumerate(work, 1):
        failed = runs.failures[bed.name]
        print(f"{'not ok' if failed else 'ok'} {nr} - {bed.name} "
              f"({bed.dst}), seed {options.seed}"
              + (f": {failed} wrong" if failed else ""))
    print(f"1..{len(work)}")
    return 1 if runs.failures or not work else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aiodd", required=True)
    parser.add_argument("--fault", required=True, help="tests/fault, built")
    parser.add_argument("--dir", required=True,
                        help="where the source is made")
    parser.add_argument("--disk", action="append", default=[],
                        metavar="DEVICE,BACKING", help="a disk, and the file "
                        "that has its bytes")
    parser.add_argument("--tree", action="append", default=[],
                        help="a directory to copy into")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=0, help="0: no end")
    parser.add_argument("--only", metavar="BED:NUMBER")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="properties.", dir=options.dir)
    options.source = os.path.join(directory, "src")
    try:
        return run_all(options)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
