#include "os/privileges.hpp"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "in_child.hpp"

namespace serval::os {
namespace {

using testing::HasSubstr;

TEST(Privileges, finds_accounts_by_name_and_number) {
  const auto root = find_identity("root", "");
  ASSERT_TRUE(root) << root.error();
  EXPECT_EQ(*root, (Identity{0, 0, "root"}));
  EXPECT_EQ(*find_identity("0", ""), *root);
  EXPECT_EQ(*find_identity("0", "12345"), (Identity{0, 12345, "root"}));
  EXPECT_EQ(*find_identity("54321", "12345"), (Identity{54321, 12345, ""}));
}

TEST(Privileges, nothing_asked_for_is_who_we_are) {
  const auto self = find_identity("", "");
  ASSERT_TRUE(self) << self.error();
  EXPECT_EQ(self->uid, ::getuid());
  EXPECT_EQ(self->gid, ::getgid());
  EXPECT_TRUE(drop_to(*self));
}

TEST(Privileges, says_what_is_unknown) {
  EXPECT_THAT(find_identity("no-such-user", "").error(), HasSubstr("there is no user \"no-such-user\""));
  EXPECT_THAT(find_identity("root", "no-such-group").error(), HasSubstr("there is no group \"no-such-group\""));
  EXPECT_THAT(find_identity("54321", "").error(), HasSubstr("give a group too"));
  EXPECT_FALSE(find_identity("-1", ""));
}

class DropTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  }
};

TEST_F(DropTest, takes_the_accounts_ids_and_groups_and_there_is_no_way_back) {
  const auto nobody = find_identity("nobody", "");
  ASSERT_TRUE(nobody) << nobody.error();
  EXPECT_EQ(in_child([&]() -> std::string {
              const gid_t extra[] = {0, 4711};
              if (::setgroups(2, extra) != 0) return "cannot prepare";
              if (const auto dropped = drop_to(*nobody); !dropped) return dropped.error();
              if (::getuid() != nobody->uid || ::geteuid() != nobody->uid) return "wrong uid";
              if (::getgid() != nobody->gid || ::getegid() != nobody->gid) return "wrong gid";
              gid_t groups[64];
              const int count = ::getgroups(64, groups);
              for (int i = 0; i < count; ++i) {
                if (groups[i] == 4711 || groups[i] == 0) return "an old group is left";
              }
              return ::setuid(0) == 0 || ::setgid(0) == 0 ? "root again" : "";
            }),
            "");
}

TEST_F(DropTest, a_bare_uid_has_no_supplementary_groups) {
  EXPECT_EQ(in_child([]() -> std::string {
              if (const auto dropped = drop_to({54321, 12345, ""}); !dropped) return dropped.error();
              return ::getuid() == 54321 && ::getgid() == 12345 && ::getgroups(0, nullptr) == 0 ? "" : "wrong identity";
            }),
            "");
}

TEST_F(DropTest, without_the_right_it_is_an_error_that_says_who_may) {
  const std::string said = in_child([]() -> std::string {
    if (::setresuid(54321, 54321, 54321) != 0) return "cannot prepare";
    const auto dropped = drop_to({54322, 12345, ""});
    return dropped ? "dropped" : dropped.error();
  });
  EXPECT_THAT(said, HasSubstr("cannot become user 54322 (uid 54322, gid 12345)"));
  EXPECT_THAT(said, HasSubstr("only root may"));
}

}  // namespace
}  // namespace serval::os
