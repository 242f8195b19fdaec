#pragma once

#include <string>
#include <string_view>

namespace serval {

/// The C++ name behind a mangled one ("_Z3runi": "run(int)"); any other text as it is.
std::string demangled(std::string_view name);

/// The same for each mangled name in a sentence, such as one of the dynamic loader's.
std::string with_demangled_names(std::string_view sentence);

/// Of the exception being handled: "std::runtime_error: no such table", or only the type if what() adds nothing to it;
/// "an exception of type int" where it is no std::exception. To be called in a catch block only.
std::string current_exception_text();

}  // namespace serval
