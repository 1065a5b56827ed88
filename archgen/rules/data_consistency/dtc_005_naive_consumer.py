"""A handler of messages inserts, and nothing notices that the message came before."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    yield from hits(
        facts.of("naive_consumer"),
        lambda f: (
            f"{f['function']} {'adds up' if f.get('adds') else 'inserts'} ({f['call']}), "
            "and a message that comes twice does so twice"
        ),
    )
    yield from hits(
        facts.of("inbox.unfilled"),
        lambda f: f"what was handled is to be kept in {f['table']}, and nothing writes it there",
    )


RULE = Rule(
    id="DTC-005",
    item="data_consistency",
    kind="defect",
    severity=Severity.ERROR,
    title="Consumer that is not idempotent",
    why=(
        "Brokers deliver again after every crash and every lost acknowledgement: the customer is "
        "created twice."
    ),
    remedy="Record the message id in the same transaction, or upsert by a natural key.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {  # one at a time adds what is missing
            "a.py": """
                import pika
                def on(ch, m, p, body, session):
                    bill(session, body)
                def bill(session, body):
                    with locker.lock(body.account):
                        session.execute('insert into invoices values (1)')
                def f(channel):
                    channel.basic_consume('q', on)
            """,
        }),
        Sample("typescript", {  # under the id of the message, or only once
            "template.yaml": """
                Transform: AWS::Serverless-2016-10-31
                Resources:
                  Ingest:
                    Type: AWS::Serverless::Function
                    Properties:
                      CodeUri: src/ingest
                      Handler: index.handler
                      Events:
                        Bookings: {Type: SNS, Properties: {Topic: bookings}}
                  Once:
                    Type: AWS::Serverless::Function
                    Properties:
                      CodeUri: src/once
                      Handler: index.handler
                      Events:
                        Bookings: {Type: SQS, Properties: {Queue: bookings}}
            """,
            "src/ingest/index.ts": """
                import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
                const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
                export async function handler(event: SNSEvent) {
                  const { MessageId, Message } = event.Records[0].Sns;
                  await client.send(new PutCommand({ TableName: 'points', Item: { id: MessageId, Message } }));
                }
            """,
            "src/once/index.ts": """
                import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
                const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
                export async function handler(event: SQSEvent) {
                  const Item = { id: uuidv4(), booking: event.Records[0].body };
                  const ConditionExpression = 'attribute_not_exists(booking)';
                  await client.send(new PutCommand({ TableName: 'points', Item, ConditionExpression }));
                }
            """,
        }),
        Sample("java", {
            "src/main/resources/application.properties": "spring.cloud.function.definition=pay;refund\n",
            "src/main/java/shop/Hearing.java": """
                class Hearing {
                  private Payments payments;
                  @Bean
                  Function<Flux<OrderEvent>, Flux<PaymentEvent>> pay() { return orders -> orders.flatMap(this::one); }
                  private Mono<PaymentEvent> one(OrderEvent order) { return Mono.fromSupplier(() -> payments.take(order)); }
                }
            """,
            "src/main/java/shop/Payments.java": """
                class Payments {
                  private AccountRepository accounts;
                  private SeenRepository seen;
                  @Transactional
                  public PaymentEvent take(OrderEvent order) {
                    if (seen.existsById(order.id())) return null;
                    return accounts.findById(order.user()).map(account -> {
                      account.setBalance(account.getBalance() - order.amount());
                      return new PaymentEvent(order);
                    }).orElseThrow();
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import pika
                def on(ch, m, p, body, session):
                    session.execute('insert into users values (1) on conflict do nothing')
                def f(channel):
                    channel.basic_consume('q', on)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class A {
                  constructor(private readonly userRepository: UserRepository) {}
                  async onCreated(m) { const known = await this.userRepository.findOne(m.id);
                    if (!known) await this.userRepository.save(m); }
                  start(channel) { channel.consume('q', this.onCreated); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func Start(nc *nats.Conn) { nc.QueueSubscribe("orders.placed", "stats", onPlaced) }
                func onPlaced(msg *nats.Msg) {
                    _, err := db.Exec("INSERT INTO sales (id) VALUES ($1) ON CONFLICT DO NOTHING", msg.Header.Get("id"))
                    check(err)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  private SaleRepository saleRepository;
                  @KafkaListener(topics = "placed")
                  void on(Placed event) {
                    if (saleRepository.existsById(event.id)) return;
                    saleRepository.save(new Sale(event.id, event.amount));
                  }
                }
            """,
        }),
        Sample("java", {
            "B.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                import io.eventuate.tram.events.subscriber.DomainEventHandlers;
                class B {
                  private SaleRepository saleRepository;
                  @KafkaListener(topics = "placed")
                  void on(Placed event) { saleRepository.save(new Sale(event.amount)); }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {  # a clock is no lock
            "a.py": """
                import pika
                def on(ch, m, p, body, session):
                    bill(session, body)  # <-
                def bill(session, body):
                    session.execute('insert into invoices values (:at)', clock.now())
                def f(channel):
                    channel.basic_consume('q', on)
            """,
        }),
        Sample("typescript", {  # a function of a stack, which is called for each message
            "template.yaml": """
                Transform: AWS::Serverless-2016-10-31
                Resources:
                  Ingest:
                    Type: AWS::Serverless::Function
                    Properties:
                      CodeUri: build/ingest
                      Handler: index.handler
                      Events:
                        Bookings: {Type: SNS, Properties: {Topic: bookings}}
            """,
            "src/ingest/index.ts": """
                import { DocumentClient } from 'aws-sdk/clients/dynamodb';
                import { v4 as uuidv4 } from 'uuid';
                const client = new DocumentClient();
                export const addPoints = async (customer: string, points: number) => {
                  const item = { id: uuidv4(), customer, points };
                  await client.put({ TableName: 'points', Item: item }).promise();
                };
                export async function handler(event: SNSEvent) {
                  const record = JSON.parse(event.Records[0].Sns.Message);
                  await addPoints(record.customer, record.price);  // <-
                }
            """,
        }),
        Sample("typescript", {  # what is counted up comes twice as well
            "visits.ts": """
                import { EventPattern } from '@nestjs/microservices';
                class Visits {
                  constructor(private linkRepository: Repository<Link>) {}
                  @EventPattern('visited')
                  async onVisit(visit: Visit) {
                    await this.linkRepository.increment({ id: visit.link }, 'visits', 1); // <-
                  }
                }
            """,
        }),
        Sample("java", {
            "src/main/resources/application.properties": "spring.cloud.function.definition=pay;refund\n",
            "src/main/java/shop/Hearing.java": """
                class Hearing {
                  private Payments payments;
                  @Bean
                  Function<Flux<OrderEvent>, Flux<PaymentEvent>> pay() { return orders -> orders.flatMap(this::one); }
                  private Mono<PaymentEvent> one(OrderEvent order) { return Mono.fromSupplier(() -> payments.take(order)); }
                }
            """,
            "src/main/java/shop/Payments.java": """
                class Payments {
                  private AccountRepository accounts;
                  private SeenRepository seen;
                  @Transactional
                  public PaymentEvent take(OrderEvent order) {
                    return accounts.findById(order.user()).map(account -> {
                      account.setBalance(account.getBalance() - order.amount()); // <-
                      return new PaymentEvent(order);
                    }).orElseThrow();
                  }
                }
            """,
        }),
        Sample("java", {
            "App.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class App {
                  Stocks stocks;
                  @KafkaListener(topics = "orders")
                  public void onEvent(Order order) {
                    stocks.reserve(order);
                  }
                }
            """,
            "Stocks.java": """
                class Stocks {
                  ProductRepository repository;
                  void reserve(Order order) {
                    Product product = repository.findById(order.productId()).orElseThrow();
                    product.setReserved(product.getReserved() + order.count()); // <-
                    repository.save(product);
                  }
                }
            """,
        }),
        Sample("python", {
            "template.yaml": """
                Transform: AWS::Serverless-2016-10-31
                Resources:
                  Totals:
                    Type: AWS::Serverless::Function
                    Properties:
                      CodeUri: src/
                      Handler: totals.handle
                      Events:
                        Stream:
                          Type: DynamoDB
                          Properties: {Stream: arn, StartingPosition: LATEST}
            """,
            "src/totals.py": """
                import boto3
                table = boto3.resource("dynamodb").Table("totals")
                def handle(event, context):
                    for record in event["Records"]:
                        table.update_item(  # <-
                            Key=key(record),
                            ExpressionAttributeValues={":n": amount(record)},
                            UpdateExpression="ADD #quantity :n",
                        )
            """,
        }),
        Sample("java", {  # a fresh identity for each delivery, and the insert further on
            "Notices.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class Notices {
                  Mails mails;
                  @KafkaListener(topics = "todos")
                  void on(Todo todo) {
                    String id = UUID.randomUUID().toString();
                    mails.write(id, todo.getTitle()); // <-
                  }
                }
                class Mails {
                  MailRepository mailRepository;
                  void write(String id, String text) { mailRepository.save(new Mail(id, text)); }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import pika
                from sqlalchemy import delete
                from tables import processed_messages
                def start(channel, handle):
                    channel.basic_consume('q', handle)
                def forget(conn):
                    conn.execute(delete(processed_messages))  # <-
            """,
        }),
        Sample("python", {
            "a.py": """
                import pika
                def on(ch, m, p, body, session):
                    session.execute('insert into users values (1)')  # <-
                def f(channel):
                    channel.basic_consume('q', on)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                class A {
                  constructor(private readonly userRepository: UserRepository) {}
                  async onCreated(m) {
                    await this.userRepository.save(m); // <-
                  }
                  start(channel) { channel.consume('q', this.onCreated); }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/nats-io/nats.go"
                func Start(nc *nats.Conn) { nc.QueueSubscribe("orders.placed", "stats", onPlaced) }
                func onPlaced(msg *nats.Msg) {
                    _, err := db.Exec("INSERT INTO sales (amount) VALUES ($1)", msg.Data) // <-
                    check(err)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                import org.springframework.kafka.annotation.KafkaListener;
                class A {
                  private SaleRepository saleRepository;
                  @KafkaListener(topics = "placed")
                  void on(Placed event) {
                    saleRepository.save(new Sale(event.amount)); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
