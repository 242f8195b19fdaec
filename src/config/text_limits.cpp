#include "config/text_limits.hpp"

#include <algorithm>

namespace serval::config {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<Trouble> run() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark, which toml++ passes over
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (auto what = complaint_about(c); !what.empty()) return trouble(std::move(what));
      ++at_;
    }
    return std::nullopt;
  }

 private:
  std::string complaint_about(char c) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return "a character that is not ASCII, outside of quotes; put the text or the key in quotes";
    }
    if (c == '[' || c == '{') ++levels_;
    if ((c == ']' || c == '}') && levels_ > 0) --levels_;
    if (levels_ > kMaxLevels) return "brackets in more than " + std::to_string(kMaxLevels) + " levels";
    if (c == '.') ++dots_;
    if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) dots_ = 0;  // another key begins here, if any
    if (dots_ >= kMaxKeyParts) return "a key of more than " + std::to_string(kMaxKeyParts) + " parts";
    return {};
  }

  /// TOML 1.0, String: one quote or three, on one line or over many, with escapes in double quotes only.
  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool many_lines = text_.substr(at_).starts_with(three);
    at_ += many_lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n' && !many_lines) return;  // it has no end: the parser complains of it
      if (c == '\\' && quote == '"') {
        at_ = std::min(at_ + 2, text_.size());
      } else if (c != quote) {
        ++at_;
      } else if (!many_lines) {
        ++at_;
        return;
      } else if (text_.substr(at_).starts_with(three)) {
        const auto end = text_.find_first_not_of(quote, at_);  // up to two quotes may belong to the text
        at_ = std::min({end, at_ + 5, text_.size()});
        return;
      } else {
        ++at_;
      }
    }
  }

  Trouble trouble(std::string what) const {
    const auto before = text_.substr(0, at_);
    const auto line_start = before.rfind('\n');  // npos + 1 is 0
    return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
            static_cast<int>(at_ - (line_start + 1)) + 1, std::move(what)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int levels_ = 0;  ///< of brackets that are open
  int dots_ = 0;    ///< of the key, or number, that goes on
};

}  // namespace

std::optional<Trouble> find_trouble(std::string_view text) { return Scanner(text).run(); }

}  // namespace serval::config
