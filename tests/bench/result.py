"""What a scenario hands back."""

from dataclasses import dataclass, field


@dataclass
class Result:
    tables: list
    figures: dict = field(default_factory=dict)  # by the names in bars.py
    plots: list = field(default_factory=list)
    failed: str = ""  # why the suite has to exit 1; missed bars are no reason, they depend on the machine
