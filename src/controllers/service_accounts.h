// The ServiceAccount `default`, which every namespace has: pods that name none run as it
// (upstream's pkg/controller/serviceaccount/serviceaccounts_controller.go).
#pragma once

#include <memory>

#include "controllers/controller.h"

namespace podium::controllers {

std::unique_ptr<Controller> MakeServiceAccountController(const ControllerContext& context);

}  // namespace podium::controllers
