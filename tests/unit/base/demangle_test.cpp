#include "base/demangle.hpp"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace serval {
namespace {

struct OutOfStock : std::runtime_error {
  using std::runtime_error::runtime_error;
};

TEST(Demangle, NamesOfCxx) {
  EXPECT_EQ(demangled("_Z9not_therei"), "not_there(int)");
  EXPECT_EQ(demangled("_ZN4Shop6handleEv"), "Shop::handle()");
}

TEST(Demangle, LeavesOtherNamesAlone) {
  for (const std::string name : {"", "main", "i", "f", "_Z", "_Zwrong", "serval_app_main"}) {
    EXPECT_EQ(demangled(name), name);
  }
}

TEST(Demangle, InASentence) {
  EXPECT_EQ(with_demangled_names("undefined symbol: _Z9not_therei"), "undefined symbol: not_there(int)");
  EXPECT_EQ(with_demangled_names("_Z1av, (_Z1bv)\n"), "a(), (b())\n");
  EXPECT_EQ(with_demangled_names("libfoo.so.1: cannot open shared object file: No such file or directory"),
            "libfoo.so.1: cannot open shared object file: No such file or directory");
  EXPECT_EQ(with_demangled_names(""), "");
}

template <class Thrown>
std::string text_of(Thrown thrown) {
  try {
    throw thrown;
  } catch (...) {
    return current_exception_text();
  }
}

TEST(CurrentExceptionText, SaysTypeAndText) {
  EXPECT_EQ(text_of(std::runtime_error("no such table")), "std::runtime_error: no such table");
  EXPECT_EQ(text_of(OutOfStock("sold")), "serval::(anonymous namespace)::OutOfStock: sold");
  EXPECT_EQ(text_of(std::bad_alloc()), "std::bad_alloc");
  EXPECT_EQ(text_of(std::runtime_error("")), "std::runtime_error");
  EXPECT_EQ(text_of(7), "an exception of type int");
}

}  // namespace
}  // namespace serval
