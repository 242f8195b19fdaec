#include "http1/head_writer.hpp"

#include <charconv>

#include "http/ascii.hpp"
#include "http/response.hpp"

namespace serval::http1 {

using namespace std::string_view_literals;
using http::Field;

namespace {

void append_number(std::string& out, std::size_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_field(std::string& out, const Field& field) {
  out.append(field.name).append(": "sv).append(field.value).append("\r\n"sv);
}

void append_status_line(std::string& out, int status) {
  // Our version, not the client's: RFC 9112 §2.3 has a server send the highest one it speaks of the same major version.
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\n"sv);
    return;
  }
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(status));
  out.append(" ").append(http::reason_phrase(status)).append("\r\n");
}

/// Who says how long the body is.
enum class Length { nobody, app, serval };

Length who_says_length(const Framing& framing, int status, bool app_does) {
  if (http::is_interim(status) || status == 204) return Length::nobody;
  if (status == 304) return app_does ? Length::app : Length::nobody;
  if (framing.head_request && app_does) return Length::app;
  return Length::serval;
}

bool is_date(const Field& field) { return field.name.size() == 4 && http::ascii::is_name(field.name, "date"); }

}  // namespace

void append_head(std::string& out, const Framing& framing, int status, std::span<const Field> fields, std::size_t body_size,
                 std::string_view date) {
  bool app_has_length = false;
  bool app_has_date = false;
  for (const Field& field : fields) {
    app_has_length = app_has_length || http::is_length(field);
    app_has_date = app_has_date || is_date(field);
  }
  const Length length = who_says_length(framing, status, app_has_length);
  append_status_line(out, status);
  if (!app_has_date) append_field(out, {"Date", date});
  bool length_sent = false;
  for (const Field& field : fields) {
    if (app_has_length && http::is_length(field)) {
      if (length != Length::app || length_sent) continue;
      length_sent = true;
    }
    append_field(out, field);
  }
  if (framing.close) {
    out.append("Connection: close\r\n");
  } else if (framing.minor_version == 0 && framing.asked_keep_alive_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  if (length == Length::serval) {
    out.append("Content-Length: "sv);
    append_number(out, status == 205 ? 0 : body_size);
    out.append("\r\n"sv);
  }
  out.append("\r\n"sv);
}

}  // namespace serval::http1
