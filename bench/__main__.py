"""`python -m bench`: list the benchmarks, or run one by its name."""

import ast
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import bench


def benchmarks() -> dict[str, str]:
    """Name and first docstring line of each module of the package that has a `main`; none is imported for it."""
    found = {}
    for path in sorted(Path(bench.__path__[0]).glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem.replace("_", "-")] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def main(argv: Sequence[str]) -> int:
    """Run the benchmark named first with the options after it; without a name, list them all."""
    if not argv or argv[0] in ("-h", "--help"):
        print("python -m bench NAME [--json FILE] [--help]")
        for name, question in benchmarks().items():
            print(f"  {name:<16} {question}")
        return 0
    name, *options = argv
    if name not in benchmarks():
        print(f"There is no benchmark {name[:40]!r}. Known: {', '.join(benchmarks())}.", file=sys.stderr)
        return 2
    code: int = importlib.import_module(f"bench.{name.replace('-', '_')}").main(options)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
