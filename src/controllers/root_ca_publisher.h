// The ConfigMap kube-root-ca.crt of every namespace, which pods check the API server's certificate
// by (upstream's pkg/controller/certificates/rootcacertpublisher).
#pragma once

#include <memory>
#include <string>

#include "controllers/controller.h"

namespace podium::controllers {

// `root_ca`: certificates in PEM.
std::unique_ptr<Controller> MakeRootCaPublisher(const ControllerContext& context,
                                                std::string root_ca);

}  // namespace podium::controllers
