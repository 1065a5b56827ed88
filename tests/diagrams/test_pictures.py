import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgen.diagrams import pictures
from archgen.diagrams.containers import containers_svg
from archgen.diagrams.context import context_svg
from archgen.diagrams.scene import Call, Container, Scene
from archgen.drawing import svg
from archgen.spec import loads
from tests.spec.samples import CHOREOGRAPHED_SHOP, SHOP

NAMESPACE = "{http://www.w3.org/2000/svg}"
Rect = tuple[float, float, float, float]

names = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_ WM", min_size=1, max_size=40).filter(str.strip)
ODD = st.text(max_size=120)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    count = draw(st.integers(0, 14))
    ids = [f"s{n}" for n in range(count)]
    containers = tuple(Container(id, draw(names), draw(ODD), "Python", "PostgreSQL", "team") for id in ids)
    pairs = st.tuples(st.sampled_from(ids), st.sampled_from(ids)).filter(lambda p: p[0] != p[1])
    found = draw(st.lists(pairs, max_size=14, unique=True)) if count > 1 else []
    calls = tuple(
        Call(source, target, draw(names), draw(st.sampled_from(["HTTP", "gRPC"]))) for source, target in found
    )
    return Scene("s", draw(names), draw(ODD), "NATS JetStream", containers, calls, (), ())


def boxes(root: ElementTree.Element) -> list[Rect]:
    """The services' boxes: x, y, right, bottom."""
    found = []
    for rect in root.iter(f"{NAMESPACE}rect"):
        if rect.get("fill") == "var(--box)":
            x, y, w, h = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + w, y + h))
    return found


def segments(root: ElementTree.Element) -> list[tuple[str, Rect]]:
    """Every straight piece of every arrow, with the colour that says what it is."""
    found = []
    for path in root.iter(f"{NAMESPACE}path"):
        d, edge = path.get("d", ""), path.get("stroke", "")
        if path.get("fill") == "none":
            points = [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", d)]
            found += [(edge, (*a, *b)) for a, b in pairwise(points)]
    return found


def crosses(line: Rect, box: Rect) -> bool:
    """Whether the line has a part inside the box, its edge left out."""
    x1, x2 = sorted((line[0], line[2]))
    y1, y2 = sorted((line[1], line[3]))
    return x1 < box[2] - 0.5 and x2 > box[0] + 0.5 and y1 < box[3] - 0.5 and y2 > box[1] + 0.5


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_no_arrow_goes_through_a_box_and_no_two_lie_on_each_other(scene: Scene) -> None:
    root = ElementTree.fromstring(containers_svg(scene))
    drawn = boxes(root)
    assert len(drawn) == len(scene.containers)
    lines = segments(root)
    for _, line in lines:
        assert line[0] == line[2] or line[1] == line[3], "not at a right angle"
        assert not any(crosses(line, box) for box in drawn)
    calls = [line for edge, line in lines if edge == "var(--edge)"]
    level = sorted((y, *sorted((x1, x2))) for x1, y, x2, y2 in calls if y == y2)
    for (y, _, right), (other, left, _) in pairwise(level):
        assert y != other or left >= right, "two calls run in the same place"


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_everything_is_inside_the_picture_and_the_same_each_time(scene: Scene) -> None:
    for draw in (containers_svg, context_svg):
        text = draw(scene)
        assert text == draw(scene)
        root = ElementTree.fromstring(text)
        width, height = float(root.get("width", "0")), float(root.get("height", "0"))
        for x, y, right, bottom in boxes(root):
            assert x >= 0
            assert y >= 0
            assert right <= width
            assert bottom <= height


@given(st.text(max_size=200), st.floats(20, 400), st.integers(1, 5))
def test_wrapped_lines_fit(text: str, room: float, lines: int) -> None:
    wrapped = svg.wrap(text, 13, room, lines)
    assert len(wrapped) <= lines
    assert all(svg.width(line, 13) <= room or len(line) <= 2 for line in wrapped)
    if not wrapped or not wrapped[-1].endswith("…"):
        assert "".join("".join(wrapped).split()) == "".join(text.split())


@given(ODD)
def test_any_text_is_text_and_never_markup(value: str) -> None:
    root = ElementTree.fromstring(svg.document(100, 100, value, [svg.text(1, 1, value)]))
    assert [child.tag for child in root.iter(f"{NAMESPACE}script")] == []
    shown = next(root.iter(f"{NAMESPACE}text")).text or ""
    assert shown == "".join(c if c.isprintable() else " " for c in value)


@pytest.mark.parametrize("spec", [SHOP, CHOREOGRAPHED_SHOP])
def test_there_is_a_picture_of_the_system_from_both_sides_and_of_each_saga(spec: str) -> None:
    system = loads(spec, "system.yaml")
    drawn = pictures(system)
    assert list(drawn) == ["context", "containers", *(f"saga-{name}" for name in system.sagas)]
    for text in drawn.values():
        root = ElementTree.fromstring(text)
        assert root.tag == f"{NAMESPACE}svg"
        assert "prefers-color-scheme: dark" in text
