#include "base/demangle.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <memory>
#include <typeinfo>

namespace serval {
namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }
};

bool is_of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '.';
}

std::string demangled_type(const char* name) {
  int status = 0;
  const std::unique_ptr<char, Free> text(abi::__cxa_demangle(name, nullptr, nullptr, &status));
  return status == 0 && text ? text.get() : name;
}

}  // namespace

std::string demangled(std::string_view name) {
  // Without its prefix a name is taken for that of a type: "i" for int.
  return name.starts_with("_Z") ? demangled_type(std::string(name).c_str()) : std::string(name);
}

std::string with_demangled_names(std::string_view sentence) {
  std::string out;
  while (!sentence.empty()) {
    const auto size =
        static_cast<std::size_t>(std::find_if_not(sentence.begin(), sentence.end(), is_of_a_name) - sentence.begin());
    out += demangled(sentence.substr(0, size));
    if (size < sentence.size()) out += sentence[size];
    sentence.remove_prefix(std::min(size + 1, sentence.size()));
  }
  return out;
}

std::string current_exception_text() {
  const std::type_info* type = abi::__cxa_current_exception_type();  // none for those of other languages
  const std::string name = type != nullptr ? demangled_type(type->name()) : "another language";
  try {
    throw;
  } catch (const std::exception& exception) {
    const std::string_view what = exception.what();
    return what.empty() || what == name ? name : name + ": " + std::string(what);
  } catch (...) {
    return "an exception of type " + name;
  }
}

}  // namespace serval
