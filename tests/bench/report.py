# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine, the table and the chart."""

import html
import math
import os
import platform
import re
import subprocess

from measure import MIB

# --- the machine ----------------------------------------------------------


def first_match(path, pattern, default="unknown"):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else default


def device_of(device):
    """The device, and whether the kernel takes it for one that turns."""
    queue = f"/sys/class/block/{os.path.basename(device)}/queue"
    turns = first_match(f"{queue}/rotational", "([01])", None)
    return device + (f" (rotational={turns})" if turns else "")


def file_system(directory):
    """Type and device of the mount that the directory is on."""
    wanted = os.stat(directory).st_dev
    with open("/proc/self/mountinfo") as file:
        for line in file:
            left, right = line.split(" - ")
            major, minor = map(int, left.split()[2].split(":"))
            if os.makedev(major, minor) == wanted:
                kind, device = right.split()[:2]
                return f"{kind} on {device_of(device)}"
    return "unknown"


def version(name):
    question = "version" if name == "openssl" else "--version"
    try:
        asked = subprocess.run([name, question], capture_output=True,
                               text=True, check=False)
    except OSError:
        return None
    lines = asked.stdout.splitlines()
    found = re.search(r"\b\d[\w.]*", lines[0]) if lines else None
    return f"{os.path.basename(name)} {found[0]}" if found else None


def machine(work, aiodd):
    memory = int(first_match("/proc/meminfo", r"MemTotal: *(\d+)", "0"))
    peers = ("dd", "cp", "nbdcopy", "qemu-img", "ddrescue", "dc3dd", "openssl",
             "fio", "nbdkit")
    return {
        "CPU": first_match("/proc/cpuinfo", r"model name\s*: (.*)",
                           platform.machine()) +
        f", {os.cpu_count()} online",
        "memory": f"{memory / MIB:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "disk": file_system(work),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "versions": ", ".join(filter(None, map(version, (aiodd, *peers)))),
    }


# --- the table ------------------------------------------------------------

def digits(number):
    """Three of them, and no exponent."""
    if number >= 100:
        return f"{number:.0f}"
    return f"{number:.{2 if number >= 10 else 3 if number >= 1 else 4}f}"


def verdict(text, is_met):
    return f"{text}: {'ok' if is_met else '**missed**'}"


def targets_met(bed, program):
    """Text and truth for each target on the row of the program; what is
    judged is the rounded figure that is shown."""
    speed = round(bed.speed_over(program), 2)
    if program.target is not None:
        yield f"≥ {program.target:.3g} ×", speed >= round(program.target, 2)
    if bed.target is not None and program is bed.best_peer:
        yield (f"≥ {bed.target:.3g} × the best peer", speed >= bed.target)
    if program.cpu_target is not None:
        part = round(bed.ours.cpu / program.cpu, 2)
        yield (f"≤ {program.cpu_target:.3g} × its CPU ({part})",
               part <= program.cpu_target)


def misses(bed):
    return [(p.label, text) for p in bed.programs if p.is_measured
            for text, is_met in targets_met(bed, p) if not is_met]


def row(bed, program, title):
    if not program.is_measured:
        cells = ["-", "-", "-", "-", "-", f"failed: {program.failure}"]
    else:
        wall = program.wall
        cells = [
            digits(wall),
            f"{digits(min(program.walls))} to {digits(max(program.walls))}",
            f"{bed.size / wall / 1e6:.0f}" if bed.has_rate else "",
            "" if program.is_fio else digits(program.cpu),
            "" if program.kind == "ours"
            else f"{bed.speed_over(program):.2f}",
            "; ".join(verdict(*one) for one in targets_met(bed, program))]
    label = program.label
    if program.kind == "ours":
        label = f"**{label}**"
    return f"| {' | '.join([title, label, *cells])} |"


def table(beds):
    lines = [
        "| copy | program | s | range | MB/s | CPU s | aiodd is × as fast "
        "| target |",
        "|---|---|--:|--:|--:|--:|--:|---|"]
    for bed in beds:
        title = f"{bed.title} ({bed.rounds} rounds)"
        for program in bed.programs:
            lines.append(row(bed, program, title))
            title = ""
    return "\n".join(lines) + "\n"


