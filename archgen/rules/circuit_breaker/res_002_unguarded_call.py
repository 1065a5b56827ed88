"""A peer is called, and nothing stops the calls when it does not answer."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Function
from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity

_OWN = re.compile(r"metadata|health|localhost|127\.0\.0\.1|169\.254|init\.json|probe|ping", re.IGNORECASE)

# A language model behind an SDK is a peer like any other: slow at times, and away at others.
_MODEL_SDK = re.compile(r"^(anthropic|openai|mistralai|cohere|google\.genai|@anthropic-ai/sdk)\b")
_MODEL_CALL = re.compile(
    r"\.(messages\.(create|stream)|completions\.(create|stream)|responses\.(create|stream)|generate_content)$"
)
_DURABLE = re.compile(r"\brestate\w*\.\w*Context\b")
# Too little time has passed since it was asked last, and that is all: `if now - self.asked < PAUSE: return`.
_SINCE = re.compile(
    r"\bif\b[^\n]*(?:-\s*([A-Za-z_][\w.]*)|time\.Since\(([\w.]+)\))\s*<[^\n]*[:{)]\s*(?:return|raise|throw)\b"
)


def check(facts: Facts) -> Iterable[Hit]:
    if any(b["by"] == "mesh" for b in facts.of("breaker", at_least=Strength.USED)):
        return
    guarded = {b.file for b in facts.of("breaker", at_least=Strength.USED)} | {
        b.file for b in facts.of("breaker.class", "breaker.user")
    }
    clients = {
        str(b["function"]) for b in facts.of("breaker", at_least=Strength.USED) if b["by"].startswith("@")
    }
    fields = {(m.path, c.name): c.types for m, c in facts.program.classes()}
    seen: set[str] = set()
    for module, function in facts.program.functions():
        if module.path in guarded or module.path in seen or is_tool(module.path):
            continue
        if any(map(_DURABLE.search, function.params.values())):
            continue  # the runtime calls, waits as long as it takes, and calls again
        remote = [e.call for e in function.effects if e.kind == "remote"]
        if any(_MODEL_SDK.match(item.module) for item in module.imports):
            remote += [call for call in function.calls if _MODEL_CALL.search(call.callee)]
        for call in remote:
            receiver = call.callee.rpartition(".")[0].rpartition(".")[2]
            types = fields.get((module.path, function.owner), {})
            if (function.params.get(receiver) or types.get(receiver, "")) in clients:
                continue  # the framework puts a breaker around what the interface declares
            if not _OWN.search(call.text() + function.name) and not _held_off(function, call.line):
                seen.add(module.path)
                message = f"{function.title or 'it'} calls a peer without a breaker ({call.shown(30)})"
                yield Hit(module.path, call.line, message)
                break


def _held_off(function: Function, line: int, depth: int = 3) -> bool:
    """Whether the call at `line` is made only some time after the last one, whatever became of that: then
    one who is away is asked now and then, and nobody else waits. Its callers may see to that.
    """
    for match in _SINCE.finditer(function.body):
        before = function.body.split("\n")[: line - function.line]
        noted = re.compile(rf"(?<![\w.]){re.escape(match[1] or match[2])}\s*=(?!=)")
        if any(noted.search(text) for text in before):
            return True
    callers = [c for c in function.callers if c.owner == function.owner and c.file == function.file]
    return (
        depth > 0
        and bool(callers)
        and len(callers) == len(function.callers)
        and all(_held_off(caller, _calls(caller, function), depth - 1) for caller in callers)
    )


def _calls(caller: Function, function: Function) -> int:
    return next((call.line for call in caller.calls if call.name == function.name), caller.line)


RULE = Rule(
    id="RES-002",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.WARNING,
    title="Call without a breaker",
    why=(
        "Every caller waits its full time limit for an answer that will not come, and its own "
        "callers wait for it."
    ),
    remedy="Send the call through the breaker of that peer.",
    languages=("python", "typescript", "go", "java",),
    valid=(
        Sample("go", {  # the runtime calls, and calls again
            "promote.go": """
                package deploy
                import (
                    restate "github.com/restatedev/sdk-go"
                    pb "shop/gen"
                )
                type Workflow struct {
                    routes pb.RoutesServiceClient
                }
                func (w *Workflow) Promote(ctx restate.ObjectContext, id string) error {
                    _, err := w.routes.Swap(ctx, id)
                    return err
                }
            """,
        }),
        Sample("python", {  # a route of one's own
            "app.py": """
                from aiohttp import web
                def make():
                    app = web.Application()
                    app.add_routes([web.get("/orders", list_orders)])
                    return app
            """,
        }),
        Sample("typescript", {  # a client of blobs asks nobody when it is made
            "blobs.ts": """
                import { BlobServiceClient } from '@azure/storage-blob';
                export function blobs(text: string) {
                  return BlobServiceClient.fromConnectionString(text).getContainerClient('files');
                }
            """,
        }),
        Sample("java", {  # whether fallbacks are switched on is said by a server of settings
            "src/main/resources/bootstrap.properties": "spring.cloud.config.uri=http://config:8888\n",
            "Users.java": """
                import org.springframework.cloud.netflix.feign.FeignClient;
                @FeignClient(name = "users", fallback = UsersFallback.class)
                interface Users {
                  @PostMapping("/users") User create(User user);
                }
            """,
            "Signup.java": """
                class Signup {
                  private Users users;
                  void sign(User user) { users.create(user); }
                }
            """,
        }),
        Sample("go", {  # a plugin is a process of one's own
            "pb/job.pb.go": """
                package pb
                type JobClient interface {
                    Execute(ctx context.Context, in *Req) (*Res, error)
                }
            """,
            "plugin/client.go": """
                package plugin
                import "github.com/hashicorp/go-plugin"
                import "shop/pb"
                type Client struct {
                    client pb.JobClient
                }
                func (c *Client) Execute(ctx context.Context, in *pb.Req) (*pb.Res, error) {
                    return c.client.Execute(ctx, in)
                }
            """,
        }),
        Sample("java", {
            "src/main/resources/application.properties": "feign.sentinel.enabled=true\n",
            "Users.java": """
                import org.springframework.cloud.openfeign.FeignClient;
                @FeignClient(name = "users", fallbackFactory = UsersFallback.class)
                interface Users {
                  @PostMapping("/users") User create(User user);
                }
            """,
            "Signup.java": """
                class Signup {
                  private Users users;
                  void sign(User user) { users.create(user); }
                }
            """,
        }),
        Sample("java", {
            "Gateway.java": """
                public class Gateway extends Base {
                    void dispatch(RoutingContext context) {
                        circuitBreaker.execute(future -> found(client -> forward(context, client, future)));
                    }
                    void forward(RoutingContext context, RestTemplate client, Future<Object> future) {
                        future.complete(client.postForObject("/orders", context.body(), String.class));
                    }
                }
            """,
        }),
        Sample("java", {  # a class of the service's own that bears the name of another one's client
            "auth/src/main/java/auth/MemberService.java": """
                package auth;
                import org.springframework.cloud.openfeign.FeignClient;
                @FeignClient("portal")
                public interface MemberService { @PostMapping("/login") Result login(String name); }
            """,
            "portal/src/main/java/portal/MemberService.java": """
                package portal;
                public interface MemberService { Member current(); }
            """,
            "portal/src/main/java/portal/Carts.java": """
                package portal;
                public class Carts {
                    private MemberService memberService;
                    Cart cart() { return find(memberService.current().getId()); }
                }
            """,
        }),
        Sample("java", {
            "Validator.java": """
                class Validator {
                  ProductServiceClient client;
                  void validate(Order order) { client.product(order.code()); }
                }
            """,
            "ProductServiceClient.java": """
                import org.springframework.web.client.RestClient;
                import io.github.resilience4j.circuitbreaker.annotation.CircuitBreaker;
                class ProductServiceClient {
                  RestClient restClient;
                  @CircuitBreaker(name = "products")
                  Product product(String code) { return restClient.get().uri(code).retrieve().body(Product.class); }
                }
            """,
        }),
        # what somebody runs by hand may wait
        Sample("python", {"scripts/rates.py": "import requests\nprint(requests.get('https://rates/'))\n"}),
        Sample("python", {
            "keys.py": """
                import time
                import httpx
                class Keys:
                    def __init__(self, url):
                        self._http = httpx.Client(base_url=url)
                        self._asked = 0.0
                    def find(self, kid):
                        if kid not in self._keys:
                            self._refresh()
                        return self._keys.get(kid)
                    def _refresh(self):
                        now = time.monotonic()
                        if now - self._asked < 10.0:
                            return
                        self._asked = now
                        self._keys = self._fetch()
                    def _fetch(self):
                        return self._http.get('/jwks.json').json()
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                from pybreaker import CircuitBreaker
                breaker = CircuitBreaker(fail_max=5)
                @breaker
                def f(c: httpx.Client):
                    return c.get('/x')
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import CircuitBreaker from 'opossum';
                import axios from 'axios';
                const b = new CircuitBreaker(() => axios.get('/x'));
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import (
                    "net/http"
                    "github.com/sony/gobreaker"
                )
                var cb = gobreaker.NewCircuitBreaker(s)
                func F() { cb.Execute(func() (any, error) { return http.Get(u) }) }
            """,
        }),
        Sample("java", {
            "A.java": """
                import io.github.resilience4j.circuitbreaker.annotation.CircuitBreaker;
                class A { RestTemplate rest; @CircuitBreaker(name="x") T f() {
                  return rest.getForObject(u, T.class); } }
            """,
        }),
        Sample("java", {
            "application.yml": "feign:\n  hystrix:\n    enabled: true\n",
            "Users.java": """
                import org.springframework.cloud.openfeign.FeignClient;
                @FeignClient(name = "users")
                interface Users { @PostMapping("/users") User create(User user); }
            """,
            "A.java": """
                class A { private Users users; User f(User user) { return users.create(user); } }
            """,
        }),
    ),
    invalid=(
        Sample("java", {  # a request whose header is put together in the call
            "pom.xml": "<project/>",
            "Api.java": """
                import jakarta.ws.rs.client.Client;
                @SpringBootApplication
                class Api {
                  private final Client client;
                  Payment create(String token, Order order) {
                    Response response = client.target(url("/payments")).request().header("Authorization", bearer(token)).post(Entity.json(order)); // <-
                    return response.readEntity(Payment.class);
                  }
                }
            """,
        }),
        Sample("java", {  # a client that somebody else keeps
            "pom.xml": "<project/>",
            "App.java": """
                @SpringBootApplication
                class App {
                  private final Proxy proxy;
                  Address address(URI url) {
                    return proxy.getRestTemplate().exchange(RequestEntity.get(url).build(), Address.class).getBody(); // <-
                  }
                }
            """,
        }),
        Sample("java", {
            "Cards.java": """
                import javax.ws.rs.client.Client;
                import javax.ws.rs.client.Invocation.Builder;
                class Cards {
                  private Client client;
                  Card card(String number) {
                    Builder request = client.target(cards).request();
                    return request.get().readEntity(Card.class);  // <-
                  }
                }
            """,
        }),
        Sample("go", {
            "rpc.go": """
                package api
                import "github.com/smallnest/rpcx/client"
                func (r *Logic) Login(req *Request) error {
                    return logicClient.Call(context.Background(), "Login", req, &reply) // <-
                }
            """,
        }),
        Sample("typescript", {  # a stub, of which a controller elsewhere has a method by the same name
            "proto/jobs.ts": """
                import { Observable } from 'rxjs';
                export interface JobsServiceClient { acknowledge(request: { id: number }): Observable<void>; }
            """,
            "jobs.controller.ts": """
                import { Controller } from '@nestjs/common';
                @Controller()
                export class JobsController {
                  async acknowledge(request) { await this.jobs.acknowledge(request.id); }
                }
            """,
            "consumer.ts": """
                import { ClientGrpc } from '@nestjs/microservices';
                import { firstValueFrom, timeout } from 'rxjs';
                import { JobsServiceClient } from './proto/jobs';
                export class Consumer {
                  private jobsService: JobsServiceClient;
                  async done(id) {
                    await firstValueFrom(this.jobsService.acknowledge({ id }).pipe(timeout(100))); // <-
                  }
                }
            """,
        }),
        # a cache holds nobody off: while the peer is away, every caller waits for it
        Sample("python", {
            "keys.py": """
                import time
                import httpx
                class Keys:
                    def __init__(self, url):
                        self._http = httpx.Client(base_url=url)
                        self._loaded = 0.0
                    def refresh(self):
                        now = time.monotonic()
                        if now - self._loaded < 10.0:
                            return
                        self._keys = self._http.get('/jwks.json').json()  # <-
                        self._loaded = now
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                def f(c: httpx.Client):
                    return c.get('/x')  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                export const f = () => axios.get('/x'); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                func F() { http.Get(u) } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { RestTemplate rest; T f() {
                  return rest.getForObject(u, T.class); // <-
                } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
