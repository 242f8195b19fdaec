#pragma once

#include <string>

#include "config/load.hpp"

/// Texts that are made from the option table.
namespace serval::config {

/// The flags of all options with summary, limits and default, table by table, for --help.
std::string help_of_flags();

/// A serval.toml with every option: what it does, its limits, its default as a comment.
std::string sample_file();

/// The effective configuration as a serval.toml that loads to the same values; with `origins`, each value says where it
/// came from. Without `secrets` the values of secret options are hidden, and a comment at the top says so if there are
/// any.
std::string effective_file(const Loaded& loaded, bool origins, bool secrets);

/// mdoc(7) source: the options table by table, the words of access log templates, the names reserved for later
/// versions.
std::string man_of_options();
std::string man_of_access_atoms();
std::string man_of_log_keys();
std::string man_of_reserved_names();

/// `text` as running mdoc text: escaped, each sentence on a line of its own.
std::string man_text(std::string_view text);

}  // namespace serval::config
