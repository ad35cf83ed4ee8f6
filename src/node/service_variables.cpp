#include "node/service_variables.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "api/printed_text.h"
#include "base/text.h"

namespace podium::node {
namespace {

// "my-web" is "MY_WEB".
std::string VariableName(std::string_view name) {
  std::string out = UpperCase(name);
  std::ranges::replace(out, '-', '_');
  return out;
}

void AddLinks(const v1::Service& service, const std::string& prefix, Environment* out) {
  const std::string& address = service.spec.clusterIP;
  bool first = true;
  for (const v1::ServicePort& each : service.spec.ports) {
    const std::string port = std::to_string(each.port);
    const std::string upper = UpperCase(each.protocol.empty() ? "TCP" : each.protocol);
    const std::string lower = LowerCase(upper);
    const std::string url = lower + "://" + api::HostPort(address, port);
    if (std::exchange(first, false)) out->Set(prefix + "_PORT", url);
    std::string name = prefix;
    name.append("_PORT_").append(port).append("_").append(upper);
    out->Set(name, url);
    out->Set(name + "_PROTO", lower);
    out->Set(name + "_PORT", port);
    out->Set(name + "_ADDR", address);
  }
}

}  // namespace

Environment ServiceVariables(const std::vector<std::shared_ptr<const v1::Service>>& services) {
  Environment out;
  for (const auto& service : services) {
    const v1::ServiceSpec& spec = service->spec;
    if (spec.clusterIP.empty() || spec.clusterIP == "None" || spec.ports.empty()) continue;
    const std::string prefix = VariableName(service->metadata.name);
    const std::string port = prefix + "_SERVICE_PORT";
    out.Set(prefix + "_SERVICE_HOST", spec.clusterIP);
    out.Set(port, std::to_string(spec.ports.front().port));
    for (const v1::ServicePort& each : spec.ports) {
      if (!each.name.empty())
        out.Set(port + "_" + VariableName(each.name), std::to_string(each.port));
    }
    AddLinks(*service, prefix, &out);
  }
  return out;
}

}  // namespace podium::node
