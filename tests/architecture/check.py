#!/usr/bin/env python3
"""Holds the sources to the house: who may include whom, and which library stays where.

  check.py ROOT          lists every violation, exit 1 when there is one
  check.py --self-test   plants violations in a temporary tree; each must be found
"""
import pathlib
import re
import sys
import tempfile

# The floors, ground floor first. A module may include what lies on floors below its own, and of
# that only what the top of its CMakeLists.txt says ("May include: ...").
FLOORS = [["proto"], ["base"], ["event", "country", "log"], ["geo", "tally", "config"],
          ["feed", "store", "metrics"], ["pipeline", "http"], ["study"]]
FLOOR = {module: floor for floor, modules in enumerate(FLOORS) for module in modules}
# What crosses a process boundary: for those that answer.
MAY_LINK_PROTO = {"http", "study"}

# A library, and the only sources that may know it. Tests may use what they test with.
HEADERS = [
    ("Boost.Beast", re.compile(r"^boost/beast"),
     re.compile(r"^(lib/feed/connection[a-z_]*\.cpp|lib/http/server\.cpp|bench/feed/[a-z_]+\.cpp|tests/.*)$")),
    ("prometheus-cpp", re.compile(r"^prometheus/"), re.compile(r"^(lib|tests)/metrics/")),
    ("RocksDB", re.compile(r"^rocksdb/"), re.compile(r"^(lib/store|tests)/")),
    ("simdjson", re.compile(r"^simdjson"), re.compile(r"^(lib/feed|daemon|bench|tests)/")),
    ("toml++", re.compile(r"^toml\+\+"), re.compile(r"^(lib/config|bench|tests)/")),
]
LINKS = [
    ("prometheus-cpp", re.compile(r"prometheus-cpp::"), re.compile(r"^(lib|tests)/metrics/")),
    ("RocksDB", re.compile(r"RocksDB::"), re.compile(r"^(lib/store|tests)/")),
]
ONE_FILE_EACH = [("Boost.Beast", re.compile(r"^boost/beast"), "lib/feed/"),
                 ("Boost.Beast", re.compile(r"^boost/beast"), "bench/feed/")]
# They test what lib/ does: its errors must not be theirs.
STRANGERS = ["bench/feed/"]

# What a packager's -DNDEBUG would switch off in silence, and what would say nothing to the log.
BARE_CHECK = re.compile(r"(?<!\w)(?:assert|std::abort)\s*\(")
COMMENT = re.compile(r"//.*")
MAY_ABORT = "lib/base/check.cpp"

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
OURS = re.compile(r"geotally::([a-z_]+)|\bgeotally_([a-z]+)\b(?!\s*\()")
SOURCES = {".cpp", ".h", ".inc"}


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def stated(cmake_text):
    """The modules that a CMakeLists.txt says it may include; None = it does not say."""
    comment = "\n".join(line.lstrip("# ") for line in cmake_text.splitlines()
                        if line.startswith("#"))
    match = re.search(r"May include:\s*([^.]*)\.", comment)
    if not match:
        return None
    words = re.sub(r"\([^)]*\)", "", match.group(1))
    if words.strip() == "nothing of ours":
        return set()
    return {word.strip() for word in words.split(",")}


