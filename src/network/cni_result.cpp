#include "network/cni_result.h"

#include <fmt/format.h>

#include <algorithm>

#include "network/addresses.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "wire/types/cni.h"

namespace podium::network {

using reflect::JsonValue;

namespace {

const reflect::DecodeOptions kLenient{
    .strict = false, .max_depth = 100, .max_problems = 10, .max_expansion = 64};

Error NoResult(const std::string& why) {
  return {Code::kInvalidArgument, "the result of the network's plugins: " + why};
}

// Without the prefix length; empty when it is no address.
std::string Plain(std::string_view address) {
  const std::string plain(address.substr(0, address.find('/')));
  if (const auto v4 = ParseIpv4(plain)) return ToText(*v4);
  if (const auto v6 = ParseIpv6(plain)) return ToText(*v6);
  return {};
}

Result<void> AddAddress(PodNetwork* network, std::string_view address, std::string_view gateway) {
  const std::string plain = Plain(address);
  if (plain.empty()) return NoResult("'" + std::string(address) + "' is no address");
  const bool v4 = plain.find(':') == std::string::npos;
  auto place = network->addresses.end();
  if (v4) {
    place = std::ranges::find_if(network->addresses, [](const std::string& other) {
      return other.find(':') != std::string::npos;
    });
  }
  const auto index = place - network->addresses.begin();
  network->addresses.insert(place, plain);
  network->gateways.insert(network->gateways.begin() + index, Plain(gateway));
  return {};
}

// Versions before 0.3.0 have one address of each family and no interfaces.
Result<PodNetwork> ReadOldResult(const JsonValue& result, const std::string& interface) {
  PodNetwork network;
  network.interface = interface;
  for (const char* family : {"ip4", "ip6"}) {
    const JsonValue* config = result.Find(family);
    const JsonValue* ip = config == nullptr ? nullptr : config->Find("ip");
    if (ip == nullptr || !ip->is_string()) continue;
    const JsonValue* gateway = config->Find("gateway");
    const bool given = gateway != nullptr && gateway->is_string();
    TRY_VOID(AddAddress(&network, ip->string(), given ? gateway->string() : ""));
  }
  return network;
}

Result<PodNetwork> ReadNewResult(std::string_view text, const std::string& interface) {
  TRY(const auto result, reflect::FromJson<wire::cni::Result>(text, kLenient));
  PodNetwork network;
  network.interface = interface;
  const auto is_pods = [&](int32_t index) {
    if (index < 0 || static_cast<size_t>(index) >= result.interfaces.size()) return false;
    const auto& found = result.interfaces[static_cast<size_t>(index)];
    return found.name == interface && !found.sandbox.empty();
  };
  for (const auto& ip : result.ips) {
    // Of which interface is left open by some plugins.
    if (ip.interface && !is_pods(*ip.interface)) continue;
    TRY_VOID(AddAddress(&network, ip.address, ip.gateway));
  }
  for (const auto& found : result.interfaces) {
    if (found.sandbox.empty()) {
      if (found.name.starts_with("veth")) network.host_interface = found.name;
    } else if (found.name == interface) {
      network.mac = found.mac;
      network.mtu = found.mtu > 0 ? static_cast<uint32_t>(found.mtu) : 0;
    }
  }
  return network;
}

}  // namespace

Result<PodNetwork> ReadCniResult(std::string_view text, const std::string& interface) {
  TRY(const JsonValue result, reflect::ParseJson(text, {.max_depth = 100}));
  if (!result.is_object()) return NoResult("is no object");
  const bool old = result.Find("ip4") != nullptr || result.Find("ip6") != nullptr;
  TRY(PodNetwork network, old ? ReadOldResult(result, interface) : ReadNewResult(text, interface));
  if (network.addresses.empty()) return NoResult("there is no address of " + interface);
  return network;
}

Error CniFailure(const std::string& type, const std::string& verb, std::string_view output,
                 std::string_view errors, int status) {
  std::string why;
  const auto told = reflect::FromJson<wire::cni::Error>(output, kLenient);
  if (told.ok() && !told->msg.empty()) {
    why = told->details.empty() ? told->msg : told->msg + "; " + told->details;
  } else if (!errors.empty()) {
    while (errors.ends_with('\n')) errors.remove_suffix(1);
    why = fmt::format("netplugin failed: \"{}\"", errors);
  } else {
    why = fmt::format("netplugin failed with no error message: exit status {}", status);
  }
  const bool later = told.ok() && told->code == wire::cni::kErrorTryAgainLater;
  return {later ? Code::kUnavailable : Code::kInternal,
          fmt::format("plugin type=\"{}\" failed ({}): {}", type, verb, why)};
}

}  // namespace podium::network
