#include "app/build_id.hpp"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <string_view>

#include "app/module.hpp"
#include "base/text.hpp"

namespace serval::app {
namespace {

struct Search {
  std::string path;  ///< as the loader was told it
  std::string found;
};

/// Notes follow one another, each part filled up to a multiple of four bytes (elf(5)).
std::string find_in(std::string_view notes) {
  constexpr std::string_view kOwner{ELF_NOTE_GNU, sizeof ELF_NOTE_GNU};
  const auto filled = [](std::size_t size) { return (size + 3) & ~std::size_t{3}; };
  ElfW(Nhdr) note;
  while (notes.size() >= sizeof note) {
    std::memcpy(&note, notes.data(), sizeof note);
    notes.remove_prefix(sizeof note);
    const std::size_t owner = filled(note.n_namesz), content = filled(note.n_descsz);
    if (owner > notes.size() || content > notes.size() - owner) break;
    if (note.n_type == NT_GNU_BUILD_ID && notes.substr(0, note.n_namesz) == kOwner)
      return hex(notes.substr(owner, note.n_descsz));
    notes.remove_prefix(owner + content);
  }
  return {};
}

int look_at(dl_phdr_info* object, std::size_t, void* data) {
  Search& search = *static_cast<Search*>(data);
  if (object->dlpi_name == nullptr || search.path != object->dlpi_name) return 0;
  for (ElfW(Half) i = 0; i < object->dlpi_phnum && search.found.empty(); ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type == PT_NOTE)
      search.found = find_in({reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr), part.p_memsz});
  }
  return 1;
}

}  // namespace

std::string build_id(const std::string& path) {
  Search search{.path = loader_name(path), .found = {}};
  ::dl_iterate_phdr(look_at, &search);
  return search.found;
}

}  // namespace serval::app
