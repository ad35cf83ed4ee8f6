#include "apiserver/admission/webhook_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "api/status.h"
#include "api/types/core_v1.h"
#include "api/types/discovery_v1.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Service;
using api::discovery::v1::EndpointSlice;

std::string WithPath(const std::string& origin, const std::optional<std::string>& path) {
  const std::string text = path.value_or("");
  return origin + (text.starts_with('/') ? "" : "/") + text;
}

// host:port of one that is ready, at random; kUnavailable when there is none.
Result<std::string> ReadyEndpoint(const Objects& objects, const WebhookService& reference,
                                  const std::string& port_name, uint64_t random) {
  TRY(const auto slices, objects.List<EndpointSlice>(reference.name_space));
  std::vector<std::string> ready;
  for (const auto& slice : slices) {
    const auto label = slice->metadata.labels.find("kubernetes.io/service-name");
    if (label == slice->metadata.labels.end() || label->second != reference.name) continue;
    const auto port = std::ranges::find_if(slice->ports, [&](const auto& each) {
      return each.name.value_or("") == port_name && each.port;
    });
    if (port == slice->ports.end() || slice->addressType == "FQDN") continue;
    for (const auto& endpoint : slice->endpoints) {
      if (endpoint.addresses.empty() || !endpoint.conditions.ready.value_or(true)) continue;
      const std::string& address = endpoint.addresses[0];
      const bool six = slice->addressType == "IPv6";
      ready.push_back(
          fmt::format("{}{}{}:{}", six ? "[" : "", address, six ? "]" : "", *port->port));
    }
  }
  if (!ready.empty()) return ready[random % ready.size()];
  return Error(Code::kUnavailable,
               "no endpoints available for service " + reflect::GoQuoted(reference.name));
}

}  // namespace

std::string WebhookServiceName(std::string_view name_space, std::string_view name) {
  return std::string(name) + "." + std::string(name_space) + ".svc";
}

Result<WebhookTarget> TargetOfService(const Objects& objects, const WebhookService& reference,
                                      uint64_t random) {
  const int32_t wanted = reference.port;
  const std::string host =
      fmt::format("{}:{}", WebhookServiceName(reference.name_space, reference.name), wanted);
  WebhookTarget target{
      .url = {}, .shown = WithPath("https://" + host, reference.path), .host = host};
  TRY(const auto service, objects.Get<Service>(reference.name_space, reference.name));
  if (service == nullptr) return api::NotFoundError({"", "services"}, reference.name);
  if (service->spec.type == "ExternalName") {
    target.url =
        WithPath(fmt::format("https://{}:{}", service->spec.externalName, wanted), reference.path);
    return target;
  }
  const auto port =
      std::ranges::find(service->spec.ports, wanted, &api::core::v1::ServicePort::port);
  if (port == service->spec.ports.end()) {
    return Error(Code::kNotFound, fmt::format("no service port {} found for service {}", wanted,
                                              reflect::GoQuoted(reference.name)));
  }
  TRY(const std::string endpoint, ReadyEndpoint(objects, reference, port->name, random));
  target.url = WithPath("https://" + endpoint, reference.path);
  return target;
}

}  // namespace podium::apiserver
