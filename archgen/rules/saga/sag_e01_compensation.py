"""Steps that name what takes them back."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return (
        hits(facts.of("saga.compensation"), lambda f: f"a step and its compensation: {f['what']}")
        + hits(
            # of a single deployable, what its own store takes back is no saga
            [f for f in facts.of("saga.inline") if len(facts.services) != 1 or f.get("apart")],
            lambda f: f"taken back in {f['function']}: {f['what']}",
        )
        + (
            []  # of a service's engine, only the steps that it is given count
            if facts.services
            else hits(facts.of("saga.engine"), lambda f: f"steps are taken back by {f['function']}")
        )
        + hits(
            facts.of("saga.choreographed"),
            lambda f: f"taken back on a failure event in {f['function']}: {f['what']}",
        )
    )


RULE = Rule(
    id="SAG-E01",
    item="saga",
    kind="evidence",
    severity=Severity.NOTE,
    title="Steps with compensations",
    why="No transaction spans two services; what cannot be finished has to be taken back step by step.",
    remedy="Give each step that changes something a command that undoes it.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # what takes a step back is noted, and worked off when a later one fails
            "deploy.go": """
                package deploy
                import restate "github.com/restatedev/sdk-go"
                func (w *Workflow) Deploy(ctx restate.ObjectContext, id string) (retErr error) {
                    compensations := compensation.New()
                    defer func() {
                        if retErr != nil {
                            retErr = compensations.Execute(ctx)
                        }
                    }()
                    compensations.Add("free the slot", func() error { return w.free(id) }) // <-
                    return w.take(id)
                }
            """,
        }),
        Sample("typescript", {
            "order.ts": """
                export async function place(ctx, order) {
                  const compensations = [];
                  try {
                    await stock.reserve(order);
                    compensations.push(() => stock.free(order)); // <-
                    await payments.charge(order);
                  } catch (error) {
                    for (const undo of compensations.reverse()) await undo();
                    throw error;
                  }
                }
            """,
        }),
        Sample("python", {  # a state machine that is spelled out in a text
            "template.yaml": """
                Resources:
                  Table: {Type: "AWS::DynamoDB::Table"}
                  Booking:
                    Type: AWS::StepFunctions::StateMachine
                    Properties:
                      DefinitionString: !Sub |
                        {
                          "StartAt": "Reserve",
                          "States": {
                            "Reserve": {
                              "Type": "Task",
                              "Resource": "${Reserve.Arn}",
                              "Catch": [
                                {  # <-
                                  "ErrorEquals": ["States.ALL"],
                                  "Next": "Release seat"
                                }
                              ]
                            }
                          }
                        }
            """,
        }),
        Sample("python", {
            "flow.py": """
                from taskflow import task as flow_task
                class Volume(flow_task.Task):
                    def execute(self, context):
                        return self.api.create_volume(context)
                    def revert(self, result):  # <-
                        self.api.delete_volume(result)
                class Told(flow_task.Task):
                    def execute(self, context):
                        return notify(context)
                    def revert(self, result):
                        pass
            """,
        }),
        Sample("java", {  # who hears of the outcome takes the change back
            "orders/src/main/java/Main.java": """
                @SpringBootApplication
                class Main { public static void main(String[] a) { SpringApplication.run(Main.class, a); } }
            """,
            "payments/src/main/java/App.java": """
                @SpringBootApplication
                class App { public static void main(String[] a) { SpringApplication.run(App.class, a); } }
            """,
            "payments/src/main/resources/application.properties": "spring.cloud.function.definition=settle\n",
            "payments/src/main/java/Settling.java": """
                class Settling {
                  private Payments payments;
                  @Bean
                  Consumer<OrderEvent> settle() { return payments::handle; }
                }
            """,
            "payments/src/main/java/Payments.java": """
                class Payments {
                  private PaymentRepository repository;
                  void handle(OrderEvent order) {
                    if (order.placed()) { charge(order); } else { refund(order); } // <-
                  }
                  private void charge(OrderEvent order) { repository.save(new Payment(order)); }
                  private void refund(OrderEvent order) { repository.deleteById(order.id()); }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                place = Saga(  # <-
                    name='place',
                    steps=[Step(Charge, undo=Refund), Step(Reserve, undo=Release), Step(Ship)],
                )
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                const place = new Saga([ // <-
                  { invoke: charge, compensate: refund },
                  { invoke: reserve, compensate: release },
                ]);
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() {
                    saga.AddCompensation(refund, id) // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { A() { this.d = step()
                  .withCompensation(kitchen.cancel, S::make) // <-
                  .build(); } }
            """,
        }),
    ),
    invalid=(
        Sample("typescript", {  # noted, and never worked off
            "order.ts": """
                export async function place(ctx, order) {
                  const compensations = [];
                  await stock.reserve(order);
                  compensations.push(() => stock.free(order));
                  await payments.charge(order);
                }
            """,
        }),
        Sample("typescript", {  # one deployable, and its own store
            "package.json": '{"scripts": {"start": "node server.js"}}',
            "server.ts": """
                import express from 'express';
                express().listen(1);
                class Orders {
                  constructor(private orderRepository: Repository<Order>) {}
                  async merge(order: Order) {
                    try { await this.remove(order); } catch (e) { await this.revertOrder(order); }
                  }
                  async remove(order: Order) { await this.orderRepository.delete(order); }
                  async revertOrder(order: Order) { await this.orderRepository.save(order); }
                }
            """,
        }),
        Sample("java", {  # what variables are called tells of no event
            "A.java": """
                class Records {
                  void unvoid(Record record, Date dateVoided) {
                    handleAll(record, dateVoided, voidable);
                  }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                # steps=[Step(Charge, undo=Refund), Step(Ship)]
                menu = Menu(steps=[Step('a'), Step('b')])
            """,
        }),
        Sample("typescript", {
            "a.ts": "const w = new Wizard([{ title: 'a' }, { title: 'b' }]);\n",
        }),
        Sample("go", {
            "a_test.go": """
                package a
                func TestF() { saga.AddCompensation(refund, id) }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { /* .withCompensation(x) */ void f() { builder.step().build(); } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
