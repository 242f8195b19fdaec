#include "stack/names.hpp"

#include <dwarf.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/app_call.hpp"
#include "base/demangle.hpp"
#include "base/text.hpp"
#include "stack/libdw.hpp"

namespace serval::stack {
namespace {

constexpr std::size_t kMaxName = 120;
constexpr std::size_t kMaxOfTwoNames = 60;
constexpr std::size_t kMaxText = 200;
constexpr int kPathComponents = 3;
constexpr std::size_t kFramesOnOneLine = 24;

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

std::string hex(std::uint64_t number) {
  char digits[16];
  return "0x" + std::string(digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr);
}

std::string presentable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; }, '?');
  return shortened(text, kMaxText);
}

std::string_view last_components(std::string_view path, int count) {
  auto begin = path.size();
  for (; count > 0 && begin != std::string_view::npos && begin > 0; --count) begin = path.rfind('/', begin - 1);
  return begin == std::string_view::npos || count > 0 ? path : path.substr(begin + 1);
}

/// The files that are mapped into a process, opened as they are asked about.
class Mappings {
 public:
  Mappings(const Libdw& dw, std::string maps)
      : dw_(dw),
        callbacks_{.find_elf = dw.dwfl_linux_proc_find_elf,
                   .find_debuginfo = dw.dwfl_standard_find_debuginfo,
                   .section_address = dw.dwfl_offline_section_address,
                   .debuginfo_path = nullptr},
        dwfl_(dw.dwfl_begin(&callbacks_), dw.dwfl_end) {
    for (const std::string_view line : split(maps, '\n')) {
      if (!line.ends_with("[vdso]")) continue;
      const char* const end = line.data() + line.size();
      const char* const dash = std::from_chars(line.data(), end, vdso_begin_, 16).ptr;
      if (dash != end) std::from_chars(dash + 1, end, vdso_end_, 16);
    }
    if (!dwfl_ || maps.empty()) return;
    dw.dwfl_report_begin(dwfl_.get());
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(::fmemopen(maps.data(), maps.size(), "r"), std::fclose);
    // What it reported before a line that it does not understand stays.
    if (file) dw.dwfl_linux_proc_maps_report(dwfl_.get(), file.get());
    dw.dwfl_report_end(dwfl_.get(), nullptr, nullptr);
  }

  /// libdwfl takes a place behind a module, such as the vdso, for one within (its segments reach up to the next one).
  Dwfl_Module* module_at(std::uint64_t address) const {
    if (!dwfl_ || in_vdso(address)) return nullptr;
    return dw_.dwfl_addrmodule(dwfl_.get(), address);
  }
  bool in_vdso(std::uint64_t address) const { return address >= vdso_begin_ && address < vdso_end_; }
  const Libdw& dw() const { return dw_; }

 private:
  const Libdw& dw_;
  std::uint64_t vdso_begin_ = 0;  ///< the code that the kernel maps into each process (vdso(7)); it is in no file
  std::uint64_t vdso_end_ = 0;
  const Dwfl_Callbacks callbacks_;
  std::unique_ptr<Dwfl, decltype(Libdw::dwfl_end)> dwfl_;
};

std::string file_of(const Libdw& dw, Dwfl_Module* module) {
  const char* name = dw.dwfl_module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  return std::string(last_components(name == nullptr ? "?" : name, 1));
}

/// The functions that the code at `address` belongs to by being inlined, innermost first; none if it was not inlined,
/// or nothing is known about that.
std::vector<std::string> inlined_functions_at(const Libdw& dw, Dwfl_Module* module, std::uint64_t address) {
  std::vector<std::string> functions;
  Dwarf_Addr bias = 0;
  Dwarf_Die* const unit = dw.dwfl_module_addrdie(module, address, &bias);
  if (unit == nullptr) return functions;
  Dwarf_Die* found = nullptr;
  const int count = dw.dwarf_getscopes(unit, address - bias, &found);
  const std::unique_ptr<Dwarf_Die, Free> scopes(found);
  for (int i = 0; i < count; ++i) {
    Dwarf_Die* const scope = found + i;
    const int tag = dw.dwarf_tag(scope);
    if (tag == DW_TAG_subprogram) break;
    if (tag != DW_TAG_inlined_subroutine) continue;
    Dwarf_Attribute attribute;
    const char* name = dw.dwarf_formstring(dw.dwarf_attr_integrate(scope, DW_AT_linkage_name, &attribute));
    if (name == nullptr) name = dw.dwarf_diename(scope);
    if (name != nullptr) functions.push_back(demangled(name));
  }
  return functions;
}

/// The one that was compiled, whatever it has taken in.
std::optional<std::string> function_at(const Libdw& dw, Dwfl_Module* module, std::uint64_t address) {
  GElf_Off offset = 0;
  GElf_Sym symbol;
  const char* name = dw.dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
  if (name == nullptr || *name == '\0') return std::nullopt;
  return demangled(name);
}

/// "examples/faulty/faulty.cpp:57"
std::optional<std::string> source_at(const Libdw& dw, Dwfl_Module* module, std::uint64_t address) {
  Dwfl_Line* const line = dw.dwfl_module_getsrc(module, address);
  if (line == nullptr) return std::nullopt;
  int number = 0;
  const char* file = dw.dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr);
  if (file == nullptr) return std::nullopt;
  return std::string(last_components(file, kPathComponents)) + (number > 0 ? ":" + std::to_string(number) : "");
}

/// As the file counts: what addr2line(1) and objdump(1) understand.
std::uint64_t address_in_file(const Libdw& dw, Dwfl_Module* module, std::uint64_t address) {
  GElf_Addr bias = 0;
  if (dw.dwfl_module_getelf(module, &bias) != nullptr) return address - bias;
  Dwarf_Addr begin = 0;
  dw.dwfl_module_info(module, nullptr, &begin, nullptr, nullptr, nullptr, nullptr, nullptr);
  return address - begin;
}

