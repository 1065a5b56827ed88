"""Projects as people lay them out: where services are, which code runs, what only looks like a peer."""

from __future__ import annotations

from pathlib import Path

from archgen.evidence.collect import collect
from archgen.evidence.facts import Facts

_SERVE = 'package server\nimport "net/http"\nfunc Serve() { http.ListenAndServe(":1", nil) }\n'
_MAIN = 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":1", nil) }\n'


def _project(root: Path, files: dict[str, str]) -> Facts:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return collect(root)


def _folders(facts: Facts) -> list[str]:
    return [service.folder for service in facts.services]


def _kinds(facts: Facts, title: str) -> set[str]:
    return {e.kind for _, f in facts.program.functions() if f.title == title for e in f.reach}


def test_a_go_main_is_a_service_when_its_packages_serve_and_a_tool_when_they_do_not(tmp_path: Path) -> None:
    main = 'package main\nimport "example.com/shop/v2/{0}"\nfunc main() {{ {0}.{1}() }}\n'
    facts = _project(
        tmp_path,
        {
            "go.mod": "module example.com/shop/v2\n",
            "cmd/api/main.go": main.format("server", "Boot"),
            "cmd/count/main.go": main.format("count", "Lines"),
            "server/boot.go": "package server\nfunc Boot() { Serve() }\n",
            "server/serve.go": _SERVE,
            "count/lines.go": "package count\nfunc Lines() int { return 1 }\n",
        },
    )
    assert _folders(facts) == ["cmd/api"]
    assert facts.program.modules["server/serve.go"].live
    assert not facts.program.modules["count/lines.go"].live


def test_a_java_main_that_builds_its_application_is_a_service(tmp_path: Path) -> None:
    main = (
        "class App {\n  public static void main(String[] args) {\n"
        "    new SpringApplicationBuilder().parent(Core.class).child(Web.class).run(args);\n  }\n}\n"
    )
    facts = _project(tmp_path, {"pom.xml": "<project/>", "src/main/java/a/App.java": main})
    assert _folders(facts) == [""]


def test_a_module_that_a_build_needs_is_live_without_an_import(tmp_path: Path) -> None:
    pom = "<project><parent><artifactId>all</artifactId></parent><artifactId>{0}</artifactId>{1}</project>"
    needs = "<dependency><artifactId>extra</artifactId></dependency>"
    facts = _project(
        tmp_path,
        {
            "server/pom.xml": pom.format("server", needs),
            "server/src/main/java/a/App.java": "@SpringBootApplication\nclass App { }\n",
            "extra/pom.xml": pom.format("extra", ""),
            "extra/src/main/java/b/Auto.java": "class Auto { }\n",
            "other/pom.xml": pom.format("other", ""),
            "other/src/main/java/c/Idle.java": "class Idle { }\n",
        },
    )
    live = {path for path, module in facts.program.modules.items() if module.live}
    assert live == {"server/src/main/java/a/App.java", "extra/src/main/java/b/Auto.java"}


def test_code_for_a_browser_is_not_read_and_that_of_a_server_is(tmp_path: Path) -> None:
    call = "import axios from 'axios';\naxios.get('/x');\n"
    facts = _project(
        tmp_path,
        {
            "ui/package.json": '{"dependencies": {"react-dom": "1", "axios": "1"}}',
            "ui/src/App.tsx": call,
            "web/package.json": '{"dependencies": {"react-dom": "1", "next": "1"}}',
            "web/src/page.tsx": call,
            "app/src/main/resources/static/js/jquery.js": "fetch('/x');\n",
        },
    )
    assert list(facts.program.modules) == ["web/src/page.tsx"]


def test_examples_are_none_beside_a_product_and_are_it_where_there_is_nothing_else(tmp_path: Path) -> None:
    facts = _project(tmp_path / "both", {"cmd/a/main.go": _MAIN, "demo/b/main.go": _MAIN})
    assert _folders(facts) == ["cmd/a"]
    facts = _project(tmp_path / "samples", {"samples/a/main.go": _MAIN, "samples/b/main.go": _MAIN})
    assert _folders(facts) == ["samples/a", "samples/b"]


