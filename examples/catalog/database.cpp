#include "database.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace {

constexpr int kBusyTimeoutMs = 5000;  // other workers write too

std::runtime_error failure(sqlite3* connection, const std::string& what) { return std::runtime_error(what + ": " + sqlite3_errmsg(connection)); }

void execute(sqlite3* connection, const char* sql) {
  if (sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw failure(connection, std::string("cannot run ") + sql);
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

void Database::prepare(const std::string& path) {
  Database database(path);
  execute(database.connection_, "PRAGMA journal_mode = WAL");  // kept in the file: readers and one writer do not wait for each other
  execute(database.connection_,
          "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, value TEXT NOT NULL)");
}

Database::Database(const std::string& path) {
  if (sqlite3_open(path.c_str(), &connection_) != SQLITE_OK) {
    const std::runtime_error error = failure(connection_, "cannot open database " + path);
    sqlite3_close(connection_);
    throw error;
  }
  sqlite3_busy_timeout(connection_, kBusyTimeoutMs);
}

Database::~Database() { sqlite3_close(connection_); }

/// The one row's one column; nothing if there is no row or it is NULL.
std::optional<std::string> Database::query(const char* sql, std::string_view parameter) {
  const std::lock_guard lock(mutex_);
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(connection_, sql, -1, &prepared, nullptr) != SQLITE_OK) throw failure(connection_, std::string("cannot prepare ") + sql);
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
  sqlite3_bind_text64(prepared, 1, parameter.data(), parameter.size(), SQLITE_STATIC, SQLITE_UTF8);
  const int step = sqlite3_step(prepared);
  if (step != SQLITE_ROW && step != SQLITE_DONE) throw failure(connection_, "database");
  if (step == SQLITE_DONE || sqlite3_column_type(prepared, 0) == SQLITE_NULL) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(prepared, 0));
  std::string result(text, static_cast<std::size_t>(sqlite3_column_bytes(prepared, 0)));
  if (sqlite3_step(prepared) != SQLITE_DONE) throw failure(connection_, "database");  // only then an INSERT ... RETURNING is committed
  return result;
}

std::optional<std::string> Database::insert(std::string_view json) {
  if (query("SELECT json_type(?1, '$.key') = 'text' AND json_type(?1, '$.value') = 'text' WHERE json_valid(?1)", json) != "1") return std::nullopt;
  return query(
      "INSERT INTO items (key, value) VALUES (json_extract(?1, '$.key'), json_extract(?1, '$.value')) "
      "ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING json_object('key', key, 'value', value)",
      json);
}

std::optional<std::string> Database::find(std::string_view key) {
  return query("SELECT json_object('key', key, 'value', value) FROM items WHERE key = ?1", key);
}

std::string Database::recent(int count) {
  return query("SELECT json_group_array(json_object('key', key, 'value', value)) FROM (SELECT * FROM items ORDER BY id DESC LIMIT ?1)",
               std::to_string(count))
      .value_or("[]");
}
