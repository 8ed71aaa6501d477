"""The rules of the house as data, and the function that finds what breaks them.

breaches(root) looks at a source tree and returns one sentence per breach, sorted, each beginning with file:line.
Standard library only.
"""
import re

# Who may include whom. An entry is a room, or one header of a room whose other headers stay closed: a detector can
# read the facts, and cannot reach the histories that they come from. Room order: lower rooms first.
LAYERS = {
    "base": [],
    "statistics": ["base"],
    "catalogue": ["base"],
    "client": ["base"],
    "event": ["base"],
    "intel": ["base", "event"],
    "history": ["base", "statistics", "event"],
    "detect": ["base", "statistics", "catalogue", "event", "intel", "history/facts.h"],
    "judge": ["base", "statistics", "catalogue", "event", "detect"],
    "engine": ["base", "statistics", "catalogue", "event", "intel", "history", "detect", "judge"],
    "alert": ["base", "statistics", "catalogue", "event", "intel", "detect/suspicion.h", "detect/reasons.h",
              "detect/first_touch.h", "judge/verdict.h",
              "engine/finding.h", "engine/decision.h"],
    "source": ["base", "client", "event"],
    "sink": ["base", "catalogue", "client", "alert"],
    "store": ["base", "catalogue", "event", "alert"],
    "estate": ["base", "catalogue", "event", "intel", "history", "detect", "engine", "alert", "source"],
    "api": ["base", "catalogue", "alert", "store", "history/facts.h"],
    "workload": ["base", "event"],
    "evaluation": ["base", "statistics", "catalogue", "event", "alert", "workload"],
    "config": ["base", "catalogue", "client", "event", "intel", "history/teams.h", "judge/budget.h", "alert", "source",
               "sink", "store", "api"],
    "serve": ["base", "catalogue", "client", "event", "intel", "history", "detect/observation.h", "detect/detectors.h",
              "engine", "alert", "source", "sink", "store", "estate", "api", "config"],
}
EVERYTHING = "command"  # includes every room; nobody includes it
WITH_WALL_CLOCK = ("serve", EVERYTHING)

# Words that say nothing about what a thing is.
EMPTY_WORDS = {"util", "utils", "utility", "helper", "helpers", "manager", "managers", "common", "misc"}

LINE_WIDTH = 120
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
IDENTIFIER = re.compile(r"(?<![\w:])(?:(?!std::)[A-Za-z_]\w*::)*([A-Za-z_]\w*)")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# (what it looks like, what is said about it, the rooms it is about or None for all but command)
DECIDING_ROOMS = ("statistics", "history", "detect", "judge", "engine")
ALL_ROOMS = tuple(LAYERS) + (EVERYTHING,)
FORBIDDEN = [
    (re.compile(r"\b(?:\w+_clock|gettimeofday|clock_gettime|localtime\w*|gmtime\w*)\b"
                r"|(?<![\w.>:])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&\w+)\s*\)"),
     "asks the wall clock; only serve/ and command/ may, the other rooms know event time",
     tuple(room for room in ALL_ROOMS if room not in WITH_WALL_CLOCK)),
    (re.compile(r"\busing\s+namespace\s+std\b"), "opens namespace std", ALL_ROOMS),
    (re.compile(r"\bshared_ptr\b"), "shares ownership; every value here has one owner", ALL_ROOMS),
    (re.compile(r"\bthread_local\b"), "keeps state that is neither a value nor passed", ALL_ROOMS),
    (re.compile(r"(?<![\w:])new\s+[A-Za-z_:]|(?<!=)\s\bdelete\s*(?:\[\s*\])?\s+[A-Za-z_]"),
     "allocates by hand; use a container or std::unique_ptr", ALL_ROOMS),
    (re.compile(r"(?<!\w)throw\b"), "throws; errors are values here (base/result.h)", ALL_ROOMS),
    (re.compile(r"^\s*#\s*define\s+(?!CHECK\()\w+\("), "defines a macro; CHECK is the only one", ALL_ROOMS),
    (re.compile(r"\b(?:[Jj]son|ordered_json)::(?:sax_)?parse\s*\("),
     "parses JSON that may be deep or large; use base/bounded_json.h",
     tuple(room for room in ALL_ROOMS if room != "base")),
    (re.compile(r"\bstd::(?:log|log2|log10|log1p|exp|exp2|expm1|pow|sin|cos|tan|tanh|lgamma|tgamma|erf|erfc|cbrt|hypot)"
                r"[fl]?\s*\("),
     "calls libm where decisions are made; only sqrt, floor and fma give equal bits everywhere", DECIDING_ROOMS),
]


