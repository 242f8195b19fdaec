#include "server/body_spool.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/flood.hpp"
#include "base/log.hpp"
#include "os/own_fds.hpp"

namespace serval::server {

namespace {

/// What a connection keeps of its body memory from one request to the next.
constexpr std::size_t kKeptMemory = 64 * 1024;

const char* temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

/// A full disk may lose any number of bodies: each kind of trouble is said once in Flood::kPause. Loop only, as all stores are.
struct Trouble {
  log::Level level;
  std::string_view sentence;
  Flood flood{};
};
Trouble no_file{log::Level::warning, "request body stays in memory: no temporary file"};
Trouble not_written{log::Level::error, "request body lost: cannot write the temporary file"};
Trouble not_mapped{log::Level::error, "request body lost: cannot map the temporary file"};

void say(Trouble& trouble, int error) {
  const std::uint64_t count = trouble.flood.add(Clock::now());
  if (count > 0) log::write(trouble.level, trouble.sentence, {{"folder", temporary_folder()}, {"error", std::strerror(error)}, {"count", count}});
}

}  // namespace

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
  say(no_file, errno);
  return false;
}

void BodySpool::write_file(std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t written = ::write(file_.get(), piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      say(not_written, errno);
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
      say(not_mapped, errno);
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
