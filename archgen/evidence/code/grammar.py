"""What each language's syntax tree calls the things that we look for. Adding a language is
adding a table here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Grammar:
    """Node kinds by role. A block's role may be followed by the field whose range it covers: `try:body`."""

    language: str
    parser: str
    functions: tuple[str, ...]
    closures: tuple[str, ...]
    classes: tuple[str, ...]
    calls: dict[str, tuple[str, str]]
    imports: tuple[str, ...]
    blocks: dict[str, str]
    assignments: dict[str, tuple[str, str]]
    marks: tuple[str, ...]
    strings: tuple[str, ...]
    comments: tuple[str, ...]

    def kinds(self) -> tuple[str, ...]:
        return (
            *self.functions, *self.closures, *self.classes, *self.calls, *self.imports, *self.blocks,
            *self.assignments, *self.marks, *self.strings, *self.comments, "ERROR",
        )  # fmt: skip


PYTHON = Grammar(
    language="python",
    parser="python",
    functions=("function_definition",),
    closures=("lambda",),
    classes=("class_definition",),
    calls={"call": ("function", "arguments")},
    imports=("import_statement", "import_from_statement"),
    blocks={
        "for_statement": "loop",
        "while_statement": "loop",
        "try_statement": "try:body",
        "except_clause": "catch",
        "finally_clause": "finally",
        "with_statement": "with:body",
        "if_statement": "branch:consequence",
        "elif_clause": "branch",
        "else_clause": "branch",
        "case_clause": "branch",
    },
    assignments={"assignment": ("left", "right")},
    marks=("decorator",),
    strings=("string",),
    comments=("comment",),
)

_SCRIPT_BLOCKS = {
    "for_statement": "loop",
    "for_in_statement": "loop",
    "while_statement": "loop",
    "do_statement": "loop",
    "try_statement": "try:body",
    "catch_clause": "catch",
    "finally_clause": "finally",
    "if_statement": "branch:consequence",
    "else_clause": "branch",
    "switch_case": "branch",
}
TYPESCRIPT = Grammar(
    language="typescript",
    parser="typescript",
    functions=(
        "function_declaration", "generator_function_declaration", "method_definition", "function_expression",
        "arrow_function",
    ),
    closures=(),
    classes=("class_declaration", "abstract_class_declaration", "interface_declaration"),
    calls={"call_expression": ("function", "arguments"), "new_expression": ("constructor", "arguments")},
    imports=("import_statement",),
    blocks=_SCRIPT_BLOCKS,
    assignments={
        "variable_declarator": ("name", "value"),
        "public_field_definition": ("name", "value"),
        "assignment_expression": ("left", "right"),
        "pair": ("key", "value"),
    },
    marks=("decorator",),
    strings=("string", "template_string"),
    comments=("comment",),
)  # fmt: skip
GO = Grammar(
    language="go",
    parser="go",
    functions=("function_declaration", "method_declaration"),
    closures=("func_literal",),
    classes=("type_spec",),
    calls={"call_expression": ("function", "arguments"), "composite_literal": ("type", "body")},
    imports=("import_spec",),
    blocks={
        "for_statement": "loop",
        "if_statement": "branch:consequence",
        "expression_case": "branch",
        "communication_case": "branch",
        "type_case": "branch",
        "default_case": "branch",
        "defer_statement": "finally",
        "go_statement": "spawn",
    },
    assignments={
        "short_var_declaration": ("left", "right"),
        "assignment_statement": ("left", "right"),
        "var_spec": ("name", "value"),
    },
    marks=(),
    strings=("interpreted_string_literal", "raw_string_literal"),
    comments=("comment",),
)
JAVA = Grammar(
    language="java",
    parser="java",
    functions=("method_declaration", "constructor_declaration"),
    closures=("lambda_expression",),
    classes=(
        "class_declaration",
        "interface_declaration",
        "record_declaration",
        "enum_declaration",
        "annotation_type_declaration",
    ),
    calls={"method_invocation": ("name", "arguments"), "object_creation_expression": ("type", "arguments")},
    imports=("import_declaration",),
    blocks={
        "for_statement": "loop",
        "enhanced_for_statement": "loop",
        "while_statement": "loop",
        "do_statement": "loop",
        "try_statement": "try:body",
        "try_with_resources_statement": "try:body",
        "catch_clause": "catch",
        "finally_clause": "finally",
        "if_statement": "branch:consequence",
        "switch_block_statement_group": "branch",
    },
    assignments={"variable_declarator": ("name", "value"), "assignment_expression": ("left", "right")},
    marks=("annotation", "marker_annotation"),
    strings=("string_literal",),
    comments=("line_comment", "block_comment"),
)

BY_SUFFIX: dict[str, tuple[Grammar, str]] = {
    ".py": (PYTHON, "python"),
    ".ts": (TYPESCRIPT, "typescript"),
    ".mts": (TYPESCRIPT, "typescript"),
    ".cts": (TYPESCRIPT, "typescript"),
    ".tsx": (TYPESCRIPT, "tsx"),
    ".js": (TYPESCRIPT, "tsx"),
    ".mjs": (TYPESCRIPT, "tsx"),
    ".cjs": (TYPESCRIPT, "tsx"),
    ".jsx": (TYPESCRIPT, "tsx"),
    ".go": (GO, "go"),
    ".java": (JAVA, "java"),
}
LANGUAGES = ("python", "typescript", "go", "java")
