#include "stack/libdw.hpp"

#include <dlfcn.h>

#include <optional>

namespace serval::stack {

namespace {

template <class Function>
bool find(void* handle, Function*& function, const char* name) {
  function = reinterpret_cast<Function*>(::dlsym(handle, name));
  return function != nullptr;
}

bool find_all(void* handle, Libdw& it) {
  return find(handle, it.dwfl_begin, "dwfl_begin") &&
         find(handle, it.dwfl_end, "dwfl_end") &&
         find(handle, it.dwfl_report_begin, "dwfl_report_begin") &&
         find(handle, it.dwfl_report_end, "dwfl_report_end") &&
         find(handle, it.dwfl_linux_proc_maps_report, "dwfl_linux_proc_maps_report") &&
         find(handle, it.dwfl_linux_proc_find_elf, "dwfl_linux_proc_find_elf") &&
         find(handle, it.dwfl_standard_find_debuginfo, "dwfl_standard_find_debuginfo") &&
         find(handle, it.dwfl_offline_section_address, "dwfl_offline_section_address") &&
         find(handle, it.dwfl_addrmodule, "dwfl_addrmodule") &&
         find(handle, it.dwfl_module_info, "dwfl_module_info") &&
         find(handle, it.dwfl_module_addrdie, "dwfl_module_addrdie") &&
         find(handle, it.dwfl_module_addrinfo, "dwfl_module_addrinfo") &&
         find(handle, it.dwfl_module_getsrc, "dwfl_module_getsrc") &&
         find(handle, it.dwfl_module_getelf, "dwfl_module_getelf") &&
         find(handle, it.dwfl_lineinfo, "dwfl_lineinfo") &&
         find(handle, it.dwarf_getscopes, "dwarf_getscopes") &&
         find(handle, it.dwarf_tag, "dwarf_tag") &&
         find(handle, it.dwarf_attr_integrate, "dwarf_attr_integrate") &&
         find(handle, it.dwarf_formstring, "dwarf_formstring") &&
         find(handle, it.dwarf_diename, "dwarf_diename");
}

std::optional<Libdw> load() {
  void* const handle = ::dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
  Libdw functions{};
  if (handle == nullptr || !find_all(handle, functions)) return std::nullopt;
  return functions;
}

}  // namespace

const Libdw* libdw() {
  static const std::optional<Libdw> loaded = load();
  return loaded ? &*loaded : nullptr;
}

}  // namespace serval::stack
