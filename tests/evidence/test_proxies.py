"""Clients that look like plain objects are seen to leave the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgen.evidence.collect import collect

_CASES = {
    "nameko proxy": (
        "a.py",
        "from nameko.rpc import RpcProxy\nclass G:\n    orders = RpcProxy('orders')\n"
        "    def f(self):\n        self.orders.create_order(1)\n        self.orders.get_order(1)\n",
        [("remote", True), ("remote", False)],
    ),
    "nameko event": (
        "a.py",
        "from nameko.events import EventDispatcher\nclass O:\n    dispatch = EventDispatcher()\n"
        "    def f(self):\n        self.dispatch('created', {})\n",
        [("publish", False)],
    ),
    "oslo.messaging": (
        "a.py",
        "import oslo_messaging as messaging\nclass A:\n    def f(self, context):\n"
        "        self.client.call(context, 'get_zone')\n        self.client.cast(context, 'create_zone')\n"
        "        messaging.get_rpc_server(1, 2, 3)\n",
        [("remote", False), ("publish", False), ("consume", False)],
    ),
    "Nest": (
        "a.ts",
        "import { ClientProxy } from '@nestjs/microservices';\nclass A {\n"
        "  constructor(private readonly payments: ClientProxy) {}\n"
        "  f() { this.payments.send('create_charge', {}); this.payments.emit('charged', {}); }\n}\n",
        [("remote", True), ("publish", False)],
    ),
    "a dictionary and a socket are none": (
        "a.py",
        "class A:\n    def f(self, orders: dict, client):\n"
        "        orders.get('x')\n        client.call('x')\n",
        [],
    ),
}


@pytest.mark.parametrize("case", _CASES)
def test_what_a_call_on_a_proxy_does(case: str, tmp_path: Path) -> None:
    name, code, expected = _CASES[case]
    (tmp_path / name).write_text(code)
    facts = collect(tmp_path)
    found = [(e.kind, e.write) for _, f in facts.program.functions() if f.name == "f" for e in f.effects]
    assert found == expected


def test_code_behind_a_path_of_tsconfig_is_live(tmp_path: Path) -> None:
    files = {
        "tsconfig.json": '{"compilerOptions": {"paths": { // names\n  "@shop/core": ["libs/core/src"],\n'
        '  "@shop/util/*": ["libs/util/*"]}}}',
        "packages/names/package.json": '{\n  "name": "@shop/names"\n}',
        "packages/names/src/index.ts": "export const n = 1;\n",
        "libs/core/src/index.ts": "export * from './health';\n",
        "libs/core/src/health.ts": "export const h = 1;\n",
        "libs/core/src/unused.ts": "export const u = 1;\n",
        "libs/util/text.ts": "export const t = 1;\n",
        "apps/a/package.json": "{}",
        "apps/a/main.ts": "import { h } from '@shop/core';\nimport { t } from '@shop/util/text';\n"
        "import { n } from '@shop/names';\napp.listen(1);\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    live = {path for path, module in collect(tmp_path).program.modules.items() if module.live}
    assert live == {
        "apps/a/main.ts", "libs/core/src/index.ts", "libs/core/src/health.ts", "libs/util/text.ts",
        "packages/names/src/index.ts",
    }  # fmt: skip
