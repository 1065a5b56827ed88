"""What well-known calls do, as tables: the only place that knows libraries by name.

An origin is where a call comes from as far as the file tells: `requests.post`, `httpx.AsyncClient.post`,
`RestTemplate.exchange`, `net/http.Get`. The kinds of effect:

    db.read db.write   a database; `table` where the statement names it
    tx commit          a transaction is opened; is committed
    remote             another process is called and awaited; `write` when that changes something there
    publish            a message leaves for a broker
    enqueue            a job is left with a queue outside of the database
    consume            a handler is set up for messages from a broker
    ack reject         a message is acknowledged; is refused or sent to the dead letters
    outbox             a framework writes the message in the running transaction
    log                a line of log
    wait               time passes on purpose
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_VERBS_WRITE = (
    r"(?:save|add|insert|update|create|delete|remove|store|persist|upsert|put|append|append_to|replace|set|"
    r"increment|decrement)"
)

_MOST = 50_000  # answers kept per pattern


class Names:
    """A pattern for names. A project repeats a few thousand of them, so each answer is kept."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        compiled = re.compile(pattern, flags)
        self.pattern = pattern
        self.search: Callable[[str], re.Match[str] | None] = lru_cache(_MOST)(compiled.search)
        self.match: Callable[[str], re.Match[str] | None] = lru_cache(_MOST)(compiled.match)


def _any(*patterns: str) -> Names:
    return Names("|".join(f"(?:{p})" for p in patterns))


HTTP = _any(
    r"^(requests|httpx|aiohttp(?!\.web\b)|urllib3|treq)\b[\w.]*\.(get|post|put|patch|delete|request|head|options|send|stream)$",
    r"^urllib\.request\.urlopen$",
    r"^pycurl\.Curl\.perform$",
    r"^(requests|httpx)\.(get|post|put|patch|delete|request|head)$",
    r"^(axios|got|superagent|ky|undici|node-fetch|needle|cross-fetch)(\.default)?(\.(get|post|put|patch|delete|request|create\(.*\)\.\w+))?$",
    r"^(AxiosInstance|HttpService|HttpClient|AxiosStatic|axios\.create)\.(get|post|put|patch|delete|request)$",
    r"^(globalThis\.|window\.|global\.)?fetch$",
    r"^localVarRequest$",
    r"^net/http\.(Get|Post|PostForm|Head)$",
    r"^\*?(github\.com/hashicorp/go-)?retryablehttp\.(Client\.)?(Do|Get|Post|Put|Delete|PostForm)$",
    r"^(\*?http\.Client|net/http\.Client|net/http\.DefaultClient|http\.DefaultClient|\*?resty\.\w+)\.(Do|Get|Post|Put|Delete|Patch|PostForm)$",
    r"^(RestTemplate|TestRestTemplate|RestOperations)\.(getFor\w+|postFor\w+|exchange|put|delete|patchForObject|execute)$",
    r"^(WebClient|RestClient)\.(get|post|put|patch|delete|method)$",
    r"^Https?URLConnection\.(getInputStream|getResponseCode|connect)$",
    r"^(HttpClient|CloseableHttpClient|OkHttpClient)\.(send|sendAsync|execute|newCall)$",
)
GRPC = Names(
    r"(?:\w*(?:ServiceClient|GrpcClient|BlockingStub|FutureStub|Stub|GrpcService))\."
    r"(?!register\w*(?:Checks?|Handlers?)$|add\w*Listener$|(?:close|start|stop|shutdown|withDeadlineAfter)$)[A-Za-z]\w+$"
)
# sessions of requests, by the name that everybody gives them, where that library is imported
SESSION = Names(r"(^|\.)_?session\.(get|post|put|patch|delete|request|head)$")
ADDRESS = Names(r"^[rf]*[\"'](https?:|/|\{)|ur[li]|endpoint|address|link|path|href|api", re.IGNORECASE)
SESSION_IMPORT = Names(r"^(requests|requests_oauthlib|requests_toolbelt)\b")
# a client that is made where it is used: `pb.NewCartServiceClient(conn).EmptyCart`
GRPC_INLINE = Names(r"\.New\w+Client\([^()]+\)\.[A-Z]\w+$|Grpc\.new\w*Stub\([^()]*\)\.\w+$")
GRPC_SETUP = Names(
    r"_path$|\.(from[A-Z]\w*|get\w*Client|[wW]ith\w+|Register\w+|New\w+|new\w+|build|close|Close|getService|__init__)$"
)
# Spring's web services
SOAP = Names(r"\.(marshalSendAndReceive|sendSourceAndReceive)$")
READ_NAME = Names(
    r"^(?i:get|list|find|fetch|read|query|select|is|has|check|count|search|watch|describe|version|status|health|ping|info|dial|connect|calculate|compute|estimate|quote|convert|validate|verify|preview|available|head|lookup|load|"
    r"retrieve|options|exists)(?![a-z])"
)

