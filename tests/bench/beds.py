# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The beds: what is copied, from where to where, by which programs."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

from measure import FEED, MIB, Bed, Failed, Program

GIB = 1024 * MIB
SHM = "/dev/shm"


class Skip(Exception):
    """The machine cannot make this bed."""


# --- files ----------------------------------------------------------------

def fill(path, size):
    with open(path, "wb") as file:
        for _ in range(0, size, MIB):
            file.write(os.urandom(min(size, MIB)))


def cold(path):
    """Writes what is dirty, and gives back the pages of the cache."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def warm(path):
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(MIB)
        while file.readinto(buffer):
            pass


def rehearse(path, size, is_cold=True):
    """A virtual machine gives free memory back to its host two seconds after
    some became free, and who uses it next waits for the host to find some: not
    the program that is measured.  So the page cache has held such a file just
    before."""
    # Where memory is all that counts, see that it is not about to begin.
    if not is_cold and os.path.exists("/sys/module/page_reporting"):
        time.sleep(2.1)
    chunk = bytes(256 * 1024)
    with open(path, "wb", buffering=0) as file:
        for _ in range(0, size, len(chunk)):
            file.write(chunk)
    os.unlink(path)


def remove(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def spoil(path, size):
    """So that the copy of the run before does not pass for this one's."""
    with open(path, "r+b") as file:
        for off in range(0, size, size // 8):
            file.seek(off)
            file.write(bytes(512))


def data_segments(fd, size):
    end = 0
    while end < size:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(fd, start, os.SEEK_HOLE)
        for off in range(start, end, MIB):
            yield off, min(MIB, end - off)


def check_same(src, dst):
    """The data of src is in dst, which takes no more room than that."""
    with open(src, "rb") as a, open(dst, "rb") as b:
        want, got = os.fstat(a.fileno()), os.fstat(b.fileno())
        if want.st_size != got.st_size:
            raise Failed("the copy has another size")
        if got.st_blocks > want.st_blocks * 1.1 + 2048:
            raise Failed("the copy has lost its holes")
        for off, size in data_segments(a.fileno(), want.st_size):
            if (os.pread(a.fileno(), size, off) !=
                    os.pread(b.fileno(), size, off)):
                raise Failed("the copy differs")


def check_fed(dst, size):
    with open(dst, "rb") as file:
        if os.fstat(file.fileno()).st_size != size:
            raise Failed("the copy has another size")
        if any(file.read(MIB) != FEED for _ in range(0, size, MIB)):
            raise Failed("the copy differs")


# --- what a bed is made of ------------------------------------------------

def need_tools(*names):
    for name in names:
        if shutil.which(name) is None:
            raise Skip(f"no {name} here")


def need_room(directory, size):
    room = os.statvfs(directory)
    if room.f_bavail * room.f_frsize < size:
        raise Skip(f"{directory} has no room for {size // MIB} MiB")


def patiently(*argv):
    """A disk can be busy for a moment after its last user has gone."""
    for _ in range(250):
        if subprocess.run(argv, capture_output=True,
                          check=False).returncode == 0:
            return True
        time.sleep(0.02)
    return False


class Lab:
    """A place to work in.  What is made here goes when the lab closes."""

    def __init__(self, work, aiodd, is_quick):
        self.work, self.aiodd, self.is_quick = work, aiodd, is_quick
        self.stack = contextlib.ExitStack()
        self.shm = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self.stack.__exit__(*error)

    def scaled(self, size):
        return size // 4 if self.is_quick else size

    def path(self, name):
        path = os.path.join(self.work, name)
        self.stack.callback(remove, path)
        return path

    def source(self, size, name="src"):
        need_room(self.work, 2 * size + 64 * MIB)
        path = self.path(name)
        fill(path, size)
        return path

    def image(self, name, size):
        if self.shm is None:
            need_room(SHM, 2 * size + 64 * MIB)
            self.shm = tempfile.mkdtemp(prefix="aiodd-bench.", dir=SHM)
            self.stack.callback(shutil.rmtree, self.shm, ignore_errors=True)
        path = os.path.join(self.shm, name)
        fill(path, size)
        return path

    def loop(self, image):
        need_tools("losetup")
        made = subprocess.run(
            ["losetup", "--direct-io=on", "-f", "--show", image],
            capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Skip(made.stderr.strip())
        device = made.stdout.strip()
        self.stack.callback(patiently, "losetup", "-d", device)
        return device

    def nbd(self, name, *options):
        """What nbdkit serves, as a file."""
        need_tools("nbdkit", "nbdfuse", "fusermount3")
        if not os.access("/dev/fuse", os.W_OK):
            raise Skip("no /dev/fuse here")
        directory = os.path.join(self.work, name)
        os.mkdir(directory)
        self.stack.callback(shutil.rmtree, directory, ignore_errors=True)
        disk = os.path.join(directory, "disk")
        server = subprocess.Popen(
            ["nbdfuse", disk, "[", "nbdkit", "--exit-with-parent", *options,
             "]"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        self.stack.callback(nbd_stop, server, directory)
        for _ in range(250):
            if os.path.exists(disk):
                return disk
            time.sleep(0.02)
        raise Skip("nbdfuse did not start")

    def nbd_server(self, name, *options):
        """The address of what nbdkit serves on a socket."""
        need_tools("nbdkit")
        socket = os.path.join(self.work, name + ".sock")
        server = subprocess.Popen(
            ["nbdkit", "-f", "--exit-with-parent", "-U", socket, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        self.stack.callback(server.wait)
        self.stack.callback(server.terminate)
        for _ in range(250):
            if os.path.exists(socket):
                return "nbd+unix:///?socket=" + socket
            time.sleep(0.02)
        raise Skip("nbdkit did not start")


def nbd_stop(server, directory):
    if os.path.ismount(directory):
        if not patiently("fusermount3", "-u", directory):
            patiently("fusermount3", "-u", "-z", directory)
    server.send_signal(signal.SIGTERM)
    server.wait()


# --- programs -------------------------------------------------------------

def program(label, *words, **more):
    """A program, or None where it is not installed.  Its label is what one
    would type, less the names of the files."""
    path = shutil.which(words[0])
    if path is None:
        return None
    return Program(label, [path, *words[1:]], **more)


def then_sync(label, dst, *words):
    """For the programs that cannot make durable what they wrote."""
    if shutil.which(words[0]) is None:
        return None
    script = 'dst=$1; shift; "$@" && sync "$dst"'
    return Program(label, ["/bin/sh", "-c", script, "sh", dst, *words])


def aiodd(lab, label, *words):
    return Program(label, [lab.aiodd, *words], kind="ours")


def dd(label, *words, **more):
    return program(label, "dd", *words, **more)


def qemu_img(src, dst, *options, **more):
    return program("qemu-img convert -t none -T none -m 16 -W", "qemu-img",
                   "convert", "-f", "raw", "-O", "raw", "-t", "none", "-T",
                   "none", "-m", "16", "-W", *options, src, dst, **more)


def ddrescue(src, dst):
    return then_sync("ddrescue -d -D -c 2048; sync", dst, "ddrescue", "-q",
                     "-f", "-d", "-D", "-c", "2048", src, dst)


def fio(label, size, jobs, target=None):
    """jobs: "read" or "write", and the file, of those that run at once."""
    words = [word for rw, path in jobs
             for word in (f"--name={rw}", f"--rw={rw}", f"--filename={path}")]
    return program(f"fio {label}, 16 of 1 MiB", "fio", "--bs=1M",
                   "--iodepth=16", "--ioengine=libaio", "--direct=1",
                   "--end_fsync=1", "--output-format=json", f"--size={size}",
                   *words, kind="limit", is_fio=True, target=target)


def installed(programs):
    return [p for p in programs if p is not None]


# --- beds on the real disk ------------------------------------------------

def real_disk(lab, size, is_cold):
    """Source, fresh destination, and what to do ahead of a run."""
    src, dst = lab.source(size), lab.path("dst")

    def before():
        remove(dst)
        (cold if is_cold else warm)(src)
        os.sync()
        rehearse(dst, 2 * size if is_cold else size, is_cold)

    return src, dst, before


def durable(lab):
    size = lab.scaled(GIB)
    src, dst, before = real_disk(lab, size, is_cold=True)
    names = (f"if={src}", f"of={dst}")
    programs = installed([
        aiodd(lab, "aiodd conv=fsync SRC DST", "conv=fsync", src, dst),
        dd("dd bs=1M conv=fsync", *names, "bs=1M", "conv=fsync"),
        dd("dd bs=1M conv=fsync, direct", *names, "bs=1M", "conv=fsync",
           "iflag=direct", "oflag=direct"),
        then_sync("cp; sync", dst, "cp", src, dst),
        program("nbdcopy --flush", "nbdcopy", "--flush", src, dst),
        qemu_img(src, dst),
        ddrescue(src, dst),
        fio("write", size, [("write", dst)], target=0.85),
        fio("read and write at once", size, [("read", src), ("write", dst)])])
    return Bed("real disk, cold, durable", size, programs, before,
               lambda: check_same(src, dst), habit="dd bs=1M conv=fsync",
               target=1.2)


def not_durable(lab, title, is_cold):
    size = lab.scaled(GIB)
    src, dst, before = real_disk(lab, size, is_cold)
    names = (f"if={src}", f"of={dst}")
    programs = installed([
        aiodd(lab, "aiodd SRC DST", src, dst),
        dd("dd bs=64K", *names, "bs=64K"),
        dd("dd bs=256K", *names, "bs=256K"),
        dd("dd bs=1M", *names, "bs=1M"),
        program("cp", "cp", src, dst),
        program("cat >DST", "sh", "-c", 'exec cat "$1" >"$2"', "sh", src,
                dst)])
    return Bed(title, size, programs, before, lambda: check_same(src, dst),
               habit="dd bs=1M", target=1.0)


def cold_not_durable(lab):
    return not_durable(lab, "real disk, cold, not durable", is_cold=True)


def cached(lab):
    return not_durable(lab, "page cache, not durable", is_cold=False)


def hashed(lab):
    size = lab.scaled(GIB)
    src, dst, before = real_disk(lab, size, is_cold=False)
    programs = installed([
        aiodd(lab, "aiodd hash=sha256 SRC DST", "hash=sha256", src, dst),
        program("dc3dd hash=sha256", "dc3dd", "hash=sha256", f"if={src}",
                f"of={dst}", target=2.5),
        program("openssl dgst -sha256", "openssl", "dgst", "-sha256", src,
                kind="limit", target=0.8)])
    return Bed("page cache, with a sha256", size, programs, before,
               lambda: check_same(src, dst), habit="dc3dd hash=sha256")


def hashed_twice(lab):
    size = lab.scaled(GIB)
    src, dst, before = real_disk(lab, size, is_cold=False)
    programs = [
        aiodd(lab, "aiodd hash=md5,sha256 SRC DST", "hash=md5,sha256", src,
              dst),
        Program("aiodd hash=md5 SRC DST", [lab.aiodd, "hash=md5", src, dst],
                target=0.9)]
    return Bed("page cache, with an md5 and a sha256", size, programs, before,
               lambda: check_same(src, dst), habit="aiodd hash=md5 SRC DST")


def verified(lab):
    size = lab.scaled(GIB)
    src, dst, before = real_disk(lab, size, is_cold=True)
    programs = [
        aiodd(lab, "aiodd verify=yes SRC DST", "verify=yes", src, dst),
        Program("aiodd conv=fsync SRC DST", [lab.aiodd, "conv=fsync", src,
                                             dst], target=1 / 1.6)]
    return Bed("real disk, cold, durable and read back", size, programs,
               before, lambda: check_same(src, dst),
               habit="aiodd conv=fsync SRC DST")


def bs512(lab):
    size = lab.scaled(256 * MIB)
    src, dst, before = real_disk(lab, size, is_cold=False)
    programs = installed([
        aiodd(lab, "aiodd if=SRC of=DST", f"if={src}", f"of={dst}"),
        dd("dd (bs=512)", f"if={src}", f"of={dst}")])
    return Bed("page cache, default bs", size, programs, before,
               lambda: check_same(src, dst), habit="dd (bs=512)")


def sparse(lab):
    size, data = 64 * GIB, 64
    src, dst = lab.path("src"), lab.path("dst")
    need_room(lab.work, 4 * data * MIB)
    with open(src, "wb") as file:
        for i in range(data):
            file.seek(i * size // data)
            file.write(os.urandom(MIB))
        file.truncate(size)

    def before():
        remove(dst)
        os.sync()

    programs = installed([
        aiodd(lab, "aiodd SRC DST", src, dst),
        program("cp", "cp", src, dst, target=1 / 1.5),
        program("nbdcopy", "nbdcopy", src, dst),
        program("qemu-img convert -m 16 -W", "qemu-img", "convert", "-f",
                "raw", "-O", "raw", "-m", "16", "-W", src, dst)])
    return Bed("sparse, 64 MiB in 64 GiB", size, programs, before,
               lambda: check_same(src, dst), habit="cp", repeat=3,
               has_rate=False)


# --- small files ----------------------------------------------------------

def small(lab, size, repeat):
    src, dst = lab.source(size), lab.path("dst")
    names = (f"if={src}", f"of={dst}")
    os.sync()
    programs = installed([
        aiodd(lab, "aiodd SRC DST", src, dst),
        dd("dd bs=1M", *names, "bs=1M", target=1 / 1.05),
        dd("dd (bs=512)", *names) if size <= MIB else None,
        program("cp", "cp", src, dst)])
    title = ("a file of 4 KiB" if size < MIB
             else f"a file of {size // MIB} MiB")
    return Bed(title + ", whole process", size, programs,
               lambda: remove(dst), lambda: check_same(src, dst),
               habit="dd bs=1M", repeat=repeat, has_rate=size >= MIB)


def small_4k(lab):
    return small(lab, 4096, 60)


def small_1m(lab):
    return small(lab, MIB, 40)


def small_16m(lab):
    return small(lab, 16 * MIB, 12)


# --- pipes ----------------------------------------------------------------

def pipe_in(lab):
    size = lab.scaled(GIB)
    need_room(lab.work, size + 64 * MIB)
    dst = lab.path("dst")

    def before():
        remove(dst)
        os.sync()
        rehearse(dst, size)

    programs = installed([
        aiodd(lab, "aiodd - DST", "-", dst),
        dd("dd bs=1M iflag=fullblock of=DST", "bs=1M", "iflag=fullblock",
           f"of={dst}", target=1.0),
        program("cat >DST", "sh", "-c", 'exec cat >"$1"', "sh", dst)])
    return Bed("from a pipe to a file", size, programs, before,
               lambda: check_fed(dst, size), habit=programs[1].label,
               is_fed=True)


def pipe_disk(lab):
    size = lab.scaled(512 * MIB)
    image = lab.image("disk", size)
    disk = lab.loop(image)

    def before():
        cold(disk)
        spoil(image, size)

    words = ("bs=4M", "iflag=fullblock")
    programs = installed([
        aiodd(lab, "aiodd - DISK", "-", disk),
        dd("dd bs=4M iflag=fullblock oflag=direct of=DISK", *words,
           "oflag=direct", f"of={disk}", target=1.2),
        dd("dd bs=4M iflag=fullblock conv=fsync of=DISK", *words,
           "conv=fsync", f"of={disk}", target=1.2)])
    return Bed("from a pipe to a disk, durable", size, programs, before,
               lambda: check_fed(image, size), habit=programs[1].label,
               is_fed=True)


def gather(path, size):
    """What an image is full of: programs and libraries of this machine."""
    with open(path, "wb") as file:
        while file.tell() < size:
            start = file.tell()
            for directory, names, files in os.walk("/usr"):
                names.sort()
                for name in sorted(files):
                    from_path = os.path.join(directory, name)
                    if os.path.islink(from_path) or file.tell() >= size:
                        continue
                    with contextlib.suppress(OSError), \
                            open(from_path, "rb") as part:
                        shutil.copyfileobj(part, file, MIB)
            if file.tell() == start:
                raise Skip("/usr has no files")
        file.truncate(size)


def unpacked(lab, suffix, pack, unpack, limit=None):
    """A packed image onto a disk; the shell's way is a pipe into dd."""
    need_tools(pack[0], unpack[0])
    size = lab.scaled(384 * MIB)
    image = lab.image("disk", size)
    disk = lab.loop(image)
    plain = lab.path("plain")
    src = lab.path("src." + suffix)
    need_room(lab.work, 2 * size)
    gather(plain, size)
    with open(plain, "rb") as from_file, open(src, "wb") as to_file:
        subprocess.run(pack, stdin=from_file, stdout=to_file, check=True)

    def before():
        warm(src)
        cold(disk)
        spoil(image, size)

    words = " ".join(unpack)
    pipe = f'{words} "$1" | dd of="$2" bs=4M iflag=fullblock status=none'
    programs = installed([
        aiodd(lab, f"aiodd SRC.{suffix} DISK decompress=auto", src, disk,
              "decompress=auto"),
        program(f"{words} | dd bs=4M oflag=direct", "sh", "-c",
                pipe + " oflag=direct", "sh", src, disk,
                target=None if limit else 1.2),
        program(f"{words} | dd bs=4M conv=fsync", "sh", "-c",
                pipe + " conv=fsync", "sh", src, disk,
                target=None if limit else 1.2),
        program(" ".join(limit) + " >/dev/null", "sh", "-c",
                " ".join(limit) + ' "$1" >/dev/null', "sh", src,
                kind="limit", target=1 / 1.1) if limit else None])
    return Bed(f"an image packed by {pack[0]} onto a disk, durable", size,
               programs, before, lambda: check_same(plain, image),
               habit=programs[1].label)


def unpacked_zstd(lab):
    return unpacked(lab, "zst", ("zstd", "-q", "-c"), ("zstd", "-q", "-dc"))


def unpacked_gzip(lab):
    return unpacked(lab, "gz", ("gzip", "-c"), ("gzip", "-dc"))


def unpacked_xz(lab):
    return unpacked(lab, "xz", ("xz", "-T2", "-1", "-c"),
                    ("xz", "-T0", "-dc"), limit=("xz", "-T0", "-dc"))


# --- images with a block map ------------------------------------------------

def mapped_image(lab, size):
    """A quarter of it is data; and its map, by bmaptool."""
    need_tools("bmaptool")
    need_room(lab.work, size)
    src, bmap = lab.path("image"), lab.path("image.bmap")
    step = 16 * MIB
    with open(src, "wb") as file:
        for off in range(0, size, step):
            file.seek(off)
            file.write(os.urandom(step // 4))
        file.truncate(size)
    subprocess.run(["bmaptool", "-q", "create", "-o", bmap, src], check=True)
    return src, bmap


def mapped_programs(lab, src, bmap, dst, target):
    return installed([
        aiodd(lab, "aiodd SRC DST bmap=MAP zeros=skip conv=fsync", src, dst,
              "bmap=" + bmap, "zeros=skip", "conv=fsync"),
        program("bmaptool copy", "bmaptool", "-q", "copy", "--bmap", bmap,
                src, dst, target=target)])


def bmap_file(lab):
    size = lab.scaled(2 * GIB)
    src, bmap = mapped_image(lab, size)
    dst = lab.path("dst")

    def before():
        remove(dst)
        cold(src)
        os.sync()

    return Bed("a quarter of an image, by its block map, to a file", size // 4,
               mapped_programs(lab, src, bmap, dst, 1.0), before,
               lambda: check_same(src, dst), habit="bmaptool copy")


def bmap_slow(lab):
    size = lab.scaled(512 * MIB)
    src, bmap = mapped_image(lab, size)
    image = lab.image("disk", size)
    # bmaptool cuts what is no device.
    disk = lab.loop(lab.nbd("slow", "--filter=delay", "file", image,
                            "delay-read=4ms", "delay-write=4ms"))

    def before():
        warm(src)
        spoil(image, size)

    def check():
        with open(src, "rb") as a, open(image, "rb") as b:
            for off, n in data_segments(a.fileno(), size):
                if os.pread(a.fileno(), n, off) != os.pread(b.fileno(), n, off):
                    raise Failed("the copy differs")

    return Bed("a quarter of an image, by its block map, to a disk 4 ms late",
               size // 4, mapped_programs(lab, src, bmap, disk, 3), before,
               check, habit="bmaptool copy")


# --- several destinations ---------------------------------------------------

def tee(lab):
    size = lab.scaled(256 * MIB)
    src = lab.source(size)
    images = [lab.image(name, size) for name in "abc"]
    disks = [lab.loop(image) for image in images]

    def before():
        warm(src)
        for image, disk in zip(images, disks):
            cold(disk)
            spoil(image, size)

    def check():
        for image in images:
            check_same(src, image)

    fifos = [lab.path(name) for name in ("p", "q")]
    for fifo in fifos:
        os.mkfifo(fifo)
    to = "dd bs=1M iflag=fullblock conv=fsync status=none of="
    pipe = (f'{to}"$2" <"$5" & {to}"$3" <"$6" & '
            f'dd if="$1" bs=1M status=none | tee "$5" "$6" | {to}"$4"; wait')
    first, *others = disks
    programs = installed([
        aiodd(lab, "aiodd SRC DISK tee=DISK tee=DISK", src, first,
              *("tee=" + disk for disk in others)),
        program("dd, tee, and three dd conv=fsync", "sh", "-c", pipe,
                "sh", src, *disks, *fifos, target=2)])
    return Bed("to three disks at once, durable", size, programs, before,
               check, habit=programs[-1].label)


# --- NBD servers --------------------------------------------------------------

def nbd_programs(lab, src, dst, qemu_target, copy_target, cpu_target=None):
    programs = installed([
        aiodd(lab, "aiodd SRC DST conv=fsync", src, dst, "conv=fsync"),
        program("nbdcopy --flush", "nbdcopy", "--flush", src, dst,
                target=copy_target),
        qemu_img(src, dst, "-n", target=qemu_target)])
    programs[1].cpu_target = cpu_target
    return programs


def nbd_pair(lab, size, *filters):
    """Two servers, each of an image in memory."""
    images = [lab.image(name, size) for name in ("a", "b")]
    words = [word for word in filters if not word.startswith("delay")
             and not word.startswith("serialize")]
    options = [word for word in filters if word not in words]
    return images, [lab.nbd_server(name, *words, "file", image, *options)
                    for name, image in zip("ab", images)]


def nbd_memory(lab):
    size = lab.scaled(512 * MIB)
    images, (src, dst) = nbd_pair(lab, size)
    return Bed("from an NBD server to another, in memory", size,
               nbd_programs(lab, src, dst, 1.0, 1.0, 0.7),
               lambda: spoil(images[1], size), lambda: check_same(*images),
               habit="nbdcopy --flush")


def nbd_single(lab):
    size = lab.scaled(128 * MIB)
    images, (src, dst) = nbd_pair(
        lab, size, "--filter=noparallel", "--filter=delay",
        "serialize=all-requests", "delay-read=2ms", "delay-write=2ms")
    return Bed("from an NBD server to another, one request at a time", size,
               nbd_programs(lab, src, dst, None, 3),
               lambda: spoil(images[1], size), lambda: check_same(*images),
               habit="nbdcopy --flush")


def nbd_sparse(lab):
    size, data = 64 * GIB, 64
    images = [lab.image(name, 0) for name in ("a", "b")]
    with open(images[0], "wb") as file:
        for i in range(data):
            file.seek(i * size // data)
            file.write(os.urandom(MIB))
        file.truncate(size)
    os.truncate(images[1], size)
    src, dst = [lab.nbd_server(name, "file", image)
                for name, image in zip("ab", images)]

    def before():
        os.truncate(images[1], 0)
        os.truncate(images[1], size)

    return Bed("from an NBD server to another, 64 MiB in 64 GiB", size,
               nbd_programs(lab, src, dst, 1.0, 1.0), before,
               lambda: check_same(*images), habit="nbdcopy --flush",
               has_rate=False)


# --- to pipes -----------------------------------------------------------------

def pipe_out(lab):
    size = lab.scaled(GIB)
    src = lab.source(size)
    os.sync()
    programs = installed([
        aiodd(lab, "aiodd SRC -", src, "-"),
        dd("dd bs=1M iflag=fullblock if=SRC", "bs=1M", "iflag=fullblock",
           f"if={src}", target=1.0),
        program("cat SRC", "cat", src)])
    return Bed("from a file to a pipe", size, programs, lambda: warm(src),
               lambda: None, habit=programs[1].label, is_drained=True)


def pipe_through(lab):
    size = lab.scaled(GIB)
    words = ("bs=1M", "iflag=fullblock")
    programs = installed([
        aiodd(lab, "aiodd bs=1M iflag=fullblock", *words),
        dd("dd bs=1M iflag=fullblock", *words, target=1.0),
        program("cat", "cat")])
    return Bed("from a pipe to a pipe", size, programs, lambda: None,
               lambda: None, habit=programs[1].label, is_fed=True,
               is_drained=True)


# --- disks in memory ------------------------------------------------------

def two_disks(lab, size, make):
    """Two images in memory, and the disk that make(name, image) gives each."""
    images = [lab.image(name, size) for name in ("a", "b")]
    disks = [make(name, image) for name, image in zip("ab", images)]

    def before():
        for disk in disks:
            cold(disk)
        spoil(images[1], size)

    return disks, before, lambda: check_same(*images)


def disk_programs(lab, disks, size, targets=(None, None, None)):
    """From disk to disk, durable; targets for dd, dd direct and qemu-img."""
    names = (f"if={disks[0]}", f"of={disks[1]}", f"count={size // MIB}",
             "bs=1M", "conv=notrunc,fsync")
    return [
        aiodd(lab, "aiodd bs=1M conv=fsync", *names),
        dd("dd bs=1M conv=fsync", *names, target=targets[0]),
        dd("dd bs=1M conv=fsync, direct", *names, "iflag=direct",
           "oflag=direct", target=targets[1]),
        qemu_img(*disks, "-n", target=targets[2]),
        ddrescue(*disks)]


def slow(lab):
    size = lab.scaled(256 * MIB)
    disks, before, check = two_disks(
        lab, size, lambda name, image: lab.nbd(
            name, "--filter=delay", "file", image,
            "delay-read=4ms", "delay-write=4ms"))
    programs = installed(disk_programs(lab, disks, size, (10, 4.5, 1.8)))
    return Bed("two disks, each 4 ms late", size, programs, before, check,
               habit="dd bs=1M conv=fsync")


def single(lab):
    size = lab.scaled(256 * MIB)
    disks, before, check = two_disks(
        lab, size, lambda name, image: lab.nbd(
            name, "--filter=noparallel", "--filter=delay", "file",
            image, "serialize=all-requests", "delay-read=2ms",
            "delay-write=2ms"))
    programs = installed(
        disk_programs(lab, disks, size) +
        [fio("read", size, [("read", disks[0])], target=0.9)])
    return Bed("two disks, one request at a time", size, programs, before,
               check, habit="dd bs=1M conv=fsync", target=1.0)


def memory(lab):
    size = lab.scaled(GIB)
    disks, before, check = two_disks(
        lab, size, lambda name, image: lab.loop(image))
    programs = installed(
        disk_programs(lab, disks, size) +
        [program("nbdcopy --flush", "nbdcopy", "--flush", *disks)])
    programs[1].cpu_target = 0.25
    return Bed("disks at the speed of memory", size, programs, before, check,
               habit="dd bs=1M conv=fsync")


# Each with the seconds after which three rounds of it are enough.
BEDS = {
    "durable": (durable, 150),
    "verify": (verified, 30),
    "cold": (cold_not_durable, 80),
    "cached": (cached, 50),
    "hash": (hashed, 50),
    "hash-2": (hashed_twice, 20),
    "slow": (slow, 100),
    "single": (single, 70),
    "memory": (memory, 60),
    "small-4k": (small_4k, 15),
    "small-1m": (small_1m, 15),
    "small-16m": (small_16m, 15),
    "bs512": (bs512, 40),
    "pipe-in": (pipe_in, 40),
    "pipe-disk": (pipe_disk, 30),
    "zstd": (unpacked_zstd, 40),
    "gzip": (unpacked_gzip, 60),
    "xz": (unpacked_xz, 90),
    "bmap": (bmap_file, 40),
    "bmap-slow": (bmap_slow, 40),
    "tee": (tee, 40),
    "nbd": (nbd_memory, 40),
    "nbd-single": (nbd_single, 40),
    "nbd-sparse": (nbd_sparse, 40),
    "pipe-out": (pipe_out, 30),
    "pipe-through": (pipe_through, 30),
    "sparse": (sparse, 40),
}
