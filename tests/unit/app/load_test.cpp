#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <elf.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "app/app.hpp"

// Every way in which a library can be no app: one line that names the file and the reason.

namespace serval::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Load : public testing::Test {
 protected:
  Load() : folder_(std::filesystem::path(testing::TempDir()) / ("load_test." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Load() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view content) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  static std::string error_of(const std::string& path) {
    const Result<std::unique_ptr<App>> app = App::load(path);
    return app ? "loaded" : app.error();
  }

  static void expect_refused(const std::string& path, const std::string& reason) {
    EXPECT_THAT(error_of(path),
                AllOf(StartsWith("cannot load app " + path + ": "), HasSubstr(reason), Not(HasSubstr("\n"))));
  }

  std::filesystem::path folder_;
};

/// The start of an ELF file for `machine` of `type`.
std::string elf(std::uint16_t type, std::uint16_t machine) {
  Elf64_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, header.e_ident);
  header.e_ident[EI_CLASS] = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  header.e_ident[EI_DATA] = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  header.e_type = type;
  header.e_machine = machine;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header);
}

std::uint16_t own_machine() {
  Elf64_Ehdr header{};
  std::ifstream("/proc/self/exe", std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof header);
  return header.e_machine;
}

TEST_F(Load, AMissingFile) { expect_refused(folder_ / "libgone.so", "No such file or directory"); }
TEST_F(Load, ADirectory) { expect_refused(folder_, "it is a directory"); }
TEST_F(Load, APipeIsNotWaitedFor) {
  const std::string path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  expect_refused(path, "not a regular file");
}
TEST_F(Load, AnEmptyFile) { expect_refused(file("libempty.so", ""), "not a shared library (no ELF header)"); }
TEST_F(Load, AText) {
  expect_refused(file("libtext.so", "#!/bin/sh\nexec something --long\n"), "not a shared library (no ELF header)");
}
TEST_F(Load, AnotherMachine) {
  const std::uint16_t other = own_machine() == EM_X86_64 ? EM_AARCH64 : EM_X86_64;
  expect_refused(file("libother.so", elf(ET_DYN, other)),
                 "built for another machine (ELF machine " + std::to_string(other));
}
TEST_F(Load, AnObjectFile) { expect_refused(file("libobject.so", elf(ET_REL, own_machine())), "link it with -shared"); }
TEST_F(Load, ATruncatedLibrary) {
  const std::string path = folder_ / "libtruncated.so";
  std::filesystem::copy_file(FIXTURE_PROBE, path);
  std::filesystem::resize_file(path, 100);
  expect_refused(path, "");
}
TEST_F(Load, AnUndefinedSymbol) { expect_refused(FIXTURE_UNRESOLVED, ": undefined symbol: function_nobody_defines"); }
TEST_F(Load, NoEntry) {
  expect_refused(FIXTURE_NO_SYMBOL, "exports no serval_app_main; is SERVAL_APP(YourApp) missing");
}
TEST_F(Load, NoTable) { expect_refused(FIXTURE_NULL_TABLE, "serval_app_main returned no table"); }
TEST_F(Load, AnotherAbi) { expect_refused(FIXTURE_WRONG_ABI, "built for ABI 2.7, this serval"); }
TEST_F(Load, AGoodAppByARelativeName) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::path(FIXTURE_PROBE).parent_path());
  EXPECT_EQ(error_of(std::filesystem::path(FIXTURE_PROBE).filename()), "loaded");
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace serval::app
