#include "apiserver/nodes/locations.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "api/field_errors.h"
#include "api/status.h"
#include "api/types/discovery_v1.h"
#include "base/text.h"
#include "http/url.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

namespace v1 = api::core::v1;

constexpr std::string_view kAddressTypes[] = {"Hostname", "InternalDNS", "InternalIP",
                                              "ExternalDNS", "ExternalIP"};
constexpr int32_t kKubeletPort = 10250;
constexpr std::string_view kWebSockets = "ExtendWebSocketsToKubelet";

std::string Quoted(std::string_view text) {
  std::string out;
  reflect::AppendGoQuoted(text, &out);
  return out;
}

// What a request names: the scheme "http", "https" or "", a name, and a port or "".
struct Id {
  std::string_view scheme;
  std::string_view name;
  std::string_view port;
};

Result<Id> ParseId(std::string_view id, std::string_view kind) {
  const std::vector<std::string_view> parts = Split(id, ':');
  Id read;
  if (parts.size() == 1) read = {"", parts[0], ""};
  if (parts.size() == 2) read = {"", parts[0], parts[1]};
  if (parts.size() == 3) read = {parts[0], parts[1], parts[2]};
  const bool known = read.scheme.empty() || read.scheme == "http" || read.scheme == "https";
  if (read.name.empty() || !known) {
    return api::BadRequestError("invalid " + std::string(kind) + " request " + Quoted(id));
  }
  return read;
}

Result<std::shared_ptr<const v1::Pod>> GetPod(const Objects& objects, std::string_view name_space,
                                              std::string_view name) {
  TRY(auto pod, objects.Get<v1::Pod>(name_space, name));
  if (pod == nullptr) return api::NotFoundError({"", "pods"}, name);
  return pod;
}

// Of all kinds, in upstream's order.
std::vector<std::string> ContainerNames(const v1::Pod& pod) {
  std::vector<std::string> names;
  for (const auto& container : pod.spec.initContainers) names.push_back(container.name);
  for (const auto& container : pod.spec.containers) names.push_back(container.name);
  for (const auto& container : pod.spec.ephemeralContainers) names.push_back(container.name);
  return names;
}

Result<std::string> ContainerOf(const v1::Pod& pod, const std::string& asked) {
  const std::vector<std::string> names = ContainerNames(pod);
  if (!asked.empty()) {
    if (std::ranges::find(names, asked) != names.end()) return asked;
    return api::BadRequestError("container " + asked + " is not valid for pod " +
                                pod.metadata.name);
  }
  if (pod.spec.containers.size() == 1) return pod.spec.containers[0].name;
  std::string message = "a container name must be specified for pod " + pod.metadata.name;
  if (!pod.spec.containers.empty()) message += ", choose one of: [" + Join(names, " ") + "]";
  return api::BadRequestError(std::move(message));
}

std::string PathOf(std::initializer_list<std::string_view> segments) {
  std::string path;
  for (const std::string_view segment : segments) path += "/" + http::PercentEncode(segment);
  return path;
}

// Of a pod that streams are opened to: the kubelet of its node.
Result<BackendLocation> StreamLocation(const Objects& objects, const v1::Pod& pod) {
  if (pod.spec.nodeName.empty()) {
    return api::BadRequestError("pod " + pod.metadata.name + " does not have a host assigned");
  }
  return KubeletLocation(objects, pod.spec.nodeName);
}

// Of exec and attach.
template <class Options>
Result<BackendLocation> ContainerLocation(const Objects& objects, std::string_view name_space,
                                          std::string_view name, std::string_view what,
                                          const Options& options,
                                          http::QueryParameters parameters) {
  TRY(const auto pod, GetPod(objects, name_space, name));
  TRY(const std::string container, ContainerOf(*pod, options.container));
  TRY(BackendLocation location, StreamLocation(objects, *pod));
  http::QueryParameters query;
  if (options.stdin_) query.emplace_back("input", "1");
  if (options.stdout_) query.emplace_back("output", "1");
  if (options.stderr_) query.emplace_back("error", "1");
  if (options.tty) query.emplace_back("tty", "1");
  parameters.insert(parameters.end(), query.begin(), query.end());
  location.path = PathOf({what, pod->metadata.namespace_, pod->metadata.name, container});
  location.query = http::EncodeQuery(parameters);
  return location;
}

bool IsOfService(const api::discovery::v1::EndpointSlice& slice, std::string_view service) {
  const auto label = slice.metadata.labels.find("kubernetes.io/service-name");
  return label != slice.metadata.labels.end() && label->second == service;
}

bool IsPodsAddress(const Objects& objects, const api::discovery::v1::Endpoint& endpoint,
                   std::string_view name_space, std::string_view address) {
  if (!endpoint.targetRef || endpoint.targetRef->namespace_ != name_space) return false;
  const auto pod = objects.Get<v1::Pod>(name_space, endpoint.targetRef->name);
  if (!pod.ok() || *pod == nullptr) return false;
  return std::ranges::any_of((*pod)->status.podIPs,
                             [&](const v1::PodIP& of) { return of.ip == address; });
}

