#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace serval {

/// An expected failure: one sentence that says what failed, with what value, why, and what to do about it.
struct Error {
  std::string what;
};

/// A value or an Error. C++20 has no std::expected; this has its names, so that the change to it is one line.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}
  Result(Error error) : content_(std::move(error)) {}

  bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() { return std::get<0>(content_); }
  const T& value() const { return std::get<0>(content_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const std::string& error() const { return std::get<1>(content_).what; }

 private:
  std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}

  bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  const std::string& error() const { return error_.what; }

 private:
  bool failed_ = false;
  Error error_;
};

/// The world at start-up is not as it must be: thrown once, caught in main, which prints it and exits with `exit_code`
/// (base/exit_code.hpp).
class StartupError : public std::runtime_error {
 public:
  StartupError(int code, const std::string& what) : std::runtime_error(what), exit_code(code) {}
  int exit_code;
};

}  // namespace serval
