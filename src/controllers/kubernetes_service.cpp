#include "controllers/kubernetes_service.h"

#include <utility>

#include "controllers/delete_as_read.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::core::v1::Endpoints;
using api::core::v1::Service;
using api::discovery::v1::EndpointSlice;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kControllerName = "kubernetes-service-controller";
constexpr const char* kNamespace = "default";
constexpr const char* kName = "kubernetes";
constexpr int32_t kHttps = 443;

const char* FamilyOf(const std::string& address) { return address.contains(':') ? "IPv6" : "IPv4"; }

// Makes it what `want` makes of it; whether that is something else.
template <class T, class Want>
bool Set(T* object, Want want) {
  const T before = reflect::Copy(*object);
  want(object);
  return !reflect::Equal(before, *object);
}

class KubernetesService final : public Controller {
 public:
  KubernetesService(const ControllerContext& context, KubernetesServiceOptions options)
      : connection_(*context.connection),
        options_(std::move(options)),
        services_(context.informers->For<Service>(kNamespace)),
        endpoints_(context.informers->For<Endpoints>(kNamespace)),
        slices_(context.informers->For<EndpointSlice>(kNamespace)),
        work_(context, kControllerName, 1, [this](const std::string&) { return Sync(); }) {}

  std::string_view name() const override { return kControllerName; }
  void Start() override {
    const auto look = [this](const SharedObject& object) {
      if (object.meta()->name == kName) work_.Add("");
    };
    for (client::Informer* informer : {&services_, &endpoints_, &slices_}) {
      work_.Follow(*informer, {.on_update = [=](const auto&, const auto& object) { look(object); },
                               .on_delete = [=](const auto& object, bool) { look(object); }});
    }
    work_.Add("");
    work_.Open();
  }

 private:
  Result<Reconciled> Sync() {
    TRY_VOID(Ensure<Service>(services_, SetKubernetesService));
    if (options_.endpoint_address.empty()) return Reconciled();
    TRY_VOID(Ensure<Endpoints>(endpoints_, SetKubernetesEndpoints));
    TRY_VOID(DropSliceOfOtherFamily());
    TRY_VOID(Ensure<EndpointSlice>(slices_, SetKubernetesEndpointSlice));
    return Reconciled();
  }

  // A slice's type never changes.
  Result<void> DropSliceOfOtherFamily() {
    const auto known = slices_.Get<EndpointSlice>({kNamespace, kName});
    if (known == nullptr || known->addressType == FamilyOf(options_.endpoint_address)) return {};
    TRY(const client::Target target,
        client::TargetOf(reflect::TypeOf<EndpointSlice>(), {kNamespace, ""}));
    return DeleteAsRead(connection_, target, known->metadata);
  }

  // Somebody else's write in between is told of by the informer, or is a conflict that is tried
  // again.
  template <class T>
  Result<void> Ensure(const client::Informer& informer,
                      bool (*set)(const KubernetesServiceOptions&, T*)) {
    const auto known = informer.Get<T>({kNamespace, kName});
    T object;
    if (known != nullptr) object = reflect::Copy(*known);
    object.metadata.namespace_ = kNamespace;
    object.metadata.name = kName;
    const bool changed = set(options_, &object);
    if (known != nullptr && (!changed || known->metadata.deletionTimestamp)) return {};
    TRY(const client::Target target,
        client::TargetOf(reflect::TypeOf<T>(), {kNamespace, known != nullptr ? kName : ""}));
    const auto written = known != nullptr ? connection_.Update(target, object, {})
                                          : connection_.Create(target, object, {});
    if (written.ok() || written.error().code() == Code::kAlreadyExists) return {};
    return written.error();
  }

  client::Connection& connection_;
  const KubernetesServiceOptions options_;
  client::Informer& services_;
  client::Informer& endpoints_;
  client::Informer& slices_;
  KeyedWork work_;
};

}  // namespace

bool SetKubernetesService(const KubernetesServiceOptions& options, Service* service) {
  return Set(service, [&](Service* wanted) {
    wanted->metadata.labels["component"] = "apiserver";
    wanted->metadata.labels["provider"] = "kubernetes";
    auto& spec = wanted->spec;
    // An address cannot be taken from a Service that has one.
    if (spec.clusterIP.empty()) {
      spec.clusterIP = options.service_address;
      spec.clusterIPs = {options.service_address};
      spec.ipFamilies = {FamilyOf(options.service_address)};
      spec.ipFamilyPolicy = "SingleStack";
      spec.sessionAffinity = "None";
    }
    spec.type = "ClusterIP";
    if (spec.ports.size() != 1) spec.ports.clear();
    auto& https = spec.ports.empty() ? spec.ports.emplace_back() : spec.ports.front();
    https.name = "https";
    https.protocol = "TCP";
    https.port = kHttps;
    https.targetPort = api::IntOrString::FromInt(options.port);
  });
}

bool SetKubernetesEndpoints(const KubernetesServiceOptions& options, Endpoints* endpoints) {
  return Set(endpoints, [&](Endpoints* wanted) {
    // There is a slice already, and nobody has to make one of this.
    wanted->metadata.labels["endpointslice.kubernetes.io/skip-mirror"] = "true";
    wanted->subsets.clear();
    auto& subset = wanted->subsets.emplace_back();
    subset.addresses.emplace_back().ip = options.endpoint_address;
    auto& https = subset.ports.emplace_back();
    https.name = "https";
    https.port = options.port;
    https.protocol = "TCP";
  });
}

bool SetKubernetesEndpointSlice(const KubernetesServiceOptions& options, EndpointSlice* slice) {
  return Set(slice, [&](EndpointSlice* wanted) {
    wanted->metadata.labels["kubernetes.io/service-name"] = kName;
    wanted->addressType = FamilyOf(options.endpoint_address);
    wanted->endpoints.clear();
    auto& endpoint = wanted->endpoints.emplace_back();
    endpoint.addresses = {options.endpoint_address};
    endpoint.conditions.ready = true;
    wanted->ports.clear();
    auto& https = wanted->ports.emplace_back();
    https.name = "https";
    https.protocol = "TCP";
    https.port = options.port;
  });
}

std::unique_ptr<Controller> MakeKubernetesService(const ControllerContext& context,
                                                  KubernetesServiceOptions options) {
  return std::make_unique<KubernetesService>(context, std::move(options));
}

}  // namespace podium::controllers
