"""What `cmake --install` installs is all that a user needs: a new app and the examples are built out of the tree and served."""

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

    def build(self, folder):
        """Builds the project in `folder` against the installed package only; the path of its library."""
        build = os.path.join(folder, "build")
        self.command("cmake", "-G", "Ninja", "-S", folder, "-B", build, "-DCMAKE_PREFIX_PATH=" + self.prefix)
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

    def test_examples_out_of_the_tree(self):
        for example in ("hello", "hello_c"):
            with self.subTest(example):
                shutil.copytree(os.path.join(SOURCE, "examples", example), self.path(example))
                self.assertIn("Hello", self.answer(self.build(self.path(example)), "/"))

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
