"""Who talks to whom, found from code, settings, topics and contracts; nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgen.evidence.collect import collect
from archgen.evidence.edges import find_edges, speakers

_SERVER = {"py": "import uvicorn\nuvicorn.run('app')\n"}
_TWO = {
    "order-service/main.py": _SERVER["py"],
    "order-service/Dockerfile": 'FROM python:3\nCMD ["python", "main.py"]\n',
    "payments/main.py": _SERVER["py"],
    "payments/Dockerfile": 'FROM python:3\nCMD ["python", "main.py"]\n',
}


def _edges(root: Path, **files: str) -> set[tuple[str, str, str]]:
    for path, text in {**_TWO, **{key.replace("__", "/"): text for key, text in files.items()}}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return {(edge.source, edge.target, edge.kind) for edge in find_edges(collect(root))}


def _in(path: str, text: str) -> dict[str, str]:
    return {path: text}


_CALL = ("order-service", "payments", "sync")
_MESSAGE = ("order-service", "payments", "async")


@pytest.mark.parametrize(
    "call",
    [
        "requests.post(f'http://payments:8080/charge', json=order)",
        "requests.post(settings.PAYMENTS_URL + '/charge', json=order)",
        "requests.post(PAYMENT_SERVICE_URL, json=order)",
        "requests.post(url='http://payment-service/charge')",
    ],
)
def test_a_call_that_names_the_peer_is_an_edge(tmp_path: Path, call: str) -> None:
    code = f"import uvicorn\nimport requests\ndef place(order):\n    {call}\nplace(1)\nuvicorn.run('app')\n"
    assert _edges(tmp_path, **_in("order-service/main.py", code)) == {_CALL}


@pytest.mark.parametrize(
    "call",
    [
        "requests.post('http://example.com/charge', json=order)",
        "requests.post(url, json=order)",
        "requests.post('http://order-service/again')",
        "print('http://payments:8080')",
        "repayments = 1",
    ],
)
def test_what_names_no_other_service_is_none(tmp_path: Path, call: str) -> None:
    code = (
        f"import uvicorn\nimport requests\ndef place(order, url):\n    {call}\nplace(1)\nuvicorn.run('app')\n"
    )
    assert _edges(tmp_path, **_in("order-service/main.py", code)) == set()


def test_a_client_of_the_peers_type_is_an_edge(tmp_path: Path) -> None:
    java = (
        "package a;\n@SpringBootApplication\npublic class App {\n"
        "  private final PaymentServiceClient client;\n  void f() { client.charge(1); }\n"
        "  public static void main(String[] a) { SpringApplication.run(App.class); } }\n"
    )
    files = _in("shipping/src/main/java/App.java", java) | _in("shipping/pom.xml", "<project/>")
    assert ("shipping", "payments", "sync") in _edges(tmp_path, **files)


@pytest.mark.parametrize(
    ("key", "value", "there"),
    [
        ("PAYMENTS_URL", "http://payments:8080", True),
        ("PAYMENT_SERVICE_ADDR", "payments:50051", True),
        ("GREETING", "we love payments", False),
        ("PAYMENTS_DATABASE_URL", "postgres://payments/db", False),
        ("PAYMENTS_URL", "http://elsewhere:80", False),
    ],
)
def test_a_setting_that_holds_the_peers_address_is_an_edge(
    tmp_path: Path, key: str, value: str, there: bool
) -> None:
    compose = (
        f'services:\n  order-service:\n    build: order-service\n    environment:\n      {key}: "{value}"\n'
    )
    assert _edges(tmp_path, **_in("docker-compose.yml", compose)) == ({_CALL} if there else set())


def test_a_topic_that_one_sends_and_another_hears_is_an_edge(tmp_path: Path) -> None:
    sends = (
        "import uvicorn, nats\nasync def place(js, order):\n    await js.publish('orders.created', order)\n"
        "place(1, 2)\nuvicorn.run('app')\n"
    )
    hears = (
        "import uvicorn, nats\nasync def listen(js):\n    await js.subscribe('orders.created')\n"
        "listen(1)\nuvicorn.run('app')\n"
    )
    files = _in("order-service/main.py", sends)
    assert _edges(tmp_path / "a", **files, **_in("payments/main.py", hears)) == {_MESSAGE}
    other = hears.replace("orders.created", "orders.closed")
    assert _edges(tmp_path / "b", **files, **_in("payments/main.py", other)) == set()
    assert speakers(collect(tmp_path / "b")) == {"order-service", "payments"}


def test_what_a_service_tells_itself_is_no_edge(tmp_path: Path) -> None:
    both = (
        "import uvicorn, nats\nasync def talk(js, order):\n    await js.publish('orders.created', order)\n"
        "    await js.subscribe('orders.created')\ntalk(1, 2)\nuvicorn.run('app')\n"
    )
    assert _edges(tmp_path, **_in("order-service/main.py", both)) == set()


_V3 = """
asyncapi: 3.0.0
info: {title: shop, version: "1"}
operations:
  a: {action: send, channel: {$ref: '#/channels/created'}, tags: [{name: orders}]}
  b: {action: receive, channel: {$ref: '#/channels/created'}, tags: [{name: payments}]}
  c: {action: send, channel: {$ref: '#/channels/other'}, tags: [{name: payments}]}
