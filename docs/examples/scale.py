#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What limits one copy by 10, 100 and 1000 nodes: the tables of docs/SCALE.md.

Any figure can be given anew: scale.py node_disk=900 servers=4
Speeds are MB/s. What a node cannot use of its share is left to the others.
"""
import heapq
import random
import sys
from types import SimpleNamespace

MEASURED = {
    "node_disk": (1223, "copy from disk to disk, durable"),
    "node_ring": (5057, "copy between disks as fast as memory"),
    "server_core": (624, "one core of an NBD server, over TCP"),
    "calls": (33, "calls of one process that concern the two files"),
}
ASSUMED = {
    "node_nic": (3125, "network of a node, each way (25 Gbit/s)"),
    "gateway_nic": (3125, "the same of a gateway"),
    "server_nic": (12500, "network of a server (100 Gbit/s)"),
    "server_disk": (5000, "disks of a server"),
    "cores": (16, "cores of a server or gateway"),
    "servers": (16, "servers of the file system"),
    "metadata": (20000, "calls that its metadata server answers in a second"),
    "latency": (1, "ms until a request is answered"),
    "ssh": (600, "what ssh encrypts with one core"),
    "rack": (32, "nodes for each gateway"),
    "children": (2, "destinations of each node in a tree"),
    "parts": (8, "parts for each node, where they are queued"),
    "spread": (0.1, "sigma of the lognormal speed of nodes"),
    "slow_share": (0.01, "share of nodes that are slow, but at least one"),
    "slow_by": (10, "how many times slower they are"),
    "image": (20000, "MB of the image that each node gets"),
    "file": (1000000, "MB of the file that is copied once"),
}
BLOCK = 2 * 1.048576  # MB of one request; 16 are in flight
DRAWS = 7  # of node speeds, with seeds 0 to 6
x = SimpleNamespace(**{k: v[0] for k, v in {**MEASURED, **ASSUMED}.items()})


class Nodes:
    """Speeds, where 1 is what was measured, and who is slow."""

    def __init__(self, nr, slow, seed):
        rng = random.Random(seed)
        self.nr, self.all = nr, range(nr)
        self.speed = [rng.lognormvariate(0, x.spread) for _ in self.all]
        nr_slow = max(1, round(nr * x.slow_share)) if slow else 0
        self.slow = rng.sample(self.all, nr_slow)
        for i in self.slow:
            self.speed[i] /= x.slow_by


def machine(name, nic):
    """What an NBD server or a gateway can send."""
    return min((nic, name + " NIC"), (x.server_core * x.cores, name + " cores"))


def behind_gateways(nodes):
    each = machine("gateway", x.gateway_nic)
    return [(nodes.all[i:i + x.rack], each) for i in nodes.all[::x.rack]]


def fair(caps, capacity):
    """The share of whoever could use more."""
    left, nr = capacity, len(caps)
    for cap in sorted(caps):
        if cap * nr >= left:
            return left / nr
        left, nr = left - cap, nr - 1
    return float("inf")


def copy(nodes, own, shared, size, parts, calls=0, most=(float("inf"), "")):
    """Whoever is free takes the next part: the end of each node, the limit.

    own, most: what each can do, times its speed and at most; shared: by some.
    calls: those of each part, which are answered one by one."""
    most = min(most, (16 * BLOCK / x.latency * 1000, "latency"))
    names = [own[1]] * nodes.nr
    rates = [own[0] * speed for speed in nodes.speed]
    for members, (capacity, name) in [([i], most) for i in nodes.all] + shared:
        share = fair([rates[i] for i in members], capacity)
        for i in members:
            if share < rates[i]:
                rates[i], names[i] = share, name
    free, ends, opened = [(0, i) for i in nodes.all], [0] * nodes.nr, 0
    for _ in range(parts):
        now, i = heapq.heappop(free)
        opened = max(now, opened) + calls / x.metadata
        ends[i] = opened + size / rates[i]
        heapq.heappush(free, (ends[i], i))
    last = ends.index(max(ends))
    if parts * calls / x.metadata > ends[last] / 2:
        names[last] = "metadata"
    elif last in nodes.slow and names[last] == own[1]:
        names[last] = "a slow node"
    return ends, names[last]


def read_all(nodes, shared, **more):
    own = min((x.node_disk, "node disk"), (x.node_nic, "node NIC"))
    return copy(nodes, own, shared, x.image, nodes.nr, **more)


def from_file_system(nodes):
    nics = (x.servers * x.server_nic, "server NICs")
    return read_all(nodes, [(nodes.all, nics)], calls=x.calls)


def from_gateways(nodes):
    """Each reads the image once, and serves what it has from memory."""
    shared = behind_gateways(nodes)
    rate, name = machine("server", x.server_nic)
    return read_all(nodes, shared, most=(rate / len(shared), name))


def tree(nodes):
    """Who has the image copies it to the next that wait, at their pace."""
    ends, free = [0] * nodes.nr, [(0, 1, False)]
    for first in range(0, nodes.nr, x.children):
        now, speed, late = heapq.heappop(free)
        got = nodes.all[first:first + x.children]
        slowest = min(nodes.speed[i] for i in got)
        end = now + x.image / min(speed * x.node_nic / len(got),
                                  slowest * min(x.node_disk, x.node_nic))
        late = late or any(i in nodes.slow for i in got)
        heapq.heappush(free, (end, speed, late))
        for i in got:
            ends[i] = end
            heapq.heappush(free, (end, nodes.speed[i], late))
    return ends, "a slow node" if max(free)[2] else "rounds"


def chain(nodes):
    """All in a row, each at the pace of the slowest."""
    rate, name = min((x.node_disk, "node disk"), (x.ssh, "ssh"))
    rate *= min(nodes.speed)
    end = x.image / rate + nodes.nr * (BLOCK / rate + x.latency / 1000)
    return [end] * nodes.nr, "a slow node" if nodes.slow else name


def copy_once(nodes, parts, gateways=False):
    own = min((x.node_nic, "node NIC"), (x.node_ring, "node"))
    disks = (x.servers * min(x.server_disk, x.server_nic), "server disks")
    gates = behind_gateways(nodes) if gateways else []
    return copy(nodes, own, [(nodes.all, disks)] + gates, x.file / parts, parts,
                calls=0 if gateways else x.calls)


TO_ALL = {
    "all from one NBD server": lambda n: read_all(
        n, [(n.all, machine("server", x.server_nic))]),
    "all from the file system": from_file_system,
    "gateways before one server": from_gateways,
    "tree by `tee=`": tree,
    "chain by ssh": chain,
}
ONCE = {
    "one node": lambda n: copy_once(n, 1),
    "`shard=`, a part each": lambda n: copy_once(n, n.nr),
    "`shard=`, parts queued": lambda n: copy_once(n, x.parts * n.nr),
    "parts, by gateways": lambda n: copy_once(n, n.nr, True),
}


def typical(way, nr, slow):
    """Of the draw with the median time: all done, half done, limit."""
    draws = [way(Nodes(nr, slow, seed)) for seed in range(DRAWS)]
    return sorted((max(ends), sorted(ends)[nr // 2], limit)
                  for ends, limit in draws)[DRAWS // 2]


def table(ways):
    print("\n| way | nodes | s | limit | slow: s | half | limit | times |")
    print("|---|--:|--:|---|--:|--:|---|--:|")
    for name, way in ways.items():
        for nr in (10, 100, 1000) if name != "one node" else (1,):
            end, _, limit = typical(way, nr, False)
            late, half, then = typical(way, nr, True)
            print(f"| {name} | {nr} | {end:.0f} | {limit} | {late:.0f} | "
                  f"{half:.0f} | {then} | {late / end:.1f} |")


for word in sys.argv[1:]:
    key, _, value = word.partition("=")
    if key not in vars(x):
        sys.exit("scale.py: no such figure: " + key)
    setattr(x, key, type(getattr(x, key))(float(value)))
print("| figure | value | | what |\n|---|--:|---|---|")
for how, figures in (("measured", MEASURED), ("assumed", ASSUMED)):
    for key, (_, what) in figures.items():
        print(f"| {key} | {getattr(x, key)} | {how} | {what} |")
table(TO_ALL)
table(ONCE)
