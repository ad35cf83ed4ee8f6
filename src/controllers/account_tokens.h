// Secrets of type kubernetes.io/service-account-token (upstream's
// pkg/controller/serviceaccount/tokens_controller.go).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "controllers/controller.h"

namespace podium::controllers {

struct AccountTokenOptions {
  // Signs a token without an end for the account, bound to the Secret of this name. Any thread.
  std::function<Result<std::string>(const api::core::v1::ServiceAccount& account,
                                    std::string_view secret)>
      issue{};
  std::string root_ca{};  // PEM
  // Makes such a Secret for each account that has none and lists it in the account's `secrets`, as
  // Kubernetes did before 1.24.
  bool for_each_account = false;
};

// Fills Secrets that name their account in the annotation kubernetes.io/service-account.name with
// token, ca.crt and namespace, and deletes those whose account is gone. The account's list of
// secrets loses those named ACCOUNT-token-… that are gone (upstream: whatever their name, if it has
// seen them go).
std::unique_ptr<Controller> MakeAccountTokens(const ControllerContext& context,
                                              AccountTokenOptions options);

}  // namespace podium::controllers
