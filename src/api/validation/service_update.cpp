// How a Service may change: its addresses and families stay, but for a second one that comes or
// goes.
#include <string>
#include <string_view>

#include "api/validation/common.h"
#include "api/validation/service.h"

namespace podium::api {

using core::v1::Service;
using core::v1::ServiceSpec;
using field::ErrorList;
using field::Path;
using Values = reflect::List<std::string>;

namespace {

constexpr std::string_view kChanged = "may not change once set";

void CheckSecondReleased(const ServiceSpec& spec, std::string_view what, const Path& path,
                         ErrorList* errors) {
  if (spec.ipFamilyPolicy == "SingleStack") return;
  errors->Add(field::Invalid(
      path.Child("ipFamilyPolicy"), NamedString(spec.ipFamilyPolicy),
      "must be set to 'SingleStack' when releasing the secondary " + std::string(what)));
}

void CheckClusterIPs(const ServiceSpec& spec, const ServiceSpec& old_spec, const Path& path,
                     ErrorList* errors) {
  if (IsHeadless(spec) && IsHeadless(old_spec)) return;
  const Values& ips = spec.clusterIPs;
  const Values& old_ips = old_spec.clusterIPs;
  const Path ips_path = path.Child("clusterIPs");
  if (ips.size() == old_ips.size()) {
    for (size_t i = 0; i < ips.size(); ++i) {
      if (ips[i] != old_ips[i]) errors->Add(field::Invalid(ips_path.Index(i), ips, kChanged));
    }
    return;
  }
  const Path first = ips_path.Index(0);
  if (ips.empty()) {
    errors->Add(field::Invalid(first, ips, "primary clusterIP can not be unset"));
  } else if (!old_ips.empty() && ips[0] != old_ips[0]) {
    errors->Add(field::Invalid(first, ips, kChanged));
  }
  if (ips.size() == 1 && old_ips.size() > 1) CheckSecondReleased(spec, "clusterIP", path, errors);
}

void CheckFamilies(const ServiceSpec& spec, const ServiceSpec& old_spec, const Path& path,
                   ErrorList* errors) {
  // A headless service may have others, and so may one that becomes headless or ceases to be.
  if (IsHeadless(spec) || IsHeadless(old_spec)) return;
  const Values& families = spec.ipFamilies;
  const Values& old_families = old_spec.ipFamilies;
  const Path families_path = path.Child("ipFamilies");
  const Path first = families_path.Index(0);
  if (families.size() == old_families.size()) {
    for (size_t i = 0; i < families.size(); ++i) {
      if (families[i] != old_families[i]) errors->Add(field::Invalid(first, families, kChanged));
    }
    return;
  }
  const bool fewer = families.size() < old_families.size();
  if (fewer && spec.clusterIPs.empty()) {
    errors->Add(field::Invalid(first, families, "primary ipFamily can not be unset"));
  }
  if (!families.empty() && !old_families.empty() && families[0] != old_families[0]) {
    // Upstream shows the addresses here.
    errors->Add(field::Invalid(first, spec.clusterIPs, kChanged));
  }
  if (fewer && families.size() == 1) CheckSecondReleased(spec, "ipFamily", path, errors);
}

}  // namespace

void CheckServiceTransition(const Service& service, const Service& old_service, ErrorList* errors) {
  const Path root;
  const Path path = root.Child("spec");
  const ServiceSpec& spec = service.spec;
  const ServiceSpec& old_spec = old_service.spec;
  if (spec.type != "ExternalName" && old_spec.type != "ExternalName") {
    CheckClusterIPs(spec, old_spec, path, errors);
    CheckFamilies(spec, old_spec, path, errors);
  }
  if (spec.type == "LoadBalancer" && old_spec.type == "LoadBalancer" &&
      spec.loadBalancerClass != old_spec.loadBalancerClass) {
    errors->Add(field::Invalid(path.Child("loadBalancerClass"), spec.loadBalancerClass, kChanged));
  }
  CheckLoadBalancerClass(spec, errors);
  if (NeedsHealthCheck(spec) && NeedsHealthCheck(old_spec) &&
      spec.healthCheckNodePort != old_spec.healthCheckNodePort) {
    errors->Add(field::Forbidden(path.Child("healthCheckNodePort"), kFieldImmutable));
  }
}

}  // namespace podium::api
