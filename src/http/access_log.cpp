#include "http/access_log.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <iterator>
#include <limits>
#include <utility>

#include "base/access_atoms.hpp"
#include "base/log_keys.hpp"
#include "base/text.hpp"
#include "http/access_time.hpp"

namespace serval::http {
namespace {

using std::chrono::system_clock;

constexpr std::size_t kNoAtom = std::size(kAccessAtoms);

constexpr std::size_t find_atom(std::string_view name) {
  std::size_t index = 0;
  while (index < kNoAtom && kAccessAtoms[index].name != name) ++index;
  return index;
}

/// The index of an atom that the table must hold: a name it lacks does not compile.
consteval std::size_t atom(std::string_view name) {
  const std::size_t index = find_atom(name);
  if (index == kNoAtom) throw "no such atom";
  return index;
}

// --- text -----------------------------------------------------------------------------------------------------------

/// How many bytes at the front are printable ASCII but '"' and '\': they are safe everywhere. Eight at a time, as in
/// http/ascii.hpp.
std::size_t plain_prefix(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x8080808080808080;
  const auto plain = [](char byte) { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; };
  const auto holds = [](std::uint64_t bytes, unsigned char byte) {
    const std::uint64_t zero_there = bytes ^ (ones * byte);
    return (zero_there - ones) & ~zero_there;
  };
  std::size_t at = 0;
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    const std::uint64_t below_space = (bytes - ones * 0x20) & ~bytes;
    if (((below_space | holds(bytes, 0x7f) | holds(bytes, '"') | holds(bytes, '\\') | bytes) & tops) != 0) break;
  }
  while (at < text.size() && plain(text[at])) ++at;
  return at;
}

void append_hex(std::string& out, std::string_view prefix, char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const unsigned value = static_cast<unsigned char>(byte);
  out.append(prefix);
  out.push_back(digits[value >> 4]);
  out.push_back(digits[value & 15]);
}

/// As nginx writes it: what is not plain becomes \xHH, so that neither the line nor the quotes can be left, and tools
/// see ASCII.
void append_escaped(std::string& out, std::string_view text) {
  if (text.empty()) {
    out.push_back('-');
    return;
  }
  while (!text.empty()) {
    const std::size_t plain = plain_prefix(text);
    out.append(text.substr(0, plain));
    if (plain == text.size()) return;
    append_hex(out, "\\x", text[plain]);
    text.remove_prefix(plain + 1);
  }
}

/// Valid UTF-8 stays; any other byte becomes the character of its number.
void append_json_text(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    std::size_t taken = plain_prefix(text);
    if (taken == 0 && static_cast<unsigned char>(text.front()) >= 0x80) taken = utf8_length(text);
    out.append(text.substr(0, taken));
    if (taken == 0) {
      if (text.front() == '"' || text.front() == '\\') {
        out.push_back('\\');
        out.push_back(text.front());
      } else {
        append_hex(out, "\\u00", text.front());
      }
      taken = 1;
    }
    text.remove_prefix(taken);
  }
  out.push_back('"');
}

template <class Integer>
void append_number(std::string& out, Integer number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_utc(std::string& out, system_clock::time_point when) {
  const Second& second = second_of(when);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()).count();
  const auto fraction = static_cast<int>((milliseconds % 1000 + 1000) % 1000);
  const auto digit = [](int number) { return static_cast<char>('0' + number % 10); };
  const char tail[] = {'.', digit(fraction / 100), digit(fraction / 10), digit(fraction), 'Z'};
  out.append(second.utc.data(), second.utc_size).append(tail, sizeof tail);
}

// --- atoms ----------------------------------------------------------------------------------------------------------

std::string_view protocol_text(int minor_version) {
  constexpr std::string_view all = "HTTP/1.0HTTP/1.1HTTP/1.2HTTP/1.3HTTP/1.4HTTP/1.5HTTP/1.6HTTP/1.7HTTP/1.8HTTP/1.9";
  constexpr std::size_t size = all.size() / 10;
  if (minor_version < 0 || minor_version > 9) return {};
  return all.substr(static_cast<std::size_t>(minor_version) * size, size);
}

