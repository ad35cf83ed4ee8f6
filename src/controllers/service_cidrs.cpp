#include "controllers/service_cidrs.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "api/ip.h"
#include "base/text.h"
#include "client/event_recorder.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::meta::v1::Condition;
using api::networking::v1::IPAddress;
using api::networking::v1::ServiceCIDR;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kName = "service-cidr-controller";
constexpr const char* kDefaultName = "kubernetes";
constexpr std::string_view kFinalizer = "networking.k8s.io/service-cidr-finalizer";
constexpr int64_t kGraceSeconds = 10;

// Whether `inner`, which may be a single address, lies in `outer`.
bool IsIn(const api::IPNetwork& outer, const api::IPNetwork& inner) {
  if (outer.address.ipv4_text != inner.address.ipv4_text) return false;
  if (inner.prefix_length < outer.prefix_length) return false;
  const api::IPNetwork cut{.address = inner.address, .prefix_length = outer.prefix_length};
  return cut.Masked() == outer.Masked();
}

std::optional<api::IPNetwork> AsNetwork(const std::string& address) {
  const auto parsed = api::ParseIP(address);
  if (!parsed) return std::nullopt;
  return api::IPNetwork{.address = *parsed, .prefix_length = parsed->ipv4_text ? 32 : 128};
}

bool Has(const ServiceCIDR& cidr, const api::IPNetwork& inner) {
  return std::ranges::any_of(cidr.spec.cidrs, [&](const std::string& text) {
    const auto outer = api::ParseCIDR(text);
    return outer && IsIn(*outer, inner);
  });
}

bool IsGuarded(const ServiceCIDR& cidr) {
  const auto& finalizers = cidr.metadata.finalizers;
  return std::ranges::find(finalizers, kFinalizer) != finalizers.end();
}

bool IsOfServices(const api::meta::v1::ObjectMeta& address) {
  const auto found = address.labels.find("ipaddress.kubernetes.io/managed-by");
  return found != address.labels.end() && found->second == "ipallocator.k8s.io";
}

// Whether there was anything to change.
bool SetReady(ServiceCIDR* cidr, std::string_view status, std::string_view reason,
              std::string_view message, api::Time now) {
  auto& conditions = cidr->status.conditions;
  auto ready = std::ranges::find(conditions, "Ready", &Condition::type);
  if (ready == conditions.end()) {
    conditions.emplace_back().type = "Ready";
    ready = std::prev(conditions.end());
  } else if (ready->status == status) {
    return false;
  }
  ready->status = status;
  ready->reason = reason;
  ready->message = message;
  ready->lastTransitionTime = now;
  return true;
}

client::Target AllAddresses() {
  client::Target target = *client::TargetOf(reflect::TypeOf<IPAddress>(), {"", ""});
  // Names and labels say it all, and the garbage collector has them.
  target.metadata_only = true;
  return target;
}

class ServiceCidrs final : public Controller {
 public:
  ServiceCidrs(const ControllerContext& context, std::vector<std::string> default_cidrs)
      : context_(context),
        default_cidrs_(std::move(default_cidrs)),
        events_(*context.connection, *context.clock, std::string(kName)),
        cidrs_(context.informers->For<ServiceCIDR>()),
        addresses_(context.informers->For(AllAddresses())),
        work_(context, kName, 1, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kName; }
  void Start() override;

 private:
  Result<Reconciled> Sync(const std::string& name);
  Result<Reconciled> LetGo(const ServiceCIDR& cidr);
  Result<void> MakeDefault();
  void CheckDefault(const ServiceCIDR& cidr);
  bool IsNeeded(const ServiceCIDR& cidr) const;
  Result<void> Write(const ServiceCIDR& cidr, std::string_view subresource);
  api::Time Now() const { return api::Time::FromUnix(context_.clock->Now() / kNanosPerSecond); }
  // What one of them holds may be let go by another one.
  void AddAll() {
    for (const SharedObject& each : cidrs_.List()) work_.Add(client::KeyOf(each));
    work_.Add(kDefaultName);
  }

  const ControllerContext context_;
  const std::vector<std::string> default_cidrs_;
  client::EventRecorder events_;
  client::Informer& cidrs_;
  client::Informer& addresses_;
  bool told_of_others_ = false;  // the one worker's
  KeyedWork work_;
};

void ServiceCidrs::Start() {
  work_.Follow(cidrs_, {.on_add = [this](const auto&, bool) { AddAll(); },
                        .on_update = [this](const auto&, const auto&) { AddAll(); },
                        .on_delete = [this](const auto&, bool) { AddAll(); }});
  const auto changed = [this](const SharedObject& address) {
    if (!IsOfServices(*address.meta())) return;
    for (const SharedObject& each : cidrs_.List()) {
      if (each.meta()->deletionTimestamp) work_.Add(client::KeyOf(each));
    }
  };
  work_.Follow(addresses_, {.on_add = [=](const auto& address, bool) { changed(address); },
                            .on_delete = [=](const auto& address, bool) { changed(address); }});
  work_.Add(kDefaultName);
  work_.Open();
}

