// Any bytes as a network's configuration, and as what a plugin prints: reading ends, and what is
// taken is sound.
#include <cstdint>
#include <string_view>

#include "fuzz/require.h"
#include "network/cni_config.h"
#include "network/cni_result.h"

using namespace podium::network;  // NOLINT: a fuzz target
using podium::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto config = ParseCniConfig(text); config.ok()) {
    Require(!config->plugins.empty() && CniKnows(config->version));
    Require(config->name.find('/') == std::string::npos);
    for (const CniPlugin& plugin : config->plugins) {
      Require(!plugin.type.empty() && plugin.type.find('/') == std::string::npos);
      Require(plugin.config.is_object());
    }
    const auto again = ParseCniConfig(config->text);
    Require(again.ok() && again->plugins.size() == config->plugins.size());
  }
  if (const auto network = ReadCniResult(text, "eth0"); network.ok()) {
    Require(!network->addresses.empty());
    Require(network->addresses.size() == network->gateways.size());
    const auto again = DecodePodNetwork(EncodePodNetwork(*network));
    Require(again.ok() && again->addresses == network->addresses);
  }
  Require(!CniFailure("a", "add", text, text, 1).message().empty());
  if (const auto record = DecodePodNetwork(text); record.ok()) {
    Require(DecodePodNetwork(EncodePodNetwork(*record)).ok());
  }
  return 0;
}
