#include "base/task_name.hpp"

#include <gmock/gmock.h>

namespace serval {
namespace {

using testing::ElementsAre;

TEST(TaskName, IsWhatAConfigurationAndALogCanShow) {
  for (const char* good : {"a", "mailer", "db:migrate", "Mail-2_v1.0"}) EXPECT_TRUE(is_task_name(good)) << good;
  EXPECT_TRUE(is_task_name(std::string(64, 'x')));
  for (const char* bad : {"", "two words", "a/b", "a\nb", "\xc3\xa4", "a=b"}) EXPECT_FALSE(is_task_name(bad)) << bad;
  EXPECT_FALSE(is_task_name(std::string(65, 'x')));
}

TEST(TaskName, OfAMoldOnlyWhatMayBeOneIsTaken) {
  std::vector<std::string> names;
  add_task_names("mailer\nno name\n\nclean\n", names);
  EXPECT_THAT(names, ElementsAre("mailer", "clean"));
  std::string many;
  for (std::size_t i = 0; i < 2 * kMaxTasks; ++i) many += "t" + std::to_string(i) + "\n";
  add_task_names(many, names);
  EXPECT_EQ(names.size(), kMaxTasks);
}

TEST(TaskName, TheSentenceAboutOneThatIsNotThereNamesThoseThatAre) {
  EXPECT_EQ(no_such_task("x", {}), "the library registers no task \"x\", and no other");
  EXPECT_EQ(no_such_task("x", {"a", "b"}), "the library registers no task \"x\"; it has: a, b");
  EXPECT_THAT(no_such_task("x", std::vector<std::string>(30, "t")), testing::EndsWith("t, t, and 10 more"));
}

}  // namespace
}  // namespace serval
