#include "os/process_claim.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace serval::os {
namespace detail {
const volatile unsigned char* process_mark = nullptr;
}  // namespace detail

namespace {

unsigned char* g_page = nullptr;

void clear_mark() { *g_page = 0; }

void make_page() {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  // The kernel's own way (madvise(2)) catches every fork, a bare clone(2) too; the handler is for kernels and sandboxes
  // without it.
  ::madvise(page, size, MADV_WIPEONFORK);
  g_page = static_cast<unsigned char*>(page);
  ::pthread_atfork(nullptr, nullptr, clear_mark);
}

}  // namespace

void claim_process() {
  if (g_page == nullptr) make_page();
  if (g_page == nullptr) return;
  *g_page = 1;
  detail::process_mark = g_page;
}

}  // namespace serval::os
