#!/usr/bin/env python3
"""Writes a table for the catalog example: sorted lines KEY<TAB>VALUE, item-00000000 and so on, of about the size asked for."""

import argparse

VALUE = "a thing of the catalogue that is described at some length, so that the table is large but its keys are few. " * 2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output")
    parser.add_argument("--mib", type=float, default=256, help="size of the table in MiB (default: 256)")
    options = parser.parse_args()
    left = int(options.mib * 1024 * 1024)
    with open(options.output, "w", encoding="ascii") as table:
        for number in range(100_000_000):
            line = f"item-{number:08d}\t{number} {VALUE}\n"
            left -= len(line)
            if left < 0 and number > 0:
                break
            table.write(line)


if __name__ == "__main__":
    main()
