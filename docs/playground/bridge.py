"""What the playground's page asks of cyclekit: a graph from the text of its fields, and all that follows from it."""

import ast
import json
import re
import warnings
from dataclasses import fields as fields_of
from difflib import get_close_matches

import cyclekit.graph
from cyclekit import papers
from cyclekit.errors import CycleKitError, NotationError
from cyclekit.graph import CycleGraph, Domain, Ramp, Schedule, StandIn
from cyclekit.graph.draw import table

TEXTS = ("cycles", "maps", "adversaries", "losses")
OPTIONS = {
    "weights": '{"c": 10}',
    "criteria": '{"c": "l2"}',
    "adversarial": '"hinge"',
    "functions": '["warp"]',
    "frozen": '["C"]',
    "optional": '["c"]',
    "schedule": "Schedule(history=0)",
}
KINDS = {
    name: kind
    for name, kind in vars(cyclekit.graph).items()
    if isinstance(kind, type) and issubclass(kind, Domain) and kind is not Domain
}
CHANGING = {"Ramp": Ramp, "Schedule": Schedule, "StandIn": StandIn}


class FieldError(ValueError):
    """What a field holds is not understood."""

    def __init__(self, field, message):
        super().__init__(message)
        self.field = field


class UnknownError(ValueError):
    """A piece of Python has a name that is not known there."""

    def __init__(self, name):
        super().__init__(name)
        self.name = name


def evaluated(field, text, names, wanted):
    """Return what a piece of Python says, where only some names are known."""
    try:
        return eval(text, {"__builtins__": {}, **names})
    except CycleKitError as error:
        raise FieldError(field, str(error)) from error
    except NameError as error:
        raise UnknownError(error.name) from error
    except TypeError as error:
        wanted = str(error).replace(".__init__()", "(...)")  # Ramp(...) got an unexpected keyword argument 'begin'
        raise FieldError(field, f"{text!r} is not understood: {wanted}") from error
    except Exception as error:
        raise FieldError(field, f"{text!r} is not understood: {wanted}") from error


def missing(kind, name, known):
    """Return that there is no such thing, what is near, and all that there are."""
    near = nearest(name, known)
    return f"there is no {kind} {name!r}{f'{near} There' if near else '; there'} are {', '.join(sorted(known))}"


def nearest(name, known):
    """Return ``": did you mean Image?"``, or nothing."""
    near = get_close_matches(name, known, n=1)
    return f": did you mean {near[0]}?" if near else ""


def read_signals(text):
    """Return the domains by name of ``x: Image(3), y* Image(3)``, a comma or a line each."""
    signals = {}
    text = re.sub(r"#.*", "", text)
    printed = re.match(r"\s*signals:\s+(?=\w+\**\s+\w+\()", text)
    for entry in re.split(r"[,\n](?![^(]*\))", text[printed.end() :] if printed else text):
        if not entry.strip():
            continue
        parts = re.fullmatch(r"([^\s:]+)(?:\s*:\s*|\s+)(.+)", entry.strip(), re.DOTALL)
        if parts is None:
            raise FieldError("signals", f"{entry.strip()!r}: expected a name and its domain, such as x: Image(3)")
        name, domain = parts.groups()
        wanted = "a domain is written such as Image(3), and a comma or a new line stands before the next signal"
        try:
            value = evaluated("signals", domain, KINDS, wanted)
        except UnknownError as error:
            raise FieldError("signals", missing("domain", error.name, KINDS)) from error
        if name in signals:
            raise FieldError("signals", f"{name!r} is declared twice")
        signals[name] = value() if isinstance(value, type) else value
    return signals


def read_options(text):
    """Return the arguments that ``weights={"I2I2I": 10}, adversarial="hinge"`` says."""
    found = {}
    for name, value in keywords(text):
        if name not in OPTIONS:
            raise FieldError("options", missing("option", name, OPTIONS))
        if name in found:
            raise FieldError("options", f"the option {name!r} is said twice")
        try:
            found[name] = evaluated("options", value, CHANGING, f"it is written such as {name}={OPTIONS[name]}")
        except UnknownError as error:
            mend = nearest(error.name, CHANGING) or f": a name stands in quotes, {json.dumps(error.name)}"
            raise FieldError("options", f"{name}: {error.name!r} is not understood{mend}") from error
    return found


