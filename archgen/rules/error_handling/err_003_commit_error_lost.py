"""The wrong error is returned, and it is nil."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    wrong = hits(
        facts.of("error.lost"),
        lambda f: (
            f"{f['function']} checks {f['checked']} and returns {f['used']}"
            + (", so a failed commit looks like success" if f["commit"] else "")
        ),
    )
    return wrong + hits(
        facts.of("error.commit_swallowed"), lambda f: f"{f['function']} goes on when its commit fails"
    )


RULE = Rule(
    id="ERR-003",
    item="error_handling",
    kind="defect",
    severity=Severity.ERROR,
    title="Commit error lost",
    why="The caller is told that all went well, and the data is not there.",
    remedy="Return the error that was checked.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {  # somebody says why nothing is lost
            "quota.py": """
                class Quotas:
                    def keep(self, session, reservations):
                        try:
                            session.add_all(reservations)
                            session.commit()
                        except Exception:
                            # Ignoring exceptions here is safe, because what is reserved expires.
                            LOG.exception('not kept')
            """,
        }),
        Sample("go", {  # an error of one's own
            "env.go": """
                package store
                func (s *Store) Env(item Item) (*Env, error) {
                    var env Env
                    if err := decode(item, &env); err != nil {
                        return nil, fmt.Errorf("config not found: %w", ErrNotFound)
                    }
                    return &env, nil
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(tx *sql.Tx, err error) error {
                    if commitErr := tx.Commit(); commitErr != nil {
                        return errors.Wrap(commitErr, "commit")
                    }
                    return nil
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def save(session, order):
                    session.add(order)
                    try:
                        session.commit()
                    except Exception:
                        session.rollback()
                        raise
                    return order
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function save(queryRunner, order) {
                  try {
                    await queryRunner.commitTransaction();
                  } catch (e) {
                    await queryRunner.rollbackTransaction();
                    throw e;
                  }
                  return order;
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  void save(Connection connection) throws SQLException {
                    try {
                      connection.commit();
                    } catch (SQLException e) {
                      connection.rollback();
                      throw e;
                    }
                  }
                  void both(Connection connection) throws SQLException {
                    try {
                      connection.commit();
                    } catch (SQLException e) {
                      try {
                        connection.rollback();
                      } catch (RuntimeException second) {
                        log.error("not rolled back either", second);
                      }
                      throw e;
                    }
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Save(tx *sql.Tx) error {
                    return tx.Commit()
                }
            """,
        }),
    ),
    invalid=(
        Sample("go", {
            "a.go": """
                package a
                func F(tx *sql.Tx, err error) error {
                    if commitErr := tx.Commit(); commitErr != nil {
                        return errors.Wrap(err, "commit") // <-
                    }
                    return nil
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def save(session, order):
                    session.add(order)
                    try:
                        session.commit()
                    except Exception as error:  # <-
                        log.error(error)
                    return order
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function save(queryRunner, order) {
                  try {
                    await queryRunner.commitTransaction();
                  } catch (e) { // <-
                    console.error(e);
                  }
                  return order;
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  void save(Connection connection) {
                    try {
                      connection.commit();
                    } catch (SQLException e) { // <-
                      log.error("not committed", e);
                    }
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Save(tx *sql.Tx) error {
                    tx.Exec("UPDATE a SET b = 1")
                    tx.Commit() // <-
                    return nil
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
