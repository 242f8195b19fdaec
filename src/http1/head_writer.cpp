#include "http1/head_writer.hpp"

#include <charconv>
#include <cstddef>
#include <cstring>

#include "http/ascii.hpp"
#include "http/response.hpp"

namespace serval::http1 {

using namespace std::string_view_literals;
using http::Field;

namespace {

/// Room for everything in a head that is no field of the app's.
constexpr std::size_t kOwnLines = 256;

/// Writes into room that is there: a head is a dozen pieces, and looking at the capacity for each costs more than
/// copying it.
class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}

  Pen& text(std::string_view text) {
    if (text.empty()) return *this;  // its data may be null, which memcpy may not get (C17 7.24.1)
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Pen& number(std::size_t number) {
    constexpr std::ptrdiff_t most_digits = 20;
    at_ = std::to_chars(at_, at_ + most_digits, number).ptr;
    return *this;
  }
  Pen& field(const Field& field) { return text(field.name).text(": "sv).text(field.value).text("\r\n"sv); }
  const char* end() const { return at_; }

 private:
  char* at_;
};

void write_status_line(Pen& pen, int status) {
  // Our version, not the client's: RFC 9112 §2.3 has a server send the highest one it speaks of the same major version.
  if (status == 200) {
    pen.text("HTTP/1.1 200 OK\r\n"sv);
    return;
  }
  pen.text("HTTP/1.1 "sv)
      .number(static_cast<std::size_t>(status))
      .text(" "sv)
      .text(http::reason_phrase(status))
      .text("\r\n"sv);
}

/// Where the length of the body comes from.
enum class Length { none, app, serval };

Length length_source(const Framing& framing, int status, bool app_does) {
  if (http::is_interim(status) || status == 204) return Length::none;
  if (status == 304) return app_does ? Length::app : Length::none;
  if (framing.head_request && app_does) return Length::app;
  return Length::serval;
}

bool is_date(const Field& field) { return field.name.size() == 4 && http::ascii::is_name(field.name, "date"); }

}  // namespace

void append_head(std::string& out, const Framing& framing, const http::ResponseHead& head, std::string_view date) {
  const auto& [status, fields, body_size, closes, added] = head;
  bool app_has_length = false;
  bool app_has_date = false;
  std::size_t size = kOwnLines + date.size() + added.name.size() + added.value.size();
  for (const Field& field : fields) {
    app_has_length = app_has_length || http::is_length(field);
    app_has_date = app_has_date || is_date(field);
    size += field.name.size() + field.value.size() + ": \r\n"sv.size();
  }
  const std::size_t begin = out.size();
  out.resize(begin + size);
  Pen pen(out.data() + begin);

  const Length length = length_source(framing, status, app_has_length);
  write_status_line(pen, status);
  if (!app_has_date) pen.field({"Date", date});
  bool length_sent = false;
  for (const Field& field : fields) {
    if (app_has_length && http::is_length(field)) {
      if (length != Length::app || length_sent) continue;
      length_sent = true;
    }
    pen.field(field);
  }
  if (!added.name.empty()) pen.field(added);
  if (closes) {
    pen.text("Connection: close\r\n"sv);
  } else if (framing.minor_version == 0 && framing.asked_keep_alive_1_0) {
    pen.text("Connection: keep-alive\r\n"sv);
  }
  if (length == Length::serval) pen.text("Content-Length: "sv).number(status == 205 ? 0 : body_size).text("\r\n"sv);
  pen.text("\r\n"sv);
  out.resize(static_cast<std::size_t>(pen.end() - out.data()));
}

}  // namespace serval::http1