def keywords(text):
    """Return the names and the values of Python keywords, the values as text."""
    opening = "dict(\n"
    line = text.strip()
    try:
        call = ast.parse(f"{opening}{text}\n)", mode="eval").body
        if isinstance(call, ast.Call) and not call.args and all(keyword.arg for keyword in call.keywords):
            return [(keyword.arg, ast.unparse(keyword.value)) for keyword in call.keywords]
    except SyntaxError as error:
        lines = text.split("\n")
        line = lines[min(max((error.lineno or 0) - opening.count("\n"), 1), len(lines)) - 1].strip()
    except Exception:
        line = text.strip()
    example = f"weights={OPTIONS['weights']}, adversarial={OPTIONS['adversarial']}"
    raise FieldError(
        "options", f"{line!r} is not understood: options are written as Python keywords, such as {example}"
    )


def read(fields):
    """Return the graph that the fields say."""
    texts = {name: fields.get(name, "") for name in TEXTS}
    return CycleGraph(read_signals(fields.get("signals", "")), **texts, **read_options(fields.get("options", "")))


def call(value):
    """Return the call that makes a value, without what is usual."""
    usual = {entry.name: entry.default for entry in fields_of(value)}
    said = {entry.name: getattr(value, entry.name) for entry in fields_of(value)}
    shown = [f"{name}={python(item)}" for name, item in said.items() if item != usual[name]]
    return f"{type(value).__name__}({', '.join(shown)})"


def python(value):
    """Return a value as Python; schedules and ramps without what is usual."""
    if isinstance(value, tuple(CHANGING.values())):
        return call(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {python(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(python, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def said(graph):
    """Return the options that are not the default, by name, as Python."""
    plain = CycleGraph({})
    found = {name: getattr(graph, name) for name in OPTIONS if getattr(graph, name) != getattr(plain, name)}
    return {name: python(dict(value) if hasattr(value, "items") else value) for name, value in found.items()}


def written(graph):
    """Return a graph as the text of the fields."""
    signals = "\n".join(f"{name}: {domain}" for name, domain in graph.signals.items())
    options = ",\n".join(f"{name}={value}" for name, value in said(graph).items())
    return {"signals": signals, **graph.equations, "options": options}


def code(graph):
    """Return a graph as the Python that makes it."""
    texts = {name: text for name, text in graph.equations.items() if text}
    options = said(graph)
    names = {type(domain).__name__ for domain in graph.signals.values()}
    names |= {name for name in CHANGING if re.search(rf"\b{name}\(", " ".join(options.values()))}
    lines = [f"from cyclekit import {', '.join(sorted({'CycleGraph', *names}))}", "", "graph = CycleGraph("]
    signals = ", ".join(f"{json.dumps(name)}: {domain}" for name, domain in graph.signals.items())
    lines.append(f"    signals={{{signals}}},")
    for name, text in texts.items():
        if "\n" in text:
            lines += [f'    {name}="""', *(f"        {line}".rstrip() for line in text.split("\n")), '    """,']
        else:
            lines.append(f"    {name}={json.dumps(text)},")
    return "\n".join([*lines, *(f"    {name}={value}," for name, value in options.items()), ")"])


def described(graph):
    """Return all that the page shows of a graph."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            graph.check()
            refused = ""
        except CycleKitError as error:
            refused = str(error)
    header, *rows = table(graph)
    networks = {name: network.role for name, network in graph.networks.items()}
    return {
        "text": str(graph),
        "table": {"header": header, "rows": rows},
        "plan": str(graph.plan()),
        "latex": graph.to_latex(),
        "mermaid": graph.to_mermaid(),
        "python": code(graph),
        "networks": networks,
        "notes": [*([refused] if refused else []), *(str(warning.message) for warning in caught)],
    }


def answered(make):
    """Return the fields and the description of a graph, or its error, as JSON."""
    try:
        graph = make()
        return json.dumps({"fields": written(graph), **described(graph)})
    except NotationError as error:
        return json.dumps({"error": str(error), "field": error.field, "line": error.line, "column": error.column})
    except FieldError as error:
        return json.dumps({"error": str(error), "field": error.field})
    except (CycleKitError, TypeError) as error:
        field = "signals" if str(error).startswith("signals") else "options"
        return json.dumps({"error": str(error), "field": field})


def describe(fields):
    """Answer what the fields say."""
    return answered(lambda: read(json.loads(fields)))


def paper(name):
    """Answer what a paper declares."""
    return answered(lambda: papers.create_paper(name).graph)


def edit(fields, how, what, value):
    """Answer an edit of what the fields say: ``without`` or ``reweight`` a term, ``unshare`` a network."""
    edits = {
        "without": lambda graph: graph.without(what),
        "unshare": lambda graph: graph.unshare(what),
        "reweight": lambda graph: graph.reweight({what: float(value)}),
    }
    return answered(lambda: edits[how](read(json.loads(fields))))


def list_papers():
    """Answer the names of the papers."""
    return json.dumps(papers.list_papers())
