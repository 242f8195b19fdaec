#include "base/access_template.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/access_atoms.hpp"
#include "base/text.hpp"

namespace serval {
namespace {

constexpr std::size_t kNoAtom = std::size(kAccessAtoms);

struct NamedFormat {
  std::string_view name;
  AccessTemplate::Kind kind;
};

constexpr NamedFormat kNamedFormats[] = {
    {"combined", AccessTemplate::Kind::combined},
    {"common", AccessTemplate::Kind::common},
    {"json", AccessTemplate::Kind::json},
};

bool is_name_byte(char byte) { return (byte >= 'a' && byte <= 'z') || byte == '_'; }

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& byte : lower) byte = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  return lower;
}

/// Without an atom every line would be the same: one of the words was meant as an atom.
Error no_template(std::string_view text) {
  std::array<std::string_view, std::size(kNamedFormats)> names;
  std::ranges::transform(kNamedFormats, names.begin(), &NamedFormat::name);
  const std::string what = "expected combined, common, json, or a template with words such as $status";
  const std::string lower = lower_case(text);
  if (const auto near = nearest(lower, names)) return {what + "; did you mean " + quoted(*near) + "?"};
  return {what};
}

Error no_atom(std::string_view name) {
  std::array<std::string_view, kNoAtom> names;
  std::string all;
  for (std::size_t i = 0; i < kNoAtom; ++i) {
    names[i] = kAccessAtoms[i].name;
    all.append(" $").append(names[i]);
  }
  const std::string what = "there is no $" + shortened(name, 40) + " to write";
  if (const auto near = nearest(name, names)) return {what + "; did you mean $" + std::string(*near) + "?"};
  return {what + "; there are" + all};
}

/// Takes "name" or "{name}" off the front.
Result<std::string_view> take_name(std::string_view& text) {
  if (text.starts_with('{')) {
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) return Error{quoted("$" + shortened(text, 40)) + " has no '}'"};
    const std::string_view name = text.substr(1, end - 1);
    if (name.empty()) return Error{"a \"${}\" without a word in it"};
    text.remove_prefix(end + 1);
    return name;
  }
  const auto end = std::ranges::find_if_not(text, is_name_byte);
  const std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  if (name.empty()) return Error{"a '$' without a word behind it; write $$ for a dollar sign"};
  text.remove_prefix(name.size());
  return name;
}

Result<std::size_t> take_atom(std::string_view& text) {
  const auto name = take_name(text);
  if (!name) return Error{name.error()};
  const auto* found = std::ranges::find(kAccessAtoms, *name, &AccessAtom::name);
  if (found == std::end(kAccessAtoms)) return no_atom(*name);
  return static_cast<std::size_t>(found - kAccessAtoms);
}

bool is_control(char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }

}  // namespace

Result<AccessTemplate> AccessTemplate::parse(std::string_view text) {
  const auto* named = std::ranges::find(kNamedFormats, text, &NamedFormat::name);
  if (named != std::end(kNamedFormats)) return AccessTemplate{named->kind, {}};
  if (std::ranges::any_of(text, is_control)) return Error{"a control byte in the template; a line ends by itself"};

  AccessTemplate format{Kind::pieces, {}};
  std::string literal;
  for (std::string_view rest = text; !rest.empty();) {
    const char byte = rest.front();
    rest.remove_prefix(1);
    if (byte != '$' || rest.starts_with('$')) {
      literal.push_back(byte);
      if (byte == '$') rest.remove_prefix(1);
      continue;
    }
    const auto atom = take_atom(rest);
    if (!atom) return Error{atom.error()};
    format.pieces.push_back({std::exchange(literal, {}), *atom});
  }
  if (format.pieces.empty()) return no_template(text);
  format.pieces.push_back({std::move(literal), kNoAtom});
  return format;
}

}  // namespace serval
