// What every cluster has from its first moment on: namespaces, default roles and bindings. Made at
// every start where it is missing; roles are brought back to what they should give at least
// (authorization/reconcile.h). Written to the store directly, before anybody can ask for anything.
#pragma once

#include <cstdint>

#include "api/time.h"
#include "apiserver/objects.h"
#include "apiserver/services/service_allocator.h"
#include "base/result.h"

namespace podium::apiserver {

// Waits for the store. Errors are the store's.
Result<void> WriteFirstObjects(const Objects& objects, api::Time now);

// The ServiceCIDR of the server's own range, and the Service `kubernetes` at its first address,
// which leads to `port`. Its endpoint is a controller's (controllers/kubernetes_service.h).
Result<void> WriteFirstService(const Objects& objects, const ServiceAllocator& services,
                               uint16_t port, api::Time now);

}  // namespace podium::apiserver
