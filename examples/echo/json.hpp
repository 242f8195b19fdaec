#pragma once

#include <string>
#include <string_view>

/// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

/// A JSON string with its quotes. Text that is not UTF-8 is taken for Latin-1, so that any header value has a JSON form.
std::string json_string(std::string_view text);

std::string base64(std::string_view bytes);
