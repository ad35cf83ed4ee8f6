#include "controllers/root_ca_publisher.h"

#include <utility>

#include "api/types/core_v1.h"
#include "controllers/in_each_namespace.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::core::v1::ConfigMap;

constexpr const char* kName = "kube-root-ca.crt";
constexpr const char* kDescriptionKey = "kubernetes.io/description";
// Upstream's words, which people look for.
constexpr const char* kDescription =
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters.";

// Whether there was anything to change. Annotations of others stay; data of others does not.
bool Fill(const std::string& root_ca, ConfigMap* map) {
  reflect::Map<std::string> data = {{"ca.crt", root_ca}};
  std::string& description = map->metadata.annotations[kDescriptionKey];
  if (map->data == data && description == kDescription) return false;
  map->data = std::move(data);
  description = kDescription;
  return true;
}

Result<void> Ensure(client::Connection& connection, const client::Informer& maps,
                    const std::string& root_ca, const std::string& name_space) {
  const reflect::Type& type = reflect::TypeOf<ConfigMap>();
  if (const auto known = maps.Get<ConfigMap>({name_space, kName})) {
    ConfigMap map = reflect::Copy(*known);
    if (!Fill(root_ca, &map)) return {};
    TRY(const client::Target target, client::TargetOf(type, {name_space, kName}));
    TRY_VOID(connection.Update(target, map, {}));
    return {};
  }
  ConfigMap map;
  map.metadata.namespace_ = name_space;
  map.metadata.name = kName;
  (void)Fill(root_ca, &map);
  TRY(const client::Target target, client::TargetOf(type, {name_space, ""}));
  const auto created = connection.Create(target, map, {});
  // The informer tells of it later; should it be another one, that is an update then.
  if (!created.ok() && created.error().code() != Code::kAlreadyExists) return created.error();
  return {};
}

}  // namespace

std::unique_ptr<Controller> MakeRootCaPublisher(const ControllerContext& context,
                                                std::string root_ca) {
  client::Connection& connection = *context.connection;
  client::Informer& maps = context.informers->For<ConfigMap>();
  const auto ensure = [&connection, &maps, ca = std::move(root_ca)](const std::string& name_space) {
    return Ensure(connection, maps, ca, name_space);
  };
  return std::make_unique<InEachNamespace<ConfigMap>>(
      context, "root-ca-certificate-publisher-controller", kName, ensure);
}

}  // namespace podium::controllers