PUBLISH_NAME = Names(
    r"^(publish|publish_\w+|publish[A-Z]\w*|Publish\w*|basic_publish|basicPublish|sendToQueue|convertAndSend|convertSendAndReceive|"
    r"send_and_wait|SendMessages?|sendMessage(Batch)?|put_events|putEvents|xadd|XAdd|XADD|lpush|rpush|produce)$"
)
PUBLISH_SEND = Names(
    r"^(send|emit|sendAsync|Send|WriteMessages|Produce|send_message|dispatch|(sync|async)Send\w*|sendOneWay\w*)$"
)
# RocketMQ keeps such a message back until the transaction that it belongs to has ended.
SENT_WITH_COMMIT = Names(r"^sendMessageInTransaction$")
BROKER_WORD = Names(
    r"(kafka|rabbit|rocketmq|amqp|pika|kombu|jms|sqs|sns|nats|jetstream|pulsar|producer|publisher|broker|channel|exchange|messagebus|message_bus|"
    r"streambridge|eventhub|servicebus|pubsub|queue|topic|ClientProxy|event_?bus|go-nsq|nsqjs|pynsq)",
    re.IGNORECASE,
)
BROKER_IMPORT = Names(
    r"kafka|sarama|rabbit|rocketmq|amqp|\bpika\b|kombu|aio_pika|\bnats\b|nats-io|jetstream|pulsar|\bjms\b|activemq|artemis|\bsqs|\bsns|"
    r"eventbridge|boto|pubsub|pub_sub|servicebus|service_bus|event_?hub|mqtt|redis|valkey|watermill|faststream|stomp|zeromq|zmq|"
    r"\bbull|eventuate|axon|cloud\.stream|springframework\.(messaging|integration)|microservices|moleculer|dapr|debezium|"
    r"eventstore|esdb|\bnsq|gocloud|reactive\.messaging|camel|celery|dramatiq|nameko|oslo[._]messaging|cloudevents|streambridge|eventuate",
    re.IGNORECASE,
)
# Interfaces that a framework turns into clients: what is called on them leaves the process.
CLIENT_MARK = Names(r"@(?:\w+\.)*(FeignClient|RegisterRestClient|HttpExchange|Client)\b")
SENDER_MARK = Names(r"@(?:\w+\.)*(KafkaClient|RabbitClient|NatsClient|JMSProducer|MessagingGateway)\b")
WRITE_MARK = Names(
    r"@(?:\w+\.)*(Post|Put|Patch|Delete|POST|PUT|PATCH|DELETE)(Mapping|Exchange)?\b|RequestMethod\.(POST|PUT|PATCH|DELETE)|"
    r"@RequestLine\(\s*\"(POST|PUT|PATCH|DELETE)"
)
STORE_IMPORT = Names(
    r"^(java\.sql|javax\.sql|javax\.persistence|jakarta\.persistence|org\.jooq|org\.hibernate|org\.springframework\.(data|jdbc)|"
    r"com\.datastax|org\.apache\.cassandra|com\.mongodb|redis\.clients|io\.lettuce|org\.elasticsearch|org\.mapdb|org\.rocksdb|"
    r"database/sql|gorm\.io|xorm\.io|github\.com/(jackc/pgx|lib/pq|go-sql-driver|mattn/go-sqlite3|jmoiron/sqlx|go-redis|redis/go-redis|"
    r"gomodule/redigo|gocql|dgraph-io/badger|syndtr/goleveldb|cockroachdb/pebble|uptrace/bun)|go\.etcd\.io/(bbolt|etcd)|go\.mongodb\.org|"
    r"sqlalchemy|psycopg|asyncpg|pymongo|motor|sqlite3|aiosqlite|django\.db|peewee|tortoise|redis|typeorm|mongoose|mongodb|pg|mysql2?|"
    r"sequelize|knex|ioredis|drizzle-orm|@prisma/client|better-sqlite3)"
)
# Names that only a broker's client has; others need more to go by.
BROKER_NAME = Names(
    r"^(basic_publish|basicPublish|sendToQueue|convertAndSend|convertSendAndReceive|send_and_wait|SendMessageBatch|sendMessageBatch|"
    r"put_events|putEvents|PutEvents|xadd|XAdd|XADD|PublishWithContext|PublishMsg|publish_async|WriteMessages|publishMessage|"
    r"basic_consume|basicConsume|QueueSubscribe|pull_subscribe\w*|PullSubscribe|ReceiveMessages?|FetchMessage|"
    r"eachMessage|AddNoPublisherHandler|AddConsumerHandler|ConnectToPersistentSubscription|SubscribeTo(Stream|All)|"
    r"subscribeTo(Stream|All)|[sS]ubscribeToPersistentSubscription\w*)$"
)
# What an event store tells of its own streams is no message between services.
STORE_SUBSCRIPTION = Names(r"PersistentSubscription|[sS]ubscribeTo(Stream|All)\w*$")
BROKER_SURE = Names(
    r"kafka|rabbit|amqp|pika|kombu|jms|sqs|sns|\bnats\b|\bjs\b|\bnc\b|jetstream|pulsar|streambridge|eventhub|servicebus|pubsub|ClientProxy",
    re.IGNORECASE,
)
LOCAL_BUS = Names(
    r"(ApplicationEventPublisher|applicationEventPublisher|EventEmitter|CommandBus|commandBus|QueryBus|queryBus|"
    r"@nestjs/cqrs|mediator|Mediator|blinker|dispatcher|gochannel|Subject\b|socket|websocket|console|logger|process)",
)
OUTBOX_FRAMEWORK = Names(
    r"^(io\.eventuate|org\.springframework\.modulith|org\.axonframework|io\.debezium\.outbox|com\.gruelbox\.transactionoutbox|"
    r"no\.sparebank1|pg-boss|pg-transactional-outbox|graphile-worker|procrastinate|riverqueue|github\.com/ThreeDotsLabs/watermill-sql|"
    r"github\.com/ThreeDotsLabs/watermill/components/forwarder|django_outbox|jaiminho)"
)