Result<Reconciled> ServiceCidrs::Sync(const std::string& name) {
  const auto cidr = cidrs_.Get<ServiceCIDR>({"", name});
  if (cidr == nullptr) {
    if (name == kDefaultName) TRY_VOID(MakeDefault());
    return Reconciled();
  }
  if (name == kDefaultName) CheckDefault(*cidr);
  if (cidr->metadata.deletionTimestamp) return LetGo(*cidr);
  ServiceCIDR changed = reflect::Copy(*cidr);
  if (!IsGuarded(*cidr)) {
    changed.metadata.finalizers.emplace_back(kFinalizer);
    // It comes again with it.
    TRY_VOID(Write(changed, ""));
    return Reconciled();
  }
  if (SetReady(&changed, "True", "", "Kubernetes Service CIDR is ready", Now())) {
    TRY_VOID(Write(changed, "status"));
  }
  return Reconciled();
}

Result<Reconciled> ServiceCidrs::LetGo(const ServiceCIDR& cidr) {
  if (!IsGuarded(cidr)) return Reconciled();
  ServiceCIDR changed = reflect::Copy(cidr);
  if (IsNeeded(cidr)) {
    if (SetReady(&changed, "False", "Terminating",
                 "There are still IPAddresses referencing the ServiceCIDR, please remove them or "
                 "create a new ServiceCIDR",
                 Now())) {
      TRY_VOID(Write(changed, "status"));
    }
    return Reconciled();
  }
  const int64_t left =
      cidr.metadata.deletionTimestamp->unix_seconds() + kGraceSeconds - Now().unix_seconds();
  if (left > 0) return Reconciled{.requeue_after = std::chrono::seconds(left)};
  std::erase(changed.metadata.finalizers, kFinalizer);
  TRY_VOID(Write(changed, ""));
  return Reconciled();
}

bool ServiceCidrs::IsNeeded(const ServiceCIDR& cidr) const {
  std::vector<ServiceCIDR> all;
  for (const SharedObject& each : cidrs_.List()) {
    all.push_back(reflect::Copy(*each.As<ServiceCIDR>()));
  }
  std::vector<std::string> addresses;
  for (const SharedObject& each : addresses_.List()) {
    if (IsOfServices(*each.meta())) addresses.push_back(each.meta()->name);
  }
  return IsServiceCidrNeeded(cidr, all, addresses);
}

Result<void> ServiceCidrs::MakeDefault() {
  ServiceCIDR cidr;
  cidr.metadata.name = kDefaultName;
  cidr.spec.cidrs = {default_cidrs_.begin(), default_cidrs_.end()};
  TRY(const client::Target target, client::TargetOf(reflect::TypeOf<ServiceCIDR>(), {"", ""}));
  const auto made = context_.connection->Create(target, cidr, {});
  if (!made.ok() && made.error().code() != Code::kAlreadyExists) return made.error();
  return {};
}

void ServiceCidrs::CheckDefault(const ServiceCIDR& cidr) {
  if (told_of_others_ || std::ranges::equal(cidr.spec.cidrs, default_cidrs_)) return;
  told_of_others_ = true;
  const auto told = events_.Record(
      client::ReferenceTo(cidr), "Warning", "KubernetesDefaultServiceCIDRInconsistent",
      fmt::format("The default ServiceCIDR [{}] does not match the controller flag configurations "
                  "[{}]",
                  Join(cidr.spec.cidrs, " "), Join(default_cidrs_, " ")));
  if (!told.ok() && context_.on_error) context_.on_error(kName, kDefaultName, told.error());
}

// As it was read: whoever changed it since makes it come again.
Result<void> ServiceCidrs::Write(const ServiceCIDR& cidr, std::string_view subresource) {
  TRY(const client::Target target,
      client::TargetOf(reflect::TypeOf<ServiceCIDR>(), {"", cidr.metadata.name}, subresource));
  const auto written = context_.connection->Update(target, cidr, {});
  if (!written.ok() && written.error().code() != Code::kNotFound) return written.error();
  return {};
}

}  // namespace

bool IsServiceCidrNeeded(const ServiceCIDR& going, const std::vector<ServiceCIDR>& all,
                         const std::vector<std::string>& addresses) {
  const auto another_has = [&](const api::IPNetwork& inner) {
    return std::ranges::any_of(all, [&](const ServiceCIDR& each) {
      return each.metadata.name != going.metadata.name && !each.metadata.deletionTimestamp &&
             Has(each, inner);
    });
  };
  return std::ranges::any_of(addresses, [&](const std::string& text) {
    const auto address = AsNetwork(text);
    return address && Has(going, *address) && !another_has(*address);
  });
}

std::unique_ptr<Controller> MakeServiceCidrController(const ControllerContext& context,
                                                      std::vector<std::string> default_cidrs) {
  return std::make_unique<ServiceCidrs>(context, std::move(default_cidrs));
}

}  // namespace podium::controllers