/// One atom as the text or the number it is, whatever it is written into.
template <class Text, class Number>
void show_atom(std::size_t which, const AccessRecord& record, std::string& out, const Text& text,
               const Number& number) {
  switch (which) {
    case atom("peer"): return text(record.peer);
    case atom("method"): return text(record.method);
    case atom("target"): return text(record.target);
    case atom("path"): return text(record.target.substr(0, record.target.find('?')));
    case atom("protocol"): return text(protocol_text(record.minor_version));
    case atom("host"): return text(record.host);
    case atom("referer"): return text(record.referer);
    case atom("user_agent"): return text(record.user_agent);
    case atom("request_id"): return text(record.request_id);
    case atom("outcome"): return text(outcome_text(record.outcome));
    case atom("reason"): return text(record.reason);
    case atom("received"): return text(record.received);
    case atom("status"): return number(record.status);
    case atom("bytes_in"): return number(record.bytes_in);
    case atom("bytes_out"): return number(record.bytes_out);
    case atom("duration_us"): return number(record.duration.count());
    case atom("queue_wait_us"): return number(record.queue_wait.count());
    case atom("worker"): return number(record.worker);
    case atom("pid"): return number(record.pid);
    case atom("time"): return append_utc(out, record.when);
    default: return;
  }
}

/// The request line, or the beginning of what came instead of one, as nginx has it.
void append_request_line(std::string& out, const AccessRecord& record) {
  if (record.method.empty()) return append_escaped(out, record.received);
  append_escaped(out, record.method);
  out.push_back(' ');
  append_escaped(out, record.target);
  if (record.minor_version >= 0) out.append(" ").append(protocol_text(record.minor_version));
}

void append_common(std::string& out, const AccessRecord& record) {
  const Second& second = second_of(record.when);
  append_escaped(out, record.peer);
  out.append(" - - [").append(second.local.data(), second.local_size).append("] \"");
  append_request_line(out, record);
  out.append("\" ");
  append_number(out, record.status);
  out.push_back(' ');
  append_number(out, record.bytes_out);
}

void append_combined(std::string& out, const AccessRecord& record) {
  append_common(out, record);
  out.append(" \"");
  append_escaped(out, record.referer);
  out.append("\" \"");
  append_escaped(out, record.user_agent);
  out.append("\" request_id=");
  append_escaped(out, record.request_id);
  out.append(" duration_us=");
  append_number(out, record.duration.count());
  out.append(" queue_wait_us=");
  append_number(out, record.queue_wait.count());
  out.append(" worker=");
  append_number(out, record.worker);
  out.append(" outcome=").append(outcome_text(record.outcome));
  if (record.reason.empty()) return;
  out.append(" reason=\"");
  append_escaped(out, record.reason);
  out.push_back('"');
}

}  // namespace

std::string_view outcome_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok: return "ok";
    case Outcome::refused: return "refused";
    case Outcome::client_gone: return "client_gone";
    case Outcome::timeout: return "timeout";
    case Outcome::app_failed: return "app_failed";
    case Outcome::overload: return "overload";
    case Outcome::cut: return "cut";
  }
  return "";
}

AccessFormat::AccessFormat(AccessTemplate format, log::Keys keys)
    : format_(std::move(format)), json_end_(log::constant_members(keys)) {
  if (format_.kind != AccessTemplate::Kind::json) return;
  for (const AccessAtom& atom : kAccessAtoms) json_keys_.push_back('"' + log::access_key_name(keys, atom.name) + "\":");
}

Result<AccessFormat> AccessFormat::parse(std::string_view text, log::Keys keys) {
  auto format = AccessTemplate::parse(text);
  if (!format) return Error{format.error()};
  return AccessFormat(std::move(*format), keys);
}

void AccessFormat::append_json(std::string& out, const AccessRecord& record) const {
  char before = '{';
  const auto is_left_out = [&record](std::size_t which) {  // most requests have neither
    return (which == atom("reason") && record.reason.empty()) || (which == atom("received") && record.received.empty());
  };
  for (std::size_t which = 0; which < kNoAtom; ++which) {
    if (is_left_out(which)) continue;
    out.push_back(before);
    out.append(json_keys_[which]);
    if (which == atom("time")) {
      out.push_back('"');
      append_utc(out, record.when);
      out.push_back('"');
    } else {
      const auto text = [&](std::string_view value) { append_json_text(out, value); };
      show_atom(which, record, out, text, [&](auto number) { append_number(out, number); });
    }
    before = ',';
  }
  out.append(json_end_).push_back('}');
}

void AccessFormat::append(std::string& out, const AccessRecord& record) const {
  switch (format_.kind) {
    case AccessTemplate::Kind::combined: append_combined(out, record); break;
    case AccessTemplate::Kind::common: append_common(out, record); break;
    case AccessTemplate::Kind::json: append_json(out, record); break;
    case AccessTemplate::Kind::pieces:
      for (const AccessTemplate::Piece& piece : format_.pieces) {
        out.append(piece.literal);
        const auto text = [&](std::string_view value) { append_escaped(out, value); };
        show_atom(piece.atom, record, out, text, [&](auto number) { append_number(out, number); });
      }
      break;
  }
  out.push_back('\n');
}

}  // namespace serval::http