/// `inside`: a byte of the instruction that `address` stands for. That a return address points to may be another line,
/// or another function.
std::string name_frame(const Mappings& mappings, std::uint64_t address, std::uint64_t inside) {
  const Libdw& dw = mappings.dw();
  Dwfl_Module* const module = mappings.module_at(inside);
  if (module == nullptr) return mappings.in_vdso(inside) ? hex(address) + " in [vdso]" : hex(address);
  const auto function = function_at(dw, module, inside);
  if (!function) return presentable(hex(address_in_file(dw, module, address)) + " in " + file_of(dw, module));
  const auto source = source_at(dw, module, inside);
  const std::string place = source ? " at " + *source : " in " + file_of(dw, module);
  // The line is in the innermost function, a small one of a library as often as not; the compiled one says what called
  // for it.
  if (const auto inlined = inlined_functions_at(dw, module, inside); !inlined.empty()) {
    return presentable(shortened(inlined.front(), kMaxOfTwoNames) + place + " inlined into " +
                       shortened(*function, kMaxOfTwoNames));
  }
  return presentable(shortened(*function, kMaxName) + place);
}

std::vector<Place> place_of(const Mappings& mappings, std::uint64_t address) {
  const Libdw& dw = mappings.dw();
  Dwfl_Module* const module = mappings.module_at(address);
  if (module == nullptr) return {{.function = mappings.in_vdso(address) ? "[vdso]" : "[unknown]"}};
  const auto function = function_at(dw, module, address);
  if (!function) return {{.function = presentable("[" + file_of(dw, module) + "]")}};
  std::vector<Place> places;
  for (const std::string& inlined : inlined_functions_at(dw, module, address)) {
    places.push_back({.function = presentable(shortened(inlined, kMaxName))});
  }
  places.push_back({.function = presentable(shortened(*function, kMaxName))});
  if (const auto source = source_at(dw, module, address)) {
    const std::size_t colon = source->rfind(':');
    places.front().file = presentable(source->substr(0, colon));
    if (colon != std::string::npos) {
      std::from_chars(source->data() + colon + 1, source->data() + source->size(), places.front().line);
    }
  }
  return places;
}

struct Mapping {
  std::uint64_t begin = 0, end = 0, offset = 0;
  std::string_view path;
};

/// A line of /proc/PID/maps: "55d0-55f0 r-xp 00001000 fe:01 4711   /usr/lib/libfoo.so". None if no file is mapped
/// there.
std::optional<Mapping> parse_mapping(std::string_view line) {
  Mapping mapping;
  const auto take = [&line](std::uint64_t& number, char end) {
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), number, 16);
    line.remove_prefix(static_cast<std::size_t>(rest - line.data()));
    if (error != std::errc() || !line.starts_with(end)) return false;
    line.remove_prefix(1);
    return true;
  };
  if (!take(mapping.begin, '-') || !take(mapping.end, ' ') || line.size() < 5) return std::nullopt;
  line.remove_prefix(5);  // "r-xp "
  const std::size_t path = line.find('/');
  if (!take(mapping.offset, ' ') || path == std::string_view::npos) return std::nullopt;
  mapping.path = line.substr(line.find('/'));
  return mapping;
}

}  // namespace

std::vector<std::vector<std::string>> name_frames(const Question& question) {
  std::vector<std::vector<std::string>> answer;
  const Libdw* const dw = libdw();
  if (dw == nullptr) {
    for (const auto& stack : question.stacks) answer.push_back(bare_frames(stack, question.maps));
    return answer;
  }
  const Mappings mappings(*dw, question.maps);
  for (const auto& stack : question.stacks) {
    auto& names = answer.emplace_back();
    for (const std::uint64_t address : stack) {
      names.push_back(name_frame(mappings, address, names.empty() || address == 0 ? address : address - 1));
    }
  }
  return answer;
}

std::vector<std::vector<Place>> places_of(const std::string& maps, std::span<const std::uint64_t> addresses) {
  std::vector<std::vector<Place>> answer;
  const Libdw* const dw = libdw();
  if (dw == nullptr) {
    for (auto& text : bare_frames(addresses, maps)) answer.push_back({{.function = std::move(text), .file = {}}});
    return answer;
  }
  const Mappings mappings(*dw, maps);
  for (const std::uint64_t address : addresses) answer.push_back(place_of(mappings, address));
  return answer;
}

std::vector<std::string> bare_frames(std::span<const std::uint64_t> addresses, std::string_view maps) {
  std::vector<std::string> frames;
  for (const std::uint64_t address : addresses) frames.push_back(hex(address));
  for (const std::string_view line : split(maps, '\n')) {
    const auto mapped = parse_mapping(line);
    for (std::size_t i = 0; mapped && i < addresses.size(); ++i) {
      if (addresses[i] < mapped->begin || addresses[i] >= mapped->end) continue;
      frames[i] = presentable(hex(addresses[i] - mapped->begin + mapped->offset) + " in " +
                              std::string(last_components(mapped->path, 1)));
    }
  }
  return frames;
}

std::string one_line(const std::vector<std::string>& frames) {
  const auto ours = std::find_if(frames.begin(), frames.end(), calls_the_app);
  const std::span apps(frames.begin(), ours == frames.begin() ? frames.end() : ours);
  const auto shown = apps.first(std::min(apps.size(), kFramesOnOneLine));
  return join(shown, " < ") + (shown.size() < apps.size() ? " < ..." : "");
}

}  // namespace serval::stack
