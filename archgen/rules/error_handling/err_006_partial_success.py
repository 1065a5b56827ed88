"""Some of many changes fail, and the answer is that all is well."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("error.partial"),
        lambda f: f"{f['function']} passes over what fails in its loop ({f['call']}) and reports success",
    )


RULE = Rule(
    id="ERR-006",
    item="error_handling",
    kind="defect",
    severity=Severity.WARNING,
    title="Partial failure reported as success",
    why="The caller believes that everything was done, and nobody does the rest.",
    remedy="Collect what failed, and return it or fail.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "kept.py": """
                def refund_all(session, ids):
                    failed = []
                    for id in ids:
                        try:
                            session.add(Refund(id))
                        except Exception as error:
                            failed.append(str(error))
                    return {'ok': not failed, 'failed': failed}
            """,
        }),
        Sample("python", {
            "a.py": """
                def ship(session, orders):
                    failed = []
                    for order in orders:
                        try:
                            session.add(order)
                        except Exception as error:
                            failed.append(order)
                    return not failed
                def stop(session, orders):
                    for order in orders:
                        try:
                            session.add(order)
                        except Exception:
                            raise Stopped
                    return True
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function ship(repository, orders) {
                  const failed = [];
                  for (const order of orders) {
                    try {
                      await repository.save(order);
                    } catch (e) {
                      failed.push(order.id);
                    }
                  }
                  return { success: failed.length === 0, failed };
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Ship(db *sql.DB, orders []Order) error {
                    var errs []error
                    for _, order := range orders {
                        _, err := db.Exec("UPDATE orders SET shipped = true WHERE id = $1", order.ID)
                        if err != nil {
                            errs = append(errs, err)
                            continue
                        }
                    }
                    return errors.Join(errs...)
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  private OrderRepository orderRepository;
                  int ship(List<Order> orders) {
                    int failed = 0;
                    for (Order order : orders) {
                      try {
                        orderRepository.save(order);
                      } catch (Exception e) {
                        failed++;
                      }
                    }
                    return failed;
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "kept.py": """
                def refund_all(session, ids):
                    failed = []
                    for id in ids:
                        try:
                            session.add(Refund(id))
                        except Exception as error:  # <-
                            failed.append(str(error))
                    return {'ok': True}
            """,
        }),
        Sample("python", {
            "a.py": """
                def ship(session, orders):
                    for order in orders:
                        try:
                            session.add(order)
                        except Exception as error:  # <-
                            log.error(error)
                    return True
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function ship(repository, orders) {
                  for (const order of orders) {
                    try {
                      await repository.save(order);
                    } catch (e) { // <-
                      console.error(e);
                    }
                  }
                  return { success: true };
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Ship(db *sql.DB, orders []Order) error {
                    for _, order := range orders {
                        _, err := db.Exec("UPDATE orders SET shipped = true WHERE id = $1", order.ID)
                        if err != nil { // <-
                            log.Println(err)
                            continue
                        }
                    }
                    return nil
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  private OrderRepository orderRepository;
                  boolean ship(List<Order> orders) {
                    for (Order order : orders) {
                      try {
                        orderRepository.save(order);
                      } catch (Exception e) { // <-
                        log.error("not shipped", e);
                      }
                    }
                    return true;
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