def test_a_bus_inside_the_process_is_no_broker(tmp_path: Path) -> None:
    local = (
        "package bus\ntype Bus struct{}\nfunc (b *Bus) Publish(e Event) { for _, h := range b.hs { h(e) } }\n"
    )
    use = (
        'package orders\nimport "example.com/shop/bus"\ntype Service struct {\n\tbus *bus.Bus\n}\n'
        "func (s *Service) Place(e Event) { s.bus.Publish(e) }\n"
    )
    far = (
        'package bus\nimport "github.com/nats-io/nats.go"\ntype Bus struct {\n\tnc *nats.Conn\n}\n'
        "func (b *Bus) Publish(e Event) { b.nc.Publish(e.Name, e.Body) }\n"
    )
    files = {"go.mod": "module example.com/shop\n", "orders/orders.go": use}
    assert _kinds(_project(tmp_path / "local", {**files, "bus/bus.go": local}), "Service.Place") == set()
    assert _kinds(_project(tmp_path / "nats", {**files, "bus/bus.go": far}), "Service.Place") == {"publish"}


def test_a_declared_client_leaves_the_process_as_its_interface_says(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "Users.java": "import org.springframework.cloud.openfeign.FeignClient;\n"
            '@FeignClient(name = "users")\ninterface Users {\n  @PostMapping("/users") void store(User u);\n'
            '  @GetMapping("/users") User one();\n}\n',
            "News.java": "import io.micronaut.configuration.kafka.annotation.KafkaClient;\n@KafkaClient\n"
            'interface News {\n  @Topic("made") void made(String id);\n}\n',
            "Case.java": "class Case {\n  private Users users;\n  private News news;\n"
            "  void run(User u) { users.one(); users.store(u); news.made(u.id); }\n}\n",
        },
    )
    run = next(f for _, f in facts.program.functions() if f.title == "Case.run")
    found = [(e.kind, e.write) for e in run.effects]
    assert found == [("remote", False), ("remote", True), ("publish", False)]


def test_generic_calls_keep_their_name(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "go.mod": "module example.com/shop\n",
            "store/store.go": 'package store\nimport "gorm.io/gorm"\n'
            "func Add[T any](db *gorm.DB, one T) error { return db.Create(&one).Error }\n",
            "use.go": 'package shop\nimport "example.com/shop/store"\n'
            "func Place(db *DB, o Order) error { return store.Add[Order](db, o) }\n",
        },
    )
    assert _kinds(facts, "Place") == {"db.write"}


def test_a_schedule_of_a_class_that_nobody_makes_is_none(tmp_path: Path) -> None:
    job = "{0}class Sweep {{\n  @Scheduled(fixedRate = 1000)\n  void run() {{ sweep(); }}\n}}\n"
    idle = _project(tmp_path / "idle", {"Sweep.java": job.format("")})
    used = _project(tmp_path / "used", {"Sweep.java": job.format("@Component\n")})
    assert not idle.has("job.schedule")
    assert used.has("job.schedule")


def test_what_quarkus_builds_is_a_service_without_a_main(tmp_path: Path) -> None:
    pom = (
        "<project><artifactId>{0}</artifactId><dependency><artifactId>{1}</artifactId></dependency></project>"
    )
    facts = _project(
        tmp_path,
        {
            "pom.xml": pom.format("all", "quarkus-maven-plugin"),
            "orders/pom.xml": pom.format("orders", "quarkus-rest"),
            "orders/src/main/java/a/Orders.java": '@Path("/orders")\nclass Orders { @GET void all() {} }\n',
            "model/pom.xml": pom.format("model", "quarkus-rest-client"),
            "model/src/main/java/a/Order.java": "class Order { int id; }\n",
        },
    )
    assert [(s.folder, s.line) for s in facts.services] == [("orders", 2)]


def test_a_queue_may_be_made_in_one_file_and_put_to_work_in_another(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "package.json": "{}",
            "queues.ts": 'import Queue from "bull";\nexport const mailQueue = () => new Queue("mail");\n',
            "worker.ts": 'import { mailQueue } from "./q";\nmailQueue().process(async (job) => send(job));\n',
            "mail.ts": 'import { Job } from "bull";\nhandlers.add("mail", f);\nmailQueue().add({ to });\n',
        },
    )
    assert [(f.file, f.line) for f in facts.of("job.worker")] == [("worker.ts", 2)]
    assert [(f.file, f.line) for f in facts.of("job.enqueue")] == [("mail.ts", 3)]


