"""Writes docs/api from the docstrings of what is public.

    python tools/api_reference.py           # write what has changed
    python tools/api_reference.py --check   # write nothing; 1 if any would

One page for each room of `bbh_tf`; what a room's `__all__` names is public.
"""

import argparse
import inspect
import pathlib
import re
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / "docs" / "api"
_NOTE = (
    "<!-- Written by tools/api_reference.py from the docstrings. Do not edit. "
    "-->\n"
)
# Sections of a docstring; those whose entries are `name: text` first.
_ENTRIES = ("Args", "Attributes", "Raises")
_SECTION = re.compile(
    r"^(Args|Attributes|Raises|Returns|Yields|References|Example|Examples|"
    r"Input shape|Output shape)(:.*)$"
)
_KERAS = (
    "build_from_config",
    "compile_from_config",
    "compute_mask",
    "compute_output_shape",
    "compute_output_spec",
    "from_config",
    "get_build_config",
    "get_config",
)
_ENTRY = re.compile(r"^    (?! )(\*{0,2}[\w, .`*]+): ?(.*)$")


def pages():
    """Returns a dictionary from file names to texts."""
    import bbh_tf

    rooms = [
        (name, getattr(bbh_tf, name))
        for name in bbh_tf.__all__
        if inspect.ismodule(getattr(bbh_tf, name))
    ]
    texts = {f"{name}.md": _page(name, room) for name, room in rooms}
    lines = [_NOTE, "# API reference\n"]
    for name, room in rooms:
        summary = _summary(room)
        lines.append(f"- [`bbh_tf.{name}`]({name}.md): {summary}")
    texts["README.md"] = "\n".join(lines) + "\n"
    return texts


def _page(name, room):
    parts = [_NOTE, f"# bbh_tf.{name}\n", _prose(inspect.getdoc(room))]
    public = getattr(room, "__all__", None) or _own_names(room)
    for member in public:
        parts.append(_member(f"bbh_tf.{name}.{member}", getattr(room, member)))
    return "\n".join(parts).rstrip() + "\n"


def _own_names(module):
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
    ]


def _member(path, value):
    name = path.rpartition(".")[2]
    if inspect.ismodule(value):
        inner = [
            _member(f"{path}.{key}", getattr(value, key))
            for key in getattr(value, "__all__", None) or _own_names(value)
        ]
        doc = _prose(inspect.getdoc(value))
        return "\n".join([f"## `{path}`\n", doc, *inner])
    if inspect.isclass(value):
        methods = [
            f"#### `{name}.{key}`\n{_call(key, method)}\n{_prose(doc)}"
            for key, method, doc in _methods(value)
        ]
        heading = f"### `{path}`\n{_call(name, value)}"
        return "\n".join([heading, _prose(inspect.getdoc(value)), *methods])
    if callable(value):
        heading = f"### `{path}`\n{_call(name, value)}"
        return f"{heading}\n{_prose(inspect.getdoc(value))}"
    return f"### `{path}`\n\n`{value!r}`\n"


def _methods(cls):
    """Methods and properties that classes of bbh_tf document."""
    found = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("bbh_tf"):
            continue
        for name, value in vars(base).items():
            if name.startswith("_") and name != "__call__":
                continue
            if isinstance(value, (classmethod, staticmethod)):
                value = value.__func__
            doc = getattr(value, "__doc__", None)
            is_method = inspect.isfunction(value) or isinstance(value, property)
            if is_method and doc and not doc.startswith("Refuses"):
                found[name] = (name, value, inspect.cleandoc(doc))
    # What Keras asks for is no news.
    for name in _KERAS:
        found.pop(name, None)
    return [found[name] for name in sorted(found)]


def _call(name, value):
    """How it is called, an argument a line where there are many."""
    if isinstance(value, property):
        return ""
    text = _signature(value)
    if len(name + text) > 76:
        arguments = "".join(f"    {a},\n" for a in _arguments(text))
        text = f"(\n{arguments})"
    return f"\n```text\n{name}{text}\n```\n"


def _arguments(text):
    """Splits `(a, b=(1, 2))` at the commas between arguments."""
    arguments, depth = [""], 0
    for character in text[1:-1]:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            arguments.append("")
        else:
            arguments[-1] += character
    return [argument.strip() for argument in arguments]


def _signature(value):
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return "(...)"
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls")
    ]
    text = str(inspect.Signature(parameters))
    # Addresses differ from run to run.
    return re.sub(r"<function (\w+) at 0x\w+>", r"\1", text)


def _summary(value):
    return inspect.getdoc(value).split("\n\n")[0].replace("\n", " ")


def _prose(doc):
    """Turns a docstring into Markdown."""
    lines, section, margin = [], None, None
    for line in (doc or "").splitlines():
        is_fence = line.strip().startswith("```")
        if is_fence and margin is None:
            margin = len(line) - len(line.lstrip())
        if margin is not None:
            lines.append(line[margin:])
            if is_fence and len(lines[-1]) == 3:
                margin = None
            continue
        heading = _SECTION.match(line)
        if heading:
            section = heading.group(1)
            lines += ["", f"**{section}**{heading.group(2)}", ""]
            continue
        entry = _ENTRY.match(line)
        if section in _ENTRIES and entry:
            lines.append(f"- `{entry.group(1)}`: {entry.group(2)}".rstrip())
        elif section in _ENTRIES and line.startswith("        "):
            lines.append("  " + line.strip())
        elif section and line.startswith("    "):
            lines.append(line[4:])
        else:
            if line and not line.startswith(" "):
                section = None
            lines.append(line)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return text.strip() + "\n"


def main():
    """Writes or checks, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    texts = pages()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    there = {path.name: path.read_text() for path in _FOLDER.glob("*.md")}
    changed = sorted(
        name for name in {*texts, *there} if texts.get(name) != there.get(name)
    )
    for name in changed:
        print(f"docs/api/{name}: out of date{'' if check else '; mended'}")
        if check:
            continue
        if name in texts:
            (_FOLDER / name).write_text(texts[name])
        else:
            (_FOLDER / name).unlink()
    if check and changed:
        print("`make api-reference` writes them anew.")
        sys.exit(1)


if __name__ == "__main__":
    main()
