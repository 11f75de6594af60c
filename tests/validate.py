#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what status=json and report= write against the schema, and against
itself.

usage: validate.py SCHEMA, with questions on standard input, one a line, the
words parted by tabs; each is answered by one line, which is "ok" or what is
wrong:

lines FILE              what status=json wrote
report FILE             what report= wrote, JSON or page
both LINES FILE         of one run
bytes FILE MEMBER HEX   the bytes that a string of the report stands for
"""

import json
import re
import sys

import jsonschema

PHASES = ("copy", "flush", "verify")
schema = json.load(open(sys.argv[1], encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)


def must(is_true, text):
    if not is_true:
        raise ValueError(text)


def validate(thing, kinds):
    """One object, against the one of its type, so that errors can be read."""
    must(thing.get("type") in kinds, f"type {thing.get('type')!r}: {thing}")
    jsonschema.Draft202012Validator(
        {"$ref": f"#/$defs/{thing['type']}", "$defs": schema["$defs"]}
    ).validate(thing)


def check_end(end):
    """The verdict, the numbers and the words say the same."""
    verdict, last = end["verdict"], end["conclusion"]
    status = {"ok": (0,), "failed": (1,), "incomplete": (0, 2),
              "differs": (3,), "unexpected": (4,), "refused": (5,),
              "stopped": (None,)}[verdict]
    must(end["status"] in status, f"{verdict} and status {end['status']}")
    must(end["signal"] is None or verdict == "stopped", "a signal")
    must(verdict in ("ok", "incomplete") or not end["safe_to_remove"],
         "a failure is safe to remove")
    must(not end["unread"]["bytes"] or not end["safe_to_remove"],
         "what is incomplete is safe to remove")
    must(verdict != "ok" or not last, f"ok, but {last}")
    must(verdict != "ok" or not any(end["unread"].values()), "ok, but unread")
    rescue = end["rescue"]
    must(verdict != "ok" or not rescue or
         not (rescue["untried"] + rescue["failed"] + rescue["bad"]),
         "ok, but not rescued")
    missing = end["unread"]["areas"] + end["unchecked"]
    must(verdict != "incomplete" or missing > 0 and last,
         "incomplete without an area or a word")
    must((verdict == "differs") <= (end["differing"]["ranges"] > 0 and
                                    "NOT match" in last[-1]),
         "differs without a range or a word")


def grows(values, text):
    must(all(a <= b for a, b in zip(values, values[1:])), text)


def read_lines(path):
    text = open(path, encoding="utf-8").read()
    must(text.endswith("\n"), "the last line has no end")
    things = [json.loads(line) for line in text.splitlines()]
    for thing in things:
        validate(thing, ("start", "progress", "event", "end"))
    types = [thing["type"] for thing in things]
    must(types[0] == "start" and types.count("start") == 1, f"{types}")
    must(types[-1] == "end" and types.count("end") == 1, f"{types}")
    check_end(things[-1])
    progress = [t for t in things if t["type"] == "progress"] + things[-1:]
    grows([t["seconds"] for t in things[1:]], "the time goes back")
    grows([t["bytes"] for t in progress], "bytes get fewer")
    grows([t["moved"] for t in progress[:-1]], "moved bytes get fewer")
    grows([t["rescue"]["rescued"] for t in progress if t["rescue"]],
          "rescued bytes get fewer")
    return things


def read_report(path):
    text = open(path, encoding="utf-8").read()
    if path.endswith(".html"):
        text, nr = re.subn(r'.*<script type="application/json" id="report">'
                           r"(.*?)</script.*", r"\1", text, flags=re.S)
        must(nr == 1 and "<" not in text, "not one report in the page")
    report = json.loads(text)
    validate(report, ("report",))
    check_end(report)
    samples = report["samples"]
    for member in ("seconds", "bytes", "moved", "on_device"):
        grows([sample[member] for sample in samples], f"{member} of samples")
    must(samples[-1]["bytes"] == report["bytes"], "the last sample")
    ends = {sample["phase"]: sample["seconds"] for sample in samples}
    for phase, seconds in report["phases"].items():
        if seconds is not None and phase in ends:
            past = sum(report["phases"][earlier] or 0
                       for earlier in PHASES[:PHASES.index(phase) + 1])
            must(abs(ends[phase] - past) < 1e-6, f"the end of {phase}")
    if report["map"]:
        check_map(report, report["map"])
    return report


def check_map(report, area):
    cells, length = area["cells"], area["cell_length"]
    must(len(cells) == -(-area["length"] // length), "number of cells")
    sums = [sum(cell.values()) for cell in cells]
    must(all(n <= length for n in sums), "a cell is too full")
    rescue = report["rescue"]
    if not rescue:
        must(sum(sums) == report["bytes"], "the cells do not make the bytes")
        return
    must(sum(sums) == area["length"], "the cells do not make the map")
    for member in ("untried", "failed", "bad"):
        has = sum(cell[member] for cell in cells)
        must(has == rescue[member] or report["differing"]["ranges"],
             f"{has} {member} bytes in the cells, not {rescue[member]}")


def read_both(lines, path):
    things, report = read_lines(lines), read_report(path)
    for one in report["destinations"] or []:
        must("map" in one, "a destination has no map")
        del one["map"]  # which only the report has
    for thing in (things[0], things[-1]):
        for key in thing.keys() - {"type", "bytes_total"}:
            must(thing[key] == report[key], f"{key} is not the same")
    events = [thing for thing in things if thing["type"] == "event"]
    must(events[:1000] == report["events"], "events are not the same")


def check_bytes(path, member, wanted):
    """U+FFFD and two hex digits are a byte, all else is UTF-8."""
    text = read_report(path)
    for key in member.split("."):
        text = text[int(key) if key.isdigit() else key]
    parts = re.split("\ufffd([0-9a-f]{2})", text)
    data = b"".join(bytes.fromhex(part) if i % 2 else part.encode()
                    for i, part in enumerate(parts))
    must(data.hex() == wanted, f"{data.hex()}, not {wanted}")


questions = {"lines": read_lines, "report": read_report, "both": read_both,
             "bytes": check_bytes}
for line in sys.stdin:
    words = line.rstrip("\n").split("\t")
    try:
        questions[words[0]](*words[1:])
        answer = "ok"
    except (OSError, ValueError, LookupError, jsonschema.ValidationError) as e:
        answer = " ".join(str(e).split())
    print(answer, flush=True)
