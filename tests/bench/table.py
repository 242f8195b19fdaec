"""Tables as Markdown that also reads well as plain text."""

from dataclasses import dataclass, field


@dataclass
class Table:
    title: str
    columns: list
    rows: list = field(default_factory=list)
    note: str = ""

    def add(self, *cells):
        self.rows.append(list(cells))

    def markdown(self):
        texts = [self.columns, *([shown(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[i]) for row in texts) for i in range(len(self.columns))]
        numbers = [i > 0 and all(isinstance(row[i], (int, float)) for row in self.rows) for i in range(len(self.columns))]

        def line(cells):
            return "| " + " | ".join(f"{cell:>{width}}" if right else f"{cell:<{width}}" for cell, width, right in zip(cells, widths, numbers)) + " |"

        rule = "|" + "|".join("-" * (width + 1) + (":" if right else "-") for width, right in zip(widths, numbers)) + "|"
        parts = [f"### {self.title}", "", line(texts[0]), rule, *map(line, texts[1:])]
        return "\n".join([*parts, "", self.note] if self.note else parts) + "\n"


def shown(cell):
    """A figure with about three digits that count."""
    if cell is None:
        return "-"
    if not isinstance(cell, float):
        return f"{cell:,}" if isinstance(cell, int) else str(cell)
    if cell != cell:
        return "-"
    size = abs(cell)
    return f"{cell:,.0f}" if size >= 1000 else f"{cell:.1f}" if size >= 10 else f"{cell:.2f}"
