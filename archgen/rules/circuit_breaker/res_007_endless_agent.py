"""A language model is asked again for as long as it calls for tools."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("agent.endless"),
        lambda f: f"{f['function'] or 'the module'} asks the model again without a limit ({f['call']})",
    )


RULE = Rule(
    id="RES-007",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.ERROR,
    title="Agent loop without limits",
    why="A model that never stops calling tools costs money and time without end.",
    remedy="Limit the turns, the tokens and the time of a run, and end it when a limit is reached.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                from anthropic import Anthropic
                client = Anthropic()
                # while True: client.messages.create(...)
                def run(messages):
                    turns = 0
                    while True:
                        turns += 1
                        if turns > 8:
                            raise TooLong
                        answer = client.messages.create(model=MODEL, messages=messages, tools=TOOLS)
                        if answer.stop_reason != "tool_use":
                            return answer
                        messages.append(use(answer))
                def few(messages):
                    for turn in range(8):
                        client.messages.create(model=MODEL, messages=messages)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import OpenAI from 'openai';
                export async function run(client: OpenAI, messages) {
                  for (let i = 0; i < 8; i++) {
                    const answer = await client.chat.completions.create({ model, messages, tools });
                    if (!answer.choices[0].message.tool_calls) return answer;
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/anthropics/anthropic-sdk-go"
                func Run(ctx context.Context, client anthropic.Client, params anthropic.MessageNewParams) (*anthropic.Message, error) {
                    for turn := 0; turn < 8; turn++ {
                        answer, err := client.Messages.New(ctx, params)
                        if err != nil || answer.StopReason != "tool_use" {
                            return answer, err
                        }
                    }
                    return nil, errTooLong
                }
            """,
        }),
        Sample("java", {
            "Run.java": """
                import com.anthropic.client.AnthropicClient;
                class Run {
                  Message run(AnthropicClient client, MessageCreateParams params) {
                    for (int turn = 0; turn < 8; turn++) {
                      Message answer = client.messages().create(params);
                      if (!answer.stopReason().equals(TOOL_USE)) return answer;
                    }
                    throw new IllegalStateException("too many turns");
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                from anthropic import Anthropic
                client = Anthropic()
                def run(messages):
                    while True:  # <-
                        answer = client.messages.create(model=MODEL, messages=messages, tools=TOOLS)
                        if answer.stop_reason != "tool_use":
                            return answer
                        messages.append(use(answer))
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import Anthropic from '@anthropic-ai/sdk';
                export async function run(client: Anthropic, messages) {
                  while (true) { // <-
                    const answer = await client.messages.create({ model, messages, tools });
                    if (answer.stop_reason !== 'tool_use') return answer;
                    messages.push(await use(answer));
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/anthropics/anthropic-sdk-go"
                func Run(ctx context.Context, client anthropic.Client, params anthropic.MessageNewParams) (*anthropic.Message, error) {
                    for { // <-
                        answer, err := client.Messages.New(ctx, params)
                        if err != nil || answer.StopReason != "tool_use" {
                            return answer, err
                        }
                        params.Messages = append(params.Messages, use(answer))
                    }
                }
            """,
        }),
        Sample("java", {
            "Run.java": """
                import com.anthropic.client.AnthropicClient;
                class Run {
                  Message run(AnthropicClient client, MessageCreateParams params) {
                    while (true) { // <-
                      Message answer = client.messages().create(params);
                      if (!answer.stopReason().equals(TOOL_USE)) return answer;
                      params = next(params, answer);
                    }
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
