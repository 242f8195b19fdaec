"""What chaos does to a serval. Each fault is done and, where serval cannot mend it, undone again before it returns;
then the server has to serve again without any help. The server may be paused meanwhile, and no command may get through:
no fault waits for an answer while it keeps commands away. ONE table at the end: name, arrangements, function. `chaos`
has the server, the clients and the dice."""

import contextlib
import errno
import os
import re
import signal
import subprocess
import time

import process_tree
from http_client import Client, wait_until


def to_worker(number):
    def fault(chaos):
        pid = chaos.server.worker_at(chaos.dice)
        if pid:
            process_tree.kill(pid, number)
    return fault


def to_mold(number):
    def fault(chaos):
        pid = chaos.server.mold()
        if pid:
            process_tree.kill(pid, number)
    return fault


def to_admin(number):
    def fault(chaos):
        pid = chaos.server.admin()
        if pid:
            process_tree.kill(pid, number)
    return fault


def to_all_workers(chaos):
    for pid in chaos.server.workers().values():
        process_tree.kill(pid)


def stopped_for_a_while(which):
    """Shorter than any patience: nothing may come of it."""
    def fault(chaos):
        pid = which(chaos)
        if not pid:
            return
        process_tree.kill(pid, signal.SIGSTOP)
        time.sleep(chaos.dice.uniform(0.2, 1.0))
        process_tree.kill(pid, signal.SIGCONT)
    return fault


def stopped_master_while_a_worker_dies(chaos):
    process_tree.kill(chaos.server.pid, signal.SIGSTOP)
    to_worker(signal.SIGKILL)(chaos)
    time.sleep(chaos.dice.uniform(0.2, 1.5))
    process_tree.kill(chaos.server.pid, signal.SIGCONT)


def stopped_mold_and_a_dead_worker(chaos):
    """The mold is asked for a worker and does not answer."""
    to_mold(signal.SIGSTOP)(chaos)
    to_worker(signal.SIGKILL)(chaos)


def asked(target):
    """A request that may end in any way; its end is counted like all others."""
    def fault(chaos):
        chaos.clients.once(target)
    return fault


# ---- limits

def set_soft(pid, name, soft):
    """As the process's own user, who needs no capability for it: setrlimit(2)."""
    with contextlib.suppress(FileNotFoundError):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            ids = {line.split()[0]: int(line.split()[1]) for line in file if line.startswith(("Uid:", "Gid:"))}
        subprocess.run(["prlimit", f"--pid={pid}", f"--{name}={soft}:"], user=ids["Uid:"], group=ids["Gid:"],
                       extra_groups=[], check=True)


@contextlib.contextmanager
def limited(pid, name, soft):
    """The soft limit of a running process; without effect on one that has ended meanwhile."""
    before = soft_limit(pid, name)
    if before is not None:
        set_soft(pid, name, soft)
    try:
        yield
    finally:
        if before is not None and process_tree.alive(pid):
            set_soft(pid, name, before)


def soft_limit(pid, name):
    """None if the process is gone."""
    row = {"nofile": "Max open files", "nproc": "Max processes"}[name]
    try:
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            return next(line[len(row):].split()[0] for line in file if line.startswith(row))
    except (FileNotFoundError, ProcessLookupError):
        return None


def worker_without_descriptors(chaos):
    """All numbers are taken: it has to leave new connections to others, or to go."""
    pid = chaos.server.worker_at(chaos.dice)
    with limited(pid, "nofile", 3):
        for _ in range(30):
            chaos.clients.once("/")
        time.sleep(1)


def master_without_descriptors(chaos):
    """A reload is refused, and generation and workers stay. Commands have to wait."""
    server, since = chaos.server, len(chaos.server.log())
    with limited(server.pid, "nofile", 3):
        os.kill(server.pid, signal.SIGHUP)
        reload = server.command("reload")
        server.wait_for_line("Too many open files", since)
    chaos.outcome("reload without descriptors", reload)


def master_without_descriptors_while_a_worker_dies(chaos):
    with limited(chaos.server.pid, "nofile", 3):
        to_worker(signal.SIGKILL)(chaos)
        time.sleep(chaos.dice.uniform(0, 1.5))


