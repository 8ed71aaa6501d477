#!/usr/bin/env python3
"""The house rules hold in this tree; and each rule catches its breach when one is planted in a copy of a good tree.

Run by ctest, or by hand: python3 tests/layering/layering_test.py
"""
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import house_rules  # noqa: E402  (beside this file)

ROOT = pathlib.Path(__file__).resolve().parents[2]

ENUM = """// The alert types of the small tree of this test.
#pragma once
enum class AlertType {
  kTORAccess = 0,
  kUserAppAnomaly = 1,
};
inline constexpr int kAlertTypeCount = 2;
"""
TABLE = """// The detectors of the small tree of this test.
#pragma once
inline constexpr std::array<DetectorRow, 1> kDetectors = {{
    {AlertType::kTORAccess, tor_access},
}};
"""
HEADER = "// Says what it is, as every header does.\n#pragma once\n"


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def small_good_tree(root):
    rooms = "".join(f"add_room({room})\n" for room in house_rules.ALL_ROOMS)
    write(root, "CMakeLists.txt",
          "file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)\n" + rooms)
    write(root, "Makefile", "all:\n")
    write(root, "src/catalogue/alert_type.h", ENUM)
    write(root, "src/detect/detectors.h", TABLE)
    write(root, "src/detect/tor_access.cpp", '#include "detect/detectors.h"\nSuspicions tor_access(const Seen&) {}\n')
    write(root, "src/history/facts.h", HEADER)
    write(root, "src/history/vault_history.h", HEADER)
    write(root, "src/engine/engine.h", HEADER)
    write(root, "src/engine/finding.h", HEADER)
    write(root, "src/base/result.h", HEADER)
    write(root, "src/command/main.cpp", '#include "engine/engine.h"\nauto now = std::chrono::system_clock::now();\n')
    write(root, "docs/alerts/KV_TORAccess.md", "# KV_TORAccess\n")
    write(root, "docs/alerts/KV_UserAppAnomaly.md", "# KV_UserAppAnomaly\n")


class ThisTree(unittest.TestCase):
    def test_keeps_the_house_rules(self):
        found = house_rules.breaches(ROOT)
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_knows_every_room_that_exists(self):
        rooms = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
        self.assertLessEqual(rooms, set(house_rules.ALL_ROOMS))


class TheTable(unittest.TestCase):
    def test_lets_rooms_include_lower_rooms_only(self):
        order = list(house_rules.ALL_ROOMS)
        for room, entries in house_rules.LAYERS.items():
            for entry in entries:
                if "/" not in entry:
                    self.assertLess(order.index(entry), order.index(room), f"{room} -> {entry}")

    def test_keeps_the_doors_that_matter_shut(self):
        for room, header in [("detect", "history/vault_history.h"), ("detect", "engine/engine.h"),
                             ("alert", "engine/engine.h"), ("event", "intel/threat_list.h"),
                             ("source", "engine/engine.h"), ("workload", "detect/detectors.h"),
                             ("api", "engine/engine.h"), ("estate", "config/config.h"), ("estate", "store/store.h"),
                             ("base", "event/access_event.h")]:
            self.assertFalse(house_rules.may_include(room, header), f"{room} -> {header}")

    def test_opens_the_doors_that_are_needed(self):
        for room, header in [("detect", "history/facts.h"), ("alert", "engine/decision.h"), ("api", "history/facts.h"),
                             ("alert", "detect/suspicion.h"), ("engine", "judge/judge.h"),
                             ("command", "engine/engine.h"), ("serve", "estate/estate.h")]:
            self.assertTrue(house_rules.may_include(room, header), f"{room} -> {header}")

    def test_nobody_includes_command(self):
        for room in house_rules.LAYERS:
            self.assertFalse(house_rules.may_include(room, "command/exit_code.h"), room)


class Names(unittest.TestCase):
    def test_map_mechanically(self):
        for name, snake in [("SuspiciousIPAccess", "suspicious_ip_access"), ("TORAccess", "tor_access"),
                            ("AccountVolumeAccessDeniedAnomaly", "account_volume_access_denied_anomaly"),
                            ("UnusualAccessSuspiciousIP", "unusual_access_suspicious_ip")]:
            self.assertEqual(house_rules.snake_case(name), snake)