CONSUME_NAME = Names(
    r"^(ConnectToPersistentSubscription|SubscribeToStream|SubscribeToAll|SubscribeToPersistentSubscription\w*|subscribeTo(Stream|All|"
    r"PersistentSubscription\w*)|ConsumePartition|XReadGroup|xReadGroup|xreadgroup|BLPop|blpop|brpop|BRPop|Receive|"
    r"subscribe|pull_subscribe|psubscribe|Subscribe|QueueSubscribe|ChanSubscribe|PullSubscribe|basic_consume|basicConsume|consume|Consume|consumeMessage|"
    r"eachMessage|onEvent|onMessage|ReceiveMessages?|receive_?[mM]essage|ReadMessage|FetchMessage|addConsumer|createConsumer|"
    r"pull_subscribe_bind|fetch|AddNoPublisherHandler|AddHandler|AddConcurrentHandlers|AddConsumerHandler)$"
)
CONSUME_MARK = Names(
    r"@(?:\w+\.)*(KafkaListener|RabbitListener|JmsListener|SqsListener|StreamListener|EventHandler|SagaEventHandler|event_handler|NatsListener|ServiceActivator|RabbitClient|EventPattern|MessagePattern|RabbitSubscribe|"
    r"RabbitRPC|Incoming|PulsarListener|subscriber|Processor|Process|task|shared_task|actor|job|EventHandlerMethod|Saga)\b"
)