def test_values_of_a_variant_count_where_the_chart_itself_says_nothing(tmp_path: Path) -> None:
    probes = "".join(
        f"          {kind}Probe: {{httpGet: {{path: {{{{ .Values.{key} }}}}}}}}\n"
        for kind, key in (("liveness", "live"), ("readiness", "ready"))
    )
    pod = "      - image: a\n" + probes.replace("          ", "        ")
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n"
        "      containers:\n" + pod
    )
    chart = {"c/Chart.yaml": "name: a\n", "c/values.yaml": "live: /q/live\n"}
    chart |= {"c/values-big.yaml": "live: /other\n", "c/templates/d.yaml": deployment}
    paths = {f["kind"]: f["path"] for f in _project(tmp_path, chart).of("probe")}
    assert paths == {"liveness": "/q/live", "readiness": "ready"}


def test_a_go_main_that_only_makes_what_serves_is_a_tool(tmp_path: Path) -> None:
    main = 'package main\nimport "example.com/shop/app"\nfunc main() {{ app.New().{0} }}\n'
    app = 'package app\nimport "github.com/labstack/echo/v4"\nfunc New() *echo.Echo { return echo.New() }\n'
    facts = _project(
        tmp_path,
        {
            "go.mod": "module example.com/shop\n",
            "cmd/web/main.go": main.format('Start(":1")'),
            "cmd/admin/main.go": main.format("Close()"),
            "app/app.go": app,
        },
    )
    assert _folders(facts) == ["cmd/web"]


def test_what_waits_for_messages_without_a_transport_hears_none(tmp_path: Path) -> None:
    made = 'import { NestFactory } from "@nestjs/core";\nconst app = await NestFactory.create(M);\n'
    waits = (
        'import { MessagePattern } from "@nestjs/microservices";\n'
        'class C {\n  @MessagePattern("x")\n  on(m) {}\n}\n'
    )
    files = {"package.json": "{}", "main.ts": made + "app.listen(1);\n", "c.ts": waits}
    assert not list(_project(tmp_path / "a", files).of("consumer"))
    files["main.ts"] += "app.connectMicroservice({ transport: Transport.NATS });\n"
    assert [f.file for f in _project(tmp_path / "b", files).of("consumer")] == ["c.ts"]


def test_a_compose_file_of_the_first_version_has_its_services_at_the_top(tmp_path: Path) -> None:
    facts = _project(tmp_path, {"docker-compose.yml": "db:\n  image: postgres:9\nweb:\n  build: .\n"})
    assert [f["name"] for f in facts.of("datastore")] == ["db"]


def test_gradle_may_put_a_word_before_the_names_of_all_modules(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "server/build.gradle": "dependencies { implementation project(':shop-core') }\n",
            "server/src/main/java/a/Main.java": "@SpringBootApplication\nclass Main {}\n",
            "core/build.gradle": "\n",
            "core/src/main/java/b/Core.java": "package b;\nclass Core { void f() {} }\n",
            "other/build.gradle": "\n",
            "other/src/main/java/c/Other.java": "package c;\nclass Other { void f() {} }\n",
        },
    )
    live = {path for path, module in facts.program.modules.items() if module.live}
    assert live == {"server/src/main/java/a/Main.java", "core/src/main/java/b/Core.java"}


def test_health_is_told_by_the_path_of_a_file_where_a_framework_routes_by_files(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "package.json": '{"scripts": {"start": "next start"}, "dependencies": {"next": "15"}}',
            "src/app/api/health/route.ts": "export const GET = () => new Response('ok');\n",
            "src/pages/api/public/ready.ts": "export default (req, res) => res.end();\n",
            "src/app/models/health.ts": "export const x = 1;\n",
            "src/server/health.ts": "export const x = 1;\n",
        },
    )
    assert [fact["path"] for fact in facts.of("health")] == ["api/health", "api/public/ready"]


def test_a_tool_of_the_command_line_is_no_service_because_it_can_be_started(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "packages/cli/package.json": '{"bin": "x.js", "scripts": {"start": "node dist/index.js"}}',
            "packages/cli/src/index.ts": "http.createServer(login).listen(4587);\n",
            "apps/api/package.json": '{"scripts": {"start": "node dist/index.js"}}',
            "apps/api/src/index.ts": "http.createServer(app).listen(80);\n",
        },
    )
    assert _folders(facts) == ["apps/api"]
