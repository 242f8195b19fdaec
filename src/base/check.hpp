#pragma once

#include <cstdio>
#include <cstdlib>

/// Our own bugs end here: says what did not hold and where, then aborts. Never for input from outside.
#define SERVAL_CHECK(condition)                                                                         \
  do {                                                                                                  \
    if (!(condition)) [[unlikely]] {                                                                    \
      std::fprintf(stderr, "serval: bug: %s does not hold at %s:%d\n", #condition, __FILE__, __LINE__); \
      std::abort();                                                                                     \
    }                                                                                                   \
  } while (false)