struct Place {
  const api::discovery::v1::Endpoint* endpoint;
  std::string_view address;
  int32_t port;
};

// Ready endpoints with a port of this name.
std::vector<Place> ReadyPlaces(const api::discovery::v1::EndpointSlice& slice,
                               std::string_view port_name) {
  std::vector<Place> places;
  for (const auto& port : slice.ports) {
    if (!port.port || (port.name ? *port.name : "") != port_name) continue;
    for (const auto& endpoint : slice.endpoints) {
      const auto& ready = endpoint.conditions.ready;
      if ((ready && !*ready) || endpoint.addresses.empty()) continue;
      places.push_back({&endpoint, endpoint.addresses[0], *port.port});
    }
  }
  return places;
}

// The name of the port that a client names by its number.
Result<std::string> PortName(const Objects& objects, std::string_view name_space, const Id& id) {
  const auto number = reflect::ParseGoInt(id.port);
  if (!number.ok()) return std::string(id.port);
  TRY(const auto service, objects.Get<v1::Service>(name_space, id.name));
  if (service == nullptr) return api::NotFoundError({"", "services"}, id.name);
  for (const auto& port : service->spec.ports) {
    if (port.port == *number) return port.name;
  }
  return api::ServiceUnavailableError("no service port " + std::to_string(*number) +
                                      " found for service " + Quoted(id.name));
}

}  // namespace

std::string BackendLocation::Authority() const {
  const std::string shown = host.find(':') != host.npos ? "[" + host + "]" : host;
  return port.empty() ? shown : shown + ":" + port;
}

Result<BackendLocation> KubeletLocation(const Objects& objects, std::string_view node_name) {
  TRY(const auto node, objects.Get<v1::Node>("", node_name));
  if (node == nullptr) return api::NotFoundError({"", "nodes"}, node_name);
  BackendLocation location{.https = true};
  for (const std::string_view type : kAddressTypes) {
    const auto found = std::ranges::find(node->status.addresses, type, &v1::NodeAddress::type);
    if (found == node->status.addresses.end()) continue;
    location.host = found->address;
    break;
  }
  if (location.host.empty()) {
    std::string known;
    for (const auto& address : node->status.addresses) {
      known += (known.empty() ? "{" : " {") + address.type + " " + address.address + "}";
    }
    return api::InternalError("no preferred addresses found; known addresses: [" + known + "]");
  }
  const int32_t port = node->status.daemonEndpoints.kubeletEndpoint.Port;
  location.port = std::to_string(port > 0 ? port : kKubeletPort);
  location.speaks_websocket = std::ranges::find(node->status.declaredFeatures, kWebSockets) !=
                              node->status.declaredFeatures.end();
  return location;
}

