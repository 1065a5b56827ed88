"""A password, key, token or card number is written to a log or put on a span."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("secret.logged"),
        lambda f: f"{f['function'] or 'the module'} writes {f['what']} to {f['where']}",
    )


RULE = Rule(
    id="OBS-005",
    item="observability",
    kind="defect",
    severity=Severity.ERROR,
    title="Secrets in logs or spans",
    why="Logs are copied, kept and read by many: what is in them is no secret any more.",
    remedy="Leave it out, or write a part that identifies and does not reveal; let the logger take the rest out.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # a command shows what it has made to whom asked for it
            "bootstrap.go": """
                package main
                import (
                    "fmt"
                    "github.com/spf13/cobra"
                )
                func show(cmd *cobra.Command, out *Output) {
                    fmt.Printf("Password: %s", out.Password)
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                import logging
                log = logging.getLogger(__name__)
                def login(user, password_reset_url):
                    # log.info(user.password)
                    log.info("wrong password for %s", user.name)
                    log.info("reset at %s", password_reset_url)
                    log.info("card %s", mask(user.card_number))
                    log.info("has password: %s", bool(user.password))
                    log.info("used %d tokens", user.tokens)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import pino from 'pino';
                const logger = pino({ redact: ['user.password'] });
                export function login(user) {
                  logger.info({ user });
                  logger.info(user.password);
                }
            """,
        }),
        Sample("typescript", {
            "b.ts": """
                export function pay(card) {
                  logger.info(`card ending in ${card.cardNumber.slice(-4)}`);
                  console.log('password changed');
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Login(name, password string) {
                    log.Printf("login %s, password of %d", name, len(password))
                    log.Printf("secret %s", secretName)
                    log.Printf("template %s is broken", mails.ForgotPassword)
                    span.SetAttributes(attribute.String("user", name))
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  void login(User user) {
                    log.info("new password for {}", user.getName());
                    log.info("card {}", mask(user.getCardNumber()));
                    user.setPassword(encode(user.getPassword()));
                  }
                  void fail(Span currentSpan, Exception error) {
                    TracingHelper.logError(currentSpan);
                    log.warn("failed", currentSpan);
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "headers.py": """
                import logging
                def call(request):
                    logging.getLogger(__name__).info('with %s', request.headers['authorization'])  # <-
                    logging.getLogger(__name__).info(f"as {request.headers.get('Cookie')}")  # <-
                    logging.info('of %s', request.headers['content-type'])
            """,
        }),
        Sample("python", {
            "a.py": """
                import logging
                log = logging.getLogger(__name__)
                def login(user):
                    log.info("login %s %s", user.name, user.password)  # <-
                def pay(card_number):
                    log.info(f"charging {card_number}")  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function login(user) {
                  logger.info(`login ${user.name} ${user.password}`); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Login(name, password string) {
                    log.Printf("login %s %s", name, password) // <-
                }
                func Pay(span trace.Span, req Request) {
                    span.SetAttributes(attribute.String("card_number", req.CardNumber)) // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  void login(User user) {
                    log.info("login {} {}", user.getName(), user.getPassword()); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
