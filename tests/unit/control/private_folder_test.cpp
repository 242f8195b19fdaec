#include "control/private_folder.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "temporary_folder.hpp"

namespace serval::control {
namespace {

using testing::HasSubstr;

struct PrivateFolder : testing::Test {
  TemporaryFolder folder;
  std::string path = folder / "mine";
};

TEST_F(PrivateFolder, IsMadeForItsOwnerAloneWhateverTheUmask) {
  const mode_t before = ::umask(0777);
  const auto made = make_private_folder(path, ::geteuid());
  ::umask(before);
  ASSERT_TRUE(made) << made.error();
  struct stat status = {};
  ASSERT_EQ(::lstat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  EXPECT_TRUE(make_private_folder(path, ::geteuid())) << "a second server of the same user uses it too";
}

TEST_F(PrivateFolder, ThatDoesNotExistIsNoFindingOfTheCheck) { EXPECT_TRUE(check_private_folder(path, ::geteuid())); }

TEST_F(PrivateFolder, OfSomebodyElseIsRefused) {
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  EXPECT_THAT(make_private_folder(path, ::geteuid() + 1).error(),
              HasSubstr("belongs to user " + std::to_string(::geteuid())));
}

TEST_F(PrivateFolder, ThatLetsOthersInIsRefused) {
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  for (const mode_t mode : {0701u, 0710u, 0770u, 0777u}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_THAT(make_private_folder(path, ::geteuid()).error(), HasSubstr("lets others in"));
  }
}

TEST_F(PrivateFolder, ASymbolicLinkOrAFileIsNone) {
  std::filesystem::create_directory(folder / "elsewhere");
  ASSERT_EQ(::chmod((folder / "elsewhere").c_str(), 0700), 0);
  std::filesystem::create_directory_symlink(folder / "elsewhere", path);
  EXPECT_THAT(make_private_folder(path, ::geteuid()).error(), HasSubstr("is not a directory"));
  std::ofstream(folder / "file") << "";
  EXPECT_THAT(make_private_folder(folder / "file", ::geteuid()).error(), HasSubstr("is not a directory"));
}

}  // namespace
}  // namespace serval::control
