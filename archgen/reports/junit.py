"""The audit as JUnit XML for CI servers: a suite per item, a case for its verdict and one per rule.

A case fails where the exit code counts it: warnings and errors that are new, not suppressed, and on changed
lines where a change is judged. What is known, suppressed or elsewhere is skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from archgen.checklist import Audit, ItemResult
from archgen.console import printable
from archgen.rules.model import Finding, Rule, Severity, Verdict


def render(audit: Audit) -> str:
    """One XML document."""
    root = Element("testsuites", name="archgen checklist audit")
    for item in audit.items:
        suite = SubElement(root, "testsuite", name=item.id)
        _verdict(suite, item, audit)
        for rule in audit.rules:
            if rule.item == item.id and rule.kind == "defect":
                _rule(suite, rule, item)
        _count(suite, [suite], skipped=True)
    _count(root, root.iter("testsuite"))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _verdict(suite: Element, item: ItemResult, audit: Audit) -> None:
    case = _case(suite, item.id, f"verdict: {item.title}")
    reason = _clean(f"{item.verdict.value}: {item.reason}")
    if item.verdict is Verdict.ERROR:
        SubElement(case, "error", message=reason, type="error")
    elif item.decides and not audit.since:
        SubElement(case, "failure", message=reason, type="fail")
    elif item.verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE):
        SubElement(case, "skipped", message=reason, type=item.verdict.value)
    else:
        SubElement(case, "system-out").text = reason


def _rule(suite: Element, rule: Rule, item: ItemResult) -> None:
    case = _case(suite, item.id, f"{rule.id}: {rule.title}")
    found = [f for f in (*item.findings, *item.suppressed) if f.rule == rule.id]
    counted = [f for f in found if f.decides and f.severity > Severity.NOTE]
    if counted:
        told = SubElement(case, "failure", message=_clean(_told(counted[0])), type=str(counted[0].severity))
        told.text = _clean("\n".join(_told(f) for f in counted) + f"\n{rule.remedy}")
    elif waived := [f for f in found if not f.decides]:
        SubElement(case, "skipped", message=_clean(_waived(waived[0])), type="waived")
    elif not found and not item.verdict.judged:
        # a rule that had nothing to look at is no pass
        reason = f"the item is {item.verdict.value.replace('_', ' ')}"
        SubElement(case, "skipped", message=reason, type=item.verdict.value)
    rest = [f for f in found if f not in counted]
    if rest:
        SubElement(case, "system-out").text = _clean("\n".join(f"{_told(f)}{_waived(f)}" for f in rest))


def _told(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file or "the project"
    return f"{place}: {finding.message}"


def _waived(finding: Finding) -> str:
    if finding.suppressed is not None:
        return f" (suppressed until {finding.suppressed.until}: {finding.suppressed.reason})"
    if finding.known:
        return " (known, in the baseline)"
    return "" if finding.changed else " (not on a changed line)"


def _case(suite: Element, item: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=f"checklist.{item}", name=_clean(name))


def _count(element: Element, suites: Iterable[Element], *, skipped: bool = False) -> None:
    cases = [case for suite in suites for case in suite.findall("testcase")]
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", str(sum(case.find("error") is not None for case in cases)))
    if skipped:
        element.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _clean(text: str) -> str:
    """XML has no way to write control characters, not even escaped."""
    return printable(text)
