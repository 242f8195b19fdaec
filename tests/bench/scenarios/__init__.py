"""Every scenario, in the order in which they are measured: each has a TITLE, and run(bench) that gives a Result or raises Missing."""

from scenarios import bodies, hello, idle, mixed, pinned, sleepers, slow

MODULES = (hello, bodies, sleepers, mixed, pinned, idle, slow)
SCENARIOS = tuple((module.__name__.rpartition(".")[2], module) for module in MODULES)
