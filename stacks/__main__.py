"""The program that plain `pulumi up` runs: the same function as `edgewright up`."""

from pathlib import Path

from edgewright.program import program

folder = Path(__file__).resolve().parent
program(folder.parent, folder)