def nobody_can_fork(chaos):
    """The limit of tasks that a container or a unit has: neither the master nor the mold can start anything."""
    server, since = chaos.server, len(chaos.server.log())
    server.limit_tasks("0")
    try:
        to_mold(signal.SIGKILL)(chaos)
        to_worker(signal.SIGKILL)(chaos)
        server.wait_for_line(r"Resource temporarily unavailable", since)
        chaos.clients.once("/")
        time.sleep(chaos.dice.uniform(0, 1.5))
    finally:
        server.limit_tasks("max")


def mold_cannot_fork(chaos):
    """EAGAIN, as of a user with too many processes (setrlimit(2): RLIMIT_NPROC; the mold is not root's)."""
    server, since = chaos.server, len(chaos.server.log())
    with limited(server.mold(), "nproc", 1):
        to_worker(signal.SIGKILL)(chaos)

        def asked():
            """A `serval scale` may have made the worker that died one too many, so that nobody takes its place."""
            if re.search(r"cannot fork|reload failed", server.log()[since:]):  # the latter: the next generation's first
                return True
            if not server.serves_fully():
                to_worker(signal.SIGKILL)(chaos)
            return False

        wait_until(asked, lambda: f"the mold being asked for a worker in {server.log()[since:]!r}", 10)
        time.sleep(chaos.dice.uniform(0, 2))


# ---- folders and file systems

