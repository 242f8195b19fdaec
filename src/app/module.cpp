#include "app/module.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>

#include "app/forked_child.hpp"
#include "app/one_line.hpp"
#include "base/demangle.hpp"
#include "base/errno_text.hpp"

namespace serval::app {
namespace {

/// The fields at the front of every ELF file that are the same for 32 and 64 bits (elf(5)).
struct ElfStart {
  unsigned char ident[EI_NIDENT];
  std::uint16_t type;
  std::uint16_t machine;
};

std::string abi_text(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

bool read_start(const std::string& path, ElfStart& start) {
  std::ifstream file(path, std::ios::binary);
  return static_cast<bool>(file.read(reinterpret_cast<char*>(&start), sizeof start));
}

/// dlopen's own words for these are either misleading ("invalid ELF header") or name no reason at all.
std::string why_not_a_library(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || (S_ISREG(status.st_mode) && ::access(path.c_str(), R_OK) != 0))
    return errno_text();
  if (S_ISDIR(status.st_mode)) return "it is a directory";
  if (!S_ISREG(status.st_mode)) return "it is not a regular file";
  ElfStart start{};
  if (!read_start(path, start) || std::memcmp(start.ident, ELFMAG, SELFMAG) != 0) {
    return "it is not a shared library (no ELF header); name the .so file that the build made";
  }
  ElfStart own{};
  if (read_start("/proc/self/exe", own)) {
    if (start.ident[EI_CLASS] != own.ident[EI_CLASS] || start.ident[EI_DATA] != own.ident[EI_DATA] ||
        start.machine != own.machine) {
      return "it was built for another machine (ELF machine " + std::to_string(start.machine) +
             ", this serval is for " + std::to_string(own.machine) + ")";
    }
  }
  if (start.type != ET_DYN) return "it is an ELF file but not a shared library; link it with -shared";
  return {};
}

/// dlopen(3) for good. Null, with `why` filled, if the loader refuses. A static constructor that throws ends the
/// process (the loader's frames let no exception through), which is why apps are loaded in a process that serves
/// nothing.
void* open_library(const std::string& path, std::string& why) {
  const std::string name = loader_name(path);
  void* library = nullptr;
  {
    const AppCall call("its static constructors");
    library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  if (library != nullptr) return library;
  std::string_view words = ::dlerror();
  if (words.starts_with(name + ": ")) words.remove_prefix(name.size() + 2);
  why = one_line(with_demangled_names(words));
  return nullptr;
}

const serval_app* ask_for_table(void* symbol, const serval_host& host, std::string& why) try {
  const auto entry = reinterpret_cast<decltype(&serval_app_main)>(symbol);
  const AppCall call("serval_app_main");
  const serval_app* table = entry(&host);
  if (table == nullptr) why = "its serval_app_main returned no table (it may have been built for another ABI than " +
                              abi_text(host.abi_major, host.abi_minor) + ")";
  return table;
} catch (...) {
  why = "its serval_app_main threw " + one_line(current_exception_text());
  return nullptr;
}

}  // namespace

std::string loader_name(const std::string& path) { return path.find('/') == path.npos ? "./" + path : path; }

std::string why_not_callable(const serval_app& table, const serval_host& host) {
  constexpr std::size_t kFrozenStart = offsetof(serval_app, preload);
  constexpr std::size_t kFirstSize = offsetof(serval_app, destroy) + sizeof(serval_app::destroy);
  if (table.size < kFrozenStart) {
    return "its serval_app table gives its size as " + std::to_string(table.size) +
           " bytes; set `size` to sizeof(serval_app)";
  }
  const std::string built = "it was built for ABI " + abi_text(table.abi_major, table.abi_minor) + ", this serval " +
                            std::string(host.version.data, host.version.size) + " has ABI " +
                            abi_text(host.abi_major, host.abi_minor);
  if (table.abi_major != host.abi_major) return built + ": rebuild the app against this serval's headers";
  if (table.abi_minor > host.abi_minor)
    return built + ": install a newer serval, or rebuild the app against this one's headers";
  if (table.size < kFirstSize) {
    return "its serval_app table has " + std::to_string(table.size) + " bytes, ABI " + abi_text(host.abi_major, 0) +
           " begins with " + std::to_string(kFirstSize) + "; set `size` to sizeof(serval_app)";
  }
  if (table.features != 0)
    return "it asks for features (bits " + std::to_string(table.features) + ") that this serval does not have";
  if (table.preload == nullptr) return "its serval_app table has no preload function";
  if (table.handle == nullptr) return "its serval_app table has no handle function";
  return {};
}

Result<const serval_app*> load_module(const std::string& path, const serval_host& host) {
  const std::string prefix = "cannot load app " + one_line(path) + ": ";
  if (const std::string why = why_not_a_library(path); !why.empty()) return Error{prefix + why};
  std::string why;
  void* library = open_library(path, why);
  if (library == nullptr) return Error{prefix + why};
  void* symbol = ::dlsym(library, "serval_app_main");
  if (symbol == nullptr)
    return Error{prefix + "it exports no serval_app_main; is SERVAL_APP(YourApp) missing, or SERVAL_EXPORT in C?"};
  const serval_app* table = ask_for_table(symbol, host, why);
  if (table == nullptr) return Error{prefix + why};
  why = why_not_callable(*table, host);
  if (!why.empty()) return Error{prefix + why};
  return table;
}

}  // namespace serval::app
