#pragma once

namespace serval::server {

/// Why a request's body is not where it should be.
enum class BodyTrouble {
  no_file,      ///< there is no temporary file: it stays in memory
  not_written,  ///< it is lost, as the next
  not_mapped,
};

/// Hears of it; loop only. `error`: errno.
class BodyTroubleListener {
 public:
  virtual void on_body_trouble(BodyTrouble, int /*error*/) {}

 protected:
  ~BodyTroubleListener() = default;
};

}  // namespace serval::server
