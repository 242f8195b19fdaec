// Shows files to a fuzz target once each, without a fuzzer and with any compiler: seeds and findings are regression
// tests everywhere.
// usage: replay_TARGET FILE-OR-FOLDER...      the last file that it names is the one that a failure is about
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "fuzz.hpp"

namespace {

namespace fs = std::filesystem;

void replay(const fs::path& path) {
  std::fprintf(stderr, "%s\n", path.c_str());
  std::ifstream file(path, std::ios::binary);
  SERVAL_CHECK(file.good());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // In a block of exactly their size, so that sanitizers see any look past the end: a string has a byte more.
  const auto exact = std::make_unique<char[]>(text.size());
  text.copy(exact.get(), text.size());
  serval::fuzz::fuzz_one({exact.get(), text.size()});
}

}  // namespace

int main(int count, char** words) {
  int files = 0;
  for (int i = 1; i < count; ++i) {
    if (!fs::is_directory(words[i])) {
      replay(words[i]);
      ++files;
      continue;
    }
    for (const auto& entry : fs::directory_iterator(words[i])) {
      if (!entry.is_regular_file()) continue;
      replay(entry.path());
      ++files;
    }
  }
  std::printf("%d inputs\n", files);
  return files > 0 ? 0 : 1;  // nothing replayed is a folder that has moved, not a success
}