class PlantedBreaches(unittest.TestCase):
    """Each case changes one file of a tree without breach; the rules must name that file, and say the words."""

    CASES = [
        ("include against the table", "src/detect/extra.cpp", '#include "history/vault_history.h"\n',
         "room detect may not include history/vault_history.h"),
        ("engine from a lower room", "src/base/result.h", HEADER + '#include "engine/finding.h"\n',
         "room base may not include engine/finding.h"),
        ("command from below", "src/engine/engine.h", HEADER + '#include "command/main.cpp"\n',
         "may not include command/"),
        ("command from serve", "src/serve/service.h", HEADER + '#include "command/main.cpp"\n',
         "may not include command/"),
        ("engine from config", "src/config/config.h", HEADER + '#include "engine/engine.h"\n',
         "may not include engine/"),
        ("include of nothing", "src/base/extra.cpp", '#include "base/absent.h"\n', "no file under src/"),
        ("include without room", "src/base/extra.cpp", '#include "result.h"\n', "no file under src/"),
        ("a room that is not in the table", "src/cellar/wine.h", HEADER, "cellar is no room"),
        ("a folder inside a room", "src/base/inner/deep.cpp", "int a;\n", "not in a room"),
        ("a file beside the rooms", "src/stray.cpp", "int a;\n", "not in a room"),
        ("a file that no glob finds", "src/base/late.cc", "int a;\n", "only .h and .cpp"),
        ("a header without comment", "src/base/result.h", "#pragma once\n", "opens with a comment"),
        ("a header with a licence line alone", "src/base/result.h",
         "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n", "opens with a comment"),
        ("a header without pragma", "src/base/result.h", "// Says what it is, all the same.\n", "#pragma once"),
        ("an empty word in a file name", "src/base/string_util.h", HEADER, "says 'util'"),
        ("an empty word in an identifier", "src/base/extra.cpp", "class QueueManager {};\n", "says 'manager'"),
        ("a number as a suffix", "src/base/hash_2.cpp", "int a;\n", "ends in a number"),
        ("a file in capitals", "src/base/HashTable.cpp", "int a;\n", "snake_case"),
        ("the wall clock", "src/engine/extra.cpp", "auto a = std::chrono::system_clock::now();\n", "wall clock"),
        ("the wall clock of C", "src/event/extra.cpp", "auto a = std::time(nullptr);\n", "wall clock"),
        ("namespace std", "src/base/extra.cpp", "using namespace std;\n", "namespace std"),
        ("shared ownership", "src/base/extra.cpp", "std::shared_ptr<int> a;\n", "one owner"),
        ("allocation by hand", "src/base/extra.cpp", "int* a = new int;\n", "by hand"),
        ("an exception", "src/base/extra.cpp", "void f() { throw 1; }\n", "errors are values"),
        ("a macro", "src/base/extra.cpp", "#define TWICE(x) ((x) + (x))\n", "macro"),
        ("JSON of strangers without bounds", "src/intel/extra.cpp", "auto a = Json::parse(text);\n", "bounded_json.h"),
        ("libm in a decision", "src/detect/extra.cpp", "double a = std::log(2.0);\n", "libm"),
        ("a long line", "src/base/extra.cpp", "// " + "a" * 130 + "\n", "120 are the limit"),
        ("unfinished work", "src/base/extra.cpp", "// TO" "DO: later\n", "unfinished"),
        ("unfinished work in a document", "docs/extra.md", "FIX" "ME\n", "unfinished"),
        ("characters outside ASCII", "src/base/extra.cpp", "// caf\u00e9\n", "ASCII"),
        ("a detector without its file", "src/detect/detectors.h",
         TABLE.replace("}};", "    {AlertType::kUserAppAnomaly, user_app_anomaly},\n}};"),
         "no src/detect/user_app_anomaly.cpp"),
        ("a detector under another name", "src/detect/detectors.h", TABLE.replace(", tor_access", ", tor"),
         "by rule it is tor_access"),
        ("a detector's file without the detector", "src/detect/tor_access.cpp", "int a;\n", "does not define"),
        ("no detector at all", "src/detect/detectors.h", HEADER, "has no row"),
        ("a page about no alert", "docs/alerts/KV_Nothing.md", "# KV_Nothing\n", "is no alert type"),
        ("a wrong count of alerts", "src/catalogue/alert_type.h", ENUM.replace("Count = 2", "Count = 3"),
         "not the number"),
        ("a room that CMake does not build", "CMakeLists.txt",
         "file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)\n"
         + "".join(f"add_room({room})\n" for room in house_rules.ALL_ROOMS if room != "intel"),
         "room intel of the table has no add_room"),
        ("a link against the table", "CMakeLists.txt",
         "file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)\n"
         + "".join(f"add_room({room}{' ROOMS base engine' if room == 'detect' else ''})\n"
                   for room in house_rules.ALL_ROOMS),
         "room detect links engine"),
        ("sources listed by hand", "CMakeLists.txt", "".join(f"add_room({room})\n" for room in house_rules.ALL_ROOMS),
         "no longer finds its sources by glob"),
    ]

    def test_a_good_tree_has_none(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            small_good_tree(root)
            self.assertEqual(house_rules.breaches(root), [])

    def test_every_breach_is_found(self):
        for what, name, text, words in self.CASES:
            with self.subTest(what), tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder)
                small_good_tree(root)
                write(root, name, text)
                found = house_rules.breaches(root)
                self.assertTrue(any(words in breach for breach in found), f"{what}: found only {found}")
                self.assertLessEqual(len(found), 2, found)

    def test_a_missing_page_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            small_good_tree(root)
            (root / "docs/alerts/KV_UserAppAnomaly.md").unlink()
            self.assertEqual(house_rules.breaches(root),
                             ["docs/alerts/KV_UserAppAnomaly.md:1: the page about KV_UserAppAnomaly is missing"])

    def test_what_only_looks_like_a_breach_is_none(self):
        innocent = [
            "// We never throw, and system_clock is banned: comments may say so.\n",
            'const char* a = "using namespace std; new int; helper";\n',
            "using Both = std::common_type_t<int, long>;\n",
            "struct Fixed { Fixed(const Fixed&) = delete; };\n",
            "EventTime time(Source& source);\nvoid renew_lease();\nint managed_identity = 1'000'000;\n",
            'auto a = R"json({"throw": "new delete"})json";\n',
        ]
        for text in innocent:
            with self.subTest(text), tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder)
                small_good_tree(root)
                write(root, "src/base/extra.cpp", text)
                self.assertEqual(house_rules.breaches(root), [])


if __name__ == "__main__":
    unittest.main()
