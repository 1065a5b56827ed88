"""Services are found in every usual layout, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgen.evidence.collect import collect
from archgen.evidence.facts import Facts
from archgen.rules.grounds import library

_FLASK = "from flask import Flask\napp = Flask(__name__)\n"
_GO_MAIN = 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":80", nil) }\n'
_PLAIN = "def work():\n    return 1\n"


def _project(root: Path, files: dict[str, str]) -> Facts:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return collect(root)


def _processes(*, both: bool) -> dict[str, str]:
    """Two processes of one package: ten modules of the first import the second, or `both` each other."""
    files = {
        "setup.cfg": "[entry_points]\nconsole_scripts =\n    shop-api = shop.api.main:run\n"
        "    shop-worker = shop.worker.main:run\n",
        "shop/api/main.py": "from shop.api import a0\nfrom flask import Flask\napp = Flask(__name__)\n"
        "def run():\n    app.run()\n",
        "shop/worker/main.py": "from shop.worker import w0\nfrom flask import Flask\napp = Flask(__name__)\n"
        "def run():\n    app.run()\n",
    }
    for number in range(10):
        files[f"shop/api/a{number}.py"] = f"from shop.worker import w{number}\n"
        files[f"shop/worker/w{number}.py"] = f"from shop.api import a{number}\n" if both else _PLAIN
    return files


_LISTENS = 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":1", nil) }\n'
_LAYOUTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "Django in the root": (
        {
            "manage.py": "from django.core.management import execute_from_command_line\n"
            "execute_from_command_line([])\n"
        },
        [""],
    ),
    "a plugin of Go is a part of what starts it": (
        {
            "go.mod": "module shop\n",
            "main.go": _LISTENS,
            "plugins/kafka/main.go": 'package main\nimport "shop/plugin"\n'
            "func main() { plugin.Serve(nil) }\n",
            "plugin/serve.go": 'package plugin\nimport "github.com/hashicorp/go-plugin"\n'
            "func Serve(x any) { plugin.Serve(nil) }\n",
        },
        [""],
    ),
    "a command's code lies under its name beside the folder of commands": (
        {
            "setup.cfg": "[entry_points]\nconsole_scripts =\n    watch-api = watch.cmd.green.api:main\n"
            "    watch-decision-engine = watch.cmd.green.decisionengine:main\n",
            "watch/cmd/green/api.py": "from watch.common import service\n"
            "def main():\n    launch(service.WSGI())\n",
            "watch/cmd/green/decisionengine.py": "from watch.decision_engine import run\n"
            "def main():\n    launch(run.make())\n",
            "watch/common/service.py": "from watch.api import app\n",
            "watch/api/app.py": "def make():\n    return 1\n",
            "watch/decision_engine/run.py": "def make():\n    return 1\n",
        },
        ["watch/api", "watch/decision_engine"],
    ),
    "Flask": ({"requirements.txt": "", "app.py": _FLASK}, [""]),
    "an image whose script starts what code does not tell": (
        {
            "orders/Dockerfile": 'FROM python:3\nCMD ["./run.sh"]\n',
            "orders/orders/service.py": _PLAIN,
            "products/Dockerfile": 'FROM python:3\nENTRYPOINT ["./run.sh"]\n',
            "products/products/service.py": _PLAIN,
        },
        ["orders", "products"],
    ),
    "a database's image is no service": (
        {
            "api/app.py": _FLASK,
            "api/requirements.txt": "",
            "db/Dockerfile": "FROM postgres:16\nCMD postgres\n",
            "db/seed.py": _PLAIN,
        },
        ["api"],
    ),
    "a package.json that starts a built file": (
        {
            "apps/mail/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "apps/mail/src/main.ts": "run();\n",
            "apps/shop/package.json": '{"scripts": {"start": "node ./server.js"}}',
            "apps/shop/server.js": "run();\n",
        },
        ["apps/mail", "apps/shop"],
    ),
    "a published package that installs a command is a tool beside services": (
        {
            "apps/mail/package.json": '{"private": true,\n"scripts": {"start": "node dist/main.js"}}',
            "apps/mail/src/main.ts": "run();\n",
            "apps/shop/package.json": '{"private": true,\n"scripts": {"start": "node ./server.js"}}',
            "apps/shop/server.js": "run();\n",
            "packages/handy/package.json": '{"name": "shop-cli",\n"bin": {"shop": "dist/main.js"},\n'
            '"scripts": {"start": "node dist/main.js"}}',
            "packages/handy/src/main.ts": "run();\n",
        },
        ["apps/mail", "apps/shop"],
    ),
    "one command that launches several servers": (
        {
            "pyproject.toml": "[project]\nname = 'flows'\n"
            "[project.scripts]\nflows = 'flows.cmd.launch:main'\n",
            "flows/cmd/launch.py": "def launch_api():\n    ProcessLauncher().launch_service(api)\n"
            "SERVERS = {'api': launch_api}\n"
            "def main():\n    for name in chosen():\n        SERVERS[name]()\n",
        },
        [""],
    ),
    "programs of Go that help to work on another": (
        {
            "go.mod": "module shop\n",
            "cmd/shop/main.go": _LISTENS,
            "cmd/shop-gen/main.go": _LISTENS,
            "cmd/shop-suites/main.go": _LISTENS,
        },
        ["cmd/shop"],
    ),
    "all commands of a system of Go in one program": (
        {
            "go.mod": "module shop\n",
            "cli/main.go": 'package main\nimport "shop/cli/cmd"\nfunc main() { cmd.Execute() }\n',
            "cli/cmd/root.go": 'package cmd\nimport "net/http"\n'
            'func Execute() { http.ListenAndServe(":1", nil) }\n',
        },
        ["cli"],
    ),
    "styles that a package of Node packs beside Python": (
        {
            "pyproject.toml": "[project]\nname = 'shop'\n",
            "Dockerfile": "CMD uvicorn shop.app:app\n",
            "shop/app.py": "from fastapi import FastAPI\napp = FastAPI()\n",
            "shop/office/package.json": '{"scripts": {"build": "tailwindcss"}}',
            "shop/office/__init__.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        },
        [""],
    ),
    "an application of a class that is named for its framework": (
        {
            "requirements.txt": "flask\n",
            "application.py": "from shop.app import ShopFlaskApp\napplication = ShopFlaskApp('shop')\n",
            "shop/app.py": "from flask import Flask\nclass ShopFlaskApp(Flask): ...\n",
        },
        [""],
    ),
    "a program of Go for its user's desktop beside the server that it shows": (
        {
            "server/go.mod": "module shop/server\n",
            "server/main/main.go": _LISTENS,
            "linux/go.mod": "module shop/linux\n",
            "linux/main.go": 'package main\nimport (\n"net/http"\n"github.com/webview/webview"\n)\n'
            'func main() { http.ListenAndServe(":1", nil); webview.New(true).Run() }\n',
        },
        ["server"],
    ),
    "pages that show what a server keeps, and pages that keep something themselves": (
        {
            "server/package.json": '{"scripts": {"start": "node main.js"}}',
            "server/main.js": "const express = require('express');\nexpress().listen(1);\n",
            "web/package.json": '{"scripts": {"start": "next start"}}',
            "web/app/page.tsx": "export const Page = async () => fetch('http://server');\n",
            "admin/package.json": '{"scripts": {"start": "next start"}}',
            "admin/app/page.tsx": "import { db } from '../lib/db';\nexport const Page = () => db;\n",
            "admin/lib/db.ts": "import { drizzle } from 'drizzle-orm/pg';\nexport const db = drizzle();\n",
        },
        ["admin", "server"],
    ),
    "a web archive that a server of servlets starts": (
        {
            "pom.xml": "<project><artifactId>clinic</artifactId></project>",
            "api/pom.xml": "<project><artifactId>clinic-api</artifactId></project>",
            "api/src/main/java/clinic/Patients.java": "package clinic;\nclass Patients {}\n",
            "webapp/pom.xml": "<project><artifactId>clinic-webapp</artifactId><packaging>war</packaging>"
            "<dependencies><dependency><artifactId>clinic-api</artifactId></dependency></dependencies></project>",
        },
        ["webapp"],
    ),
    "pages about the system, and a program for its users' desktops": (
        {
            "apps/docs/package.json": '{"scripts": {"start": "next start"}}',
            "apps/docs/app/page.ts": "run();\n",
            "apps/shop/package.json": '{"scripts": {"start": "node ./server.js"}}',
            "apps/shop/server.js": "run();\n",
            "desktop/package.json": '{"scripts": {"start": "node ./main.js"},\n'
            '"devDependencies": {\n"electron": "30"}}',
            "desktop/main.js": "app.listen(1);\n",
        },
        ["apps/shop"],
    ),
    "a compose command": (
        {
            "compose.yaml": "services:\n  worker:\n    build: worker\n    command: python -m jobs.run\n",
            "worker/requirements.txt": "",
            "worker/jobs/run.py": _PLAIN,
        },
        ["worker"],
    ),
    "SAM, a folder of code per service": (
        {
            "backend/orders.yaml": "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
            "    Properties:\n      CodeUri: orders/\n      Handler: a.h\n",
            "backend/pay.yaml": "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
            "    Properties:\n      CodeUri: pay/\n      Handler: a.h\n",
            "backend/orders/a.py": _PLAIN,
            "backend/pay/a.py": _PLAIN,
        },
        ["backend/orders", "backend/pay"],
    ),
    "SAM, a template per service": (
        {
            "orders/template.yaml": "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
            "    Properties: {CodeUri: src/f, Handler: a.h}\n",
            "orders/src/f/a.py": _PLAIN,
            "pay/template.yaml": "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
            "    Properties: {CodeUri: src/f, Handler: a.h}\n",
            "pay/src/f/a.py": _PLAIN,
        },
        ["orders", "pay"],
    ),
    "serverless.yml": (
        {
            "cart/serverless.yml": "service: cart\nprovider: {name: aws}\nfunctions:\n"
            "  add: {handler: add.run}\n",
            "cart/add.js": "exports.run = () => 1;\n",
        },
        ["cart"],
    ),
    "commands that one package installs": (
        {
            "setup.cfg": "[entry_points]\nconsole_scripts =\n    dns-api = dns.cmd.api:main\n"
            "    dns-worker = dns.cmd.worker:main\n    dns-tool = dns.cmd.tool:main\n",
            "dns/cmd/api.py": "def main():\n    service.serve(1)\n",
            "dns/cmd/worker.py": "def main():\n    service.serve(1)\n",
            "dns/cmd/tool.py": "def main():\n    print(1)\n",
            "dns/api/app.py": _PLAIN,
            "dns/worker/run.py": _PLAIN,
            "dns/tool/run.py": _PLAIN,
        },
        ["dns/api", "dns/worker"],
    ),
    "commands without a folder of their name, and what a web server loads": (
        {
            "pyproject.toml": '[project]\nname = "keys"\n[project.scripts]\n'
            'keys-worker = "keys.cmd.worker:main"\nkeys-manage = "keys.cmd.manage:main"\n',
            "keys/cmd/worker.py": "from keys.common import config\nfrom keys.queue import server\n"
            "def main():\n    service.launch(config, server.Tasks())\n",
            "keys/cmd/manage.py": "def main():\n    print(1)\n",
            "keys/wsgi/api.py": "from keys.api import app\napplication = app.build()\n",
            "keys/common/config.py": _PLAIN,
            "keys/queue/server.py": _PLAIN,
            "keys/api/app.py": _PLAIN,
        },
        ["keys/api", "keys/queue"],
    ),
    "commands as entry points, one of which serves by itself": (
        {
            "pyproject.toml": '[project]\nname = "nets"\n[project.entry-points."console_scripts"]\n'
            'nets-api = "nets.cmd.api:main"\nnets-agent = "nets.cmd.agent:main"\n',
            "nets/cmd/api.py": "def main():\n    serving.run_simple('', 1, app)\n",
            "nets/cmd/agent.py": "def main():\n    service.launch(conf, server)\n",
            "nets/api/app.py": _PLAIN,
            "nets/agent/run.py": _PLAIN,
        },
        ["nets/agent", "nets/api"],
    ),
    "commands that start by way of another function, and whose code is called nearly like them": (
        {
            "setup.cfg": "[entry_points]\nconsole_scripts =\n    base-guest = base.cmd.guest:main\n"
            "    base-tasks = base.cmd.tasks:main\n    base-fake-mode = base.cmd.fakemode:main\n",
            "base/cmd/guest.py": "from base.common.rpc import service\ndef main():\n    service.launch(1)\n",
            "base/cmd/tasks.py": "def startup():\n    service.launch(1)\ndef main():\n    startup()\n",
            "base/cmd/fakemode.py": "def main():\n    service.launch(1)\n",
            "base/guestagent/run.py": _PLAIN,
            "base/tasks/run.py": _PLAIN,
            "base/common/rpc/service.py": _PLAIN,
        },
        ["base/guestagent", "base/tasks"],
    ),
    "a script that a package starts and that ends": (
        {
            "api/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "api/src/main.ts": "import { serve } from './serve';\nserve();\n",
            "api/src/serve.ts": "export const serve = () => 1;\n",
            "oss/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "oss/src/main.ts": "import axios from 'axios';\nasync function main() { await axios.get('x'); }\n"
            "main().catch((e) => { process.exit(1); });\n",
        },
        ["api"],
    ),
    "packages that Deno and a framework's own command start": (
        {
            "apps/api/package.json": '{"scripts": {"start": "deno run -A src/serve.ts"}}',
            "apps/api/src/serve.ts": "Deno.serve({ port: 1 }, app.fetch);\n",
            "apps/web/package.json": '{"scripts": {"start": "next start"}, "dependencies": {"next": "15"}}',
            "apps/web/app/page.ts": "import Redis from 'ioredis';\nexport const f = () => 1;\n",
            "packages/lib/package.json": '{"scripts": {"start": "tsc --watch"}}',
            "packages/lib/a.ts": "export const f = () => 1;\n",
        },
        ["apps/api", "apps/web"],
    ),
    "Quarkus by the parent's plugin": (
        {
            "parent/pom.xml": "<project><artifactId>parent</artifactId><build><plugin>"
            "<artifactId>quarkus-maven-plugin</artifactId></plugin></build></project>",
            **{
                f"{name}/pom.xml": "<project><parent><artifactId>parent</artifactId></parent>"
                f"<artifactId>{name}</artifactId>{needs}</project>"
                for name, needs in (
                    ("http", "<dependency><artifactId>base</artifactId></dependency>"),
                    ("base", ""),
                )
            },
            "http/src/main/java/a/Application.java": "class Application extends Base { void go() {} }\n",
            "base/src/main/java/b/BaseApplication.java": "class BaseApplication { void start() {} }\n",
        },
        ["http"],
    ),
    "an application in the root with a small service below": (
        {
            "setup.py": "",
            "shop/web.py": _FLASK,
            **{f"shop/part{n}.py": _PLAIN for n in range(8)},
            "mailer/requirements.txt": "",
            "mailer/app.py": _FLASK,
        },
        ["", "mailer"],
    ),
    "Go commands with their packages beside them": (
        {
            **{
                f"app/{name}/service/{path}": text
                for name in ("cart", "order")
                for path, text in {
                    "cmd/server/main.go": _GO_MAIN,
                    "internal/data/data.go": "package data\nfunc Work() {}\n",
                }.items()
            },
            "go.mod": "module shop\n",
        },
        ["app/cart/service", "app/order/service"],
    ),
    "Go commands that share their packages": (
        {
            "shop/cmd/api/main.go": _GO_MAIN,
            "shop/cmd/worker/main.go": _GO_MAIN,
            "shop/internal/data.go": "package internal\nfunc Work() {}\n",
            "go.mod": "module shop\n",
        },
        ["shop/cmd/api", "shop/cmd/worker"],
    ),
    "processes that are made of each other's code": (_processes(both=True), ["shop"]),
    "processes of which one uses the other's code": (_processes(both=False), ["shop/api", "shop/worker"]),
    "a package": ({"setup.py": "", "lib/a.py": _PLAIN}, []),
}


@pytest.mark.parametrize("layout", _LAYOUTS)
def test_the_services_of_a_layout(layout: str, tmp_path: Path) -> None:
    files, expected = _LAYOUTS[layout]
    facts = _project(tmp_path, files)
    assert [s.folder for s in facts.services] == expected
    assert all(s.file in files and s.line >= 1 for s in facts.services)


def test_services_that_end_alike_are_named_by_what_tells_them_apart(tmp_path: Path) -> None:
    files = {
        f"{folder}/main.go": _GO_MAIN
        for folder in (
            "a/cart/cmd/server",
            "a/order/service/cmd/server",
            "b/x/cmd/one",
            "b/x/cmd/two",
            "c/two",
        )
    }
    facts = _project(tmp_path, {**files, "go.mod": "module shop\n"})
    assert [s.name for s in facts.services] == ["cart", "order", "one", "b/x/cmd/two", "c/two"]


def test_a_package_without_services_is_a_library_and_a_heap_of_files_is_nothing(tmp_path: Path) -> None:
    assert library(_project(tmp_path / "a", {"pyproject.toml": "[project]\n", "lib/a.py": _PLAIN}))
    assert not library(_project(tmp_path / "b", {"a.py": _PLAIN}))


def test_code_of_the_browser_is_no_part_of_the_system(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "ui/package.json": '{"dependencies": {"react-dom": "18"}}',
            "ui/a.ts": "fetch('http://x/');\n",
            "api/package.json": '{"dependencies": {"express": "4", "react-dom": "18"}}',
            "api/a.ts": "fetch('http://x/');\n",
            "web/static/js/a.js": "fetch('http://x/');\n",
            "web/jquery.js": "/*! jQuery v1.11.1 */\nfetch('http://x/');\n",
            "web/min.js": "x=1;" * 2000,
        },
    )
    assert [m.path for m in facts.program.modules.values() if m.production] == ["api/a.ts"]
