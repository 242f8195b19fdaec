#include "config/interpolate.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace serval::config {
namespace {

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto rest = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), rest);
}

// `inside` is what stands between the braces.
Result<std::string> expand(std::string_view inside, const Lookup& lookup, bool secret) {
  const auto dash = inside.find(":-");
  const auto name = inside.substr(0, dash);
  if (!is_name(name)) {
    const std::string what = secret ? "what stands there in ${}" : "${" + shortened(inside, 40) + "}";
    // A shell's other ways to say a default, and the colon alone of other tools.
    const auto meant = inside.substr(0, inside.find_first_of(":-"));
    if (meant.size() < inside.size() && is_name(meant)) {
      return Error{what + " is not ${NAME:-default}: a default is written ${" + (secret ? "NAME" : std::string(meant)) +
                   ":-default}"};
    }
    return Error{what + " is neither ${NAME} nor ${NAME:-default}; write $${ for a literal ${"};
  }
  auto value = lookup(name);
  if (dash != std::string_view::npos) return value && !value->empty() ? *value : std::string(inside.substr(dash + 2));
  if (!value) {
    return Error{"the environment variable " + std::string(name) + " is not set; set it or write ${" +
                 std::string(name) + ":-default}"};
  }
  return *std::move(value);
}

}  // namespace

Result<std::string> interpolate(std::string_view text, const Lookup& lookup, bool secret) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("$${")) {
      out += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const auto end = text.find('}');
      if (end == std::string_view::npos) return Error{"a ${ without its }; write $${ for a literal ${"};
      auto value = expand(text.substr(2, end - 2), lookup, secret);
      if (!value) return value;
      out += *value;
      text.remove_prefix(end + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace serval::config
