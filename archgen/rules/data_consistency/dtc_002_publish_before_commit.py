"""A message leaves before the change that it announces is committed."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("publish_in_tx"), lambda f: f"{f['function']} publishes inside its transaction ({f['call']})"
    )


RULE = Rule(
    id="DTC-002",
    item="data_consistency",
    kind="defect",
    severity=Severity.ERROR,
    title="Publish before commit",
    why="When the commit then fails, everybody has been told of something that never happened.",
    remedy="Publish after the commit, from an outbox.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # caches tell each other that a copy is old
            "go.mod": "module shop\n",
            "storage/cache/redis/users.go": """
                package redis
                import "github.com/redis/go-redis/v9"
                type Users struct {
                    client *redis.Client
                }
                func (u *Users) DropUser(ctx context.Context, id string) error {
                    return u.client.Publish(ctx, "users", id).Err()
                }
            """,
            "storage/users.go": """
                package storage
                import cache "shop/storage/cache/redis"
                type Users struct {
                    db *sql.DB
                    cache *cache.Users
                }
                func (u *Users) Rename(ctx context.Context, id string) error {
                    tx, err := u.db.BeginTx(ctx, nil)
                    tx.Exec("update users set name = 'x'")
                    u.cache.DropUser(ctx, id)
                    return tx.Commit()
                }
            """,
        }),
        Sample("python", {  # sent once the transaction has ended, by a function that waits for it
            "a.py": """
                from django.db import connection, transaction
                import pika
                def emit(channel, data):
                    def send():
                        channel.basic_publish("x", "y", data)
                    connection.on_commit(send)
                @transaction.atomic
                def move(channel, order):
                    order.save()
                    emit(channel, order.id)
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats
                async def f(engine, js):
                    with engine.begin() as conn:
                        conn.execute(insert(outbox))
            """,
        }),
        Sample("python", {
            "a.py": """
                import pika
                from django.db import transaction
                def told(channel, order):
                    transaction.on_commit(lambda: channel.basic_publish('orders', 'placed', b''))
                @transaction.atomic
                def place(channel, order):
                    order.save()
                    told(channel, order)
            """,
        }),
        Sample("java", {
            "A.java": """
                import io.eventuate.tram.events.publisher.DomainEventPublisher;
                class A { DomainEventPublisher p; @Transactional void f(Order o) {
                  p.publish(Order.class, o.id(), e); } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import amqp from 'amqplib';
                export async function place(dataSource, channel, order) {
                  await dataSource.transaction(async (manager) => {
                    await manager.save(order);
                  });
                  channel.publish('orders', 'placed', Buffer.from('x'));
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func Place(db *gorm.DB, nc *nats.Conn, order Order) error {
                    err := db.Transaction(func(tx *gorm.DB) error {
                        return tx.Create(&order).Error
                    })
                    if err != nil {
                        return err
                    }
                    return nc.Publish("placed", nil)
                }
            """,
        }),
    ),
    invalid=(
        Sample("java", {  # through a template of the project's own

                "Template.java": """
                    import org.apache.rocketmq.spring.core.RocketMQTemplate;
                    abstract class Template<T> {
                      private final RocketMQTemplate rocketMQTemplate;
                      SendResult sendMessage(T event) {
                        return rocketMQTemplate.syncSend(topic(), build(event), 2000L);
                      }
                    }
                """,
                "ClosingSender.java": """
                    class ClosingSender extends Template<Closing> {
                    }
                """,

            "Orders.java": """
                class Orders {
                  private final OrderMapper orderMapper;
                  private final ClosingSender closingSender;
                  @Transactional
                  String create(Order order) {
                    orderMapper.insert(order);
                    closingSender.sendMessage(new Closing(order));  // <-
                    return order.number();
                  }
                }
            """,
        }),
        Sample("java", {  # Seata's transaction holds the peers that are asked, and no broker
            "Orders.java": """
                class Orders {
                  private OrderRepository orders;
                  private RabbitTemplate rabbitTemplate;
                  @GlobalTransactional
                  public void submit(Order order) {
                    orders.save(order);
                    rabbitTemplate.convertAndSend("orders", order.getId());  // <-
                  }
                }
            """,
        }),
        Sample("java", {  # a sink behind a function that is bound to a topic
            "src/main/resources/application.properties": "spring.cloud.stream.bindings.orders-out-0.destination=orders\n",
            "src/main/java/shop/Publishing.java": """
                class Publishing {
                  @Bean
                  Sinks.Many<OrderEvent> sink() { return Sinks.many().multicast().onBackpressureBuffer(); }
                  @Bean
                  Supplier<Flux<OrderEvent>> orders(Sinks.Many<OrderEvent> sink) { return sink::asFlux; }
                }
            """,
            "src/main/java/shop/Orders.java": """
                class Orders {
                  private OrderRepository repository;
                  private Sinks.Many<OrderEvent> sink;
                  @Transactional Order place(Order order) {
                    Order kept = repository.save(order);
                    sink.tryEmitNext(new OrderEvent(kept)); // <-
                    return kept;
                  }
                }
            """,
        }),
        Sample("java", {  # Spring runs who listens before it returns
            "Orders.java": """
                class Orders {
                  OrderRepository orderRepository;
                  ApplicationEventPublisher publisher;
                  @Transactional
                  void place(Order order) {
                    orderRepository.save(order);
                    publisher.publishEvent(new OrderPlaced(order)); // <-
                  }
                }
            """,
            "Notices.java": """
                class Notices {
                  KafkaTemplate<String, String> kafkaTemplate;
                  @EventListener
                  void tell(OrderPlaced event) { kafkaTemplate.send("orders", event.id()); }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import nats
                async def f(engine, js):
                    with engine.begin() as conn:
                        conn.execute(x)
                        await js.publish('created', b)  # <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { KafkaTemplate kafkaTemplate;
                  @Transactional void f(Order o) {
                    kafkaTemplate.send("x", o); // <-
                  } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import amqp from 'amqplib';
                export async function place(dataSource, channel, order) {
                  await dataSource.transaction(async (manager) => {
                    await manager.save(order);
                    channel.publish('orders', 'placed', Buffer.from('x')); // <-
                  });
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func Place(db *gorm.DB, nc *nats.Conn, order Order) error {
                    return db.Transaction(func(tx *gorm.DB) error {
                        if err := tx.Create(&order).Error; err != nil {
                            return err
                        }
                        return nc.Publish("placed", nil) // <-
                    })
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
