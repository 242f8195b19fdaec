#include "master/line_splitter.hpp"

#include <algorithm>

namespace serval::master {
namespace {

std::string_view without_carriage_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

void LineSplitter::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    if (bytes.front() == '\n') {
      sink(without_carriage_return(partial_));
      partial_.clear();
      bytes.remove_prefix(1);
      continue;
    }
    if (partial_.size() == kMaxLineBytes) {  // only now: the line might have ended here
      sink(partial_);
      partial_.clear();
    }
    const std::size_t size = std::min({bytes.find('\n'), bytes.size(), kMaxLineBytes - partial_.size()});
    partial_.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
}

void LineSplitter::end(const Sink& sink) {
  if (!partial_.empty()) sink(without_carriage_return(partial_));
  partial_.clear();
}

}  // namespace serval::master
