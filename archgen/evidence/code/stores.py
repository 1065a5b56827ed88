"""What calls do to databases: SQL in literals, builders, ORMs, repositories and document stores."""

from __future__ import annotations

import re

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Effect, Function, Module

# TypeORM's repositories, asked for by their entity: `manager.getRepository(Order).save`, and what they build.
_OF_ENTITY = re.compile(
    r"getRepository(?:<\w+>)?\((?:[\w.]+,)?([A-Z]\w*)\)\.(?:createQueryBuilder\([^()]*\)\.)?(\w+)$"
)
# Django's managers: `Order.objects.filter(paid=False).delete`
_OF_MODEL = re.compile(
    r"\b([A-Z]\w*)\.objects\b.*\.(delete|update|create|bulk_create|bulk_update|get_or_create|update_or_create)$"
)
# Prisma's models: `this.prisma.order.create`, `tx.order.create`
_OF_PRISMA = re.compile(r"\b(?:prisma(?:Service|Client)?|tx)\.([a-z]\w*)\.\w+$")
# Builders of queries for scripts, as Kysely's: `db.insertInto('order').values(order).execute()`
_BUILT = re.compile(
    r"(?:\.|^)((insert|update|delete|replace|merge)(?:Into|Table|From)|(?:insert|update|del)(?:OnUpdate)?)\([\"'`](\w+)[\"'`]"
)
_ENDS_QUERY = frozenset({"execute", "executeTakeFirst", "executeTakeFirstOrThrow"})
# bun's: `db.NewInsert().Model(&order).Exec(ctx)`
_OF_BUN = re.compile(r"\.New(Insert|Update|Delete)\(\)(?:\.Model\(&?(\w+)\))?")
_ARGUED = re.compile(r"[<\[]")
# Statements that are no change: questions, calls to whoever listens, settings of the session.
_KEEPS = re.compile(
    r"""["`]\s*(select\s+pg_\w+|notify|listen|do\s+\$\$\s*begin\s+raise|set|pragma|lock|vacuum|analyze)\b""",
    re.I,
)