"""
_V2 = "asyncapi: 2.6.0\ninfo: {title: %s, version: '1'}\nchannels:\n  created: {%s: {message: {}}}\n"


def test_contracts_tell_who_sends_and_who_receives(tmp_path: Path) -> None:
    assert _edges(tmp_path, **_in("contracts/asyncapi.yaml", _V3)) == {_MESSAGE}


def test_before_version_3_the_words_were_the_readers(tmp_path: Path) -> None:
    files = _in("order-service/asyncapi.yaml", _V2 % ("Order service", "subscribe"))
    files |= _in("payments/asyncapi.yaml", _V2 % ("Payments", "publish"))
    assert _edges(tmp_path, **files) == {_MESSAGE}


def test_one_service_has_no_edges(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import uvicorn\nimport requests\nrequests.get('http://main')\nuvicorn.run(1)\n"
    )
    assert find_edges(collect(tmp_path)) == ()


def test_what_a_call_further_out_is_given_names_no_peer(tmp_path: Path) -> None:
    code = (
        "import uvicorn\nimport requests\ndef rates(payments):\n    requests.get('http://example.com/rates')\n"
        "def save(payments):\n    rates(payments)\nsave(1)\nuvicorn.run('app')\n"
    )
    assert _edges(tmp_path, **_in("order-service/main.py", code)) == set()


@pytest.mark.parametrize("key", ["PAYMENTS_SERVICE_PASSWORD", "payments.clientId", "PEER_API_KEY"])
def test_a_secret_that_is_named_after_a_peer_is_no_edge(tmp_path: Path, key: str) -> None:
    assert _edges(tmp_path, **_in("order-service/.env", f"{key}=payments\n")) == set()


def test_a_config_server_keeps_the_settings_of_others(tmp_path: Path) -> None:
    files = {
        "config/main.py": _SERVER["py"],
        "config/Dockerfile": 'FROM python:3\nCMD ["python", "main.py"]\n',
        "config/src/main/resources/shared/order-service.yml": "peer:\n  url: http://payments:80\n",
    }
    assert _edges(tmp_path, **files) == {_CALL}


def test_a_call_on_a_client_that_protoc_wrote_is_an_edge(tmp_path: Path) -> None:
    main = 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe(":80", nil) }\n'
    files = {
        "go.mod": "module shop\n",
        "api/user/v1/user_grpc.pb.go": "package v1\ntype UserClient interface {\n\tVerify(x int) error\n}\n",
        "app/user/cmd/server/main.go": main,
        "app/user/internal/data/data.go": "package data\nfunc Work() {}\n",
        "app/shop/cmd/server/main.go": main.replace("\n", '\nimport _ "shop/app/shop/internal/data"\n', 1),
        "app/shop/internal/data/data.go": 'package data\nimport v1 "shop/api/user/v1"\n'
        "type Data struct {\n\tuc v1.UserClient\n}\n",
        "app/shop/internal/data/user.go": "package data\ntype users struct {\n\tdata *Data\n}\n"
        "func (r *users) Check(x int) error {\n\treturn r.data.uc.Verify(x)\n}\n"
        "func (r *users) Find(x int) error {\n\treturn r.data.uc.Verify(x)\n}\n",
        # the end of a query is no call of the only `Find` there is
        "app/order/cmd/server/main.go": main.replace("\n", '\nimport _ "shop/app/order/internal/data"\n', 1),
        "app/order/internal/data/order.go": "package data\ntype orders struct {\n\tdb *gorm.DB\n}\n"
        "func (r *orders) List(user int) error {\n\treturn r.db.Limit(9).Find(user)\n}\n",
    }
    for path, text in files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    edges = find_edges(collect(tmp_path))
    assert {(e.source, e.target, e.kind, e.line) for e in edges} == {("shop", "user", "sync", 6)}
