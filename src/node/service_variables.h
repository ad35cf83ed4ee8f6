// What containers hear of services in their environment (upstream's pkg/kubelet/envvars, release
// 1.36). Pure.
//
//   WEB_SERVICE_HOST=10.96.0.7                  the service
//   WEB_SERVICE_PORT=80                         its first port
//   WEB_SERVICE_PORT_METRICS_HTTP=9090          its ports that have a name
//   WEB_PORT=tcp://10.96.0.7:80                 the first port, and each of them, as Docker's links
//   WEB_PORT_80_TCP=tcp://10.96.0.7:80          told it
//   WEB_PORT_80_TCP_PROTO=tcp
//   WEB_PORT_80_TCP_PORT=80
//   WEB_PORT_80_TCP_ADDR=10.96.0.7
#pragma once

#include <memory>
#include <vector>

#include "api/types/core_v1.h"
#include "node/environment.h"

namespace podium::node {

// In the services' order; of two that make the same name the later one wins. Services without a
// clusterIP, or with "None", are left out.
Environment ServiceVariables(const std::vector<std::shared_ptr<const v1::Service>>& services);

}  // namespace podium::node
