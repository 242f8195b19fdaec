// What libFuzzer calls (https://llvm.org/docs/LibFuzzer.html).
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  serval::fuzz::fuzz_one({reinterpret_cast<const char*>(data), size});
  return 0;
}
