#include "master/reload_answer.hpp"

#include <boost/json/array.hpp>
#include <string>
#include <utility>

#include "base/exit_code.hpp"
#include "base/text.hpp"

namespace serval::master {

void answer(const ReloadReport& report, const control::Responder& responder) {
  const supervisor::ReloadEnded& ended = report.ended;
  if (!ended.good) {
    // Problems of a configuration are several lines, each with its hint.
    const bool lines = ended.why.find('\n') != std::string::npos;
    return responder.refuse(std::string(trim(ended.why)) + (lines ? "\n" : "; ") + "generation " +
                                std::to_string(ended.generation) + " goes on",
                            exit_code::app_failed);
  }
  responder.finish(result_of(report));
}

boost::json::object result_of(const ReloadReport& report) {
  boost::json::array options;
  for (const config::Change& change : report.changes) {
    if (change.how.empty()) {
      options.push_back({{"key", change.key}, {"from", change.before}, {"to", change.after}});
    } else {
      options.push_back({{"key", change.key}, {"how", change.how}});
    }
  }
  return {{"generation", report.ended.generation},
          {"remark", report.ended.remark},
          {"build", report.build},
          {"build_before", report.build_before},
          {"config_file", control::utf8(report.config_file)},
          {"config_file_before", control::utf8(report.config_file_before)},
          {"changes", std::move(options)}};
}

}  // namespace serval::master
