#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace serval {

/// [log] access_format, understood. The one grammar for it: what a check of the configuration accepts, a worker can
/// write by. A word (`combined`, `common`, `json`), or a template with at least one atom of base/access_atoms.hpp:
/// "$peer $method", "${peer}" before a letter, "$$" for a dollar sign.
struct AccessTemplate {
  enum class Kind { combined, common, json, pieces };
  struct Piece {
    std::string literal;
    std::size_t atom = 0;  ///< index into kAccessAtoms, printed after the literal; one past the end: none
  };

  Kind kind = Kind::combined;
  std::vector<Piece> pieces;  ///< of Kind::pieces

  /// The error is a reason, without the text itself.
  static Result<AccessTemplate> parse(std::string_view text);
};

}  // namespace serval
