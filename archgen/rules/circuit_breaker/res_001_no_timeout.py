"""A client that waits for ever."""

from collections.abc import Iterable

from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("client") if not f["timeout"] and not is_tool(f.file)],
        lambda f: f"{f['what']} in {f['function'] or 'the module'} has no time limit",
    )


RULE = Rule(
    id="RES-001",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.ERROR,
    title="Client without a time limit",
    why="A peer that accepts and never answers holds the caller for ever, and every caller after it.",
    remedy="Set a connect and a read timeout where the client is made.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("typescript", {  # a script that a server hands to browsers
            "challenge/challenge.js": """
                async function submit(path, answer) {
                  return fetch(path, { method: 'POST', credentials: 'same-origin', body: answer });
                }
            """,
        }),
        Sample("typescript", {
            "a.js": """
                import https from 'https';
                export function accounts(url) {
                  https.get(url, { timeout: 3000 }, read).on('timeout', stop);
                  const req = https.request(url, {}, read);
                  req.setTimeout(3000, stop);
                }
            """,
            "b.js": """
                export class Page {
                  load(https) { return https.get('/orders'); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                var whole = http.Client{
                    Transport: &http.Transport{TLSHandshakeTimeout: 10 * time.Second},
                    Timeout: 3 * time.Second,
                }
                var answered = http.Client{
                    Transport: &http.Transport{
                        TLSHandshakeTimeout:   10 * time.Second,
                        ResponseHeaderTimeout: 3 * time.Second,
                    },
                }
            """,
        }),
        Sample("java", {  # waits ten seconds by itself
            "App.java": """
                class App {
                  OkHttpClient client() { return new OkHttpClient(); }
                }
            """,
        }),
        Sample("typescript", {  # as hooks that fetch are handed one
            "lib/fetcher.ts": """
                export const fetcher = async (url: string) => (await fetch(url)).json();
            """,
        }),
        Sample("go", {  # whoever asks with it says until when
            "dispatcher.go": """
                package net
                import "net/http"
                func (d *Dispatcher) client(cert *tls.Certificate) *http.Client {
                    return &http.Client{Transport: d.transport(cert)}
                }
                func (d *Dispatcher) Send(ctx context.Context, url string, body []byte) error {
                    ctx, cancel := context.WithTimeout(ctx, d.limit)
                    defer cancel()
                    req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
                    if err != nil {
                        return err
                    }
                    _, err = d.client(nil).Do(req)
                    return err
                }
            """,
        }),
        Sample("typescript", {  # a hook of a page, which runs in a browser
            "package.json": '{"dependencies": {"next": "15"}, "scripts": {"start": "next start"}}',
            "src/lib/useOrders.ts": """
                import { useQuery } from '@tanstack/react-query';
                import axios from 'axios';
                export function useOrders() {
                  return useQuery({ queryKey: ['orders'], queryFn: async () => axios.get('/orders') });
                }
            """,
        }),
        Sample("java", {  # whoever asked waits only so long
            "OrderController.java": """
                class OrderController {
                  private OrderService orders;
                  @TimeLimiter(name = "inventory")
                  @PostMapping
                  public CompletableFuture<String> place(Order order) {
                    return CompletableFuture.supplyAsync(() -> orders.place(order));
                  }
                }
            """,
            "OrderService.java": """
                import org.springframework.web.reactive.function.client.WebClient;
                class OrderService {
                  String place(Order order) {
                    return WebClient.create("http://inventory").get().retrieve().bodyToMono(String.class).block();
                  }
                }
            """,
        }),
        Sample("typescript", {  # whoever calls may set an end
            "fetching.ts": """
                export async function asked(url: string, init: RequestInit) { return await fetch(url, init); }
                export async function told(url: string, options: RequestInit) {
                  return await fetch(url, { ...options, redirect: 'manual' });
                }
            """,
        }),
        Sample("typescript", {  # an instance of the project's own, whatever it is called
            "http.ts": """
                import axios from 'axios';
                export const http = axios.create({ timeout: 30000 });
            """,
            "tokens.ts": """
                import { http as axios } from '@shop/http';
                export async function token() { return await axios.post('https://idp.example.com/token', {}); }
            """,
            "others.ts": """
                import { http } from '@shop/http';
                import { axiosInstance } from '@shop/http';
                const axios = { post: (url: string) => axiosInstance.post(url) };
                export async function other() { return await axios.post('https://idp.example.com/other'); }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { ClientProxy } from '@nestjs/microservices';
                import { timeout } from 'rxjs';
                class Orders {
                  constructor(private readonly payments: ClientProxy) {}
                  pay(order) { return this.payments.send('charge', order).pipe(timeout(2000)); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import dapr "github.com/dapr/go-sdk/client"
                func Ask(client dapr.Client, ctx context.Context) {
                    client.InvokeMethod(ctx, "users", "get", "GET")
                    limited, cancel := context.WithTimeout(context.Background(), time.Second)
                    defer cancel()
                    client.InvokeMethod(limited, "users", "get", "GET")
                }
            """,
        }),
        Sample("python", {  # sessions of a database and of a request
            "a.py": """
                import requests
                def f(request, db, order):
                    db.session.get(Order, order)
                    db.session.delete(order)
                    return request.session.get('/cart'), requests.get('/x', timeout=1)
            """,
        }),
        Sample("typescript", {
            "routes/orders.tsx": """
                import { json } from '@remix-run/node';
                export async function loader() { return json({ ok: true }); }
                export default function Orders() {
                  const load = () => fetch('/orders');
                  return <Button onClick={load} />;
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Stream(ids []string, fetch func(string) error) {
                    for _, id := range ids {
                        fetch(id)
                    }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import smtplib
                def f():
                    smtplib.SMTP(HOST, timeout=5).sendmail(A, B, C)
            """,
        }),
        Sample("python", {"scripts/rates.py": "import requests\nprint(requests.get('https://rates/'))\n"}),
        Sample("python", {
            "a.py": """
                import httpx, requests
                httpx.get('/x')
                requests.get('/x', timeout=2)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                axios.get('/x', { timeout: 2000 });
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                var c = &http.Client{Timeout: time.Second}
                func Ask(ctx context.Context) (*http.Response, error) {
                    request, _ := http.NewRequestWithContext(ctx, "GET", "/x", nil)
                    return http.DefaultClient.Do(request)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  void f(URL url) throws Exception {
                    HttpURLConnection connection = (HttpURLConnection) url.openConnection();
                    connection.setReadTimeout(2000);
                  }
                  CloseableHttpClient g(RequestConfig config) {
                    return HttpClients.custom().setDefaultRequestConfig(config).build();
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import requests
                from requests.adapters import HTTPAdapter
                session = requests.Session()
                session.mount('https://', Limited(HTTPAdapter))
                session.get('/x')
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { RestTemplate f() {
                  return new RestTemplate(factory(Duration.ofSeconds(2)).setReadTimeout(2)); } }
            """,
        }),
    ),
    invalid=(
        Sample("typescript", {  # taken from the library by its name
            "discovery.ts": """
                import { got } from 'got';
                export const discover = async (issuer: string) => {
                  const { body } = await got.get(`${issuer}/.well-known/openid-configuration`); // <-
                  return JSON.parse(body);
                };
            """,
        }),
        Sample("python", {  # a limit that is taken away
            "a.py": """
                import httpx
                client = httpx.AsyncClient(base_url=URL)
                async def ask():
                    return await client.get("/orders")
                async def pay(invoice):
                    return await httpx.post("/pay", json=invoice, timeout=None)  # <-
                class Wallet:
                    def __init__(self):
                        self.client = httpx.AsyncClient(base_url=URL)
                    async def pay(self, invoice):
                        return await self.client.post("/pay", json=invoice, timeout=None)  # <-
            """,
        }),
        Sample("typescript", {  # Node's own client
            "a.js": """
                import https from 'node:https';
                export function accounts(url) {
                  return new Promise((resolve, reject) => {
                    const req = https.request(new URL(url), { headers }, (res) => read(res, resolve)); // <-
                    req.on('error', reject);
                    req.end();
                  });
                }
            """,
        }),
        Sample("go", {  # it waits so long for a connection, and for ever for an answer
            "a.go": """
                package a
                import "net/http"
                var client = http.Client{ // <-
                    Transport: &http.Transport{
                        DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
                    },
                }
                func ask(url string) (*http.Response, error) { return client.Post(url, "text/plain", nil) }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/hashicorp/go-retryablehttp"
                func Keys() *Keys { return &Keys{client: retryablehttp.NewClient()} } // <-
            """,
        }),
        Sample("python", {
            "a.py": """
                from botocore.vendored import requests
                def handler(event, context):
                    requests.put(url, json=event)  # <-
            """,
        }),
        Sample("python", {  # what is spread into the call is put together here
            "rest.py": """
                import requests
                def notify(action, body):
                    kwargs = {'data': body, 'headers': {'content-type': 'application/json'}}
                    session = requests.Session()
                    session.post(action.url, **kwargs)  # <-
            """,
        }),
        Sample("java", {
            "Clients.java": """
                import jakarta.ws.rs.client.Client;
                import jakarta.ws.rs.client.ClientBuilder;
                class Clients {
                  Client client() {
                    return ClientBuilder.newBuilder().sslContext(context).build();  // <-
                  }
                }
            """,
        }),
        Sample("typescript", {
            "init.ts": """
                export async function told(url: string) {
                  const init = { method: 'POST' };
                  return await fetch(url, init); // <-
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { ClientGrpc } from '@nestjs/microservices';
                import { firstValueFrom } from 'rxjs';
                class Jobs {
                  private jobsService: JobsServiceClient;
                  async done(id) {
                    await firstValueFrom(this.jobsService.acknowledge({ id })); // <-
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { ClientProxy } from '@nestjs/microservices';
                class Orders {
                  constructor(private readonly payments: ClientProxy) {}
                  pay(order) { return this.payments.send('charge', order); } // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import dapr "github.com/dapr/go-sdk/client"
                func Ask(client dapr.Client) {
                    client.InvokeMethod(context.Background(), "users", "get", "GET") // <-
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import requests
                def f(self, url):
                    session = requests.Session()
                    session.get('/x')  # <-
                    session.post('/x', timeout=2)
                    self.session.get(url)  # <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  void f(URL url) throws Exception {
                    HttpURLConnection connection = null;
                    connection = (HttpURLConnection) url.openConnection(); // <-
                    connection.getInputStream();
                  }
                  void g(HttpPost post) throws Exception {
                    try (CloseableHttpClient client = HttpClients.createDefault()) { // <-
                      client.execute(post);
                    }
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { HttpService } from '@nestjs/axios';
                class Rates {
                  constructor(private http: HttpService) {}
                  get() { return this.http.get('https://rates/'); } // <-
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import smtplib
                def f(host):
                    server = smtplib.SMTP(host, port=25)  # <-
                    server.sendmail(A, B, C)
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                func Ask(request *http.Request) (*http.Response, error) {
                    return http.DefaultClient.Do(request) // <-
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx, requests
                httpx.get('/x', timeout=None)  # <-
                requests.get('/x')  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                axios.get('/x'); // <-
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
                class A {
                  RestTemplate f() { return new RestTemplate(); } // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
