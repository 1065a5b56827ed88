"""What runs in a browser and what runs on a server, where one package has both."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgen.evidence.collect import collect

CALL = "fetch('http://x/');\n"
COMPONENTS = {f"{{0}}/part{number}.tsx": CALL for number in range(5)}


def code_of(root: Path, files: dict[str, str]) -> list[str]:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return sorted(m.path for m in collect(root).program.modules.values() if m.production)


def components(folder: str) -> dict[str, str]:
    return {path.format(folder): text for path, text in COMPONENTS.items()}


@pytest.mark.parametrize(
    ("framework", "served", "shown"),
    [
        ("nuxt", ["server/api/a.ts", "api/b.ts"], ["pages/a.ts", "lib/api/b.ts"]),
        ("@sveltejs/kit", ["src/hooks.server.ts", "src/routes/x/+server.ts"], ["src/routes/x/a.ts"]),
    ],
)
def test_a_framework_for_both_sides_keeps_some_of_it_on_the_server(
    tmp_path: Path, framework: str, served: list[str], shown: list[str]
) -> None:
    files = {f"web/{path}": CALL for path in [*served, *shown]}
    package = {"web/package.json": f'{{"dependencies": {{"{framework}": "3"}}}}'}
    assert code_of(tmp_path, {**files, **package}) == sorted(f"web/{path}" for path in served)


def test_a_folder_of_components_beside_a_server_runs_in_a_browser(tmp_path: Path) -> None:
    files = {
        "package.json": '{"dependencies": {"koa": "2", "react-dom": "18"}}',
        **components("app"),
        "app/utils/client.ts": CALL,
        "server/a.ts": CALL,
    }
    assert code_of(tmp_path, files) == ["server/a.ts"]


def test_a_folder_of_components_that_keeps_data_is_no_page(tmp_path: Path) -> None:
    mails = {"package.json": '{"dependencies": {"koa": "2", "react-dom": "18"}}', **components("mails")}
    assert len(code_of(tmp_path, {**mails, "mails/send.ts": 'import { Pool } from "pg";\n'})) == 6


def test_components_that_are_rendered_on_the_server_count_unless_they_say_otherwise(tmp_path: Path) -> None:
    files = {
        "package.json": '{"dependencies": {"next": "14", "react-dom": "18"}}',
        **components("app"),
        "app/button.tsx": '"use client";\n' + CALL,
    }
    assert code_of(tmp_path, files) == [f"app/part{number}.tsx" for number in range(5)]


def test_a_script_that_asks_its_own_page_by_a_path_runs_in_a_browser(tmp_path: Path) -> None:
    files = {
        "package.json": '{"dependencies": {"next": "15", "react-dom": "19"}}',
        "lib/upload.ts": "export const upload = () => fetch(`/api/files`, { method: 'POST' });\n",
        "lib/mail.ts": CALL,
    }
    assert code_of(tmp_path, files) == ["lib/mail.ts"]


@pytest.mark.parametrize(
    "text",
    [
        "export const hide = (id) => prisma.document.update({ where: { id } });\n",
        "export async function hide(id) {\n  const document = await find(id);\n  await document.save();\n}\n",
        "export const hide = async (document: Doc) => { await document.save(); };\n",
    ],
)
def test_a_document_that_is_kept_is_none_of_a_browser(tmp_path: Path, text: str) -> None:
    files = {"package.json": '{"dependencies": {"koa": "2"}}', "a.ts": text}
    assert code_of(tmp_path, {**files, "b.ts": "document.title = 'x';\n"}) == ["a.ts"]
