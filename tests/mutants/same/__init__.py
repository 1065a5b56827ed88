"""Edits that change no behaviour, at places that chance picks: nothing that the audit says may change."""

from tests.mutants.model import Same
from tests.mutants.same import around, form, renames, structure
from tests.mutants.same.places import everywhere

ALL: tuple[Same, ...] = (
    Same("private names are changed", everywhere(renames.rename_private)),
    Same("private functions are renamed everywhere", renames.rename_private_everywhere),
    Same("public functions and classes are renamed everywhere", renames.rename_public),
    Same("the chassis has another name", renames.rename_folder("chassis", "plumbing")),
    Same("a service has another name", renames.rename_folder("payments", "billing")),
    Same("modules of the chassis have other names", renames.rename_modules),
    Same("modules are imported under other names", everywhere(renames.alias_imports, 200)),
    Same("results get a name before they are returned", everywhere(structure.name_results)),
    Same("functions are extracted", everywhere(structure.extract_functions, 40)),
    Same("lambdas become functions", everywhere(structure.name_lambdas, 60)),
    Same("numbers get a name", everywhere(structure.name_constants, 60)),
    Same("names of numbers are inlined", everywhere(structure.inline_constants, 60)),
    Same("modules are split", structure.split_module),
    Same("functions and methods change places", everywhere(form.reorder_functions)),
    Same("imports change places", everywhere(form.reorder_imports)),
    Same("named arguments change places", everywhere(form.reorder_keywords, 60)),
    Same("reformatted with short lines", everywhere(form.reformatted("--line-length=60"))),
    Same("reformatted with long lines", everywhere(form.reformatted("--line-length=200"))),
    Same(
        "reformatted with single quotes", everywhere(form.reformatted("--config=format.quote-style='single'"))
    ),
    Same("comments are dropped", everywhere(form.without_comments)),
    Same("comments are added that speak of defects", everywhere(form.with_comments)),
    Same("docstrings are dropped", everywhere(form.without_docstrings)),
    Same("blank lines are added", everywhere(form.with_blank_lines)),
    Same("type hints are dropped", everywhere(form.without_hints)),
    Same("an else follows a return", everywhere(form.else_after_return, 200)),
    Same("conditions are turned around", everywhere(form.flip_conditions, 60)),
    Same("everything wrong, where it never runs", around.decoys),
    Same("environments in compose are lists", around.compose_lists),
    Same("comments in YAML that speak of defects", around.yaml_comments),
    Same("processes change places", around.services_in_another_order),
)
