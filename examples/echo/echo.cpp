// Answers every request with what it saw of it, as JSON.
#include <serval/serval.hpp>

#include <unistd.h>

#include "json.hpp"

class Echo : public serval::App {
 public:
  void worker_start(serval::Worker& worker) override { slot_ = worker.slot(); }

  serval::Response handle(const serval::Request& request) override {
    std::string json = "{\"method\":" + json_string(request.method());
    json += ",\"target\":" + json_string(request.target());
    json += ",\"path\":" + json_string(request.raw_path());
    json += ",\"query\":" + json_string(request.query());
    json += ",\"version\":\"" + std::to_string(request.http_major()) + "." + std::to_string(request.http_minor()) + "\"";
    json += ",\"headers\":[";
    for (const auto& [name, value] : request.headers()) {
      if (json.back() != '[') json += ',';
      json += "[" + json_string(name) + "," + json_string(value) + "]";
    }
    json += is_utf8(request.body()) ? "],\"body\":" + json_string(request.body()) : "],\"body_base64\":\"" + base64(request.body()) + "\"";
    json += ",\"peer\":" + json_string(request.peer());
    json += ",\"scheme\":" + json_string(request.scheme());
    json += ",\"worker\":" + std::to_string(slot_);
    json += ",\"pid\":" + std::to_string(::getpid()) + "}\n";
    return serval::Response::json(std::move(json));
  }

 private:
  int slot_ = 0;
};
SERVAL_APP(Echo)
