#include "os/processes.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "waiting_child.hpp"

namespace serval::os {
namespace {

using testing::Contains;
using testing::Not;

TEST(Processes, AChildIsAmongAllAndAmongItsParents) {
  pid_t gone = 0;
  {
    const WaitingChild child;
    ASSERT_GT(child.pid(), 0);
    gone = child.pid();
    EXPECT_THAT(all_processes(), Contains(child.pid()));
    EXPECT_THAT(all_processes(), Contains(::getpid()));
    EXPECT_THAT(own_children(), Contains(child.pid()));
    EXPECT_THAT(children_of(::getpid()), Contains(child.pid()));
    EXPECT_THAT(children_of(child.pid()), testing::IsEmpty());
  }
  EXPECT_THAT(own_children(), Not(Contains(gone)));
  EXPECT_THAT(children_of(gone), testing::IsEmpty());
}

}  // namespace
}  // namespace serval::os