def without_comments_and_strings(text):
    """The same text with comments, strings and character literals blanked; line numbers and columns stay."""
    pattern = re.compile(r'R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
                         r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'", re.DOTALL)
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def words_of(name):
    return [word.lower() for word in WORD.findall(name)]


def snake_case(name):
    """SuspiciousIPAccess -> suspicious_ip_access, TORAccess -> tor_access."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def may_include(room, header):
    if room == EVERYTHING:
        return True
    target = header.split("/")[0]
    return target == room or target in LAYERS[room] or header in LAYERS[room]


def include_breaches(root, name, lines):
    room = name.split("/")[1]
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        header = found.group(1)
        if not (root / "src" / header).is_file():
            yield f"{name}:{number}: includes \"{header}\", which is no file under src/ (write \"room/file.h\")"
        elif not may_include(room, header):
            allowed = ", ".join(LAYERS[room]) or "nothing"
            yield f"{name}:{number}: room {room} may not include {header} (it may include {allowed})"


def code_breaches(name, text):
    """What holds inside src/ only."""
    room = name.split("/")[1]
    code = without_comments_and_strings(text)
    for number, line in enumerate(code.split("\n"), 1):
        for pattern, what, rooms in FORBIDDEN:
            if room in rooms and pattern.search(line):
                yield f"{name}:{number}: {what}"
        if not INCLUDE.match(line) and not line.lstrip().startswith("#include"):
            for identifier in IDENTIFIER.findall(line):
                empty = EMPTY_WORDS.intersection(words_of(identifier))
                if empty:
                    yield f"{name}:{number}: the name {identifier} says '{empty.pop()}', which says nothing"
    if not text.isascii():
        yield f"{name}:1: holds characters outside ASCII"
    if name.endswith(".h"):
        lines = text.split("\n")
        opening = lines[0]
        if not opening.startswith("// ") or len(opening) < 20 or "SPDX" in opening:
            yield f"{name}:1: a header opens with a comment that says what it is"
        if "#pragma once" not in lines:
            yield f"{name}:1: a header has #pragma once"


def text_breaches(name, lines):
    for number, line in enumerate(lines, 1):
        if not name.endswith(".md") and len(line) > LINE_WIDTH:
            yield f"{name}:{number}: {len(line)} characters, {LINE_WIDTH} are the limit"
        if UNFINISHED.search(line):
            yield f"{name}:{number}: marks unfinished work; finish it or file an issue"


def name_breaches(name):
    for part in name.split("/"):
        stem = part.split(".")[0]
        empty = EMPTY_WORDS.intersection(words_of(stem))
        if empty:
            yield f"{name}:1: the file name says '{empty.pop()}', which says nothing"
        if re.search(r"_\d+$", stem):
            yield f"{name}:1: the file name ends in a number"
        if re.search(r"\.(?:h|cpp|py|sh)$", part) and not re.fullmatch(r"[a-z][a-z0-9_]*", stem):
            yield f"{name}:1: source files are named in snake_case"


def build_breaches(root, names):
    """Every file of src/ lies where the build's globs find it, and CMake's rooms are the rooms of the table."""
    cmake = (root / "CMakeLists.txt").read_text()
    if not re.search(r"GLOB\s+\w+\s+CONFIGURE_DEPENDS\s+\$\{CMAKE_SOURCE_DIR\}/src/\$\{name\}/\*\.cpp", cmake):
        yield "CMakeLists.txt:1: add_room no longer finds its sources by glob"
    linked = {found.group(1): re.sub(r"\b(?:ROOMS|COLD)\b", "", re.split(r"\s+LIBRARIES\s+", found.group(2))[0]).split()
              for found in re.finditer(r"^add_room\((\w+)((?:\s+[\w:.-]+)*)\s*\)", cmake, re.MULTILINE)}
    for room in linked:
        if "LIBRARIES" in linked[room]:
            linked[room] = linked[room][:linked[room].index("LIBRARIES")]
    for room in ALL_ROOMS:
        if room not in linked:
            yield f"CMakeLists.txt:1: room {room} of the table has no add_room"
    for room, links in linked.items():
        if room not in ALL_ROOMS:
            yield f"CMakeLists.txt:1: add_room({room}) names no room of the table"
        elif room != EVERYTHING:
            for other in links:
                if other not in [entry.split("/")[0] for entry in LAYERS[room]]:
                    yield f"CMakeLists.txt:1: room {room} links {other}, which the table does not let it include"
    for name in names:
        if not name.startswith("src/"):
            continue
        parts = name.split("/")
        if len(parts) != 3:
            yield f"{name}:1: not in a room: files lie at src/<room>/<file>, and the build looks nowhere else"
        elif parts[1] not in ALL_ROOMS:
            yield f"{name}:1: {parts[1]} is no room of the table in tests/layering/house_rules.py"
        elif not re.search(r"\.(?:h|cpp)$", name):
            yield f"{name}:1: only .h and .cpp files lie in src/; the build does not see this one"


def alert_breaches(root, names):
    """KV_<Name> -> src/detect/<name>.cpp, docs/alerts/KV_<Name>.md, tests/cases/KV_<Name>/: by rule, not by list."""
    enum = (root / "src/catalogue/alert_type.h").read_text()
    types = re.findall(r"^\s*k(\w+)\s*=\s*\d+,", enum, re.MULTILINE)
    count = re.search(r"kAlertTypeCount\s*=\s*(\d+)", enum)
    if not count or int(count.group(1)) != len(types):
        yield "src/catalogue/alert_type.h:1: kAlertTypeCount is not the number of alert types"
    table = (root / "src/detect/detectors.h").read_text()
    rows = re.findall(r"\{AlertType::k(\w+),\s*(\w+)\}", table)
    if not rows:
        yield "src/detect/detectors.h:1: kDetectors has no row"
    order = [types.index(alert) for alert, _ in rows if alert in types]
    if order != sorted(order):
        yield "src/detect/detectors.h:1: the rows of kDetectors are not in the order of AlertType"
    for alert, function in rows:
        expected = snake_case(alert)
        if function != expected:
            yield f"src/detect/detectors.h:1: KV_{alert} is decided by {function}; by rule it is {expected}"
        source = root / "src/detect" / f"{expected}.cpp"
        if not source.is_file():
            yield f"src/detect/detectors.h:1: KV_{alert} has no src/detect/{expected}.cpp"
        elif not re.search(rf"^Suspicions {expected}\(", source.read_text(), re.MULTILINE):
            yield f"src/detect/{expected}.cpp:1: does not define Suspicions {expected}(...)"
    for alert in types:
        if f"docs/alerts/KV_{alert}.md" not in names:
            yield f"docs/alerts/KV_{alert}.md:1: the page about KV_{alert} is missing"
    codes = {f"KV_{alert}" for alert in types}
    for name in names:
        found = re.match(r"(?:docs/alerts|tests/cases)/(KV_\w+)", name)
        if found and found.group(1) not in codes:
            yield f"{name}:1: {found.group(1)} is no alert type"


def files_of(root):
    """Files that the rules are about, as names relative to root with forward slashes, sorted."""
    places = ["src", "tests", "tools", "docs", ".ci"]
    found = [path for place in places for path in (root / place).rglob("*")]
    found += list(root.glob("*.md")) + list(root.glob("*.txt")) + [root / "Makefile"]
    names = [path.relative_to(root).as_posix() for path in found if path.is_file() and "__pycache__" not in path.parts]
    return sorted(names)


def breaches(root):
    names = files_of(root)
    found = list(build_breaches(root, names)) + list(alert_breaches(root, names))
    for name in names:
        data = re.match(r"tests/(?:data|cases|fuzz/corpus)/", name)
        if not data:
            found += name_breaches(name)
        if data or not re.search(r"\.(?:h|cpp|py|sh|md|cmake|txt)$|Makefile$|\.ci/run$", name):
            continue
        text = (root / name).read_text()
        lines = text.split("\n")
        found += text_breaches(name, lines)
        if re.fullmatch(r"src/[^/]+/[^/]+\.(?:h|cpp)", name) and name.split("/")[1] in ALL_ROOMS:
            found += include_breaches(root, name, lines)
            found += code_breaches(name, text)
    return sorted(found)
