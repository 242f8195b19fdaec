"""A bar plot as SVG, written by hand: horizontal bars in groups, each with its figure, and a line where 1 is."""

from dataclasses import dataclass, field
from html import escape

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 860, 330, 90, 22, 6, 64
COLOURS = {"serval": "#2f6fb3", "others": "#9aa5b1"}


@dataclass
class Plot:
    title: str
    unit: str
    bars: list = field(default_factory=list)  # (label, value, kind of COLOURS)

    def add(self, label, value, kind="serval"):
        self.bars.append((label, value, kind))

    def svg(self):
        height = TOP + len(self.bars) * (BAR + GAP) + 24
        largest = max([value for _, value, _ in self.bars] + [1])

        def x(value):
            return LEFT + (WIDTH - LEFT - RIGHT) * value / largest

        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13">',
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
            f'<text x="16" y="26" font-size="16">{escape(self.title)}</text>',
            f'<text x="16" y="46" fill="#555">{escape(self.unit)}</text>',
        ]
        for number, (label, value, kind) in enumerate(self.bars):
            y = TOP + number * (BAR + GAP)
            parts += [
                f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(label)}</text>',
                f'<rect x="{LEFT}" y="{y}" width="{x(value) - LEFT:.1f}" height="{BAR}" fill="{COLOURS[kind]}"/>',
                f'<text x="{x(value) + 6:.1f}" y="{y + 16}">{value:.2f}</text>',
            ]
        bottom = TOP + len(self.bars) * (BAR + GAP)
        parts.append(f'<line x1="{x(1):.1f}" y1="{TOP - 6}" x2="{x(1):.1f}" y2="{bottom}" stroke="#b33" stroke-dasharray="4 3"/>')
        return "\n".join([*parts, "</svg>"]) + "\n"
