// The Service `kubernetes` in the namespace default, by which pods reach the API server, and its
// endpoint, which is that server (upstream's pkg/controlplane/controller/kubernetesservice and
// pkg/controlplane/reconcilers). The server writes the Service before it answers anybody; here it
// comes back when somebody deletes it, and follows the server to another port or address.
//
// Of one server only: several over one store need upstream's leases of their addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/types/core_v1.h"
#include "api/types/discovery_v1.h"
#include "controllers/controller.h"

namespace podium::controllers {

struct KubernetesServiceOptions {
  std::string service_address{};  // the Service's own
  // Where other machines and pods reach the server. "" where there is no such address (a machine
  // with nothing but loopback): whatever endpoints there are stay as they are then.
  std::string endpoint_address{};
  uint16_t port = 6443;
};

// Whether there was anything to change. What is nobody's business here (labels of others, the
// traffic policy) stays. Pure.
bool SetKubernetesService(const KubernetesServiceOptions& options, api::core::v1::Service* service);
bool SetKubernetesEndpoints(const KubernetesServiceOptions& options,
                            api::core::v1::Endpoints* endpoints);
bool SetKubernetesEndpointSlice(const KubernetesServiceOptions& options,
                                api::discovery::v1::EndpointSlice* slice);

std::unique_ptr<Controller> MakeKubernetesService(const ControllerContext& context,
                                                  KubernetesServiceOptions options);

}  // namespace podium::controllers
