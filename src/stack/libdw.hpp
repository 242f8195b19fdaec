#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

/// elfutils' libdw, loaded when it is asked for. Only the process that names a stack needs it; with it come four more
/// libraries, and every other process would load them all at its start.
namespace serval::stack {

/// Its functions, as <elfutils/libdwfl.h> and <elfutils/libdw.h> declare them.
struct Libdw {
  decltype(&::dwfl_begin) dwfl_begin;
  decltype(&::dwfl_end) dwfl_end;
  decltype(&::dwfl_report_begin) dwfl_report_begin;
  decltype(&::dwfl_report_end) dwfl_report_end;
  decltype(&::dwfl_linux_proc_maps_report) dwfl_linux_proc_maps_report;
  decltype(&::dwfl_linux_proc_find_elf) dwfl_linux_proc_find_elf;
  decltype(&::dwfl_standard_find_debuginfo) dwfl_standard_find_debuginfo;
  decltype(&::dwfl_offline_section_address) dwfl_offline_section_address;
  decltype(&::dwfl_addrmodule) dwfl_addrmodule;
  decltype(&::dwfl_module_info) dwfl_module_info;
  decltype(&::dwfl_module_addrdie) dwfl_module_addrdie;
  decltype(&::dwfl_module_addrinfo) dwfl_module_addrinfo;
  decltype(&::dwfl_module_getsrc) dwfl_module_getsrc;
  decltype(&::dwfl_module_getelf) dwfl_module_getelf;
  decltype(&::dwfl_lineinfo) dwfl_lineinfo;
  decltype(&::dwarf_getscopes) dwarf_getscopes;
  decltype(&::dwarf_tag) dwarf_tag;
  decltype(&::dwarf_attr_integrate) dwarf_attr_integrate;
  decltype(&::dwarf_formstring) dwarf_formstring;
  decltype(&::dwarf_diename) dwarf_diename;
};

/// Null if it is not installed, or lacks one of them. Stays loaded.
const Libdw* libdw();

}  // namespace serval::stack
