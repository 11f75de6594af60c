#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs GNU dd and aiodd, called as dd, on the same random cases and compares
everything that can be seen from outside: files, exit status, messages, what
was taken from standard input and where the shared offsets stand.

A case is made from "SEED:NUMBER" alone; --seed S --only NUMBER repeats it.
"""

import argparse
import fcntl
import os
import random
import re
import resource
import shlex
import shutil
import signal
import socket
import stat
import sys
import tempfile
import termios
import time

KIB, MIB = 1024, 1024 * 1024
PIPE_SIZE = MIB
PACKET_MAX = 4096       # the kernel splits what is longer
TIME_LIMIT = 300        # seconds, and only for what would never end

# --- what the files hold --------------------------------------------------

POOL_SIZE = 3 * MIB


def make_pools():
    rng = random.Random("pools")
    noise = rng.randbytes(POOL_SIZE)
    mixed, lines, records = bytearray(), bytearray(), bytearray()
    while len(mixed) < POOL_SIZE:
        run = rng.choice((1, 7, 512, 512, 1024, 4096, 5000, 70000))
        mixed += bytes(run) if rng.random() < .6 else noise[:run]
    while len(lines) < POOL_SIZE:
        length = rng.choice((0, 1, 3, 7, 8, 9, 20, 79, 80, 81, 200))
        lines += bytes(rng.choices(b"abcXYZ 019 \xe4\xc4", k=length)) + b"\n"
    while len(records) < POOL_SIZE:
        word = bytes(rng.choices(b"abcDEF  \x40\x25\n", k=rng.randrange(9)))
        records += word.ljust(rng.choice((8, 10)), rng.choice((b" ", b"@")))
    return {"noise": noise, "mixed": bytes(mixed), "lines": bytes(lines),
            "records": bytes(records), "zeros": bytes(POOL_SIZE)}


POOLS = make_pools()


class Data:
    """A stretch of a pool; with holes, every all-zero page is one."""

    def __init__(self, rng, size):
        self.pool = rng.choice(("noise", "noise", "mixed", "mixed", "lines",
                                "records", "zeros"))
        self.start = rng.randrange(POOL_SIZE - size)
        self.size = size
        self.has_holes = rng.random() < .2

    def bytes(self):
        return POOLS[self.pool][self.start:self.start + self.size]

    def write(self, path):
        data = self.bytes()
        with open(path, "wb", buffering=0) as file:
            if not self.has_holes:
                file.write(data)
                return
            file.truncate(self.size)
            for at in range(0, self.size, 4096):
                page = data[at:at + 4096]
                if page.strip(b"\0"):
                    os.pwrite(file.fileno(), page, at)

    def __str__(self):
        return (f"{self.size} bytes of {self.pool}+{self.start}"
                + (" with holes" if self.has_holes else ""))


# --- cases ----------------------------------------------------------------

class Case:
    """Operands, and what the process starts with."""

    def __init__(self):
        self.args = []          # str; odd bytes as surrogates
        self.files = {}         # name: Data
        self.links = {}         # name: (os.link or os.symlink, target)
        self.dirs = ["d"]
        self.stdin = ("null",)
        self.stdout = ("pipe", False)
        self.stderr = "pipe"
        self.env = {"LC_ALL": "C"}
        self.size_limit = None
        self.is_signal_ignored = False

    def value(self, name):
        """The last value of an operand, or None."""
        found = [a.partition("=")[2] for a in self.args
                 if a.partition("=")[0] == name]
        return found[-1] if found else None

    def words(self, name):
        return [word for a in self.args if a.partition("=")[0] == name
                for word in a.partition("=")[2].split(",")]

    def shell(self):
        lines = [f"# {name}: {data}" for name, data in self.files.items()]
        lines += [f"# {name}: {make.__name__} of {target}"
                  for name, (make, target) in self.links.items()]
        if self.size_limit is not None:
            lines.append(f"# RLIMIT_FSIZE {self.size_limit}")
        if self.is_signal_ignored:
            lines.append("# SIGPIPE and SIGXFSZ ignored")
        lines.append(f"# stdin {describe(self.stdin)}; stdout "
                     f"{describe(self.stdout)}; stderr {self.stderr}")
        env = " ".join(f"{k}={v}" for k, v in self.env.items())
        args = " ".join(shlex.quote(a) for a in self.args)
        lines.append(f"{env} dd {args}")
        return lines


def describe(stream):
    words = []
    for item in stream:
        if isinstance(item, list):
            sizes = [len(chunk) for chunk in item]
            item = f"chunks of {sizes[:12]}{'...' * (len(sizes) > 12)}"
        words.append(str(item))
    return " ".join(words)


def spell(rng, n):
    """The number n in one of the ways to write it, as blocks."""
    forms = [f"{n}"] * 12 + [f"+{n}", f"0{n}", f" {n}", f"{n}c", f"{n}x1"]
    for letter, unit in (("w", 2), ("b", 512), ("k", KIB), ("K", KIB),
                         ("M", MIB)):
        if n % unit == 0 and (n or rng.random() < .2):
            forms += [f"{n // unit}{letter}"] * 3
    if n % 2 == 0:
        forms += [f"2x{n // 2}", f"{n // 2}x2"]
    return rng.choice(forms)


def spell_bytes(rng, n):
    forms = [f"{n}B"] * 6 + [f"{n}cB"]
    if n % 1000 == 0:
        forms += [f"{n // 1000}kB"] * 2
    if n % KIB == 0:
        forms += [f"{n // KIB}KiB"] * 2
    return rng.choice(forms)


SMALL_BLOCKS = (1, 2, 3, 7, 8, 10, 16, 100, 511, 512, 512, 513, 1000, 1024,
                4096, 4096, 5000, 65536)
LARGE_BLOCKS = (512, 512, 1000, 1024, 3333, 4096, 4096, 8192, 65536, 100000,
                131072, MIB, MIB + 1)
CONVS = ("ascii ebcdic ibm block unblock lcase ucase swab sync swab sync "
         "lcase ucase block unblock sparse sparse sparse notrunc notrunc "
         "notrunc noerror noerror fsync fdatasync excl nocreat").split()
FLAGS = ("append direct directory dsync noatime nocache nocache noctty "
         "nofollow nonblock sync fullblock fullblock fullblock count_bytes "
         "skip_bytes seek_bytes").split()


class Generator:
    def __init__(self, seed, number):
        self.rng = random.Random(f"{seed}:{number}")
        self.case = Case()
        self.is_large = False

    def chance(self, p):
        return self.rng.random() < p

    def make(self):
        r = self.rng.random()
        if r < .16:
            self.odd_line()
        elif r < .28:
            self.is_large = True
            self.copy()
        else:
            self.copy()
        if self.chance(.1):
            self.case.env["LC_ALL"] = "C.UTF-8"
        if self.chance(.02):
            self.case.env["POSIXLY_CORRECT"] = "1"
        return self.case

    # Sizes ................................................................

    def size(self):
        rng = self.rng
        if self.is_large:
            return rng.choice((300 * KIB, MIB, 2 * MIB, 128 * KIB,
                               rng.randrange(120 * KIB, 2 * MIB)))
        return rng.choice((0, 1, 3, 100, 511, 512, 513, 1024, 4096, 4097,
                           10000, rng.randrange(6000), rng.randrange(6000)))

    def block(self, least):
        blocks = LARGE_BLOCKS if self.is_large else SMALL_BLOCKS
        return max(self.rng.choice(blocks), least)

    # The source and the destination .......................................

    def chunks(self, packet, most):
        """What a dribbling writer writes, most bytes in all at most."""
        rng, left, chunks = self.rng, self.size(), []
        left = min(left, most)
        data = Data(rng, left).bytes()
        while left > 0 and len(chunks) < 200:
            n = rng.choice((1, 2, 5, 100, 511, 512, 513, 1000, 4096,
                            min(left, PACKET_MAX if packet else left)))
            n = min(n, left)
            chunks.append(data[:n])
            data = data[n:]
            left -= n
        return chunks

    def source(self):
        rng, case = self.rng, self.case
        case.files["in"] = Data(rng, self.size())
        size = case.files["in"].size
        kind = rng.choices(
            ("named", "file", "packets", "pipe", "drip", "held", "zero",
             "odd"), (40, 20, 12, 8, 1.5, 1, 4, 6))[0]
        self.operand_in = None
        if kind == "named":
            self.operand_in = rng.choice(("in",) * 8 + ("./in", "link", "sym"))
        elif kind == "file":
            at = rng.choice((0, 0, 1, size // 2, size, size + 100))
            case.stdin = ("file", "in", os.O_RDONLY, at)
            if self.chance(.05):
                self.operand_in = "/dev/stdin"
        elif kind in ("packets", "pipe"):
            packet = kind == "packets"
            case.stdin = ("pipe", self.chunks(packet, 900 * KIB), packet,
                          False)
        elif kind == "drip":
            case.stdin = ("drip", self.chunks(False, 20000)[:12])
        elif kind == "held":
            case.stdin = ("pipe", self.chunks(False, 20000), False, True)
            case.args.append("iflag=nonblock")
        elif kind == "zero":
            self.operand_in = "/dev/zero"
        else:
            self.odd_source()
        self.kind_in = kind
        self.size_in = size

    def name(self):
        """Any name that a message has to quote somehow."""
        letters = " !\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~ab0\n\t\x01\x7f" \
            "\u00e4\u2019\udcff''"
        while True:
            word = "".join(self.rng.choices(letters,
                                            k=self.rng.choice((1, 1, 2, 3,
                                                               5))))
            if word.strip("."):
                return word

    def odd_source(self):
        rng, case = self.rng, self.case
        kind = rng.choice(("null", "d", "missing", "closed", "dir", "name",
                           "name", "write-only", "closed-named", "proc", "mem"))
        if kind in ("null", "d"):
            self.operand_in = {"null": "/dev/null", "d": "d"}[kind]
        elif kind == "missing":
            self.operand_in = rng.choice(("missing", "", "in/x",
                                          self.name(), self.name()))
        elif kind == "closed":
            case.stdin = ("closed",)
        elif kind == "dir":
            case.stdin = ("file", "d", os.O_RDONLY, 0)
        elif kind == "write-only":
            case.stdin = ("file", "in", os.O_WRONLY, 0)
        elif kind == "closed-named":
            case.stdin = ("closed",)
            self.operand_in = "in"
        elif kind == "proc":
            self.operand_in = "/proc/version"
        elif kind == "name":
            name = self.name()
            case.files[name] = Data(rng, self.size())
            self.operand_in = name
        else:
            self.operand_in = "/proc/self/mem"

    def destination(self):
        rng, case = self.rng, self.case
        kind = rng.choices(
            ("new", "old", "self", "packets", "pipe", "file", "append",
             "same", "odd"), (22, 22, 5, 12, 6, 9, 4, 3, 7))[0]
        self.operand_out = None
        if kind in ("old", "file", "append"):
            case.files["out"] = Data(rng, rng.choice(
                (self.size(), 0, self.size_in // 2, self.size_in + 1000)))
        if kind in ("new", "old"):
            self.operand_out = rng.choice(("out",) * 9 + ("./out", "symout"))
        elif kind == "self":
            self.operand_out = rng.choice(("in", "link", "sym"))
        elif kind in ("packets", "pipe"):
            case.stdout = ("pipe", kind == "packets")
        elif kind == "file":
            size = case.files["out"].size
            at = rng.choice((0, 0, 1, size // 2, size, size + 100))
            access = rng.choice((os.O_WRONLY, os.O_WRONLY, os.O_RDWR))
            case.stdout = ("file", "out", access, at)
            if self.chance(.05):
                self.operand_out = "/dev/stdout"
        elif kind == "append":
            case.stdout = ("file", "out", os.O_WRONLY | os.O_APPEND, 0)
        elif kind == "same":
            self.same_descriptor()
        else:
            self.odd_destination()
        self.kind_out = kind

    def same_descriptor(self):
        """One description for both, as in dd <>in >&0."""
        case = self.case
        if case.stdin[0] == "file" and case.stdin[1] == "in":
            case.stdin = ("file", "in", os.O_RDWR, case.stdin[3])
            case.stdout = ("same",)
        else:
            case.stdout = ("file", "in", os.O_WRONLY,
                           self.rng.choice((0, self.size_in // 2)))

    def odd_destination(self):
        rng, case = self.rng, self.case
        kind = rng.choice(("null", "full", "d", "missing", "closed", "broken",
                           "closed-named", "read-only", "fullout", "nullout",
                           "socket", "name"))
        named = {"null": "/dev/null", "full": "/dev/full", "d": "d"}
        if kind in named:
            self.operand_out = named[kind]
        elif kind == "missing":
            self.operand_out = rng.choice(("missing/out", "", "in/x", "it's/",
                                           "x\n/y"))
        elif kind == "name":
            self.operand_out = self.name()
        elif kind == "closed-named":
            case.stdout = ("closed",)
            self.operand_out = "out"
        elif kind == "read-only":
            case.files["out"] = Data(rng, self.size())
            case.stdout = ("file", "out", os.O_RDONLY, 0)
        elif kind == "fullout":
            case.stdout = ("device", "/dev/full")
        elif kind == "nullout":
            case.stdout = ("device", "/dev/null")
        else:
            case.stdout = (kind,)

    # Operands .............................................................

    def extent(self, most_blocks, block):
        rng = self.rng
        is_bounded = self.kind_in != "zero" and \
            self.kind_out not in ("self", "same") and \
            self.case.stdout[0] != "socket"
        if self.chance(.02) and is_bounded:
            return rng.choice(("1P", "7E", "7EB", "36028797018963968", "9E",
                               "9223372036854775807",
                               "9223372036854775807B"))
        n = rng.choice((0, 1, 1, 2, rng.randrange(most_blocks + 3)))
        if self.chance(.3):
            n = rng.choice((n * block, n * block + rng.randrange(block),
                            rng.randrange(block)))
            return spell_bytes(rng, n)
        return spell(rng, n)

    def sizes(self):
        """bs, ibs, obs: no run makes more than some thousand records."""
        rng, args = self.rng, self.case.args
        least = max(1, self.size_in // 5000)
        self.ibs = self.obs = 512
        names = rng.choice((("bs",), ("bs",), ("ibs", "obs"), ("obs",),
                            ("ibs",), (), ("bs", "obs")))
        for name in names:
            n = self.block(least)
            args.append(f"{name}={spell(rng, n)}")
            if name in ("bs", "ibs"):
                self.ibs = n
            if name == "bs" or name == "obs" and "bs" not in names:
                self.obs = n

    def lists(self):
        rng, args = self.rng, self.case.args
        self.convs = rng.sample(CONVS, k=rng.choice((0, 0, 1, 1, 2, 3)))
        if self.convs:
            args.append("conv=" + ",".join(self.convs))
        for name in ("iflag", "oflag"):
            k = rng.choices((0, 1, 2, 4), (70, 22, 7, 1))[0]
            flags = rng.sample(FLAGS, k=k)
            if name == "oflag" and self.chance(.95):
                flags = [f for f in flags if f != "fullblock"]
            if flags:
                args.append(f"{name}=" + ",".join(flags))
        records = {"ascii", "ebcdic", "ibm", "block", "unblock"}
        if self.chance(.8 if records & set(self.convs) else .04):
            cbs = rng.choice((1, 2, 5, 7, 8, 9, 10, 80, 81, 1000))
            args.append(f"cbs={spell(rng, cbs)}")
        if self.chance(.3):
            args.append("status=" + rng.choice(("none", "noxfer", "progress",
                                                "none,noxfer")))

    def may_never_end(self):
        case = self.case
        is_erring = self.operand_in in ("d", "/proc/self/mem") or \
            case.stdin[0] in ("closed", "pipe") or \
            case.stdin == ("file", "d", os.O_RDONLY, 0) or \
            case.stdin[0] == "file" and case.stdin[2] == os.O_WRONLY
        return "noerror" in self.convs and is_erring

    def extents(self):
        rng, args = self.rng, self.case.args
        blocks = min(self.size_in // self.ibs, 5000)
        is_self = self.kind_out in ("self", "same")
        if self.kind_in == "zero" or is_self or self.chance(.45):
            args.append("count=" + self.extent(blocks, self.ibs))
        if self.chance(.3):
            name = rng.choice(("skip", "iseek"))
            args.append(f"{name}=" + self.extent(blocks, self.ibs))
        if self.chance(.3):
            name = rng.choice(("seek", "oseek"))
            most = max(1, min(6, 2 * MIB // self.obs))
            args.append(f"{name}=" + self.extent(most, self.obs))

    def shuffle(self):
        """Any order is as good; and what is given twice counts last."""
        rng, case = self.rng, self.case
        rng.shuffle(case.args)
        if self.chance(.08) and case.args:
            name = rng.choice(case.args).partition("=")[0]
            if name in ("skip", "seek", "iseek", "oseek", "cbs"):
                case.args.insert(0, f"{name}={rng.randrange(1, 9)}")

    def copy(self):
        rng, case = self.rng, self.case
        case.links["link"] = (os.link, "in")
        case.links["sym"] = (os.symlink, "in")
        case.links["symout"] = (os.symlink, "out")
        self.source()
        self.destination()
        self.sizes()
        self.lists()
        self.extents()
        if self.may_never_end():
            case.args = [a for a in case.args if "noerror" not in a]
        self.shuffle()
        if self.operand_in is not None:
            case.args.insert(rng.randrange(len(case.args) + 1),
                             "if=" + self.operand_in)
        if self.operand_out is not None:
            case.args.append("of=" + self.operand_out)
        if self.chance(.03):
            case.stderr = rng.choice(("closed", "full"))
        if self.chance(.04):
            case.size_limit = rng.choice((4096, 5000, 100000, 512 * KIB))
        case.is_signal_ignored = self.chance(.5)

    # Command lines that dd may well refuse ................................

    NAMES = ("if of ibs obs bs cbs skip iseek seek oseek count conv iflag "
             "oflag status foo IF iskip oskip fast").split() + ["", " bs"]
    NUMBERS = ("0 1 2 00 010 +3 -1 ++1 1b 2w 3c 1k 1K 1m 1g 1kB 1KB 1KiB 1Ki "
               "1KD 1MD 1M 1MB b k K w B c x 1x 1x2 0x1 00x1 2x0x 0x 0xb x2 "
               "1bw 5BB 5KBB 5KiBB 5cB 1B 2Bx 1e3 1.5 1,000 1E 1P 8E 7E 16E "
               "9223372036854775807 9223372036854775808 9223372036854775806 "
               "99999999999999999999 99999999999999999999z 0z 1z 1Z 1Y 0Y "
               "9223372036854775807B 2P 4096P 0x99999999999999999999 "
               "1Ex16 0Ex16 1E0 1c1 1_ ").split(" ") + [
                   " 1", "1 ", "\t2", "1\n", "'1'", "\u00e4", "\udcff1",
                   "1\\", "\u20191", "1\"", "$1", "a'b"]
    WORDS = ("ascii ebcdic ibm block unblock lcase ucase swab noerror notrunc "
             "excl nocreat sparse fsync ASCII bloc blocks binary text cio "
             "nolinks direct append fullblock nocache none noxfer progress "
             "bar engine count_bytes skip_bytes seek_bytes").split() + [
                 "", "", "x\ty", "it's", "\u2019", "\u00e4", "\udcff", "a b"]
    BARE = ("foo", "-", "--", "--foo", "-x", "-xy", "--foo=1", "bs", "=", "",
            "a b", "it's", "x\ny", "\u00e4", "\udcff", "-\u00e4", "--h=1",
            "--help=1", "depth=4", "plan=yes", "io=aio", "iosize=1M", "in",
            "--list-operands", "--lis", "\\", "0x1", "foo=0x1", "foo=0x",
            "--=", "---")

    def odd_word(self):
        rng = self.rng
        if self.chance(.2):
            return rng.choice(self.BARE)
        name = rng.choice(self.NAMES)
        if name in ("conv", "iflag", "oflag", "status"):
            k = rng.choice((1, 1, 2, 3))
            return f"{name}=" + ",".join(rng.choices(self.WORDS, k=k))
        if name in ("if", "of"):
            return f"{name}={rng.choice(('in', 'missing', 'd', 'a b'))}" \
                if name == "if" else "of=out"
        return f"{name}={rng.choice(self.NUMBERS)}"

    def odd_line(self):
        rng, case = self.rng, self.case
        case.files["in"] = Data(rng, rng.choice((0, 1, 600, 3000)))
        if self.chance(.5):
            case.files["out"] = Data(rng, rng.choice((0, 5, 4000)))
        case.stdin = ("file", "in", os.O_RDONLY, 0)
        case.args = [self.odd_word() for _ in range(rng.choice((1, 1, 2, 3,
                                                                5)))]
        if self.chance(.5):
            case.args.append("of=out")


# --- one run --------------------------------------------------------------

class Run:
    """Starts a dd in a directory of its own, and collects what it did."""

    def __init__(self, case, program, directory):
        self.case = case
        self.program = program
        self.result = {}
        self.kept = {}          # our ends: "stdin", "stdout", "stderr"
        self.given = []         # the child's ends
        self.actions = []
        shutil.rmtree(directory, ignore_errors=True)
        os.mkdir(directory)
        os.chdir(directory)

    def setup(self):
        case = self.case
        for name in case.dirs:
            os.mkdir(name)
        for name, data in case.files.items():
            data.write(os.fsencode(name))
        for name, (make, target) in case.links.items():
            make(target, name)

    def give(self, fd, number):
        self.actions.append((os.POSIX_SPAWN_DUP2, fd, number))
        self.given.append(fd)

    def close(self, number):
        self.actions.append((os.POSIX_SPAWN_CLOSE, number))

    def pipe(self, chunks=(), packet=False):
        r, w = os.pipe2(os.O_CLOEXEC | (os.O_DIRECT if packet else 0))
        fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        for chunk in chunks:
            os.write(w, chunk)
        return r, w

    def open_file(self, stream):
        fd = os.open(stream[1], stream[2])
        if stream[3]:
            os.lseek(fd, stream[3], os.SEEK_SET)
        return fd

    def open_stdin(self):
        stream = self.case.stdin
        kind = stream[0]
        if kind == "closed":
            self.close(0)
            return
        if kind in ("pipe", "drip"):
            chunks = stream[1] if kind == "pipe" else ()
            fd, w = self.pipe(chunks, kind == "pipe" and stream[2])
            if kind == "drip" or stream[3]:
                self.kept["writer"] = w
            else:
                os.close(w)
        elif kind == "null":
            fd = os.open("/dev/null", os.O_RDONLY)
        else:
            fd = self.open_file(stream)
        self.kept["stdin"] = os.dup(fd)
        self.give(fd, 0)

    def open_stdout(self):
        stream = self.case.stdout
        kind = stream[0]
        if kind == "closed":
            self.close(1)
            return
        if kind == "same":
            fd = os.dup(self.kept["stdin"])
        elif kind == "file":
            fd = self.open_file(stream)
        elif kind == "device":
            fd = os.open(stream[1], os.O_WRONLY)
        elif kind == "socket":
            a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            b.shutdown(socket.SHUT_WR)
            self.kept["reader"], fd = b.detach(), a.detach()
        else:
            r, fd = self.pipe(packet=kind == "pipe" and stream[1])
            if kind == "broken":
                os.close(r)
            else:
                self.kept["reader"] = r
        if "reader" not in self.kept:
            self.kept["stdout"] = os.dup(fd)
        self.give(fd, 1)

    def open_stderr(self):
        if self.case.stderr == "closed":
            self.close(2)
            return
        if self.case.stderr == "full":
            self.give(os.open("/dev/full", os.O_WRONLY), 2)
            return
        r, w = self.pipe()
        self.kept["stderr"] = r
        self.give(w, 2)

    def start(self):
        case = self.case
        argv = [b"dd"] + [os.fsencode(a) for a in case.args]
        default = () if case.is_signal_ignored else (signal.SIGPIPE,
                                                     signal.SIGXFSZ)
        limit = resource.RLIMIT_FSIZE
        before = resource.getrlimit(limit)
        if case.size_limit is not None:
            resource.setrlimit(limit, (case.size_limit, before[1]))
        try:
            self.pid = os.posix_spawn(self.program, argv, case.env,
                                      file_actions=self.actions,
                                      setsigdef=default)
        finally:
            resource.setrlimit(limit, before)
        for fd in self.given:
            os.close(fd)

    def has_ended(self):
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG |
                         os.WNOWAIT) is not None

    def drip(self):
        """Each chunk when the one before it is gone."""
        w = self.kept.pop("writer")
        for chunk in self.case.stdin[1]:
            os.write(w, chunk)
            left = b"\1"
            while any(left) and not self.has_ended():
                time.sleep(.0002)
                left = fcntl.ioctl(self.kept["stdin"], termios.FIONREAD,
                                   bytes(4))
        os.close(w)

    def read_all(self, fd):
        parts = []
        while True:
            try:
                part = os.read(fd, PIPE_SIZE)
            except OSError:             # nothing there, or not readable
                break
            if not part:
                break
            parts.append(part)
        return parts

    def wait(self):
        def kill(*_):
            os.kill(self.pid, signal.SIGKILL)

        signal.signal(signal.SIGALRM, kill)
        signal.alarm(TIME_LIMIT)
        if self.case.stdin[0] == "drip":
            self.drip()
        if "nonblock" in self.case.words("oflag"):
            # How much a pipe takes must not depend on when we read.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        if "reader" in self.kept:
            parts = self.read_all(self.kept["reader"])
            # Without O_DIRECT, which a short block turns off, a pipe joins
            # what was not read yet.
            is_framed = self.case.stdout[-1] is not False and \
                "direct" not in self.case.words("oflag")
            self.result["stdout"] = parts if is_framed else b"".join(parts)
        status = os.waitpid(self.pid, 0)[1]
        signal.alarm(0)
        code = os.waitstatus_to_exitcode(status)
        self.result["exit status"] = "out of time" if \
            code == -signal.SIGKILL else code

    def collect_streams(self):
        for name in ("stdin", "stdout"):
            if name not in self.kept:
                continue
            fd = self.kept[name]
            self.result[name + " flags"] = oct(fcntl.fcntl(fd,
                                                           fcntl.F_GETFL))
            try:
                where = os.lseek(fd, 0, os.SEEK_CUR)
            except OSError:
                where = "none"
            self.result[name + " offset"] = where
        if self.case.stdin[0] in ("pipe", "drip"):
            os.set_blocking(self.kept["stdin"], False)
            left = b"".join(self.read_all(self.kept["stdin"]))
            self.result["left in stdin"] = left
        text = b""
        if "stderr" in self.kept:
            text = b"".join(self.read_all(self.kept["stderr"]))
        self.result["stderr"] = mask(text)

    def collect_files(self):
        for entry in os.scandir(b"."):
            st = entry.stat(follow_symlinks=False)
            key = "file " + os.fsdecode(entry.name)
            self.result[key + ": type"] = (stat.filemode(st.st_mode),
                                           st.st_nlink)
            if stat.S_ISREG(st.st_mode):
                self.result[key + ": size"] = st.st_size
                with open(entry.path, "rb", buffering=0) as file:
                    self.result[key + ": allocated"] = \
                        allocated(file.fileno())
                    if st.st_size <= 8 * POOL_SIZE:
                        self.result[key + ": bytes"] = file.read()

    def go(self):
        self.setup()
        self.open_stdin()
        self.open_stdout()
        self.open_stderr()
        self.start()
        self.wait()
        self.collect_streams()
        self.collect_files()
        for fd in self.kept.values():
            os.close(fd)
        return self.result


def allocated(fd):
    """What is no hole, as (from, to). st_blocks would count metadata."""
    parts, end = [], 0
    while len(parts) < 10000:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:                 # no more of it
            break
        end = os.lseek(fd, start, os.SEEK_HOLE)
        parts.append((start, end))
    os.lseek(fd, 0, os.SEEK_SET)
    return parts


def mask(text):
    text = re.sub(rb", [0-9.e+-]+ s, [^\n]*/s", b", T s, R", text)
    return re.sub(rb"\r[^\n\r]*copied, T s, R *", b"", text)


# --- where the releases differ --------------------------------------------
# Each function makes the two results alike as far as its release goes, and
# no further; an "exempt" one says that the case cannot be compared.

def drop_append_advice(case, gnu, our):
    line = b"dd: you probably want conv=notrunc with oflag=append\n"
    gnu["stderr"] = gnu["stderr"].replace(line, b"")
    # It is lost where stderr is, which is a failure, and the only one.
    if case.stderr != "pipe" and "append" in case.words("oflag") and \
            "notrunc" not in case.words("conv") and \
            (gnu["exit status"], our["exit status"]) == (1, 0):
        gnu["exit status"] = 0


def empty_pair(case, gnu, our):
    """A name that begins with what needs quotes, and has odd bytes, too."""
    if b"failed to open '''" not in our["stderr"]:
        gnu["stderr"] = gnu["stderr"].replace(b"failed to open '''",
                                              b"failed to open '")


ESCAPES = {b"n": b"\n", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f",
           b"r": b"\r", b"v": b"\v"}


def c_unescape(text):
    def one(match):
        what = match[1]
        if what.isdigit():
            return bytes((int(what, 8),))
        return ESCAPES.get(what, what)

    return re.sub(rb"\\([0-7]{3}|[^0-7])", one,
                  text.replace("\\\u2019".encode(), "\u2019".encode()),
                  flags=re.S)


def old_quoting(case, gnu, our):
    """Theirs as ours, unless it is that already: a newer dd."""
    if gnu["stderr"] == our["stderr"] or (
            b"invalid number" not in gnu["stderr"] and
            b"unrecognized operand" not in gnu["stderr"]):
        return
    lines = (rb"(: invalid number: |: unrecognized operand )"
             rb"(?:\xe2\x80\x98|')(.*?)(?:\xe2\x80\x99|')"
             rb"(?=\n(?:dd: |Try |$)|\n*\Z|: Value too large)")
    gnu["stderr"] = re.sub(
        lines, lambda m: m[1] + shell_quote(c_unescape(m[2]), case),
        gnu["stderr"], flags=re.S)


def shell_quote(word, case):
    """As in the newer messages, for the words that are used here."""
    encoding = "utf-8" if "UTF" in case.env["LC_ALL"] else "ascii"
    text = word.decode(encoding, "surrogateescape")
    odd = [c for c in text if not c.isprintable()]
    if not odd and "'" in text and \
            not re.search(r'["$\\\[`!&()*;<=>?^{|}]|.#|.~', text):
        return b'"' + word + b'"'
    out, inside = "'", False
    for c in text:
        if c.isprintable():
            out += ("''" if inside else "") + ("'\\''" if c == "'" else c)
            inside = False
            continue
        out += "" if inside else "'$'"
        inside = True
        names = {v.decode(): "\\" + k.decode() for k, v in ESCAPES.items()}
        raw = c.encode(encoding, "surrogateescape")
        out += names.get(c, "".join(f"\\{b:03o}" for b in raw))
    return (out + "'").encode(encoding, "surrogateescape")


def empty_skip_warning(case, gnu, our):
    if b": cannot skip to specified offset\n" not in our["stderr"]:
        gnu["stderr"] = re.sub(
            rb"dd: [^\n]*: cannot skip to specified offset\n", b"",
            gnu["stderr"]) if is_input_empty(case) else gnu["stderr"]


def is_input_empty(case):
    name = case.value("if")
    if name is None and case.stdin[0] == "file":
        name = case.stdin[1]
    name = {"./in": "in", "link": "in", "sym": "in",
            "/dev/stdin": case.stdin[1] if len(case.stdin) > 1 else ""
            }.get(name, name)
    out = case.value("of")
    return name in case.files and case.files[name].size == 0 or \
        name == "in" and out in ("in", "link", "sym") or \
        str(name).startswith("/proc/")


def partial_out_counted(case, gnu, our):
    """9.1 does not tell whether a part of the failing write went out."""
    if b"error writing" not in gnu["stderr"] or \
            b"error writing" not in our["stderr"]:
        return
    counts = [re.search(rb"\+(\d+) records out", result["stderr"])
              for result in (gnu, our)]
    if all(counts) and int(counts[1][1]) - int(counts[0][1]) in (0, 1):
        gnu["stderr"] = gnu["stderr"].replace(counts[0][0], counts[1][0])


def failed_truncate_ends(case, gnu, our):
    is_seeking = case.value("seek") or case.value("oseek")
    # At the end, for a hole, all of them fail alike.
    if re.search(rb"failed to truncate to[^\n]*\n\Z", our["stderr"]) and \
            is_seeking:
        gnu["stderr"] = re.sub(rb"(failed to truncate to[^\n]*\n).*", rb"\1",
                               gnu["stderr"], flags=re.S)
        for key in set(gnu) | set(our):
            if key != "stderr":
                gnu[key] = our.get(key)


def is_many_factors(case):
    for arg in case.args:
        name, _, value = arg.partition("=")
        if name in ("bs ibs obs cbs count skip iseek seek oseek foo".split()) \
                and (value.count("x") > 1 or
                     "x" in value and "B" in value):
            return True
    return False


def is_race(case):
    return case.stdin[0] == "drip" and "nonblock" in case.words("iflag")


RELEASES = (
    # Debian's own line.
    drop_append_advice,
    # 9.4: numbers and operands quoted for the shell, by ASCII alone.
    old_quoting,
    # A newer gnulib: no empty pair of quotes before a name.
    empty_pair,
    # 9.6: nothing to say about skipping in an empty file.
    empty_skip_warning,
    # 9.10: a seek that cannot truncate ends the run.
    failed_truncate_ends,
    # 9.11: the part of a block that went out before the error is a record.
    partial_out_counted,
)
EXEMPT = (
    # 9.4: more than two factors, and a B in several.
    is_many_factors,
    # Whether a byte is there yet, no version of dd can know.
    is_race,
)


# --- comparing ------------------------------------------------------------

def compare(case, gnu, our):
    """The keys that differ."""
    for release in RELEASES:
        release(case, gnu, our)
    return [key for key in sorted(set(gnu) | set(our))
            if gnu.get(key) != our.get(key)]


def short(value):
    if isinstance(value, list):
        return f"records of {[len(v) for v in value][:30]}"
    if isinstance(value, bytes) and len(value) > 300:
        return f"{len(value)} bytes, {value[:24]!r}..."
    return repr(value)


def first_difference(a, b):
    if not isinstance(a, bytes) or not isinstance(b, bytes):
        return ""
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
              min(len(a), len(b)))
    return f" (from byte {at})" if max(len(a), len(b)) > 300 else ""


def show(case, seed, number, gnu, our, keys):
    print(f"not ok - --seed {seed} --only {number}")
    for line in case.shell():
        print("#   " + line.encode(errors="backslashreplace").decode())
    for key in keys:
        a, b = gnu.get(key), our.get(key)
        print(f"# {key}{first_difference(a, b)}:")
        print(f"#   GNU: {short(a)}")
        print(f"#   our: {short(b)}")
    sys.stdout.flush()


def run_case(options, number, directory):
    """None: not comparable. Otherwise whether the two did the same."""
    case = Generator(options.seed, number).make()
    if any(exempt(case) for exempt in EXEMPT):
        return None
    if options.show:
        print("\n".join(case.shell()))
    gnu = Run(case, options.dd, os.path.join(directory, "gnu")).go()
    our = Run(case, options.aiodd, os.path.join(directory, "our")).go()
    keys = compare(case, gnu, our)
    if keys:
        show(case, options.seed, number, gnu, our, keys)
    return not keys


def run_all(options, directory):
    nr_run, failed = 0, []
    numbers = range(options.cases) if options.only is None else [options.only]
    start = time.monotonic()
    for number in numbers:
        verdict = run_case(options, number, directory)
        nr_run += verdict is not None
        if verdict is False:
            failed.append(number)
    rate = nr_run / (time.monotonic() - start)
    print(f"# {nr_run} cases with seed {options.seed}, {rate:.0f} a second")
    text = f"{nr_run} random cases as GNU dd"
    if failed:
        text += f"; different: {' '.join(map(str, failed))}"
    print(f"{'not ok' if failed else 'ok'} 1 - {text}\n1..1")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--cases", type=int, default=1500)
    parser.add_argument("--only", type=int, help="run this case only")
    parser.add_argument("--show", action="store_true",
                        help="print each case before it is run")
    parser.add_argument("--dd", default=shutil.which("dd"))
    parser.add_argument("--aiodd", default="./aiodd")
    parser.add_argument("--dir", help="where the files are made")
    options = parser.parse_args()
    options.dd = os.path.realpath(options.dd)
    options.aiodd = os.path.realpath(options.aiodd)
    os.umask(0o022)
    directory = tempfile.mkdtemp(prefix="aiodd-differential.",
                                 dir=options.dir)
    try:
        return run_all(options, directory)
    finally:
        os.chdir("/")
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
