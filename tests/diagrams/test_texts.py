import re

from hypothesis import given
from hypothesis import strategies as st

from archgen.diagrams import mermaid, page, structurizr
from archgen.diagrams.scene import Call, Container, Scene

NASTY = 'a"b; end\n<script>#x|y{z}[w] ${HOME} \\'


def scene(text: str) -> Scene:
    services = tuple(Container(id, text, text, "Go", "SQLite", text) for id in ("one", "two"))
    return Scene("s", text, text, "Kafka", services, (Call("one", "two", text, "gRPC"),), (), ((text, text),))


@given(st.text(max_size=80))
def test_mermaid_gets_one_line_without_signs_of_its_own(value: str) -> None:
    written = mermaid.text(value)
    assert "\n" not in written
    entities = re.sub(r"#\d+;", "", written)
    assert not set(entities) & set('"#;<>|{}[]`&%:~@')
    back = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), written)
    assert back == " ".join("".join(c if c.isprintable() else " " for c in value).split())


@given(st.text(max_size=80))
def test_structurizr_gets_one_quoted_string(value: str) -> None:
    written = structurizr.text(value)
    assert re.fullmatch(r'"([^"\\\n]|\\")*"', written)
    assert "${" not in written


def test_nasty_names_change_nothing_about_the_shape() -> None:
    for drawn in (mermaid.containers_mermaid, mermaid.context_mermaid):
        assert len(drawn(scene(NASTY)).splitlines()) == len(drawn(scene("plain")).splitlines())
    assert len(structurizr.workspace(scene(NASTY), ()).splitlines()) == len(
        structurizr.workspace(scene("plain"), ()).splitlines()
    )
    assert structurizr.workspace(scene("plain"), ()).count("{") == structurizr.workspace(
        scene("plain"), ()
    ).count("}")


def test_the_page_escapes_what_is_not_a_picture() -> None:
    text = page.page(NASTY, NASTY, {"context": "<!-- x -->\n<svg></svg>"})
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<svg></svg>" in text