# Of what is written here; in two parts, or they would seem to be this file's.
LICENCE = [f"<!-- SPDX-{line} -->" for line in (
    "FileCopyrightText: 2026 the aiodd authors",
    "License-Identifier: GPL-3.0-or-later")]
PREFACE = """\
# How fast: one run of `make -C build bench`

Wall time of the whole process: medians of rounds in which each program runs
once, in rotating order. Single runs on a virtual disk vary by a factor of two,
so compare only within one copy. CPU seconds are those of the program itself;
what kernel threads (write-back, the loop device) and the server of a disk do for
it is not included. fio copies nothing: it reads, writes, or does both side by
side, and the figure shown is its own. openssl only reads. The first copy made by
each program is compared with the source. "Cold" refers to the page cache of this
machine; the host of a virtual machine may have the source in its own cache.

"""


def results(beds, facts, skipped):
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += [f"- left out: {name}: {why}" for name, why in skipped.items()]
    return ("\n".join(LICENCE) + "\n\n" + PREFACE + "\n".join(lines) + "\n\n" + table(beds) +
            "\n![relative speed](chart.svg)\n")


# --- the chart ------------------------------------------------------------
# For each bed two bars on a logarithmic axis: our speed over that of the
# command that people type, and over that of the best peer.

WIDTH, LEFT, RIGHT = 820, 220, 250
BAR, GAP, TOP = 13, 12, 58
STYLE = """\
text { font-family: sans-serif; font-size: 12px; fill: #222 }
.title { font-size: 15px; font-weight: bold }
.small { font-size: 11px; fill: #555 }
.habit { fill: #a9c7e8 }
.best { fill: #1f5fa8 }
.slower { fill: #d1701f }
.grid { stroke: #ddd }
.one { stroke: #222 }
"""


def text(x, y, words, css="", anchor="start"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" class="{css}" '
            f'text-anchor="{anchor}">{html.escape(words)}</text>')


def rivals(bed):
    """Class and program of each bar of the bed."""
    habit = [p for p in bed.peers if p.label == bed.habit]
    bars = [("habit", p) for p in habit if p is not bed.best_peer]
    return bars + [("best", bed.best_peer)]


class Axis:
    def __init__(self, ratios):
        logs = [math.log2(r) for r in ratios]
        self.low = min(-1, math.floor(min(logs)))
        self.high = max(1, math.ceil(max(logs)))
        self.unit = (WIDTH - LEFT - RIGHT) / (self.high - self.low)

    def x(self, ratio):
        return LEFT + (math.log2(ratio) - self.low) * self.unit

    def ticks(self):
        return [2.0 ** i for i in range(self.low, self.high + 1)]


def bar(axis, y, css, ratio, label):
    start, end = sorted((axis.x(1), axis.x(ratio)))
    if ratio < 1 and css == "best":
        css = "slower"
    return [f'<rect x="{start:.1f}" y="{y}" width="{end - start:.1f}" '
            f'height="{BAR}" class="{css}"/>',
            text(end + 5, y + BAR - 3, f"{ratio:.2f} × {label}", "small")]


def chart(beds):
    beds = [bed for bed in beds if bed.ours.is_measured and bed.peers]
    axis = Axis([bed.speed_over(p) for bed in beds for _, p in rivals(bed)])
    y, body = TOP, []
    for bed in beds:
        bars = rivals(bed)
        body.append(text(LEFT - 8, y + len(bars) * BAR / 2 + 4, bed.title,
                         anchor="end"))
        for css, program in bars:
            body += bar(axis, y, css, bed.speed_over(program), program.label)
            y += BAR
        y += GAP
    grid = []
    for tick in axis.ticks():
        css = "one" if tick == 1 else "grid"
        x = axis.x(tick)
        grid += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" '
                 f'y2="{y - GAP + 6}" class="{css}"/>',
                 text(x, y + 8, f"{tick:g}", "small", "middle")]
    head = [text(10, 22, "Speed of aiodd as a multiple of others, "
                         "longer is faster", "title"),
            text(10, 40, "dark: the fastest other program; light: what one "
                         "would type; logarithmic", "small")]
    height = y + 18
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
        *LICENCE,
        "<title>Speed of aiodd relative to other programs</title>",
        f"<style>\n{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *head, *grid, *body, "</svg>", ""])
