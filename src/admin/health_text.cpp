#include "admin/health_text.hpp"

#include <string_view>
#include <vector>

#include "control/shown.hpp"

namespace serval::admin {
namespace {

struct Check {
  std::string_view name;
  std::string failure;  ///< empty: all is well
};

std::string_view name_of(HealthQuestion question) {
  switch (question) {
    case HealthQuestion::live: return "livez";
    case HealthQuestion::ready: return "readyz";
    case HealthQuestion::started: return "startupz";
  }
  return "";
}

std::vector<Check> checks(HealthQuestion question, const Status& status) {
  std::vector<Check> result{{"master", status ? "" : "the master does not answer"}};
  if (!status) return result;
  switch (question) {
    case HealthQuestion::live:
      result.push_back({"workers", control::maybe_text_at(*status, "lifeless").value_or("")});
      break;
    case HealthQuestion::ready:
      result.push_back({"ready", control::maybe_text_at(*status, "unready").value_or("")});
      break;
    case HealthQuestion::started:
      result.push_back({"started", control::text_at(*status, "state") == "booting" ? "the server boots" : ""});
      break;
  }
  return result;
}

}  // namespace

HealthAnswer health_answer(HealthQuestion question, const Status& status, bool verbose) {
  HealthAnswer answer;
  std::string first_failure;
  std::string lines;
  for (const Check& check : checks(question, status)) {
    lines.append(check.failure.empty() ? "[+]" : "[-]").append(check.name);
    lines.append(check.failure.empty() ? " ok" : " failed: " + check.failure) += '\n';
    if (first_failure.empty()) first_failure = check.failure;
  }
  if (!first_failure.empty()) answer.status = 503;
  if (verbose) {
    answer.text = lines.append(name_of(question)).append(first_failure.empty() ? " check passed\n" : " check failed\n");
  } else {
    answer.text = first_failure.empty() ? "ok\n" : first_failure + "\n";
  }
  return answer;
}

}  // namespace serval::admin
