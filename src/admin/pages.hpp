#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "admin/app_metrics.hpp"
#include "admin/master_link.hpp"
#include "admin/span_export.hpp"
#include "admin/utilization.hpp"
#include "http/request.hpp"
#include "scoreboard/memory.hpp"
#include "server/handler.hpp"

namespace serval::admin {

/// What a page says.
struct Page {
  int status = 200;
  std::string_view type;
  std::string body;
  std::string policy = "default-src 'none'; frame-ancestors 'none'";  ///< Content-Security-Policy
};

/// The endpoints: ONE table of paths (pages.cpp). Loop only.
class Pages final : public server::Handler {
 public:
  struct Parts {
    const std::string& name;  ///< server.name
    bool for_this_machine;    ///< nobody else can connect
    MasterLink& master;
    const scoreboard::Memory& scoreboard;
    const AppMetrics& app_metrics;
    const Utilization& utilization;
    const std::optional<SpanExport>& spans;  ///< none: nothing is traced
  };
  explicit Pages(Parts parts) : parts_(parts) {}

  Taken take(server::Exchange& exchange) override;

  /// One endpoint.
  struct Endpoint {
    std::string_view path;
    bool asks_master;
    /// `status` is null where the master is not asked, or does not answer.
    Page (Pages::*make)(const http::Request& request, const Status& status) const;
  };

 private:
  static std::span<const Endpoint> endpoints();
  void answer(server::Exchange& exchange, const Page& page) const;

  Page live(const http::Request& request, const Status& status) const;
  Page ready(const http::Request& request, const Status& status) const;
  Page started(const http::Request& request, const Status& status) const;
  Page metrics(const http::Request& request, const Status& status) const;
  Page status(const http::Request& request, const Status& status) const;
  Page dashboard(const http::Request& request, const Status& status) const;

  const Parts parts_;
};

}  // namespace serval::admin
