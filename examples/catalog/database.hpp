#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;

/// One SQLite connection with the items that were added. For one process: a connection must not be carried over a fork
/// (https://www.sqlite.org/howtocorrupt.html, section 2.6). Any thread may call it, one at a time gets in. Throws std::runtime_error.
class Database {
 public:
  /// Makes file and tables if they are missing, and closes again.
  static void prepare(const std::string& path);

  explicit Database(const std::string& path);
  ~Database();

  /// Adds {"key":...,"value":...}, or replaces the value; the stored item as JSON, or nothing if `json` is something else.
  std::optional<std::string> insert(std::string_view json);
  std::optional<std::string> find(std::string_view key);  ///< as JSON
  std::string recent(int count);                          ///< a JSON array, newest first

 private:
  std::optional<std::string> query(const char* sql, std::string_view parameter);

  std::mutex mutex_;
  sqlite3* connection_ = nullptr;
};
