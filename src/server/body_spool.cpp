#include "server/body_spool.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "os/own_fds.hpp"

namespace serval::server {

namespace {

/// What a connection keeps of its body memory from one request to the next.
constexpr std::size_t kKeptMemory = 64 * 1024;

}  // namespace

const char* temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

void BodySpool::append(std::string_view piece, std::size_t spill) {
  if (!intact_) return;
  if (!file_ && !no_file_ && memory_.size() + piece.size() > spill && open_file()) {
    write_file(memory_);
    memory_.clear();
    memory_.shrink_to_fit();
  }
  if (file_) {
    write_file(piece);
  } else {
    memory_.append(piece);
  }
}

bool BodySpool::open_file() {
  file_.reset(::open(temporary_folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file_) {
    // Some file systems have no O_TMPFILE (open(2)).
    std::string path = std::string(temporary_folder()) + "/serval-body-XXXXXX";
    file_.reset(::mkostemp(path.data(), O_CLOEXEC));
    if (file_) ::unlink(path.c_str());
  }
  file_ = os::off_standard(std::move(file_));
  if (file_) return true;
  no_file_ = true;
  tell(BodyTrouble::no_file, errno);
  return false;
}

void BodySpool::tell(BodyTrouble trouble, int error) {
  if (listener_ != nullptr) listener_->on_body_trouble(trouble, error);
}

void BodySpool::write_file(std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t written = ::write(file_.get(), piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      tell(BodyTrouble::not_written, errno);
      intact_ = false;
      return;
    }
    piece.remove_prefix(static_cast<std::size_t>(written));
    file_size_ += static_cast<std::size_t>(written);
  }
}

std::string_view BodySpool::view() {
  if (!file_) return memory_;
  if (map_ == nullptr && file_size_ > 0) {
    void* map = ::mmap(nullptr, file_size_, PROT_READ, MAP_PRIVATE, file_.get(), 0);
    if (map == MAP_FAILED) {
      tell(BodyTrouble::not_mapped, errno);
      intact_ = false;
      return {};
    }
    map_ = map;
    map_size_ = file_size_;
  }
  return {static_cast<const char*>(map_), map_size_};
}

void BodySpool::reset() {
  if (map_ != nullptr) ::munmap(map_, map_size_);
  map_ = nullptr;
  map_size_ = file_size_ = 0;
  file_.reset();
  memory_.clear();
  if (memory_.capacity() > kKeptMemory) memory_.shrink_to_fit();
  no_file_ = false;
  intact_ = true;
}

}  // namespace serval::server
