"""Whether a request was seen is asked of, and kept in, the memory of one process."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("memory_dedup"),
        lambda f: (
            f"{f['function']} asks {f['store']} in memory whether {f['key']} was seen, acts, "
            "and notes it afterwards"
        ),
    )


RULE = Rule(
    id="DTC-004",
    item="data_consistency",
    kind="defect",
    severity=Severity.ERROR,
    title="Deduplication in memory",
    why=(
        "Two requests at once both find nothing; another replica, or the same one restarted, has "
        "never seen it."
    ),
    remedy="Let the database decide: a unique key, and a caught violation or an upsert.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {  # what is found is wanted for itself
            "configs.py": """
                import requests
                _found: dict[str, object] = {}
                def config(issuer):
                    if issuer not in _found:
                        _found[issuer] = requests.post(issuer, timeout=3).json()
                    return _found[issuer]
            """,
        }),
        Sample("typescript", {
            "api.ts": """
                class Api {
                  private cache?: NodeCache;
                  async post<T>(cacheKey: string, data: Data): Promise<T> {
                    const cached = this.cache?.get<T>(cacheKey);
                    if (cached) return cached;
                    const response = await axios.post<T>('/orders', data, { timeout: 1000 });
                    this.cache.set(cacheKey, response.data);
                    return response.data;
                  }
                }
            """,
        }),
        Sample("python", {
            "events.py": """
                types_cache: dict = {}
                async def ingest(session, event_key):
                    if event_key not in types_cache:
                        kind = EventType(event_key)
                        session.add(kind)
                        await session.commit()
                        types_cache[event_key] = kind.id
                    return types_cache[event_key]
            """,
        }),
        Sample("typescript", {
            "tasks.ts": """
                class Checker {
                  constructor(private cacheService: CacheService, private taskRepository: Repository<Task>) {}
                  tasks = new Map();
                  async check(eventKey) {
                    if (await this.cacheService.get(eventKey)) return;
                    await this.taskRepository.save({ eventKey });
                    await this.cacheService.set(eventKey, true);
                  }
                  async register(taskId) {
                    if (this.tasks.has(taskId)) return;
                    await this.taskRepository.save({ taskId });
                    this.tasks.set(taskId, true);
                  }
                }
            """,
        }),
        Sample("python", {  # of the one who calls
            "a.py": """
                def resolve(cursor, node_ids: dict, name_key):
                    if name_key in node_ids:
                        return node_ids[name_key]
                    cursor.execute("INSERT INTO nodes (name) VALUES (%s)", name_key)
                    node_ids[name_key] = cursor.fetchone()
            """,
        }),
        Sample("java", {  # what is kept is wanted for itself
            "A.java": """
                class A {
                  Cache<String, Long> instanceCache;
                  InstanceRepository instanceRepository;
                  void audit(String key, String config) {
                    Long instanceId = instanceCache.getIfPresent(key);
                    if (instanceId == null) {
                      instanceId = instanceRepository.save(new Instance(key)).getId();
                      instanceCache.put(key, instanceId);
                    }
                    instanceRepository.save(new Use(instanceId, config));
                  }
                }
            """,
        }),
        Sample("typescript", {  # clients that are opened once and used again
            "a.ts": """
                import axios from 'axios';
                class Frontend {
                  private clients: Map<string, Promise<Client>> = new Map();
                  async clientFor(token) {
                    let client = this.clients.get(token.secret);
                    if (!client) {
                      client = axios.post('/clients', token);
                      this.clients.set(token.secret, client);
                    }
                    return client;
                  }
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export const show = router.query(async ({ ctx }) => {
                  const groups = new Map<string, Group>();
                  for (const each of await ctx.db.select()) {
                    const groupId = each.groupId;
                    if (!groups.has(groupId)) {
                      groups.set(groupId, { parts: [] });
                    }
                    groups.get(groupId).parts.push(each);
                  }
                  await orderRepository.save(groups);
                });
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                const debounceTimers = new Map<string, number>();
                export async function later(repository, key) {
                  if (debounceTimers.has(key)) clearTimeout(debounceTimers.get(key));
                  await repository.save(key);
                  debounceTimers.set(key, setTimeout(() => debounceTimers.delete(key), 100));
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                class A:
                    def f(self, session, id):
                        session.add(Request(id))
                        session.commit()
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { RequestRepository requestRepository; void f(R r) { requestRepository.save(r); }
                  void g(List<R> requests) {
                    List<String> seenIds = new ArrayList<>();
                    for (R r : requests) {
                      if (!seenIds.contains(r.id())) { requestRepository.save(r); seenIds.add(r.id()); }
                    } } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { createClient } from 'redis';
                export async function on(repository, seen, event) {
                  if (await seen.has(event.id)) return;
                  await repository.save(event);
                  await seen.add(event.id);
                }
                export function unique(items) {
                  const seen = new Set();
                  for (const item of items) { if (!seen.has(item)) seen.add(item); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func On(db *sql.DB, event Event) error {
                    _, err := db.Exec("INSERT INTO orders (id) VALUES ($1) ON CONFLICT DO NOTHING", event.ID)
                    return err
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                class A:
                    def __init__(self):
                        self.seen_set = set()
                    def f(self, session, id):
                        if id in self.seen_set:  # <-
                            return
                        session.add(o)
                        self.seen_set.add(id)
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { Map<String, Long> seenMap; OrderRepository orderRepository; void f(R r) {
                  if (seenMap.containsKey(r.id())) { throw new Seen(); } // <-
                  orderRepository.save(r);
                  seenMap.put(r.id(), 1L); } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                const seen = new Set<string>();
                export async function on(repository, event) {
                  if (seen.has(event.id)) return; // <-
                  await repository.save(event);
                  seen.add(event.id);
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "sync"
                var seen sync.Map
                func On(db *sql.DB, event Event) error {
                    if _, ok := seen.Load(event.ID); ok { // <-
                        return nil
                    }
                    _, err := db.Exec("INSERT INTO orders (id) VALUES ($1)", event.ID)
                    seen.Store(event.ID, true)
                    return err
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
