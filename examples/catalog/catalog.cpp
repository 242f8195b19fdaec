// A catalogue of items: a large read-only table that is loaded once and shared by all workers, and a database for what is added.
//
//   python3 make_table.py items.tsv --mib 256
//   serval run build/libcatalog.so --app.args table=items.tsv --app.args database=items.db
//   curl http://127.0.0.1:8000/items/item-00000001
//   curl http://127.0.0.1:8000/items -d '{"key":"lamp","value":"warm light"}'
//   curl http://127.0.0.1:8000/recent
//   curl -s http://127.0.0.1:9464/metrics | grep catalog_
#include <serval/metrics.hpp>
#include <serval/serval.hpp>

#include <map>
#include <stdexcept>

#include "database.hpp"
#include "table.hpp"

namespace {

constexpr int kRecent = 20;

std::string json_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string json = "\"";
  for (const char c : text) {
    if (const auto byte = static_cast<unsigned char>(c); byte < 0x20) {
      json += "\\u00";
      json += kHex[byte >> 4];
      json += kHex[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json += '"';
}

/// The value of "NAME=value" among `args`.
std::string argument(const std::vector<std::string>& args, const std::string& name) {
  for (const std::string& arg : args) {
    if (arg.starts_with(name + "=")) return arg.substr(name.size() + 1);
  }
  throw std::invalid_argument("the argument " + name + "=PATH is missing from [app] args");
}

}  // namespace

class Catalog : public serval::App {
 public:
  // In the mold, before the fork: what all workers share. The database is only prepared here: no connection may cross the fork.
  explicit Catalog(serval::Preload& preload) : table_(argument(preload.args(), "table")), database_path_(argument(preload.args(), "database")) {
    Database::prepare(database_path_);
    serval::log(serval::LogLevel::info, "table loaded rows=" + std::to_string(table_.rows()) + " bytes=" + std::to_string(table_.bytes()));
  }

  // In each worker, after the fork: a connection of its own.
  void worker_start(serval::Worker&) override { database_ = std::make_unique<Database>(database_path_); }
  void worker_stop() override { database_.reset(); }

  serval::Response handle(const serval::Request& request) override {
    constexpr std::string_view kItems = "/items/";
    const bool reads = request.method() == "GET" || request.method() == "HEAD";
    if (request.path() == "/items") return request.method() == "POST" ? add(request.body()) : not_allowed("POST");
    if (request.path() == "/recent") return reads ? serval::Response::json(database_->recent(kRecent) + "\n") : not_allowed("GET, HEAD");
    if (request.path().starts_with(kItems)) return reads ? find(request.path().substr(kItems.size())) : not_allowed("GET, HEAD");
    return error(404, "no such path");
  }

 private:
  serval::Response find(std::string_view key) {
    if (const auto value = table_.find(key)) {
      lookups_("table").add();
      return serval::Response::json("{\"key\":" + json_string(key) + ",\"value\":" + json_string(*value) + "}\n");
    }
    const auto item = database_->find(key);
    lookups_(item ? "database" : "nowhere").add();
    if (item) return serval::Response::json(*item + "\n");
    return error(404, "no such item");
  }

  serval::Response add(std::string_view body) {
    if (const auto item = database_->insert(body)) return serval::Response::json(*item + "\n", 201);
    return error(400, "the body must be {\"key\":TEXT,\"value\":TEXT}");
  }

  static serval::Response error(int status, std::string_view what) {
    return serval::Response::json("{\"error\":" + json_string(what) + "}\n", status);
  }
  static serval::Response not_allowed(std::string methods) { return error(405, "method not allowed").header("Allow", std::move(methods)); }

  Table table_;
  std::string database_path_;
  std::unique_ptr<Database> database_;
  serval::Counter lookups_{"catalog_lookups", "items asked for, by where they were found", {"found_in"}};
};
SERVAL_APP(Catalog)