Result<void> CheckLogOptions(std::string_view name, const v1::PodLogOptions& options) {
  using api::field::Path;
  constexpr std::string_view kPositive = "must be greater than 0";
  api::field::ErrorList errors;
  if (options.tailLines && *options.tailLines < 0) {
    errors.Add(api::field::Invalid(Path("tailLines"), *options.tailLines,
                                   "must be greater than or equal to 0"));
  }
  if (options.limitBytes && *options.limitBytes < 1) {
    errors.Add(api::field::Invalid(Path("limitBytes"), *options.limitBytes, kPositive));
  }
  if (options.sinceSeconds && options.sinceTime) {
    errors.Add(api::field::Forbidden(
        Path(""), "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else if (options.sinceSeconds && *options.sinceSeconds < 1) {
    errors.Add(api::field::Invalid(Path("sinceSeconds"), *options.sinceSeconds, kPositive));
  }
  if (options.stream) {
    const std::string& stream = *options.stream;
    if (stream != "All" && stream != "Stdout" && stream != "Stderr") {
      errors.Add(api::field::NotSupported(Path("stream"), stream, {"All", "Stderr", "Stdout"}));
    } else if (stream != "All" && options.tailLines) {
      errors.Add(api::field::Forbidden(
          Path(""), "`tailLines` and specific `stream` are mutually exclusive for now"));
    }
  }
  if (errors.empty()) return {};
  return api::InvalidError("", "PodLogOptions", name, errors);
}

Result<std::optional<BackendLocation>> LogLocation(const Objects& objects,
                                                   std::string_view name_space,
                                                   std::string_view name,
                                                   const v1::PodLogOptions& options) {
  TRY(const auto pod, GetPod(objects, name_space, name));
  TRY(const std::string container, ContainerOf(*pod, options.container));
  if (pod->spec.nodeName.empty()) return std::optional<BackendLocation>();
  TRY(BackendLocation location, KubeletLocation(objects, pod->spec.nodeName));
  http::QueryParameters query;
  const auto add_number = [&](const char* key, const std::optional<int64_t>& value) {
    if (value) query.emplace_back(key, std::to_string(*value));
  };
  // By name, as Go encodes its url.Values.
  if (options.follow) query.emplace_back("follow", "true");
  add_number("limitBytes", options.limitBytes);
  if (options.previous) query.emplace_back("previous", "true");
  add_number("sinceSeconds", options.sinceSeconds);
  if (options.sinceTime) query.emplace_back("sinceTime", options.sinceTime->String());
  // Kubelets before 1.32 do not know it, and All is what they give.
  if (options.stream && *options.stream != "All") query.emplace_back("stream", *options.stream);
  add_number("tailLines", options.tailLines);
  if (options.timestamps) query.emplace_back("timestamps", "true");
  location.path =
      PathOf({"containerLogs", pod->metadata.namespace_, pod->metadata.name, container});
  location.query = http::EncodeQuery(query);
  if (options.insecureSkipTLSVerifyBackend) location.trust = BackendTrust::kKubeletUnverified;
  return std::optional<BackendLocation>(std::move(location));
}

Result<BackendLocation> ExecLocation(const Objects& objects, std::string_view name_space,
                                     std::string_view name, const v1::PodExecOptions& options) {
  http::QueryParameters command;
  for (const std::string& word : options.command) command.emplace_back("command", word);
  return ContainerLocation(objects, name_space, name, "exec", options, std::move(command));
}

Result<BackendLocation> AttachLocation(const Objects& objects, std::string_view name_space,
                                       std::string_view name, const v1::PodAttachOptions& options) {
  return ContainerLocation(objects, name_space, name, "attach", options, {});
}

Result<BackendLocation> PortForwardLocation(const Objects& objects, std::string_view name_space,
                                            std::string_view name,
                                            const v1::PodPortForwardOptions& options) {
  TRY(const auto pod, GetPod(objects, name_space, name));
  TRY(BackendLocation location, StreamLocation(objects, *pod));
  std::vector<std::string> ports;
  for (const int32_t port : options.ports) ports.push_back(std::to_string(port));
  if (!ports.empty()) location.query = http::EncodeQuery({{"port", Join(ports, ",")}});
  location.path = PathOf({"portForward", pod->metadata.namespace_, pod->metadata.name});
  return location;
}

Result<BackendLocation> PodProxyLocation(const Objects& objects, std::string_view name_space,
                                         std::string_view id) {
  TRY(const Id asked, ParseId(id, "pod"));
  TRY(const auto pod, GetPod(objects, name_space, asked.name));
  BackendLocation location{.https = asked.scheme == "https",
                           .port = std::string(asked.port),
                           .trust = BackendTrust::kProxy,
                           .only_global_unicast = true};
  for (const auto& container : pod->spec.containers) {
    if (!location.port.empty()) break;
    if (!container.ports.empty()) location.port = std::to_string(container.ports[0].containerPort);
  }
  if (!pod->status.podIPs.empty()) location.host = pod->status.podIPs[0].ip;
  if (!http::IsIpAddress(location.host)) return api::BadRequestError("address not allowed");
  return location;
}

Result<BackendLocation> NodeProxyLocation(const Objects& objects, std::string_view id) {
  TRY(const Id asked, ParseId(id, "node"));
  TRY(BackendLocation location, KubeletLocation(objects, asked.name));
  if (asked.port.empty() || asked.port == location.port) return location;
  location.https = asked.scheme == "https";
  location.port = asked.port;
  location.trust = BackendTrust::kProxy;
  location.only_global_unicast = true;
  return location;
}

Result<BackendLocation> ServiceProxyLocation(const Objects& objects, std::string_view name_space,
                                             std::string_view id,
                                             const std::function<uint64_t(uint64_t)>& random) {
  TRY(const Id asked, ParseId(id, "service"));
  TRY(const std::string port_name, PortName(objects, name_space, asked));
  TRY(const auto slices, objects.List<api::discovery::v1::EndpointSlice>(name_space));
  std::vector<Place> places;
  for (const auto& slice : slices) {
    if (!IsOfService(*slice, asked.name)) continue;
    const std::vector<Place> more = ReadyPlaces(*slice, port_name);
    places.insert(places.end(), more.begin(), more.end());
  }
  const size_t begin = places.empty() ? 0 : random(places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[(begin + i) % places.size()];
    if (!IsPodsAddress(objects, *place.endpoint, name_space, place.address)) continue;
    return BackendLocation{.https = asked.scheme == "https",
                           .host = std::string(place.address),
                           .port = std::to_string(place.port),
                           .trust = BackendTrust::kProxy,
                           .only_global_unicast = true};
  }
  return api::ServiceUnavailableError("no endpoints available for service " + Quoted(id));
}

}  // namespace podium::apiserver
