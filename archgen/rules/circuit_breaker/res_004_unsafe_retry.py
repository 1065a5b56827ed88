"""A call that creates something is made again, with nothing that lets the peer notice."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    yield from _any_method(facts)
    yield from hits(
        facts.of("retry.unsafe"),
        lambda f: (
            f"{f['function'] or 'the module'} makes a call again that creates something ({f['call']}), without a key"
        ),
    )


_AGAIN = re.compile(r"^_*(with_?)?(retry|retrying|retries|call_with_retr\w+|retry_\w+)$", re.IGNORECASE)
_ASKS = re.compile(
    r"idempot|repeatable|retryable|is_?safe|\bmethod\b[^\n]*\b(not\s+)?in\b|\bmethod\b\S*\s*[!=]==?|GET|switch",
    re.IGNORECASE,
)
_SET = re.compile(r"(frozen)?set\b", re.IGNORECASE)
_NAMED = re.compile(r"repeat|idempot|safe|retr(y|ies)", re.IGNORECASE)


def _any_method(facts: Facts) -> Iterable[Hit]:
    """A client for any method that tries all of them again, or counts POST among those that may be."""
    for module, function in facts.program.functions():
        if "method" in function.params and any(_AGAIN.match(c.name) for c in function.calls):
            inner = function.body.partition("\n")[2]
            if not _ASKS.search(inner):
                message = f"{function.title} tries every method again, whether or not it may be repeated"
                yield Hit(module.path, function.line, message)
        if function.name:
            continue
        named = [n for n, kind in module.types.items() if _SET.match(kind) and _NAMED.search(n)]
        for call in function.calls if named else ():
            methods = " ".join(call.args)
            if '"GET"' in methods and re.search(r"[\"'](POST|PATCH)[\"']", methods):
                message = f"{named[0]} counts methods that create among those to repeat"
                yield Hit(module.path, call.line, message)


RULE = Rule(
    id="RES-004",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.WARNING,
    title="Retry of a call that is not idempotent",
    why="The first call may have worked and only its answer been lost: the card is then charged twice.",
    remedy="Send an idempotency key that stays the same over the attempts, or do not try such calls again.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # a question, asked by POST
            "license.go": """
                package license
                import "net/http"
                func (c *Client) ValidateLicense(ctx context.Context, body []byte) error {
                    var lastErr error
                    for attempt := 0; attempt <= c.retryCount; attempt++ {
                        time.Sleep(time.Second << attempt)
                        req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewBuffer(body))
                        if err != nil {
                            return err
                        }
                        resp, err := http.DefaultClient.Do(req)
                        if err != nil {
                            lastErr = err
                            continue
                        }
                        resp.Body.Close()
                        return nil
                    }
                    return lastErr
                }
            """,
        }),
        Sample("python", {  # numbers, each with its time
            "push.py": """
                import httpx
                def push_metrics(series):
                    for attempt in range(3):
                        try:
                            return httpx.post('https://numbers/push', content=series, timeout=5)
                        except httpx.HTTPError:
                            time.sleep(2 ** attempt)
            """,
        }),
        Sample("typescript", {  # another token, and the same once more
            "a.ts": """
                import axios from 'axios';
                export const make = () => {
                  const client = axios.create({ timeout: 1000 });
                  client.interceptors.response.use(undefined, async (err) => {
                    const config = err.config;
                    if (err.response.status !== 401 || config._retry) return Promise.reject(err);
                    config._retry = true;
                    await refresh();
                    return client(config);
                  });
                  return client;
                };
            """,
        }),
        Sample("python", {
            "a.py": """
                import requests, tenacity
                @tenacity.retry(stop=tenacity.stop_after_attempt(3))
                def charge(order, key):
                    return requests.post('http://bank/charges', json=order, headers={'Idempotency-Key': key})
                @tenacity.retry
                def store(order):
                    return requests.put('http://bank/orders/1', json=order)
                @tenacity.retry
                def read():
                    return requests.get('http://bank/orders')
                # @tenacity.retry
                def once(order):
                    return requests.post('http://bank/charges', json=order)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                import axiosRetry from 'axios-retry';
                const client = axios.create({ timeout: 1000 });
                axiosRetry(client, { retries: 3, retryCondition: axiosRetry.isIdempotentRequestError });
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import (
                    "net/http"
                    "github.com/avast/retry-go"
                )
                func Read() error {
                    return retry.Do(func() error {
                        _, err := http.Get("http://bank/charges")
                        return err
                    })
                }
            """,
        }),
        Sample("java", {
            "Bank.java": """
                import org.springframework.retry.annotation.Retryable;
                import org.springframework.kafka.annotation.RetryableTopic;
                class Bank {
                  private RestTemplate restTemplate;
                  @Retryable(maxAttempts = 3)
                  Charge charge(Order order, String idempotencyKey) {
                    return restTemplate.postForObject("http://bank/charges", with(order, idempotencyKey), Charge.class);
                  }
                  @Retryable
                  Charge read(String id) { return restTemplate.getForObject("http://bank/charges/" + id, Charge.class); }
                }
            """,
        }),
    ),
    invalid=(
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                export const make = () => {
                  const client = axios.create({ timeout: 1000 });
                  client.interceptors.response.use(undefined, (err) => { // <-
                    const config = err.config;
                    if (config.__retryCount >= 3) return Promise.reject(err);
                    config.__retryCount += 1;
                    return later().then(() => client(config));
                  });
                  return client;
                };
            """,
        }),
        Sample("java", {  # by an amount, whatever the method
            "Stock.java": """
                import io.github.resilience4j.retry.annotation.Retry;
                class Stock {
                  RestClient rest;
                  @Retry(name = "stock")
                  void subtractQuantity(Order order) {
                    rest.put().uri("/stock").body(order).retrieve(); // <-
                  }
                  @Retry(name = "stock")
                  void setQuantity(Order order) {
                    rest.put().uri("/stock").body(order).retrieve();
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import requests, tenacity
                @tenacity.retry(stop=tenacity.stop_after_attempt(3))
                def charge(order):
                    return requests.post('http://bank/charges', json=order)  # <-
            """,
        }),
        Sample("python", {
            "a.py": """
                import requests, time
                def charge(order):
                    for attempt in range(3):
                        try:
                            return requests.post('http://bank/charges', json=order)  # <-
                        except OSError:
                            time.sleep(2 ** attempt)
                            continue
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                import axiosRetry from 'axios-retry';
                const client = axios.create({ timeout: 1000 });
                axiosRetry(client, { retries: 3, retryCondition: () => true }); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import (
                    "net/http"
                    "github.com/avast/retry-go"
                )
                func Charge(body io.Reader) error {
                    return retry.Do(func() error {
                        _, err := http.Post("http://bank/charges", "application/json", body) // <-
                        return err
                    })
                }
            """,
        }),
        Sample("java", {
            "Bank.java": """
                import org.springframework.retry.annotation.Retryable;
                class Bank {
                  private RestTemplate restTemplate;
                  @Retryable(maxAttempts = 3)
                  Charge charge(Order order) {
                    return restTemplate.postForObject("http://bank/charges", order, Charge.class); // <-
                  }
                }
            """,
        }),
        Sample("java", {
            "Bank.java": """
                import io.micronaut.http.client.annotation.Client;
                import io.micronaut.retry.annotation.Retryable;
                @Client(id = "bank")
                @Retryable(attempts = "2")
                interface Bank { // <-
                  @Post("/charges")
                  Charge charge(Order order);
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
