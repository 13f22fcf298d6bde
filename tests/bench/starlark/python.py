# Runs or compiles one of the programs under CPython: python.py [-check] FILE. What Starlark predeclares, as nearly as Python has it.
import json as _json
import sys
import types

sys.setrecursionlimit(100000)
sys.set_int_max_str_digits(0)


class json:
    encode = staticmethod(lambda x: _json.dumps(x, separators=(",", ":"), sort_keys=True))
    decode = staticmethod(_json.loads)


def struct(**fields):
    return types.SimpleNamespace(**fields)


with open(sys.argv[-1]) as file:
    source = file.read()
code = compile(source, sys.argv[-1], "exec")
if sys.argv[1] != "-check":
    exec(code, {"struct": struct, "json": json})
