#include "app/answer.hpp"

#include "app/forked_child.hpp"

namespace serval::app {

void call_release(void (*release)(void*), void* context) noexcept {
  const AppCall call("release");
  release(context);
}

}  // namespace serval::app
