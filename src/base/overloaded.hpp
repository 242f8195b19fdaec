#pragma once

namespace serval {

/// One function object made of several lambdas, for std::visit: an alternative without a lambda does not compile.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace serval
