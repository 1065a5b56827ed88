"""A retry that never ends, or that does not wait."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

# What runs for as long as the process does may try for as long.
_WAITS = re.compile(
    r"connect|listen|subscribe|watch|run|start|serve|main|poll|loop|consume|worker", re.IGNORECASE
)


def check(facts: Facts) -> Iterable[Hit]:
    for retry in facts.of("retry"):
        if not retry.get("loop") or retry.get("consumer"):
            continue
        if not retry["bounded"] and not retry["backoff"]:
            yield Hit(
                retry.file,
                retry.line,
                f"{retry['function']} tries again for ever, without waiting",
                retry.strength,
            )
        elif not retry["bounded"] and retry["near"] and not _WAITS.search(str(retry["function"])):
            message = f"{retry['function']} tries again for ever"
            yield Hit(retry.file, retry.line, message, retry.strength)
        elif retry["backoff"] and retry["grows"] and not retry["jitter"] and retry["near"]:
            message = f"{retry['function']} waits as long as everybody else before it tries again: no jitter"
            yield Hit(retry.file, retry.line, message, retry.strength, Severity.NOTE)
        elif not retry["backoff"] and (retry["near"] or not retry["bounded"]):
            yield Hit(
                retry.file, retry.line, f"{retry['function']} tries again without waiting", retry.strength
            )


RULE = Rule(
    id="RES-003",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.WARNING,
    title="Retry without bound or backoff",
    why="Retries without a pause turn a peer's hiccup into its outage.",
    remedy="Limit the attempts, wait exponentially longer between them, and add jitter.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {  # the next mirror's turn
            "mirrors.py": """
                import httpx
                async def download(urls):
                    mirrors = iter(urls)
                    url = next(mirrors)
                    while True:
                        try:
                            return await httpx.get(url, timeout=5)
                        except Exception:
                            if url := next(mirrors, None):
                                continue
                            raise
            """,
        }),
        Sample("go", {  # the next of many
            "a.go": """
                package a
                import "net/http"
                func (f *Filter) Next(ctx context.Context) (Tuple, error) {
                    for {
                        entry, err := f.iter.Next(ctx)
                        if err != nil {
                            return none, err
                        }
                        if _, err := http.Post(f.url, entry.Key, nil); err != nil {
                            f.lastErr = err
                            continue
                        }
                        return entry, nil
                    }
                }
            """,
        }),
        Sample("typescript", {  # of two who change a row at once, one begins again
            "versions.ts": """
                import axios from 'axios';
                import { prisma } from './prisma';
                export const ask = (url: string) => axios.get(url, { timeout: 1000 });
                export async function bump(org: string) {
                  for (let attempt = 0; attempt < 2; attempt++) {
                    try {
                      await prisma.version.update({ where: { org }, data: { n: { increment: 1 } } });
                      return;
                    } catch (e) {
                      if (attempt > 0) throw e;
                    }
                  }
                }
            """,
        }),
        Sample("python", {  # pages, and what is passed over within one
            "find.py": """
                import httpx
                def find(client, name):
                    cursor = None
                    while True:
                        try:
                            page = client.get('https://a/channels', params={'cursor': cursor}).json()
                        except httpx.HTTPError as e:
                            raise Later() from e
                        for channel in page['channels']:
                            if channel['name'] != name:
                                continue
                            return channel
                        cursor = page.get('cursor')
                        if not cursor:
                            return None
            """,
        }),
        Sample("go", {  # pages, and what is done for each of their entries
            "sessions.go": """
                package store
                func (s *Store) DeleteAll(pattern string) error {
                    var cursor uint64
                    for {
                        keys, next, err := s.redis.Scan(s.ctx, cursor, pattern, 100).Result()
                        if err != nil {
                            return err
                        }
                        for _, key := range keys {
                            if err := s.redis.Del(s.ctx, key).Err(); err != nil {
                                s.log.Debug(err)
                                continue
                            }
                        }
                        cursor = next
                        if cursor == 0 {
                            break
                        }
                    }
                    return nil
                }
            """,
        }),
        Sample("java", {
            "Producer.java": """
                class Producer {
                  SendResult send(Message message) {
                    int count = 1;
                    while (true) {
                      try {
                        return Producers.of(group).send(message);
                      } catch (Exception e) {
                        log.error("no answer", e);
                        if (count++ >= LIMIT) { throw new IllegalStateException(e); }
                      }
                    }
                  }
                }
            """,
        }),
        Sample("python", {  # one turn per page that waits
            "a.py": """
                import requests
                def crawl(url):
                    waiting = [url]
                    while waiting:
                        page = waiting.pop(0)
                        try:
                            response = requests.get(page, timeout=3)
                        except Exception:
                            log.warning("failed")
                            continue
                        waiting.extend(links(response))
                        if len(waiting) > 100:
                            break
            """,
        }),
        Sample("python", {  # pages, of which each thing may fail for itself
            "a.py": """
                import requests
                def take_over(project):
                    page = 1
                    while True:
                        issues = requests.get(URL, params={"page": page}, timeout=5).json()
                        page += 1
                        for issue in issues:
                            try:
                                milestone = project.milestones.get(name=issue["milestone"])
                            except Milestone.DoesNotExist:
                                milestone = None
                            project.add(issue, milestone)
                        if not issues:
                            break
            """,
        }),
        Sample("python", {  # somebody sits before it
            "a.py": """
                import requests
                def choose():
                    while True:
                        name = input("user: ")
                        try:
                            return requests.get(URL + name, timeout=5).json()
                        except ValueError:
                            print("no such user")
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Name() (string, error) {
                    cnt := 0
                    for {
                        if cnt > 10 {
                            return "", errors.New("no name is free")
                        }
                        cnt += 1
                        name := generate()
                        if _, err := find(name); err == nil {
                            continue
                        }
                        return name, nil
                    }
                }
            """,
            "b.go": """
                package a
                import "net/http"
                func (s Strategy) Do(client *http.Client) {
                    tries := 1
                    for {
                        if tries >= s.Max {
                            return
                        }
                        s.Wait(s.Pause)
                        if _, err := client.Get(URL); err != nil {
                            tries++
                            continue
                        }
                        return
                    }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import httpx
                def next_playable(queue, index):
                    while True:
                        item = queue[index]
                        try:
                            item.stream = httpx.get(item.url, timeout=5)
                            break
                        except NotFound:
                            index += 1  # the next one's turn
                    return item
            """,
        }),
        Sample("python", {
            "a.py": """
                def f():
                    tries_left = 3
                    while True:
                        try:
                            return ask()
                        except TransportError as e:
                            tries_left = 0 if e.permanent else tries_left - 1
                            if tries_left == 0:
                                raise
            """,
        }),
        # a page after the other: the first failure ends it
        Sample("go", {
            "a.go": """
                package a
                func All(c *Client) []Row {
                    offset := 0
                    for {
                        page, err := c.http.Get(url(offset))
                        if err != nil {
                            log.Warn("not listed", err)
                            break
                        }
                        for _, row := range rows(page) {
                            if _, ok := seen[row.ID]; ok {
                                continue
                            }
                            offset++
                        }
                    }
                    return nil
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def f():
                    for attempt in range(3):
                        try:
                            return ask()
                        except OSError:
                            sleep(2 ** attempt)
                            continue
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() error {
                    for i := 0; i < 3; i++ {
                        if err := ask(); err != nil {
                            time.Sleep(backoff(i))
                            continue
                        }
                        return nil
                    }
                    return errX
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function ask() {
                  for (let attempt = 0; attempt < 3; attempt++) {
                    try {
                      return await fetch('http://peer', { signal: AbortSignal.timeout(1000) });
                    } catch (e) {
                      await sleep(Math.random() * 100 * 2 ** attempt);
                    }
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  String ask() throws Exception {
                    for (int attempt = 0; attempt < 3; attempt++) {
                      try {
                        return peer.ask();
                      } catch (IOException e) {
                        Thread.sleep(100L << attempt);
                      }
                    }
                    throw new IOException("gone");
                  }
                  String get(Future<String> f) throws ExecutionException {
                    while (true) {
                      try { return f.get(); } catch (InterruptedException e) { interrupted = true; }
                    }
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("go", {  # a mail server is a peer as well
            "a.go": """
                package a
                import "gopkg.in/gomail.v2"
                func dial(dialer *gomail.Dialer) (gomail.SendCloser, error) {
                    attempt := 0
                    for { // <-
                        sender, err := dialer.Dial()
                        if err == nil {
                            return sender, nil
                        }
                        attempt++
                        if attempt == MaxAttempts {
                            return nil, err
                        }
                    }
                }
            """,
        }),
        Sample("python", {  # a payment, by the library of who takes it
            "paypal.py": """
                import paypalrestsdk
                def start(data, attempts):
                    for attempt in range(1, attempts + 1):  # <-
                        payment = paypalrestsdk.Payment(data)
                        try:
                            payment.create()
                            if payment.success():
                                return payment
                        except Exception:
                            if attempt == attempts:
                                raise
            """,
        }),
        Sample("python", {
            "a.py": """
                def f():
                    while True:  # <-
                        try:
                            return ask()
                        except OSError:
                            continue
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() error {
                    for { // <-
                        err := ask()
                        if errors.Is(err, deadlock) {
                            continue
                        }
                        return err
                    }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function ask() {
                  while (true) { // <-
                    try {
                      return await fetch('http://peer', { signal: AbortSignal.timeout(1000) });
                    } catch (e) {
                      continue;
                    }
                  }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  String ask() {
                    while (true) { // <-
                      try {
                        return peer.ask();
                      } catch (IOException e) {
                        log.warn("again");
                      }
                    }
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
