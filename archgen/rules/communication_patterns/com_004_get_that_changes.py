"""A handler of GET writes."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("get_writes"),
        lambda f: f"{f['function']} answers GET and writes at line {f['at']} ({f['call']})",
    )


RULE = Rule(
    id="COM-004",
    item="communication_patterns",
    kind="defect",
    severity=Severity.WARNING,
    title="State changed by GET",
    why="Caches, crawlers, prefetching browsers and retrying proxies all repeat a GET as they please.",
    remedy="Use POST, PUT or DELETE for what changes something.",
    languages=("python", "typescript", "java",),
    valid=(
        Sample("java", {  # a lock of a library, and a method of the project's that has its name
            "Tickets.java": """
                import org.redisson.api.RLock;
                @RestController
                class Tickets {
                  private RedissonClient redisson;
                  private final SeatService seats;
                  @GetMapping("/tickets")
                  List<Ticket> list() {
                    RLock lock = redisson.getLock("tickets");
                    lock.lock();
                    try { return load(); } finally { lock.unlock(); }
                  }
                }
            """,
            "SeatService.java": """
                class SeatService {
                  private SeatMapper seatMapper;
                  void unlock() { seatMapper.update(new Seat()); }
                }
            """,
        }),
        Sample("java", {  # a finder of Spring's that has two conditions
            "Categories.java": """
                class Categories {
                  private CategoryRepository categories;
                  @GetMapping("/categories/{id}")
                  public Category category(Long id, String shop) { return categories.findByIdAndShop(id, shop); }
                }
            """,
        }),
        Sample("python", {  # what is kept for the next who asks
            "rates.py": """
                from app import redis_store
                @app.get('/rates')
                def rates():
                    redis_store.set('rates', fetch_rates())
                    return 'ok'
            """,
        }),
        Sample("java", {  # a tree of Jackson's
            "Cases.java": """
                class Cases {
                  private ObjectMapper mapper;
                  @GetMapping("/cases")
                  public JsonNode cases() { return mapper.createObjectNode(); }
                }
            """,
        }),
        Sample("python", {  # what a name means, its import says, also where others have one like it
            "a.py": """
                from pages import show
                @app.get('/x')
                def x(id):
                    return show(id)
            """,
            "pages.py": """
                def show(id):
                    return render(id)
            """,
            "commands.py": """
                def show(session, id):
                    session.add(Shown(id))
                    session.commit()
            """,
        }),
        Sample("python", {  # OAuth sends the browser back by GET
            "a.py": """
                @app.get('/oauth/callback')
                def signed_in(session, code):
                    session.add(Login(code))
                    session.commit()
            """,
        }),
        Sample("python", {
            "a.py": """
                from sqlalchemy import select, update
                from tables import orders
                class Orders:
                    def __init__(self, conn):
                        self.conn = conn
                        self.statement = update(orders).values(status='x')
                    def named(self, id):
                        return self.conn.execute(select(orders))
                @app.get('/x')
                def x(conn):
                    return Orders(conn).named(1)
            """,
        }),
        Sample("python", {
            "a.py": """
                @app.get('/x')
                def x(session):
                    return session.query(X)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class A {
                  constructor(private readonly orderRepository: R) {}
                  @Get('/x')
                  async x() { return this.orderRepository.find(); }
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { OrderRepository orderRepository; @GetMapping("/x") X x() {
                  return orderRepository.findAll(); } }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "routes.py": """
                # Code generated from openapi.yaml. DO NOT EDIT.
                from use_cases import cancel
                @router.get('/orders/{id}/cancel')
                def cancel_order(id, session):  # <-
                    return cancel(session, id)
            """,
            "use_cases.py": """
                def cancel(session, id):
                    session.add(Cancelled(id))
            """,
        }),
        Sample("python", {
            "a.py": """
                @app.get('/delete')
                def x(session):  # <-
                    session.add(X())
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class A {
                  constructor(private readonly orderRepository: R) {}
                  @Get('/delete')
                  async x() { return this.orderRepository.save(o); } // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { OrderRepository orderRepository;
                  @GetMapping("/delete")
                  X x() { return orderRepository.save(o); } // <-
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
