"""`make shape`: count what is too long and which names are used twice; exit with 1 when a hard limit is broken."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("aleatoria", "chat", "matchmaking")
COUNTED = (*PRODUCT, "benchmarks", "tools")
GENERATED = {"node_modules", "__pycache__", "migrations"}
MODULE, METHODS, FUNCTION = "lines in a module", "methods in a class", "lines in a function"
LIMITS = {MODULE: (200, 300), METHODS: (15, 20), FUNCTION: (25, 30)}
"""Of each measure, the value to aim for and the hard limit."""
MEDIAN_LIMIT = 6
SAME_NAME_IS_FINE = {"Command"}
"""Django finds each command by this name of its class."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Measurement = tuple[str, int, str]
"""What was measured, its value, and where."""


def files(folders: Iterable[str], *suffixes: str) -> Iterator[Path]:
    """The files of the folders that somebody has written by hand, with one of the suffixes."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in suffixes and not GENERATED.intersection(file.parts):
                yield file


def functions_in(tree: ast.AST) -> list[Function]:
    """All functions and methods, nested ones included."""
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def classes_in(tree: ast.AST) -> list[ast.ClassDef]:
    """All classes, nested ones included."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def length(function: Function) -> int:
    """The lines of a function, from `def` to its end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def measured(place: str, tree: ast.AST) -> Iterator[Measurement]:
    """The classes and functions of a module."""
    for owner in classes_in(tree):
        methods = sum(isinstance(node, FUNCTIONS) for node in owner.body)
        yield METHODS, methods, f"{place}:{owner.lineno} {owner.name}"
    for function in functions_in(tree):
        yield FUNCTION, length(function), f"{place}:{function.lineno} {function.name}"


def imported_modules(tree: ast.AST) -> set[str]:
    """The names under which a module has imported modules: with `import`, and ours with `from` too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = ROOT / node.module.replace(".", "/")
            ours = {file.stem for file in package.glob("*") if file.suffix == ".py" or file.is_dir()}
            found |= {alias.asname or alias.name for alias in node.names if alias.name in ours}
    return found


def locals_in(function: Function) -> Iterator[tuple[str, int]]:
    """Each argument and local variable of a function, with its line."""
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def shadows(place: str, tree: ast.AST) -> set[str]:
    """The locals of a module that have the name of a module imported there."""
    imported = imported_modules(tree)
    found = (local for function in functions_in(tree) for local in locals_in(function))
    return {f"{place}:{line} the local {name} shadows an imported module" for name, line in found if name in imported}


def same_names(trees: dict[str, ast.Module]) -> list[str]:
    """The classes of the product that share their name with another one."""
    places = defaultdict(list)
    for place, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and place.startswith(PRODUCT):
                places[node.name].append(f"{place}:{node.lineno}")
    clashes = {name: where for name, where in places.items() if len(where) > 1 and name not in SAME_NAME_IS_FINE}
    return [f"{', '.join(where)} share the class name {name}" for name, where in sorted(clashes.items())]


def main() -> int:
    """Print what exceeds what is aimed for, then what breaks a hard limit; 1 if there is any of the latter, else 0."""
    shown = {file: file.relative_to(ROOT).as_posix() for file in files((*COUNTED, "tests"), ".py", ".lua", ".js")}
    found = [(MODULE, len(file.read_text().splitlines()), place) for file, place in shown.items()]
    python = {place: file for file, place in shown.items() if file.suffix == ".py" and place.startswith(COUNTED)}
    trees = {place: ast.parse(file.read_text()) for place, file in python.items()}
    found += [measurement for place, tree in trees.items() for measurement in measured(place, tree)]
    middle = median(length(function) for tree in trees.values() for function in functions_in(tree))
    for what, (aim, limit) in LIMITS.items():
        long = sorted(((count, place) for name, count, place in found if name == what and count > aim), reverse=True)
        print(f"{len(long)} with more than {aim} {what}; the hard limit is {limit}")
        print("".join(f"  {count:5} {place}\n" for count, place in long), end="")
    print(f"The median function has {middle:g} lines; the hard limit is {MEDIAN_LIMIT}")
    broken = [f"{place} has {count} {what}" for what, count, place in found if count > LIMITS[what][1]]
    broken += [f"the median function has {middle:g} lines"] if middle > MEDIAN_LIMIT else []
    broken += same_names(trees) + sorted(line for place, tree in trees.items() for line in shadows(place, tree))
    print(f"{len(broken)} hard limits are broken", *broken, sep="\n  ")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
