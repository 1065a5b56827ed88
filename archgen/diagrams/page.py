"""All pictures on one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_STYLE = """
  :root { color-scheme: light dark; }
  body { margin: 0 auto; max-width: 1200px; padding: 24px; font: 15px/1.5 system-ui, sans-serif;
    background: Canvas; color: CanvasText; }
  figure { margin: 24px 0; overflow-x: auto; } svg { max-width: 100%; height: auto; }
  nav a { margin-right: 16px; }
"""
_NAMES = {"context": "Context", "containers": "Services, databases and broker"}


def page(title: str, about: str, pictures: Mapping[str, str]) -> str:
    """HTML with every picture in it. `pictures` are SVG documents by name."""
    heads = {name: _NAMES.get(name, name.replace("saga-", "Saga ").replace("_", " ")) for name in pictures}
    links = " ".join(f'<a href="#{escape(name)}">{escape(head)}</a>' for name, head in heads.items())
    figures = "\n".join(
        f'<figure id="{escape(name)}"><h2>{escape(heads[name])}</h2>\n{_scoped(svg)}</figure>'
        for name, svg in pictures.items()
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style></head>\n'
        f"<body><h1>{escape(title)}</h1>\n<p>{escape(about)}</p>\n<nav>{links}</nav>\n{figures}\n</body></html>\n"
    )


def _scoped(svg: str) -> str:
    # The comment in front is for files; all pictures share one set of styles and arrow tips anyway.
    return svg.partition("-->\n")[2]
