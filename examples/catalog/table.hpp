#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// A read-only table of text lines `KEY<TAB>VALUE`, sorted by key as `LC_ALL=C sort` does. Held in memory as it is in the file and searched
/// there by halving, so it takes no more than the file's size, and looking up writes nothing: pages shared after a fork stay shared.
class Table {
 public:
  /// Reads and checks the whole file; throws std::runtime_error that names file, line and what is wrong.
  explicit Table(const std::string& path);

  std::optional<std::string_view> find(std::string_view key) const;
  std::size_t rows() const { return rows_; }
  std::size_t bytes() const { return size_; }

 private:
  void read(const std::string& path);
  void check(const std::string& path);
  std::string_view text() const { return {data_.get(), size_}; }

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t rows_ = 0;
};
