// kubeconfig files: whatever stands in one, it is read or refused with a reason, what is read is
// written and read again as the same, and no secret is left in what people are shown.
#include <cstdint>
#include <string>

#include "client/kubeconfig.h"
#include "fuzz/require.h"

using podium::fuzz::Require;
namespace client = podium::client;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = client::ParseKubeConfig(text);
  if (!config.ok()) {
    Require(!config.error().message().empty());
    return 0;
  }
  const auto printed = client::PrintKubeConfig(*config);
  Require(printed.ok());
  const auto again = client::ParseKubeConfig(*printed);
  Require(again.ok());
  const auto twice = client::PrintKubeConfig(*again);
  Require(twice.ok() && *twice == *printed);

  const auto small = client::Minified(*config);
  Require(!small.ok() || small->contexts.size() == 1);
  const std::string omitted("\x0C\x04\xC0\xF8\xE3\x08\x4D\x31\x03", 9);
  const client::clientcmd::v1::Config shown = client::Redacted(*config);
  for (const auto& entry : shown.users) {
    const auto* user = client::FindUser(*config, entry.name);
    Require(user != nullptr);
    Require(entry.user.token.empty() == user->token.empty());
    Require(entry.user.password.empty() || entry.user.password == "REDACTED");
    Require(entry.user.token.empty() || entry.user.token == "REDACTED");
    Require(entry.user.clientKeyData.data.empty() || entry.user.clientKeyData.data == omitted);
  }
  return 0;
}