def database(
    call: Call, origin: str, module: Module, function: Function, statements: list[tuple[int, re.Match[str]]]
) -> Effect | None:
    """What a call reads or changes in a database, None when it is no such call. `statements` are those that
    the function has in literals, with their lines.
    """
    name = call.name
    if (match := _OF_ENTITY.search(call.callee)) and (
        words.REPO_WRITE_NAME.match(name) or name in ("softDelete", "increment", "decrement", "softRemove")
    ):
        return Effect("db.write", call, table=match[1].lower(), target=name)
    if module.language == "python" and (match := _OF_MODEL.search(call.callee)):
        return Effect("db.write", call, table=match[1].lower(), target=name)
    if (
        module.language == "python"
        and name in ("save", "delete")
        and not call.args
        and "." not in call.receiver
    ):
        kind = module.types.get(call.receiver, "")
        if kind and re.search(rf"\b{re.escape(kind)}\.objects\b", function.body):
            return Effect("db.write", call, table=kind.lower(), target=name)
    if module.language == "java" and (kept := _of_mybatis_plus(call, module, function)):
        return kept
    if module.language == "typescript" and (kept := _of_dynamo(call, module, function)):
        return kept
    if module.language == "typescript" and name in _ENDS_QUERY and (built := _BUILT.search(call.callee)):
        return Effect("db.write", call, table=built[3].lower(), target=built[2] or built[1])
    if module.language == "go" and name == "Exec" and (built := _OF_BUN.search(call.callee)):
        return Effect("db.write", call, table=(built[2] or "").lower(), target=built[1].lower())
    built = words.SQL_BUILDER.match(origin)
    if built and not call.args and call.receiver and ".Table." in origin:
        kind = "db.read" if built[3] == "select" else "db.write"
        return Effect(kind, call, table=_table(call.receiver), target=built[3])
    if built and call.args:
        return Effect(
            "db.read" if built[3] == "select" else "db.write",
            call,
            table=_table(call.args[0]),
            target=built[3],
        )
    if call.receiver and (words.SQL_TEXT_CALL.match(name) or (call.args and _is_whole(call.args[0]))):
        literal = next((match for arg in call.args[:3] if (match := _statement(arg))), None)
        if literal:
            return _of_statement(literal, call)
    if name in ("on_conflict_do_nothing", "on_conflict_do_update", "on_duplicate_key_update"):
        # SQLAlchemy's insert, by whatever name it goes here
        into = re.search(r"\w\(([A-Za-z_][\w.]*)[,)]", call.callee)
        return Effect("db.write", call, table=_table(into[1]), target="insert") if into else None
    if words.SQL_CALL.match(name) and call.receiver:
        text = call.args[0] if call.args else ""
        match = next((found for arg in call.args[:3] if (found := _statement(arg))), None)
        if match is None and text[:1] not in "\"'`":
            match = next((m for line, m in statements if line <= call.line and call.line - line < 12), None)
        if match is None and "text(" in text:
            match = words.SQL_STATEMENT.match(re.sub(r"^.*?text\(\s*[frb]*[\"']+", "", text, flags=re.DOTALL))
        if match:
            return _of_statement(match, call)
        if name.startswith(("Exec", "NamedExec", "MustExec")) and words.DB_RECEIVER.search(call.receiver):
            return None if any(map(_KEEPS.search, call.args)) else Effect("db.write", call)
        return None
    if (
        words.ORM_WRITE_NAME.match(name)
        and words.ORM_CHAIN.search(call.callee.rpartition(".")[0])
        and (
            "DB()." in call.callee
            or ".Table(" in call.callee
            or ".Model(&" in call.callee
            or any(words.ORM_IMPORT.match(item.module) for item in module.imports)
        )
    ):
        return Effect("db.write", call, table=_table(call.args[0]) if call.args else "", target=name.lower())
    if name == "Save" and call.args[-1:] == ("w",):
        return None  # a session that a browser keeps
    typed = function.params.get(call.receiver) or module.types.get(call.receiver, "")
    if words.COLLECTION.match(typed):
        typed = ""  # what it holds says nothing of where it is kept
    repository = words.REPOSITORY.search(call.receiver) or (
        typed and words.REPOSITORY.search(_ARGUED.split(typed, maxsplit=1)[0])
    )
    merges = name == "merge" and module.language == "java"  # as JPA calls it
    if repository and (merges or words.REPO_WRITE_NAME.match(name)) and not _sets(call, typed, module):
        return Effect("db.write", call, table=_kept_by(call, typed), target=name)
    if words.MONGO_WRITE_NAME.match(name) and call.receiver and call.args:
        return Effect("db.write", call, table=call.receiver.lower().removesuffix("collection"), target=name)
    if words.DB_WRITE_NAME.match(name) and call.receiver:
        if name in (
            "create",
            "add",
            "set",
            "Set",
            "remove",
            "delete",
            "update",
            "append",
            "merge",
            "Create",
            "Delete",
            "Update",
            "Insert",
            "insert",
        ):
            near = words.DB_TYPE.search(typed) or re.search(
                r"(session|entityManager|(^|[._])(em|tx)|prisma(Service|Client)?\.\w+|objects|Model|gorm|manager|_table|Table)$",
                call.callee.rpartition(".")[0],
            )
            if call.receiver == "objects" and name not in ("create", "update", "delete"):
                near = None  # a list of things, and no manager of a model
        else:
            near = (
                words.DB_TYPE.search(typed)
                or words.DB_RECEIVER.search(call.receiver)
                or re.search(r"Model$|objects$", call.receiver)
            )
        table = call.receiver if call.receiver.lower().endswith("table") else ""
        if table:
            return Effect("db.write", call, table=table.lower().removesuffix("table").strip("_"), target=name)
        model = _OF_PRISMA.search(call.callee) if module.language == "typescript" else None
        if model:
            return Effect("db.write", call, table=model[1].lower(), target=name)
        if near and (call.args or name in ("save", "Save", "delete")):
            return Effect("db.write", call, table=_table(call.args[0]) if call.args else "", target=name)
    return None


# DynamoDB's clients for scripts: `documentClient.put(params)`, `client.send(new PutCommand(params))`.
_OF_DOCUMENTS = re.compile(r"DocumentClient|DynamoDB|dynamo(db)?(doc|client)?$|^ddb", re.IGNORECASE)
_TABLE_NAME = re.compile(r"\bTableName\s*:\s*[\"'`]?([\w.-]+)")
# As the rest of the world calls it.
_DOES = {
    "put": "insert",
    "update": "update",
    "delete": "delete",
    "batchwrite": "batchwrite",
    "transactwrite": "transactwrite",
}
_SAYS_DYNAMO = re.compile(r"^(put|update|delete|batchWrite|transactWrite)$")
_DYNAMO_COMMAND = re.compile(r"new (Put|Update|Delete|BatchWrite|TransactWrite)(?:Item|Items)?Command\b")


def _of_dynamo(call: Call, module: Module, function: Function) -> Effect | None:
    if call.name == "send" and call.args and (match := _DYNAMO_COMMAND.match(call.args[0])):
        return Effect("db.write", call, table=_dynamo_table(call, function), target=_DOES[match[1].lower()])
    asks = len(call.args) == 1 or (len(call.args) == 2 and "=>" in call.args[1])
    if _SAYS_DYNAMO.match(call.name) and asks:
        kind = function.params.get(call.receiver) or module.types.get(call.receiver, "")
        if _OF_DOCUMENTS.search(kind) or _OF_DOCUMENTS.search(call.receiver):
            table = _dynamo_table(call, function)
            return Effect("db.write", call, table=table, target=_DOES[call.name.lower()])
    return None


