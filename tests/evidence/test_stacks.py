"""What CloudFormation, SAM, the Serverless Framework and Helm say of a system."""

from __future__ import annotations

from pathlib import Path

from archgen.evidence.collect import collect
from archgen.evidence.facts import Facts

_TEMPLATE = """Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      PointInTimeRecoverySpecification:
        PointInTimeRecoveryEnabled: true
  Carts:
    Type: AWS::DynamoDB::Table
  Late:
    Type: AWS::SQS::Queue
    Properties:
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
        maxReceiveCount: 5
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: work/
      Handler: a.h
      Tracing: Active
      Events:
        Late:
          Type: SQS
          Properties: {Queue: !GetAtt Late.Arn}
  Errors:
    Type: AWS::CloudWatch::Alarm
"""
_MACHINE = """{
\t"StartAt": "Charge",
\t"States": {
\t\t"Charge": {"Type": "Task", "TimeoutSeconds": 5, "Next": "Book", "Retry": [{"MaxAttempts": 2}]},
\t\t"Book": {"Type": "Task", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "RefundCharge"}]},
\t\t"RefundCharge": {"Type": "Task", "End": true}
\t}
}
"""


def _project(root: Path, files: dict[str, str]) -> Facts:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return collect(root)


def _places(facts: Facts, *kinds: str) -> set[tuple[str, int]]:
    return {(f.kind, f.line) for f in facts.of(*kinds)}


def test_a_template_tells_stores_backups_queues_workers_and_alarms(tmp_path: Path) -> None:
    facts = _project(tmp_path, {"template.yaml": _TEMPLATE, "work/a.py": "def h(e, c): pass\n"})
    kinds = (
        "datastore",
        "backup",
        "dead_letters",
        "attempts",
        "job.worker",
        "consumer",
        "alert",
        "trace.provider",
    )
    assert _places(facts, *kinds) == {
        ("datastore", 2), ("backup", 6), ("datastore", 7), ("dead_letters", 12), ("attempts", 14),
        ("trace.provider", 20), ("job.worker", 22), ("consumer", 22), ("alert", 25),
    }  # fmt: skip
    assert [(s.folder, s.line) for s in facts.services] == [("", 15)]


def test_a_state_machine_with_a_way_back_is_a_saga(tmp_path: Path) -> None:
    facts = _project(tmp_path, {"flow.asl.json": _MACHINE, "a.py": "x = 1\n"})
    assert _places(facts, "saga.compensation", "saga.timeout") == {
        ("saga.compensation", 5),
        ("saga.timeout", 1),
    }


def test_serverless_functions_listen_to_queues(tmp_path: Path) -> None:
    text = (
        "service: cart\nprovider: {name: aws}\nfunctions:\n  late:\n    handler: a.h\n    events:\n"
        "      - sqs: arn\n      - stream: {type: dynamodb, arn: x}\nresources:\n  Resources:\n"
        "    T: {Type: 'AWS::DynamoDB::Table'}\n"
    )
    facts = _project(tmp_path, {"serverless.yml": text, "a.js": "exports.h = 1;\n"})
    assert _places(facts, "job.worker", "datastore", "function") == {
        ("function", 4), ("job.worker", 7), ("datastore", 11),
    }  # fmt: skip
    assert [f["stream"] for f in facts.of("function")] == [True]


_BESIDE = """Globals:
  Function:
    Tracing: Active
Resources:
  Told:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../src/
      Handler: told.handler.lambda_handler
      Events:
        Changed: {Type: DynamoDB, Properties: {Stream: !GetAtt Orders.StreamArn}}
  Sent:
    Type: AWS::Pipes::Pipe
    Properties:
      Source: !GetAtt Orders.StreamArn
      SourceParameters:
        DynamoDBStreamParameters:
          MaximumRetryAttempts: 3
          DeadLetterConfig: {Arn: !GetAtt Dead.Arn}
      Target: !GetAtt Bus.Arn
"""
_SENDS = """import boto3
events = boto3.client("events")

def lambda_handler(event, context):
    events.put_events(Entries=[{"Detail": event}])
"""


def test_code_beside_its_template_is_a_service_and_a_stream_of_changes_an_outbox(tmp_path: Path) -> None:
    files = {f"{name}/infra/template.yaml": _BESIDE for name in ("orders", "stock")}
    files |= {f"{name}/src/told/handler.py": _SENDS for name in ("orders", "stock")}
    facts = _project(tmp_path, files)
    assert [(s.name, s.folder) for s in facts.services] == [("orders", "orders"), ("stock", "stock")]
    sent = {(f.file, f.line) for f in facts.of("outbox.relay") if f.file.startswith("orders/")}
    assert sent == {("orders/src/told/handler.py", 5), ("orders/infra/template.yaml", 20)}
    told = {f.line for f in facts.of("trace.provider", "dead_letters", "attempts") if f.file.startswith("st")}
    assert told == {3, 18, 19}


def test_a_function_that_no_stream_calls_is_no_outbox(tmp_path: Path) -> None:
    files = {"infra/template.yaml": _BESIDE.replace("DynamoDB, ", "S3, ").replace("Orders.Stream", "Late.")}
    facts = _project(tmp_path, {**files, "src/told/handler.py": _SENDS})
    assert not facts.has("outbox")


def test_a_gateway_that_fills_a_queue_enqueues(tmp_path: Path) -> None:
    api = (
        "openapi: 3.0.1\npaths:\n  /orders:\n    post:\n      x-amazon-apigateway-integration:\n"
        '        uri: {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/late"}\n'
    )
    assert _places(_project(tmp_path, {"api.yaml": api}), "job.enqueue") == {("job.enqueue", 6)}


def test_a_chart_is_read_with_its_values(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "chart/Chart.yaml": "name: orders\ndependencies:\n  - name: postgresql\n    version: 1\n",
            "chart/values.yaml": "image: shop/orders\nprobe: /ready\npostgresql:\n"
            "  backup:\n    enabled: true\n",
            "chart/templates/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n"
            "  name: {{ .Chart.Name }}\nspec:\n  template:\n    spec:\n      containers:\n"
            '      - image: {{ .Values.image }}:{{ .Values.tag | default "1" }}\n'
            "        {{- if .Values.probe }}\n        readinessProbe:\n          httpGet:\n"
            "            path: {{ .Values.probe }}\n        {{- end }}\n",
            "a.py": "x = 1\n",
        },
    )
    workload = next(facts.of("workload"))
    assert (workload["name"], workload["image"]) == ("orders", "shop/orders:1")
    assert [(f.line, f["path"]) for f in facts.of("probe")] == [(11, "/ready")]
    assert _places(facts, "datastore", "backup") == {("datastore", 3), ("backup", 5)}
    assert not facts.notes


def test_a_stream_brings_again_what_has_failed(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "Resources:\n"
        "  Search:\n"
        "    Type: AWS::Lambda::EventSourceMapping\n"
        "    Properties:\n"
        "      EventSourceArn: !GetAtt Books.StreamArn\n",
        encoding="utf-8",
    )
    (worker,) = collect(tmp_path).of("job.worker")
    assert worker["attempts"] is None
