#include "worker/body_troubles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/log.hpp"
#include "os/unique_fd.hpp"

namespace serval::worker {
namespace {

using testing::HasSubstr;

TEST(BodyTroubles, AFullDiskIsOneLineAndItsSumAtTheEnd) {
  const UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  log::start({.fd = file.get()}, "test");
  const auto text = [&] {
    std::string all(1 << 16, '\0');
    all.resize(static_cast<std::size_t>(::pread(file.get(), all.data(), all.size(), 0)));
    return all;
  };
  const auto lines = [&] {
    const std::string all = text();
    return std::count(all.begin(), all.end(), '\n');
  };
  boost::asio::io_context io;
  BodyTroubles troubles(io);
  for (int i = 0; i < 100; ++i) troubles.add(BodyTroubles::Kind::not_written, ENOSPC);
  EXPECT_THAT(text(), HasSubstr("request body lost: cannot write the temporary file folder="));
  EXPECT_EQ(lines(), 1) << text();
  troubles.add(BodyTroubles::Kind::no_file, EACCES);
  EXPECT_EQ(lines(), 2) << "another kind: " << text();
  troubles.finish();
  EXPECT_THAT(text(), HasSubstr("error=\"No space left on device\" count=99"));
  log::start({.level = log::Level::off}, "test");
}

}  // namespace
}  // namespace serval::worker
