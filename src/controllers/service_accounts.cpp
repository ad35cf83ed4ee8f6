#include "controllers/service_accounts.h"

#include "api/types/core_v1.h"
#include "controllers/in_each_namespace.h"

namespace podium::controllers {

using api::core::v1::ServiceAccount;

std::unique_ptr<Controller> MakeServiceAccountController(const ControllerContext& context) {
  client::Connection& connection = *context.connection;
  client::Informer& accounts = context.informers->For<ServiceAccount>();
  const auto ensure = [&connection, &accounts](const std::string& name_space) -> Result<void> {
    if (accounts.Get<ServiceAccount>({name_space, "default"}) != nullptr) return {};
    ServiceAccount account;
    account.metadata.namespace_ = name_space;
    account.metadata.name = "default";
    TRY(const client::Target target,
        client::TargetOf(reflect::TypeOf<ServiceAccount>(), {name_space, ""}));
    const auto created = connection.Create(target, account, {});
    if (!created.ok() && created.error().code() != Code::kAlreadyExists) return created.error();
    return {};
  };
  return std::make_unique<InEachNamespace<ServiceAccount>>(context, "serviceaccount-controller",
                                                           "default", ensure);
}

}  // namespace podium::controllers
