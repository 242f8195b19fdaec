#include "master/adoption_proof.hpp"

#include "base/text.hpp"
#include "base/units.hpp"
#include "os/random.hpp"

namespace serval::master {
namespace {

constexpr std::string_view kOpening = "serval adopt ok ";

}  // namespace

std::string adoption_proof(std::string_view version, int protocol, std::string_view nonce) {
  return std::string(kOpening) + std::string(version) + ' ' + std::to_string(protocol) + ' ' + std::string(nonce) +
         '\n';
}

Result<std::string> version_in_proof(std::string_view said, int protocol, std::string_view nonce) {
  const auto refuse = [](const std::string& what) {
    return Error{"the new program does not say that it can take over" + what +
                 ": it is no serval, or one that is too old"};
  };
  if (!said.starts_with(kOpening)) return refuse(said.empty() ? "" : ", but " + quoted(shortened(trim(said), 80)));
  const std::string_view rest = said.substr(kOpening.size());
  std::string version(rest.substr(0, rest.find(' ')));
  if (version.empty() || said != adoption_proof(version, protocol, nonce)) return refuse(" this server");
  return version;
}

std::string why_not(const FailedCheck& check) {
  constexpr std::size_t kMaxShownOutput = 300;
  std::string text = check.program + ": the new program ";
  text += check.patience ? "did not answer within " + format_duration(*check.patience) +
                               " whether it can take over, and was killed"
                         : "cannot take over (" + check.end + ")";
  if (const auto output = trim(check.output); !output.empty())
    text += "; its standard error: " + quoted(shortened(output, kMaxShownOutput));
  return text;
}

std::string make_nonce() { return os::random_hex(16); }

}  // namespace serval::master