TX_NAME = Names(
    r"^(transaction|Transaction|transactionResult|\$transaction|useTransaction|executeWithoutResult|RunTx|WithinTransaction|\$transaction|runInTransaction|RunTransaction|runTransaction|withTransaction|WithTransaction|"
    r"transactional|executeInTransaction|inTransaction|InTransaction|BeginTx|Beginx|BeginTxx|Begin|startTransaction|"
    r"beginTransaction|BeginFunc|RunInTx|WithTx|ReadWriteTransaction|begin_nested|begin|atomic)$"
)
TX_WITH = Names(
    r"\b_?session_for_write\b|\bwriter\.(using|independent)\b|\b(begin|begin_nested|transaction|atomic|in_transaction|UnitOfWork|unit_of_work|uow)\b",
    re.IGNORECASE,
)
TX_MARK = Names(
    r"@\w*(enginefacade|context_manager)\.writer\b|@(?:\w+\.)*(Transactional|transactional|atomic|[tT]ransaction|UnitOfWork)\b"
)
COMMIT_NAME = Names(r"^(commit|Commit|commitTransaction|CommitTransaction)$")

DB_RECEIVER = Names(
    r"(^|\b|_)(db|database|session|conn|connection|cursor|cur|tx|trx|txn|pool|engine|em|entityManager|manager|queryRunner|"
    r"jdbcTemplate|namedParameterJdbcTemplate|mongoTemplate|dynamoDb|table|collection|coll|knex|sequelize|prisma|gorm|sql|store|"
    r"eventStore|event_store|dslContext|transaction|q|queries)$",
    re.IGNORECASE,
)
REPOSITORY = Names(
    r"(repo|repository|repositories|dao|db_?api|mapper|storage_conn(ection)?|(?<![a-z])[a-z]+(?-i:Store|_store))(<.*>)?$",
    re.IGNORECASE,
)
COLLECTION = Names(
    r"^(final )?(java\.util\.)?(Concurrent\w*|CopyOnWrite\w*|Linked\w*|Hash|Array|Tree|Weak|Blocking)?"
    r"(List|Set|Map|Queue|Deque|Collection|Vector|Stack)\s*<"
)
DB_TYPE = Names(
    r"(Repository|EntityManager|JdbcTemplate|MongoTemplate|\bsql\.(DB|Tx|Conn)|sqlx\.|pgx|pgxpool|firestore\.|gorm\.DB|Session\b|"
    r"sqlite3|psycopg|asyncpg|sqlalchemy|PrismaClient|Connection|Knex|DynamoDB|Model<)"
)
MONGO_WRITE_NAME = Names(
    r"^(insert(One|Many)|update(One|Many)|delete(One|Many)|replaceOne|find(One|ById)And(Update|Delete|Remove|Replace|Modify|Upsert)\w*|"
    r"FindOneAnd(Update|Delete|Replace)|(Insert|Update|Delete)(One|Many)|"
    r"(insert|update|delete|replace)_(one|many))$"
)
ORM_IMPORT = Names(
    r"^(gorm\.io/gorm|github\.com/(jinzhu/gorm|uptrace/bun|go-pg/pg|upper/db|astaxie/beego/orm|beego/beego/v2/client/orm|go-rel/rel|"
    r"xorm-io/\w+)|xorm\.io|"
    r"github\.com/go-xorm|entgo\.io/ent)"
)
ORM_CHAIN = Names(
    r"\b(db|DB|tx|sess(ion)?|[eE]ngine|conn|orm(er)?|gorm)\b|\b(Model|Table|Where|WithContext|Session|NewInsert|NewUpdate|NewDelete)\(",
)
ORM_WRITE_NAME = Names(
    r"^(Create|CreateInBatches|Save|Delete|Update|Updates|UpdateColumn|UpdateColumns|Insert|InsertOne|InsertMulti|FirstOrCreate)$"
)
DB_WRITE_NAME = Names(
    r"^(save|saveAll|saveAndFlush|insert|insert_one|insert_many|insertOne|insertMany|update|updateOne|updateMany|update_one|"
    r"update_many|upsert|delete|deleteOne|deleteMany|deleteById|deleteAll|delete_one|remove|softDelete|softRemove|persist|merge|add|add_all|"
    r"create|createMany|bulk_create|bulk_update|batchUpdate|putItem|updateItem|put_item|update_item|deleteItem|findOneAndUpdate|"
    r"findByIdAndUpdate|findOneAndReplace|replaceOne|Create|Save|Updates|Delete|Set|Update|Insert|InsertOne|UpdateOne|"
    r"NamedExec|NamedExecContext|append_events|append)$"
)
# a query that is built is no change
REPO_WRITE_NAME = Names(
    rf"^(?!create(?:Query|Builder)|(?:add|set)(?:Select|OrderBy|GroupBy|Where|Having|Common|Parameter|FindOptions|Lock|Limit|Offset|Options))"
    rf"(?i:{_VERBS_WRITE})(?![a-z])\w*$"
)
SQL_CALL = Names(
    r"^(execute|executemany|exec|Exec|ExecContext|MustExec|query|Query|QueryRow|QueryRowContext|executescript|raw|run|fetch\w*|executeUpdate|prepareStatement)$"
)
# Names that mean SQL only where a statement is handed over.
SQL_TEXT_CALL = Names(
    r"^(QueryContext|Queryx|QueryxContext|QueryRowx|QueryRowxContext|Get|GetContext|Select|SelectContext|"
    r"NamedExec|NamedExecContext|NamedQuery|NamedQueryContext|Prepare(?:Named|x)?(?:Context)?|SendBatch|Queue|Raw|"
    r"update|batchUpdate|queryForObject|queryForList|queryForMap|queryForStream|sql|createNativeQuery|createQuery|"
    r"createUpdate|nativeQuery|\$executeRaw\w*|\$queryRaw\w*|prepare|all|get|execute_sql)$"
)
SQL_BUILDER = Names(r"^(sqlalchemy(\.[\w.]+)?\.)(insert|update|delete|select)$")
SQL_STATEMENT = re.compile(
    r"""^\s*(?:with\b.*?\b)?(insert\s+(?:or\s+\w+\s+)?into|update|delete\s+from|replace\s+into|merge\s+into|select\b.*?\bfrom)\s+["'`\[]?([\w.]+|\$?\{[^}]{1,60}\})""",
    re.IGNORECASE | re.DOTALL,
)

LOG = Names(
    r"(^|\.)((?:get_?[lL]ogger|GetLogger)\([^()]*\)|log|logger|logging|Logger|console|slog|logrus|zap|_log|_logger|LOG|LOGGER|structlog|winston|pino|entry)\.?(\w*\.)?"
    r"(debug|info|warn|warning|error|exception|critical|log|fatal|Debug\w*|Info\w*|Warn\w*|Error\w*|Print\w*|bind)$"
)
WAIT = Names(r"(^|\.)(sleep|Sleep|delay|After|setTimeout|sleep_ms|park)$")
ACK = Names(
    r"^(ack|Ack|basic_ack|basicAck|ackAll|acknowledge|ack_sync|commitOffsets|commitSync|CommitMessages|deleteMessage|delete_message|xack|XAck)$"
)
REJECT = Names(
    r"^(nack|Nack|nak|Nak|reject|Reject|basic_nack|basic_reject|basicNack|basicReject|term|Term|nackAll)$"
)
