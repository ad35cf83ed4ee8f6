// Objects that end by themselves.
#pragma once

#include <memory>

#include "controllers/controller.h"

namespace podium::controllers {

// Events, one hour after they were last written. Upstream has no controller for it: kube-apiserver
// (--event-ttl) lets etcd forget them. When an event was written is what the server has noted in
// its metadata, not what the event says of itself.
std::unique_ptr<Controller> MakeEventExpiry(const ControllerContext& context);

// The Leases by which API servers are known (namespace kube-system, label
// apiserver.kubernetes.io/identity=kube-apiserver), looked at once an hour: those that were not
// renewed in time, or never (upstream's pkg/controlplane/controller/apiserverleasegc). Other Leases
// stay: those of nodes go with their node, those of elections are taken over.
std::unique_ptr<Controller> MakeServerLeaseExpiry(const ControllerContext& context);

}  // namespace podium::controllers
