"""The geometry of charts: from numbers to the attributes of SVG shapes, in units of which a chart is `WIDTH` wide."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 320, 80
MARGIN = 4  # around what is drawn, so that no dot is cut off
LEAST = 1.5  # units of height of a bar that stands for anything at all


class Bar(NamedTuple):
    """A rectangle; `kind` is its class in the stylesheet, `label` what it stands for."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str


class BarChart(NamedTuple):
    """Rectangles with the labels at both ends of the axis; `top` is what the tallest column stands for."""

    bars: tuple[Bar, ...]
    first: str
    last: str
    top: int


class Dot(NamedTuple):
    """A point of a line."""

    x: float
    y: float
    kind: str
    label: str


class LineChart(NamedTuple):
    """Points and the line through them; `path` is the attribute `points` of a polyline."""

    dots: tuple[Dot, ...]
    path: str
    first: str
    last: str


class Column(NamedTuple):
    """What stands above one place of an axis: parts by their kinds, from the bottom, each with a count."""

    label: str
    parts: tuple[tuple[str, int], ...]


class Point(NamedTuple):
    """A value from 0 to 1, and what to call its place."""

    value: float
    label: str
    kind: str = ""


def bars(columns: Sequence[Column]) -> BarChart:
    """Stacked bars, one above each place."""
    top = max((sum(count for _, count in column.parts) for column in columns), default=0)
    step = WIDTH / max(len(columns), 1)
    drawn = [bar for index, column in enumerate(columns) for bar in _stack(column, index * step, step, top)]
    return BarChart(tuple(drawn), columns[0].label if columns else "", columns[-1].label if columns else "", top)


def _stack(column: Column, x: float, step: float, top: int) -> Iterable[Bar]:
    base = float(HEIGHT)
    for kind, count in column.parts:
        if count:
            height = max(count / top * HEIGHT, LEAST)
            base -= height
            yield Bar(
                round(x, 2),
                round(max(base, 0), 2),
                round(step * 0.9, 2),
                round(height, 2),
                kind,
                f"{column.label}: {count:,} {kind}",
            )


def histogram(counts: Sequence[int], low: float = 0.0, high: float = 1.0, kind: str = "rewards") -> BarChart:
    """Bars over equal parts of a range, each with the count of values in it."""
    width = (high - low) / max(len(counts), 1)
    edges = [f"{low + index * width:.4g} to {low + (index + 1) * width:.4g}" for index in range(len(counts))]
    chart = bars([Column(edge, ((kind, count),)) for edge, count in zip(edges, counts, strict=True)])
    return chart._replace(first=f"{low:g}", last=f"{high:g}")


def line(points: Sequence[Point]) -> LineChart:
    """A line through values from 0 at the bottom to 1 at the top, evenly from left to right."""
    step = (WIDTH - 2 * MARGIN) / max(len(points) - 1, 1)
    dots = tuple(
        Dot(
            round(MARGIN + index * step, 2),
            round(HEIGHT - MARGIN - min(max(point.value, 0.0), 1.0) * (HEIGHT - 2 * MARGIN), 2),
            point.kind,
            f"{point.label}: {point.value:.4g}",
        )
        for index, point in enumerate(points)
    )
    path = " ".join(f"{dot.x},{dot.y}" for dot in dots)
    return LineChart(dots, path, points[0].label if points else "", points[-1].label if points else "")


def steps(places: Sequence[tuple[str, str]]) -> LineChart:
    """Dots on a level line, evenly from left to right, each of a kind and with a label."""
    chart = line([Point(0.5, label, kind) for kind, label in places])
    dots = tuple(dot._replace(label=label) for dot, (_, label) in zip(chart.dots, places, strict=True))
    return chart._replace(dots=dots)
