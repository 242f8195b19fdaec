"""What `cmake --install` installs is all that a user needs: a new app and the examples are built out of the tree and served."""

import json
import os
import re
import shutil
import subprocess
import unittest

from serval_process import ServalTest

BUILD = os.environ.get("SERVAL_BUILD", "")    # serval's build folder
SOURCE = os.environ.get("SERVAL_SOURCE", "")  # serval's source folder

APP = """\
#include <serval/serval.hpp>

class Greeter : public serval::App {
 public:
  serval::Response handle(const serval::Request& request) override {
    return "Hello, " + request.param("name").value_or("nobody") + "!\\n";
  }
};
SERVAL_APP(Greeter)
"""

CMAKE = """\
cmake_minimum_required(VERSION 3.25)
project(greeter LANGUAGES CXX)
find_package(serval REQUIRED)
serval_add_app(greeter greeter.cpp)
"""


@unittest.skipUnless(BUILD and SOURCE, "SERVAL_BUILD and SERVAL_SOURCE do not say what to install")
class Install(ServalTest):
    def command(self, *words, **options):
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        self.assertEqual(done.returncode, 0, f"{' '.join(words)}\n{done.stdout}")
        return done.stdout

    def setUp(self):
        super().setUp()
        self.prefix = self.path("prefix")
        self.command("cmake", "--install", BUILD, "--prefix", self.prefix)
        self.serval = os.path.join(self.prefix, "bin", "serval")

    def configure(self, folder, *arguments):
        """Of the project in `folder`, against the installed package only; the build folder, and what CMake says."""
        build = os.path.join(folder, "build")
        shutil.rmtree(build, ignore_errors=True)
        environment = {name: value for name, value in os.environ.items() if name != "CMAKE_BUILD_TYPE"}
        out = self.command("cmake", "-G", "Ninja", "-S", folder, "-B", build, "-DCMAKE_PREFIX_PATH=" + self.prefix,
                           "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *arguments, env=environment)
        return build, out

    def build(self, folder):
        """The path of the library of the project in `folder`."""
        build, _ = self.configure(folder)
        self.command("cmake", "--build", build)
        [library] = [name for name in os.listdir(build) if re.fullmatch(r"lib\w+\.so", name)]
        return os.path.join(build, library)

    def answer(self, library, target):
        serval = self.start(app=library, program=self.serval)
        return serval.get(target).text

    def test_a_new_app(self):
        os.mkdir(self.path("greeter"))
        self.write("greeter/greeter.cpp", APP)
        self.write("greeter/CMakeLists.txt", CMAKE)
        self.assertEqual(self.answer(self.build(self.path("greeter")), "/?name=Ada"), "Hello, Ada!\n")

    def test_an_app_is_optimised_unless_something_else_is_said(self):
        os.mkdir(self.path("greeter"))
        self.write("greeter/greeter.cpp", APP)
        debug = "project(greeter LANGUAGES CXX)\nset(CMAKE_BUILD_TYPE Debug)\n"
        for cmake, arguments, expected, said in (
            (CMAKE, [], {"-O2", "-g", "-DNDEBUG"}, True),
            (CMAKE, ["-DCMAKE_BUILD_TYPE=Release"], {"-O3", "-DNDEBUG"}, False),
            (CMAKE, ["-DCMAKE_BUILD_TYPE=None"], set(), False),  # as Debian's packages are built: flags come from elsewhere
            (CMAKE.replace("project(greeter LANGUAGES CXX)\n", debug), [], {"-g"}, False),
        ):
            with self.subTest(arguments=arguments, expected=expected):
                self.write("greeter/CMakeLists.txt", cmake)
                build, out = self.configure(self.path("greeter"), *arguments)
                with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
                    [entry] = json.load(file)
                flags = {word for word in entry["command"].split() if re.match(r"-O|-g|-DNDEBUG", word)}
                self.assertEqual(flags, expected)
                self.assertEqual("no build type is given" in out, said, out)

    def test_examples_out_of_the_tree(self):
        for example in ("hello", "hello_c"):
            with self.subTest(example):
                shutil.copytree(os.path.join(SOURCE, "examples", example), self.path(example))
                self.assertIn("Hello", self.answer(self.build(self.path(example)), "/"))

    def test_the_program_has_its_symbols_and_no_debug_information(self):
        sections = self.command("readelf", "--section-headers", "--wide", self.serval)
        self.assertIn(".symtab", sections)
        self.assertIn(".note.gnu.build-id", sections)
        self.assertNotIn(".debug_info", sections)

    def test_a_bundle_needs_nothing_of_the_system(self):
        library = os.path.abspath(os.path.join(BUILD, "examples", "hello", "libhello.so"))
        root = self.path("root")
        self.command(os.path.join(SOURCE, "packaging", "bundle"), root, self.serval, library)
        for folder in ("tmp", "dev", "proc"):
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        # What a container has besides.
        enter = 'mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"'
        inside = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", enter, root)
        if subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "mount", "--rbind", "/proc", root + "/proc"], capture_output=True).returncode:
            self.skipTest("unshare may not make namespaces here")
        serval = self.launch("run", library, "-b", "127.0.0.1:0", "-w", "1", program=self.serval, prefix=inside).wait_serving()
        self.assertIn("Hello", serval.get("/").text)

    def test_pkg_config(self):
        folder = next(os.path.join(path, "..") for path, _, names in os.walk(self.prefix) if "serval.pc" in names)
        flags = self.command("pkg-config", "--cflags", "--libs", "serval",
                             env={**os.environ, "PKG_CONFIG_PATH": os.path.join(folder, "pkgconfig")}).split()
        source, library = self.write("greeter.cpp", APP), self.path("libgreeter.so")
        self.command("c++", "-std=c++20", "-shared", "-fPIC", source, "-o", library, *flags)
        self.assertEqual(self.answer(library, "/?name=Bob"), "Hello, Bob!\n")

    def test_the_manual_is_installed(self):
        pages = [name for _, _, names in os.walk(os.path.join(self.prefix, "share", "man")) for name in names]
        self.assertTrue(any(re.fullmatch(r"serval\.1(\.gz)?", name) for name in pages), pages)
        self.assertTrue(any(re.fullmatch(r"serval\.toml\.5(\.gz)?", name) for name in pages), pages)


if __name__ == "__main__":
    unittest.main()
