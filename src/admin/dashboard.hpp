#pragma once

#include <string>

namespace serval::admin {

/// The page at "/": one document with all that it needs (dashboard.html). It reads /status and draws it.
struct Dashboard {
  std::string html;
  std::string policy;  ///< Content-Security-Policy: its own script and style, and answers from where it came
};
/// Marked with random bits that nobody can guess: what gets into the document from elsewhere is no script of ours.
Dashboard make_dashboard();

}  // namespace serval::admin
