"""Every scenario, in the order in which they are measured: each has a TITLE, and run(bench) that gives a Result or raises Missing."""

from scenarios import bodies, boot, hello, idle, instructions, killed, master, mixed, pinned, preloaded, reload, scaling, sleepers, slow, syscalls, watched

MODULES = (hello, bodies, sleepers, mixed, pinned, idle, slow, boot, killed, reload, preloaded, master, scaling, syscalls, watched, instructions)
SCENARIOS = tuple((module.__name__.rpartition(".")[2], module) for module in MODULES)
