#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures aiodd against other programs that copy, and writes the table and
the chart of docs/performance/.  A run of some beds, or a quick one, only
prints the table."""

import argparse
import dataclasses
import os
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import report
from beds import BEDS, Lab, Skip
from measure import measure

TIME_LIMIT = 30 * 60    # seconds; a bed begun later gets one round
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beds", metavar="A,B", help=", ".join(BEDS))
    parser.add_argument("--rounds", type=int, default=0, metavar="N",
                        help="at most so many (7)")
    parser.add_argument("--quick", action="store_true",
                        help="3 rounds, a quarter of the bytes")
    parser.add_argument("--dir", default=os.environ.get("top_builddir", "."),
                        help="work below it: the real disk")
    parser.add_argument("--old", metavar="PROGRAM",
                        help="an older aiodd, instead of the other programs")
    parser.add_argument("--output", metavar="DIR",
                        help="write results.md and chart.svg there")
    opts = parser.parse_args()
    opts.names = opts.beds.split(",") if opts.beds else list(BEDS)
    if unknown := set(opts.names) - set(BEDS):
        parser.error(f"no such bed: {' '.join(sorted(unknown))}")
    opts.rounds = opts.rounds or (3 if opts.quick else 7)
    if opts.output is None and not (opts.beds or opts.quick or opts.old):
        top = os.environ.get("top_srcdir", TOP)
        opts.output = os.path.join(top, "docs", "performance")
    return opts


def stop(signo, _):
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    sys.exit(128 + signo)


def old_and_new(bed, old):
    """Only these two; what the others are measured for is not judged."""
    ours = bed.ours
    bed.programs = [ours, dataclasses.replace(
        ours, label="before", argv=[old, *ours.argv[1:]], kind="peer",
        walls=[], cpus=[])]
    bed.target = None


def run_bed(name, lab, opts, last):
    make, seconds = BEDS[name]
    bed = make(lab)
    bed.name = name
    if opts.old:
        old_and_new(bed, os.path.abspath(opts.old))
    print(f"{name}: {bed.title}", file=sys.stderr)
    enough = time.monotonic() + seconds
    deadlines = (enough, min(enough + seconds, last))
    measure(bed, opts.rounds, os.path.join(lab.work, "log"), deadlines)
    return bed


def run_beds(opts, work, aiodd):
    """The beds that were run, and why others were not."""
    beds, skipped = [], {}
    last = time.monotonic() + TIME_LIMIT
    for name in opts.names:
        place = os.path.join(work, name)
        os.mkdir(place)
        try:
            with Lab(place, aiodd, opts.quick) as lab:
                beds.append(run_bed(name, lab, opts, last))
        except Skip as why:
            print(f"{name}: skipped: {why}", file=sys.stderr)
            skipped[name] = why
        shutil.rmtree(place, ignore_errors=True)
    return beds, skipped


def write(path, content):
    with open(path, "w") as file:
        file.write(content)
    print(f"wrote {path}", file=sys.stderr)


def main():
    opts = options()
    aiodd = os.path.abspath(os.environ.get("AIODD", "aiodd"))
    if not os.access(aiodd, os.X_OK):
        sys.exit(f"no program at {aiodd}")
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, stop)
    work = tempfile.mkdtemp(prefix="bench.", dir=opts.dir)
    try:
        facts = report.machine(work, aiodd)
        beds, skipped = run_beds(opts, work, aiodd)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    text = report.results(beds, facts, skipped)
    print(text)
    for bed in beds:
        for label, target in report.misses(bed):
            print(f"missed: {bed.name}: {target} against {label}")
    if opts.output is not None and beds:
        os.makedirs(opts.output, exist_ok=True)
        write(os.path.join(opts.output, "results.md"), text)
        write(os.path.join(opts.output, "chart.svg"), report.chart(beds))
    return 0 if all(bed.ours.is_measured for bed in beds) else 1


if __name__ == "__main__":
    sys.exit(main())
