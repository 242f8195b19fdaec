#include "http/response.hpp"

#include <charconv>

#include "http/ascii.hpp"

namespace serval::http {

namespace {

struct Phrase {
  int status;
  std::string_view text;
};

// The IANA registry of status codes, without the unused ones.
constexpr Phrase kPhrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

const char* why_not_a_value(std::string_view value) {
  const char* const end = value.data() + value.size();
  const char* const bad = ascii::skip_value(value.data(), end);
  if (bad == end) return nullptr;
  switch (*bad) {
    case '\r': return "CR in the value";
    case '\n': return "LF in the value";
    case '\0': return "NUL in the value";
    default: return "a control byte in the value";
  }
}

bool is_transfer_encoding(std::string_view name) {
  return name.size() == 17 && ascii::is_name(name, "transfer-encoding");
}

/// Connection and message framing are serval's business (RFC 9110 §7.6.1).
bool is_servals_own(std::string_view name) {
  switch (name.size()) {
    case 2: return ascii::is_name(name, "te");
    case 7: return ascii::is_name(name, "upgrade") || ascii::is_name(name, "trailer");
    case 10: return ascii::is_name(name, "connection") || ascii::is_name(name, "keep-alive");
    case 16: return ascii::is_name(name, "proxy-connection");
    case 17: return is_transfer_encoding(name);
    default: return false;
  }
}

const char* why_not_the_length(std::string_view value, const std::size_t* body_size) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) return "Content-Length is not a number";
  return body_size == nullptr || number == *body_size ? nullptr : "Content-Length is not the size of the body";
}

/// `body_size` null: any length will do.
const char* why_not(const Field& field, const std::size_t* body_size) {
  if (field.name.empty()) return "the name is empty";
  if (!ascii::all(field.name, ascii::token)) return "the name is not a token";
  if (const char* reason = why_not_a_value(field.value)) return reason;
  if (is_servals_own(field.name)) return "serval itself sends this field";
  return is_length(field) ? why_not_the_length(field.value, body_size) : nullptr;
}

}  // namespace

bool is_interim(int status) { return status >= 100 && status < 200; }

bool is_length(const Field& field) { return field.name.size() == 14 && ascii::is_name(field.name, "content-length"); }

const char* why_not_sendable(const Field& field, std::size_t body_size) { return why_not(field, &body_size); }

const char* why_not_sendable(const Field& field, const AnswerTo& to, std::size_t body_size) {
  return why_not(field, to.head_request || to.status == 304 ? nullptr : &body_size);
}

bool may_be_dropped(const Field& field) {
  if (!ascii::all(field.name, ascii::token) || !is_servals_own(field.name)) return false;
  return !is_transfer_encoding(field.name) || equal_names(ascii::trim(field.value), "chunked");
}

const char* why_not_sendable(int status) {
  return status >= 200 && status <= 599 ? nullptr : "the status is not one of 200 to 599";
}

bool carries_body(const AnswerTo& to) {
  return !to.head_request && !is_interim(to.status) && to.status != 204 && to.status != 205 && to.status != 304;
}

std::string_view reason_phrase(int status) {
  for (const Phrase& phrase : kPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return {};
}

}  // namespace serval::http
