#include "master/rebuilds.hpp"

#include <gmock/gmock.h>

namespace serval::master {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class RebuildsTest : public testing::Test {
 protected:
  RebuildsTest() {
    write("/app.so", 1);
    write("/mailer", 1);
    rebuilds_.watch({app_, mailer_}, look_);
  }
  void write(const std::string& path, std::int64_t version) { files_[path] = {.modified_ns = version}; }
  /// What is built, after a look.
  std::vector<std::string> at(Duration time) {
    const TimePoint now = TimePoint(1h) + time;
    rebuilds_.look_again(look_, now);
    std::vector<std::string> paths;
    for (const auto& file : rebuilds_.take(now)) paths.push_back(file.path);
    return paths;
  }

  std::map<std::string, os::FileIdentity> files_;
  const Rebuilds::Look look_ = [this](const std::string& path) -> std::optional<os::FileIdentity> {
    const auto found = files_.find(path);
    return found == files_.end() ? std::nullopt : std::optional(found->second);
  };
  const config::WatchedFile app_{"/app.so", ""};
  const config::WatchedFile mailer_{"/mailer", "mailer"};
  Rebuilds rebuilds_;
};

TEST_F(RebuildsTest, nothing_has_changed_at_first) {
  EXPECT_THAT(at(0s), IsEmpty());
  EXPECT_EQ(rebuilds_.next(), TimePoint::max());
}

TEST_F(RebuildsTest, a_file_is_built_once_it_is_quiet_and_only_once) {
  write("/app.so", 2);
  EXPECT_THAT(at(0s), IsEmpty());
  EXPECT_EQ(rebuilds_.next(), TimePoint(1h) + Rebuilds::kQuiet);
  write("/app.so", 3);
  EXPECT_THAT(at(200ms), IsEmpty());
  EXPECT_THAT(at(499ms), IsEmpty());
  EXPECT_THAT(at(500ms), ElementsAre("/app.so"));
  EXPECT_THAT(at(600ms), IsEmpty());
  EXPECT_EQ(rebuilds_.next(), TimePoint::max());
}

TEST_F(RebuildsTest, a_build_of_several_files_is_over_with_its_last) {
  write("/app.so", 2);
  at(0s);
  write("/mailer", 2);
  EXPECT_THAT(at(290ms), IsEmpty());
  EXPECT_THAT(at(310ms), IsEmpty());
  EXPECT_THAT(at(590ms), ElementsAre("/app.so", "/mailer"));
}

TEST_F(RebuildsTest, a_file_that_is_away_is_being_built) {
  files_.erase("/app.so");
  EXPECT_THAT(at(0s), IsEmpty());
  EXPECT_THAT(at(10s), IsEmpty());
  EXPECT_EQ(rebuilds_.next(), TimePoint::max());
  write("/app.so", 2);
  EXPECT_THAT(at(11s), IsEmpty());
  EXPECT_THAT(at(12s), ElementsAre("/app.so"));
}

TEST_F(RebuildsTest, one_that_is_back_as_it_was_has_not_changed) {
  files_.erase("/app.so");
  at(0s);
  write("/app.so", 1);
  at(1s);
  EXPECT_THAT(at(2s), IsEmpty());
}

TEST_F(RebuildsTest, a_change_while_the_list_changes_is_not_lost) {
  write("/app.so", 2);
  write("/new", 1);
  rebuilds_.watch({app_, {"/new", "new"}}, look_);
  write("/mailer", 2);
  EXPECT_THAT(at(0s), IsEmpty());
  EXPECT_THAT(at(1s), ElementsAre("/app.so"));
}

}  // namespace
}  // namespace serval::master