def fill(folder):
    """Until the last byte."""
    path = os.path.join(folder, "filler")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    size = 1 << 20
    while size:
        try:
            os.write(fd, b"x" * size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            size //= 2
    os.close(fd)
    return path


def full_disk(chaos):
    """Of the logs and of the bodies that are spilled."""
    server = chaos.server
    path = fill(server.space)
    try:
        chaos.outcome("recycle with a full disk", server.command("recycle", str(chaos.dice.randrange(2))))
        chaos.clients.once("/body?bytes=10")
        time.sleep(chaos.dice.uniform(0, 1))
    finally:
        os.unlink(path)


def large_body(chaos):
    chaos.clients.once("/body?bytes=10", b"x" * (1 << 20))


def no_room_for_bodies(chaos):
    """A file system that is too small for a body that is spilled."""
    folder = os.path.join(chaos.server.space, "tmp")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=1777", "tmpfs", folder], check=True)
    try:
        large_body(chaos)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def read_only(folder):
    """For all that is opened from now on: a mount on top of it, which goes lazily since somebody may look into it."""
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def missing(folder):
    os.rename(folder, folder + ".away")
    try:
        yield
    finally:
        if os.path.isdir(folder):  # somebody has made it anew
            for name in os.listdir(folder):
                os.replace(os.path.join(folder, name), os.path.join(folder + ".away", name))
            os.rmdir(folder)
        os.rename(folder + ".away", folder)


def logs_folder(kind):
    """The logs are reopened in a folder that cannot be had, and once more when it can."""
    def fault(chaos):
        server = chaos.server
        with kind(os.path.join(server.space, "logs")):
            chaos.outcome(f"reopen with {kind.__name__} log folder", server.command("reopen"))
            chaos.clients.once("/")
        chaos.outcome("reopen", server.command("reopen"))
    return fault


def control_folder(kind):
    def fault(chaos):
        server, since = chaos.server, len(chaos.server.log())
        with kind(os.path.join(server.space, "control")):
            os.kill(server.pid, signal.SIGHUP)  # which looks after the socket
            server.wait_for_line(r"reloaded gen=|reload (failed|refused)", since, 30)
    return fault


def no_control_socket(chaos):
    """Somebody has deleted it; a reload makes it anew."""
    server, since = chaos.server, len(chaos.server.log())
    os.unlink(server.socket)
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for_line(r"reloaded gen=", since, 30)
    wait_until(lambda: os.path.exists(server.socket), "the control socket")


def rotation(chaos):
    for told in (chaos.server.told, chaos.server.access_told):
        told.set_aside()
    chaos.outcome("reopen", chaos.server.command("reopen"))
    for told in (chaos.server.told, chaos.server.access_told):
        told.text()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(told.path + ".1")


# ---- readers of pipes

def reader(mode):
    """Of both logs, while more is written than the pipes hold; serving and commands do not wait for it."""
    def fault(chaos):
        server = chaos.server
        pipes = (server.told, server.access_told)
        for pipe in pipes:
            pipe.mode = mode
        try:
            with Client(server.addresses[0]) as client:
                for _ in range(300):  # ~100 bytes each
                    client.get("/pid")
            chaos.outcome(f"recycle with a {mode} reader", server.command("recycle", str(chaos.dice.randrange(2))))
        finally:
            for pipe in pipes:
                pipe.mode = "quick"
    return fault


def worker(chaos):
    return chaos.server.worker_at(chaos.dice)


BOTH, FILES, PIPES = ("files", "pipes"), ("files",), ("pipes",)
FAULTS = [
    ("worker KILL", BOTH, to_worker(signal.SIGKILL)),
    ("worker TERM", BOTH, to_worker(signal.SIGTERM)),
    ("worker ABRT", BOTH, to_worker(signal.SIGABRT)),
    ("worker SEGV", BOTH, to_worker(signal.SIGSEGV)),
    ("worker STOP", BOTH, to_worker(signal.SIGSTOP)),
    ("worker STOP, CONT", BOTH, stopped_for_a_while(worker)),
    ("all workers KILL", BOTH, to_all_workers),
    ("mold KILL", BOTH, to_mold(signal.SIGKILL)),
    ("mold ABRT", BOTH, to_mold(signal.SIGABRT)),
    ("mold TERM", BOTH, to_mold(signal.SIGTERM)),
    ("mold STOP, CONT", BOTH, stopped_for_a_while(lambda chaos: chaos.server.mold())),
    ("admin KILL", BOTH, to_admin(signal.SIGKILL)),
    ("admin ABRT", BOTH, to_admin(signal.SIGABRT)),
    ("admin STOP, CONT", BOTH, stopped_for_a_while(lambda chaos: chaos.server.admin())),
    ("mold STOP, worker KILL", BOTH, stopped_mold_and_a_dead_worker),
    ("master STOP, CONT", BOTH, stopped_for_a_while(lambda chaos: chaos.server.pid)),
    ("master STOP, worker KILL", BOTH, stopped_master_while_a_worker_dies),
    ("app crashes", BOTH, asked("/crash")),
    ("app aborts", BOTH, asked("/abort")),
    ("app exits", BOTH, asked("/exit?code=3")),
    ("app hangs", BOTH, asked("/deadlock")),
    ("app takes 300 MiB", BOTH, asked("/alloc?mib=300&ms=1500")),
    ("no descriptor for a worker", BOTH, worker_without_descriptors),
    ("no descriptor for the master", BOTH, master_without_descriptors),
    ("no descriptor for the master, worker KILL", BOTH, master_without_descriptors_while_a_worker_dies),
    ("mold cannot fork", BOTH, mold_cannot_fork),
    ("nobody can fork, mold and worker KILL", BOTH, nobody_can_fork),
    ("full disk", FILES, full_disk),
    ("large body", BOTH, large_body),
    ("large body, full disk", BOTH, no_room_for_bodies),
    ("log folder read-only", FILES, logs_folder(read_only)),
    ("log folder missing", FILES, logs_folder(missing)),
    ("logs rotated", FILES, rotation),
    ("control folder read-only", BOTH, control_folder(read_only)),
    ("control folder missing", BOTH, control_folder(missing)),
    ("control socket deleted", BOTH, no_control_socket),
    ("log reader slow", PIPES, reader("slow")),
    ("log reader stopped", PIPES, reader("stopped")),
    ("log reader gone", PIPES, reader("gone")),
]


def scaled(chaos):
    """By one, within two of what is usual."""
    chaos.extra += chaos.dice.choice([-1, 1]) if abs(chaos.extra) < 2 else -1 if chaos.extra > 0 else 1
    return chaos.usual + chaos.extra


# Commands between and during the faults: words for the command line.
COMMANDS = [
    ("reload", lambda chaos: ["reload"]),
    ("recycle", lambda chaos: ["recycle", chaos.dice.choice(["all", "0", "1"])]),
    ("scale", lambda chaos: ["scale", str(scaled(chaos))]),
    ("upgrade", lambda chaos: ["upgrade"]),
    ("pause, resume", lambda chaos: ["pause"]),
    ("drain, undrain", lambda chaos: ["drain"]),
    ("reopen", lambda chaos: ["reopen"]),
    ("stacks", lambda chaos: ["stacks"]),
]
UNDONE_BY = {"pause": "resume", "drain": "undrain"}