def _dynamo_table(call: Call, function: Function) -> str:
    """The table that a request names, where it is made in the call or in the function."""
    named = _TABLE_NAME.search(call.text())
    if named is None and call.args and re.fullmatch(r"\w+", call.args[0]):
        made = re.search(rf"\b{call.args[0]}(?:\s*:[^=\n]+)?\s*=\s*\{{", function.body)
        named = _TABLE_NAME.search(function.body, made.end(), made.end() + 500) if made else None
    return named[1].rpartition(".")[2].lower() if named else ""


# What MyBatis-Plus gives every service of an entity; the first have names that nobody else uses.
_OF_A_SERVICE = re.compile(
    r"^(saveBatch|saveOrUpdateBatch|updateById|updateBatchById|removeById|removeByIds|removeBatchByIds)$"
)
_OF_ITS_OWN = re.compile(r"^(save|saveOrUpdate|update|remove)$")
_ITS_ENTITY = re.compile(r"ServiceImpl<\s*\w+\s*,\s*(\w+)\s*>")


def _of_mybatis_plus(call: Call, module: Module, function: Function) -> Effect | None:
    """A change through the service of an entity: by name, or what a heir of `ServiceImpl` calls on itself."""
    if not call.args:
        return None
    bases = (", ".join(one.bases) for one in module.classes if one.name == function.owner)
    own = next(filter(None, map(_ITS_ENTITY.search, bases)), None)
    if call.receiver in ("", "this", "super") and "(" not in call.callee:
        known = own is not None and (_OF_ITS_OWN.match(call.name) or _OF_A_SERVICE.match(call.name))
        declared = any(f.name == call.name and f.owner == function.owner for f in module.functions)
        if not known or declared or own is None:
            return None
        return Effect("db.write", call, table=own[1].lower(), target=call.name)
    if _OF_A_SERVICE.match(call.name) and call.receiver.lower().endswith("service"):
        return Effect("db.write", call, table=call.receiver[: -len("service")].lower(), target=call.name)
    return None


_SETTER = re.compile(r"set[A-Z]")
_A_STORE = re.compile(r"store$", re.IGNORECASE)


_NODES = re.compile(r"create(Object|Array)Node$")


def _sets(call: Call, typed: str, module: Module) -> bool:
    """Whether a property of a bean is set, or a tree of Jackson's is begun: a `MerchantStore` is a shop, and
    keeps nothing.
    """
    if module.language == "java" and _NODES.match(call.name):
        return True
    return (
        module.language == "java"
        and _SETTER.match(call.name) is not None
        and _A_STORE.search(_ARGUED.split(typed, maxsplit=1)[0] or call.receiver) is not None
    )


# A whole statement that changes something, whatever the function is called that it is handed to.
_WHOLE = re.compile(
    r"insert\s+into\s+\S+.*(values|select|\()|update\s+\S+\s+(\w+\s+)?set\s|delete\s+from\s+\S+\s*(where\b|;|$)",
    re.IGNORECASE | re.DOTALL,
)
_BEGINS = re.compile(r"[\"'`]\s*(begin|start transaction)\b", re.IGNORECASE)
_ENDS = re.compile(r"[\"'`]\s*commit\b", re.IGNORECASE)


def _is_whole(text: str) -> bool:
    return text[:1] in "\"'`frb" and _WHOLE.match(text.lstrip("frb").strip("\"'`\n ")) is not None


def bracket(call: Call) -> str:
    """Whether a statement that begins or ends a transaction is handed over: "tx", "commit" or ""."""
    said = call.args[0] if call.receiver and len(call.args) == 1 else ""
    return "tx" if _BEGINS.match(said) else "commit" if _ENDS.match(said) else ""


def _statement(text: str) -> re.Match[str] | None:
    """The SQL in a literal, None when `text` is not one."""
    if text[:1] not in "\"'`frb(":
        return None
    return words.SQL_STATEMENT.match(text.lstrip("frb(").strip("\"'`\n "))


def _of_statement(match: re.Match[str], call: Call) -> Effect:
    verb = match[1].split()[0].lower()
    return Effect("db.read" if verb == "select" else "db.write", call, table=match[2].lower(), target=verb)


_ANY_STORE = re.compile(r"(repo|repository|store|storage|dao|db)$", re.IGNORECASE)


def _kept_by(call: Call, typed: str) -> str:
    """What a repository keeps, by its name, or by its type or its owner where it has an everyday name."""
    named = call.receiver.lower()
    if not _ANY_STORE.match(named):
        return named
    *_, owner, _, _ = ("", "", *call.callee.split("."))
    if owner and owner not in ("self", "this") and len(owner) > 1:
        return owner.lower()
    return _ARGUED.split(typed, maxsplit=1)[0].rpartition(".")[2].strip("*&").lower() or named


def _table(text: str) -> str:
    match = re.match(r"(?:new\s+|&)?([A-Za-z_][\w.]*)", text)
    return match[1].rpartition(".")[2].lower() if match else ""