def check(root):
    found = []

    def violation(path, line, message):
        found.append(f"{path}:{line}: {message}")

    def allowed(module, other):
        return FLOOR[other] < FLOOR[module]

    says = {}
    for folder in sorted((root / "lib").iterdir()):
        if not folder.is_dir():
            continue
        module = folder.name
        cmake = folder / "CMakeLists.txt"
        if module not in FLOOR:
            violation(f"lib/{module}", 1, "is on no floor of the house")
            continue
        if not cmake.exists():
            violation(f"lib/{module}", 1, "has no CMakeLists.txt")
            continue
        text = cmake.read_text()
        says[module] = stated(text)
        if says[module] is None:
            violation(f"lib/{module}/CMakeLists.txt", 1, 'does not say what it "May include: "')
            says[module] = set()
        for other in sorted(says[module]):
            if other not in FLOOR:
                violation(f"lib/{module}/CMakeLists.txt", 1, f"may include {other}, which is no module")
            elif not allowed(module, other):
                violation(f"lib/{module}/CMakeLists.txt", 1,
                          f"may include {other}, which is not below {module}")
        code = re.sub(r"#.*", "", text)
        for match in OURS.finditer(code):
            other = match.group(1) or match.group(2)
            if other == module or other == "library":
                continue
            if other == "proto":
                if module not in MAY_LINK_PROTO:
                    violation(f"lib/{module}/CMakeLists.txt", line_of(code, match.start()),
                              "links proto, which is for those that answer")
            elif other not in says[module]:
                violation(f"lib/{module}/CMakeLists.txt", line_of(code, match.start()),
                          f"links {other}, which it does not say it may include")

    knows = {}  # (library, prefix) -> files
    files = [path for part in ("lib", "daemon", "bench", "tests") if (root / part).exists()
             for path in sorted((root / part).rglob("*")) if path.suffix in SOURCES]
    for path in files:
        name = path.relative_to(root).as_posix()
        text = path.read_text(errors="replace")
        in_lib = name.startswith("lib/")
        if in_lib and path.suffix != ".h" and name != MAY_ABORT:
            code = COMMENT.sub("", text)
            for match in BARE_CHECK.finditer(code):
                violation(name, line_of(code, match.start()),
                          "checks without GEOTALLY_CHECK (base/check.h)")
        module = name.split("/")[1] if in_lib else None
        for match in INCLUDE.finditer(text):
            line = line_of(text, match.start())
            quoted, header = match.group(1) == '"', match.group(2)
            first = header.split("/")[0]
            for library, pattern, where in HEADERS:
                if pattern.match(header) and not where.match(name):
                    violation(name, line, f"knows {library}")
            for library, pattern, prefix in ONE_FILE_EACH:
                if pattern.match(header) and name.startswith(prefix):
                    knows.setdefault((library, prefix), set()).add(name)
            if not quoted:
                if first in FLOOR and first != "proto" and (root / "lib" / header).exists():
                    violation(name, line, f"includes our own {header} in angle brackets")
                continue
            if header.startswith(".") or "/../" in header:
                violation(name, line, f"includes {header} by a relative path")
            ours = "/" in header and first in FLOOR and first != "proto"
            if not in_lib:
                ours = ours and (root / "lib" / header).exists()
            if ours and any(name.startswith(stranger) for stranger in STRANGERS):
                violation(name, line, f"shares {header} with what it tests")
            if not in_lib or module not in says:
                continue
            if not ours:
                if not header.startswith("geotally/v1/"):
                    violation(name, line, f'includes "{header}", which is not of the form "module/header.h"')
                elif module not in MAY_LINK_PROTO:
                    violation(name, line, f"includes {header}, which is for those that answer")
            elif first != module and first not in says[module]:
                why = "not below it" if not allowed(module, first) else "not in its CMakeLists.txt"
                violation(name, line, f"includes {first}, which is {why}")
    for (library, prefix), names in sorted(knows.items()):
        for name in sorted(names)[1:]:
            violation(name, 1, f"is a second file of {prefix} that knows {library}")

    cmakes = [path for part in ("lib", "daemon", "bench", "tests") if (root / part).exists()
              for path in sorted((root / part).rglob("CMakeLists.txt"))]
    for path in cmakes:
        name = path.relative_to(root).as_posix()
        code = re.sub(r"#.*", "", path.read_text())
        for library, pattern, where in LINKS:
            for match in pattern.finditer(code):
                if not where.match(name):
                    violation(name, line_of(code, match.start()), f"links {library}")
    return found


