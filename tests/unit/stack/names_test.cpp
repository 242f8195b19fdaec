#include "stack/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <unistd.h>

#include <algorithm>

#include "base/sanitizers.hpp"
#include "own_names.hpp"

namespace names_test {
struct Request {};
[[gnu::noinline]] int answers(const Request&) {
  asm volatile("");
  return 1;
}
template <class T>
struct AVeryLongNameThatSomebodyWhoLikesTemplatesHasGivenToAClass {
  [[gnu::noinline]] static int answers() {
    asm volatile("");
    return 2;
  }
};
struct Inlined {
  // Where it is inlined, whatever the optimization; the address of a place in it.
  [[gnu::always_inline]] static inline std::uint64_t here() {
    std::uint64_t address = 0;
#if defined(__x86_64__)
    asm volatile("lea -1(%%rip), %0" : "=r"(address));
#elif defined(__aarch64__)
    asm volatile("adr %0, ." : "=r"(address));
#endif
    return address;
  }
};
[[gnu::noinline]] std::uint64_t takes_in() { return Inlined::here(); }
}  // namespace names_test

namespace serval::stack {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;
using testing::MatchesRegex;
using testing::SizeIs;
using testing::StartsWith;

template <class Function>
std::uint64_t address_of(Function* function) {
  return reinterpret_cast<std::uint64_t>(function);
}

std::string name_of(std::uint64_t address) { return name_frames({own_maps(), {{address}}})[0][0]; }

TEST(Names, a_function_of_ours_has_its_demangled_name_and_its_line) {
  const std::string name = name_of(address_of(&names_test::answers));
  EXPECT_THAT(name, MatchesRegex(
                        "names_test::answers\\(names_test::Request const&\\) at [^/]*/?[^/]*/names_test\\.cpp:[0-9]+"));
}

#if defined(__x86_64__) || defined(__aarch64__)
TEST(Names, an_inlined_function_is_named_with_the_one_around_it) {
  EXPECT_THAT(
      name_of(names_test::takes_in()),
      MatchesRegex(
          "names_test::Inlined::here\\(\\) at .*names_test\\.cpp:[0-9]+ inlined into names_test::takes_in\\(\\)"));
}
#endif

TEST(Names, a_function_of_the_c_library_has_its_name) {
  // And the library's, or with its debug information installed the source's.
  EXPECT_THAT(name_of(address_of(&::getppid)), HasSubstr("getppid"));
}

TEST(Names, return_addresses_belong_to_the_call_before_them) {
  const std::uint64_t begin = address_of(&names_test::answers);
  const auto names = name_frames({own_maps(), {{begin, begin + 1}, {begin + 1}}});
  ASSERT_EQ(names.size(), 2U);
  EXPECT_THAT(names[0], ElementsAre(StartsWith("names_test::answers"), StartsWith("names_test::answers")));
  EXPECT_THAT(names[1], SizeIs(1));
}

TEST(Names, long_names_are_cut) {
  using names_test::AVeryLongNameThatSomebodyWhoLikesTemplatesHasGivenToAClass;
  using Once = AVeryLongNameThatSomebodyWhoLikesTemplatesHasGivenToAClass<int>;
  using Thrice = AVeryLongNameThatSomebodyWhoLikesTemplatesHasGivenToAClass<
      AVeryLongNameThatSomebodyWhoLikesTemplatesHasGivenToAClass<Once>>;
  const std::string name = name_of(address_of(&Thrice::answers));
  EXPECT_THAT(name, StartsWith("names_test::AVeryLongName"));
  EXPECT_THAT(name, SizeIs(Le(200U)));
  EXPECT_EQ(name.find("..."), 117U);
}

TEST(Names, what_is_in_no_file_is_a_bare_address) {
  int local = 0;
  EXPECT_EQ(name_of(reinterpret_cast<std::uint64_t>(&local)).substr(0, 2), "0x");
  EXPECT_EQ(name_of(0), "0x0");
  EXPECT_EQ(name_of(0x1234), "0x1234");
  EXPECT_EQ(name_of(~std::uint64_t{0}), "0xffffffffffffffff");
}

TEST(Names, rubbish_in_the_mappings_leads_to_bare_addresses) {
  const std::uint64_t address = 0x55aa;
  for (const char* maps : {"", "\n", "rubbish", "zz-yy r-xp 0 0:0 1 /bin/sh\n", "0-ffff\n", "\x01\xff\xfe\n\n\n"}) {
    EXPECT_THAT(name_frames({maps, {{address, address}}}), ElementsAre(ElementsAre("0x55aa", "0x55aa"))) << maps;
  }
}

TEST(Names, a_file_that_cannot_be_read_still_has_its_name) {
  const std::string maps =
      "7f0000000000-7f0000010000 r-xp 00000000 08:01 4711                       /nowhere/libgone\x07.so (deleted)\n"
      "7f0000100000-7f0000110000 r-xp 00000000 08:01 4712                       /dev/null\n";
  EXPECT_THAT(name_frames({maps, {{0x7f0000001234, 0x7f0000101234}}}),
              ElementsAre(ElementsAre(StartsWith("0x1234 in libgone?.so"), "0x1234 in null")));
}

TEST(Names, bare_frames_are_hexadecimal) {
  const std::vector<std::uint64_t> addresses = {0, 0x7fff12345678};
  EXPECT_THAT(bare_frames(addresses), ElementsAre("0x0", "0x7fff12345678"));
}

TEST(Names, bare_frames_are_places_in_files_where_the_mappings_are_known) {
  const std::string maps =
      "7f0000000000-7f0000010000 r-xp 00003000 08:01 4711                       /usr/lib/libapp.so\n"
      "7f0000100000-7f0000110000 rw-p 00000000 00:00 0 \n"
      "7f0000200000-7f0000210000 r-xp 00000000 00:00 0                          [vdso]\n"
      "rubbish\n-\n7f-\n7f0000300000-7f0000400000 r-\n";
  const std::vector<std::uint64_t> addresses = {
      0x7f0000000010, 0x7f000000ffff, 0x7f0000010000, 0x7f0000100000, 0x7f0000200000, 0x7f0000300000, 0};
  EXPECT_THAT(bare_frames(addresses, maps), ElementsAre("0x3010 in libapp.so", "0x12fff in libapp.so", "0x7f0000010000",
                                                        "0x7f0000100000", "0x7f0000200000", "0x7f0000300000", "0x0"));
}

/// More than it may take: the process ends, or goes without; it does not make the machine run out of memory.
TEST(Names, the_process_that_names_is_bounded_and_the_first_to_go) {
  if (kShadowMemory) GTEST_SKIP() << "no bound with a sanitizer, whose shadow memory would pass it";
  const pid_t child = ::fork();
  if (child == 0) {
    bound_memory_for({"0-1 r-xp 0 08:01 1 /proc/self/exe\n", {}});
    rlimit data{};
    ::getrlimit(RLIMIT_DATA, &data);
    int score = 0;
    std::ifstream("/proc/self/oom_score_adj") >> score;
    const std::size_t too_much = std::size_t{2} << 30;
    const void* memory =
        ::mmap(nullptr, too_much, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ::_exit(data.rlim_cur >= 512 << 20 && data.rlim_cur < too_much && score == 1000 && memory == MAP_FAILED ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Names, one_line_joins_frames_and_says_where_it_stops) {
  EXPECT_EQ(one_line({}), "");
  EXPECT_EQ(one_line({"a"}), "a");
  EXPECT_EQ(one_line({"a", "b at c:1"}), "a < b at c:1");
  std::vector<std::string> frames(24, "x");
  const std::string full = one_line(frames);
  EXPECT_EQ(std::count(full.begin(), full.end(), 'x'), 24);
  EXPECT_EQ(full.find("..."), std::string::npos);
  frames.emplace_back("y");
  EXPECT_EQ(one_line(frames), full + " < ...");
}

}  // namespace
}  // namespace serval::stack
