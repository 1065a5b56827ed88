"""SVG by hand: text that fits because it was measured, and colours for light and dark.

Nothing here knows what is drawn. All text is escaped where it becomes markup, in `text`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
BOLD = 1.13  # bold text is so much wider
_NARROW, _WIDE = set("iljtfrI.,:;'|!()[] "), set("mwMWGOQ%@—")

_STYLE = f"""
  svg {{ --bg: #ffffff; --ink: #1b2733; --soft: #5a6b7b; --line: #7a8a99; --box: #e8f1fb; --edge: #2f6fb0;
    --bus: #efe7fb; --bus-edge: #7a4fc0; --out: #eceff2; --good: #1f7a4d; --bad: #b3402e; --frame: #c3ccd5; }}
  @media (prefers-color-scheme: dark) {{ svg {{ --bg: #12181f; --ink: #e8eef4; --soft: #a3b1be;
    --line: #8797a6; --box: #16304a; --edge: #6fb0f0; --bus: #2c2146; --bus-edge: #b393f0; --out: #222b34;
    --good: #62c995; --bad: #f08a76; --frame: #3b4855; }} }}
  text {{ font-family: {FONT}; fill: var(--ink); }}
  .soft {{ fill: var(--soft); }}
  .halo {{ paint-order: stroke; stroke: var(--bg); stroke-width: 5px; stroke-linejoin: round; }}
  .bold {{ font-weight: 600; }} .good {{ fill: var(--good); }} .bad {{ fill: var(--bad); }}
"""


def width(text: str, size: float) -> float:
    """About how wide `text` is in pixels; rather too much than too little."""
    return size * sum(
        0.36 if c in _NARROW else 0.92 if c in _WIDE else 1.02 if ord(c) > 0x2E7F else 0.64 for c in text
    )


def wrap(text: str, size: float, room: float, lines: int) -> list[str]:
    """`text` in at most `lines` lines of `room` pixels; what is too long ends in an ellipsis."""
    done: list[str] = []
    line = ""
    for word in _breakable(text, size, room):
        joined = f"{line} {word}" if line else word
        if width(joined, size) <= room:
            line = joined
            continue
        done.append(line)
        line = word
    done.append(line)
    done = [part for part in done if part]
    if len(done) > lines:
        last = done[lines - 1]
        while last and width(last + "…", size) > room:
            last = last[:-1]
        done = [*done[: lines - 1], last.rstrip() + "…"]
    return done


def _breakable(text: str, size: float, room: float) -> Iterable[str]:
    """The words; one that is wider than the room comes in pieces."""
    for word in text.split():
        while width(word, size) > room:
            cut = max(1, next(n for n in range(len(word), 0, -1) if n == 1 or width(word[:n], size) <= room))
            # Rather behind a separator than in the midst of a word.
            at = max((word.rfind(sign, 1, cut) + 1 for sign in "_-./"), default=0)
            cut = at if at > cut // 2 else cut
            yield word[:cut]
            word = word[cut:]
        yield word


def text(x: float, y: float, value: str, size: float = 13, anchor: str = "middle", kind: str = "") -> str:
    """One line of text whose base line is at `y`."""
    named = f' class="{kind}"' if kind else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}"{named}>{_clean(value)}</text>'
    )


def _clean(value: str) -> str:
    # XML has no way to write control characters, not even escaped.
    return escape("".join(c if c.isprintable() else " " for c in value), quote=False)


def block(x: float, y: float, lines: Iterable[str], size: float, kind: str = "") -> list[str]:
    """Centred lines, the first one's base line at `y`."""
    return [text(x, y + n * size * 1.3, line, size, kind=kind) for n, line in enumerate(lines)]


def box(
    x: float, y: float, w: float, h: float, fill: str, edge: str, radius: float = 8, dash: bool = False
) -> str:
    dashes = ' stroke-dasharray="6 4"' if dash else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{radius:g}" '
        f'fill="var(--{fill})" stroke="var(--{edge})" stroke-width="1.5"{dashes}/>'
    )


def path(
    points: Iterable[tuple[float, float]], edge: str = "line", arrow: bool = True, dash: bool = False
) -> str:
    d = " ".join(f"{'M' if n == 0 else 'L'}{x:g} {y:g}" for n, (x, y) in enumerate(points))
    tip = f' marker-end="url(#tip-{edge})"' if arrow else ""
    dashes = ' stroke-dasharray="5 4"' if dash else ""
    return f'<path d="{d}" fill="none" stroke="var(--{edge})" stroke-width="1.5"{dashes}{tip}/>'


def cylinder(x: float, y: float, w: float, h: float) -> str:
    """A database: `x`, `y` is its upper left corner."""
    rim = 4.0
    return (
        f'<path d="M{x:g} {y + rim:g} a{w / 2:g} {rim:g} 0 0 1 {w:g} 0 v{h - 2 * rim:g} '
        f'a{w / 2:g} {rim:g} 0 0 1 {-w:g} 0 z m0 0 a{w / 2:g} {rim:g} 0 0 0 {w:g} 0" '
        'fill="var(--bg)" stroke="var(--edge)" stroke-width="1.2"/>'
    )


def person(x: float, y: float) -> list[str]:
    """A head and shoulders; `x` is the middle, `y` the top."""
    return [
        f'<circle cx="{x:g}" cy="{y + 11:g}" r="11" '
        'fill="var(--box)" stroke="var(--edge)" stroke-width="1.5"/>',
        f'<path d="M{x - 22:g} {y + 50:g} v-8 a16 16 0 0 1 16 -16 h12 a16 16 0 0 1 16 16 v8 z" '
        'fill="var(--box)" stroke="var(--edge)" stroke-width="1.5"/>',
    ]


def tips() -> str:
    """The heads of arrows, one per colour, that `path` refers to."""
    markers = "".join(
        f'<marker id="tip-{edge}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        f'orient="auto-start-reverse"><path d="M0 1 L10 5 L0 9 z" fill="var(--{edge})"/></marker>'
        for edge in ("line", "edge", "bus-edge", "good", "bad")
    )
    return f"<defs>{markers}</defs>"


def document(w: float, h: float, title: str, parts: Iterable[str]) -> str:
    """The whole picture as a file; `title` is what a screen reader says."""
    body = "\n".join(parts)
    return (
        "<!-- Generated from system.yaml; edit that instead. -->\n"
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:g}" height="{h:g}" '
        f'viewBox="0 0 {w:g} {h:g}" role="img">\n'
        f"<title>{_clean(title)}</title>\n<style>{_STYLE}</style>\n{tips()}\n"
        f'<rect width="{w:g}" height="{h:g}" fill="var(--bg)"/>\n{body}\n</svg>\n'
    )
