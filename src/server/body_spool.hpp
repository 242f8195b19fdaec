#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "os/unique_fd.hpp"
#include "server/body_trouble.hpp"

namespace serval::server {

/// A request body that came in pieces: in memory up to a limit, beyond it in an unlinked temporary file that is mapped
/// for reading. If no temporary file can be had (read-only root, full disk), the body stays in memory.
class BodySpool {
 public:
  /// `listener` outlives it; null: none.
  explicit BodySpool(BodyTroubleListener* listener = nullptr) : listener_(listener) {}
  ~BodySpool() { reset(); }
  BodySpool(const BodySpool&) = delete;
  BodySpool& operator=(const BodySpool&) = delete;

  /// What is beyond `spill` bytes in all goes to the file.
  void append(std::string_view piece, std::size_t spill);
  std::size_t size() const { return file_ ? file_size_ : memory_.size(); }
  /// The whole body; valid until the next append or reset. Empty and with error() set if the file cannot be mapped.
  std::string_view view();
  /// The spilled body's file; -1 if it is in memory.
  int fd() const { return file_.get(); }
  /// False once a byte could not be stored.
  bool intact() const { return intact_; }
  void reset();

 private:
  bool open_file();
  void write_file(std::string_view piece);
  void tell(BodyTrouble trouble, int error);

  BodyTroubleListener* listener_;
  std::string memory_;
  UniqueFd file_;
  std::size_t file_size_ = 0;
  void* map_ = nullptr;
  std::size_t map_size_ = 0;
  bool no_file_ = false;
  bool intact_ = true;
};

/// The folder of the temporary files.
const char* temporary_folder();

}  // namespace serval::server