def self_test():
    def plant(root, files):
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def library(module, may, links=""):
        return (f"# {module}: a module.\n# May include: {may}. Must not include: others.\n"
                f"geotally_library({module} SOURCES a.cpp\n  LIBRARIES {links})\n")

    clean = {
        "lib/event/CMakeLists.txt": library("event", "nothing of ours"),
        "lib/event/event.h": "#include <cstdint>\n",
        "lib/tally/CMakeLists.txt": library("tally", "event", "geotally::event"),
        "lib/tally/tally.cpp": '#include "event/event.h"\n#include "tally/tally.h"\n'
                               "static_assert(true);  // nor assert() in words\n",
        "lib/store/CMakeLists.txt": library("store", "event, tally (the cells)",
                                            "geotally::tally\n PRIVATE_LIBRARIES RocksDB::rocksdb"),
        "lib/store/store.cpp": "#include <rocksdb/db.h>\n",
        "lib/feed/CMakeLists.txt": library("feed", "event"),
        "lib/feed/connection.cpp": "#include <boost/beast/websocket.hpp>\n",
        "lib/http/CMakeLists.txt": library("http", "tally", "geotally::proto"),
        "lib/http/server.cpp": '#include <boost/beast/http.hpp>\n#include "geotally/v1/api.pb.h"\n',
        "lib/metrics/CMakeLists.txt": library("metrics", "tally", "prometheus-cpp::core"),
        "lib/metrics/metrics.cpp": "#include <prometheus/registry.h>\n",
        "bench/feed/server.cpp": '#include <boost/beast/core.hpp>\n#include "world.h"\n',
        "tests/store/store_test.cpp": '#include <rocksdb/env.h>\n#include "store/store.h"\n',
        "tests/store/CMakeLists.txt": "target_link_libraries(t RocksDB::rocksdb)\n",
        "daemon/app.cpp": '#include "http/server.h"\n#include "app.h"\n',
    }
    planted = [  # a file, its text, a part of what must be said
        ("lib/event/event.h", '#include "tally/tally.h"\n', "includes tally, which is not below it"),
        ("lib/tally/tally.cpp", '#include "geo/resolver.h"\n', "includes geo, which is not below it"),
        ("lib/tally/tally.cpp", '  #  include "country/country.h"\n', "not in its CMakeLists.txt"),
        ("lib/tally/tally.cpp", '#include "tally.h"\n', "not of the form"),
        ("lib/tally/tally.cpp", '#include "../event/event.h"\n', "by a relative path"),
        ("lib/tally/tally.cpp", "#include <event/event.h>\n", "in angle brackets"),
        ("lib/tally/tally.cpp", '#include "geotally/v1/api.pb.h"\n', "for those that answer"),
        ("lib/feed/dialect.cpp", '#include "store/store.h"\n', "includes store, which is not below"),
        ("lib/store/codec.cpp", '#include "feed/cursor.h"\n', "includes feed, which is not below"),
        ("lib/feed/backoff.cpp", "#include <boost/beast/core.hpp>\n", "knows Boost.Beast"),
        ("lib/feed/connection_tls.cpp", "#include <boost/beast/ssl.hpp>\n", "a second file"),
        ("lib/http/routes.cpp", "#include <boost/beast/http.hpp>\n", "knows Boost.Beast"),
        ("bench/feed/session.cpp", "#include <boost/beast/core.hpp>\n", "a second file"),
        ("bench/feed/session.cpp", '#include "event/event.h"\n', "shares event/event.h"),
        ("daemon/app.cpp", "#include <prometheus/counter.h>\n", "knows prometheus-cpp"),
        ("lib/tally/tally.h", "#include <rocksdb/slice.h>\n", "knows RocksDB"),
        ("daemon/app.cpp", "#include <rocksdb/db.h>\n", "knows RocksDB"),
        ("lib/store/json.cpp", "#include <simdjson.h>\n", "knows simdjson"),
        ("lib/event/toml.cpp", "#include <toml++/toml.h>\n", "knows toml++"),
        ("lib/tally/CMakeLists.txt", library("tally", "event", "geotally::geo"), "links geo"),
        ("lib/tally/CMakeLists.txt", library("tally", "event, store"), "which is not below tally"),
        ("lib/tally/CMakeLists.txt", library("tally", "event", "geotally::proto"), "links proto"),
        ("lib/tally/CMakeLists.txt", library("tally", "event", "RocksDB::rocksdb"), "links RocksDB"),
        ("lib/http/CMakeLists.txt", library("http", "tally", "prometheus-cpp::core"), "links prometheus"),
        ("lib/tally/CMakeLists.txt", "geotally_library(tally SOURCES a.cpp)\n", "does not say"),
        ("lib/tally/CMakeLists.txt", library("tally", "event, clocks"), "which is no module"),
        ("lib/tally/tally.cpp", "void f(int i) {\n  assert(i > 0);\n}\n", "without GEOTALLY_CHECK"),
        ("lib/tally/tally.cpp", "void f() { std::abort(); }\n", "without GEOTALLY_CHECK"),
        ("lib/attic/CMakeLists.txt", library("attic", "event"), "on no floor"),
    ]
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "clean"
        plant(root, clean)
        failures += [f"clean tree: {line}" for line in check(root)]
        for number, (name, text, expected) in enumerate(planted):
            root = pathlib.Path(folder) / str(number)
            plant(root, clean | {name: text})
            found = check(root)
            if not any(line.startswith(name.rsplit("/", 1)[0]) and expected in line for line in found):
                failures.append(f"not found: {name}: {text.strip()!r}: {found}")
    print("\n".join(failures) or f"{len(planted)} planted violations, all found")
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2:
        print(__doc__)
        return 64
    found = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or "the house stands")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
