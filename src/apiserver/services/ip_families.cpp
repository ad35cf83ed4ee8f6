#include "apiserver/services/ip_families.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "api/status.h"
#include "api/validation/common.h"
#include "api/validation/service.h"
#include "apiserver/services/ip_range.h"
#include "apiserver/services/service_allocator.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Service;
using api::core::v1::ServiceSpec;
using api::field::ErrorList;
using api::field::Path;
using Values = reflect::List<std::string>;

constexpr std::string_view kSingleStack = "SingleStack";
constexpr std::string_view kRequireDualStack = "RequireDualStack";
constexpr std::string_view kPreferDualStack = "PreferDualStack";

std::string_view OtherFamily(std::string_view family) { return family == "IPv4" ? "IPv6" : "IPv4"; }

bool Has(const std::vector<std::string>& families, std::string_view family) {
  return std::ranges::find(families, family) != families.end();
}

std::vector<std::string> FamiliesOf(const ServiceNetworks& networks) {
  std::vector<std::string> families;
  for (const std::string& cidr : networks.cidrs) {
    const auto range = IpRange::Parse(cidr);
    if (range) families.emplace_back(range->family());
  }
  return families;
}

// By intent and history: without a policy a new service has one family, and a changed one what it
// had. One without addresses and pods can have both at no cost.
std::string DefaultPolicy(const Service* old, const ServiceSpec& spec) {
  if (old != nullptr && old->spec.ipFamilyPolicy) return *old->spec.ipFamilyPolicy;
  return std::string(api::IsHeadless(spec) && spec.selector.empty() ? kRequireDualStack
                                                                    : kSingleStack);
}

// Fewer of what was there, and not because something else took its place.
bool Reduced(const Values& old, const Values& now) {
  return old.size() == 2 && now.size() == 1 && old.front() == now.front();
}

void GiveUpSecond(const ServiceSpec& old, const Path& policy, ServiceSpec* spec,
                  ErrorList* errors) {
  if (*spec->ipFamilyPolicy == kSingleStack) {
    if (spec->clusterIPs == old.clusterIPs && spec->clusterIPs.size() > 1) {
      spec->clusterIPs.resize(1);
    }
    if (spec->ipFamilies == old.ipFamilies && spec->ipFamilies.size() > 1) {
      spec->ipFamilies.resize(1);
    }
    return;
  }
  if (Reduced(old.clusterIPs, spec->clusterIPs)) {
    errors->Add(api::field::Invalid(policy, api::NamedString(spec->ipFamilyPolicy),
                                    "must be 'SingleStack' to release the secondary cluster IP"));
  }
  if (Reduced(old.ipFamilies, spec->ipFamilies)) {
    errors->Add(api::field::Invalid(policy, api::NamedString(spec->ipFamilyPolicy),
                                    "must be 'SingleStack' to release the secondary IP family"));
  }
}

void CheckSingleStack(const ServiceSpec& spec, const Path& policy, ErrorList* errors) {
  if (*spec.ipFamilyPolicy != kSingleStack) return;
  if (spec.clusterIPs.size() == 2) {
    errors->Add(api::field::Invalid(policy, api::NamedString(spec.ipFamilyPolicy),
                                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple "
                                    "cluster IPs are specified"));
  }
  if (spec.ipFamilies.size() == 2) {
    errors->Add(api::field::Invalid(policy, api::NamedString(spec.ipFamilyPolicy),
                                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple "
                                    "IP families are specified"));
  }
}

void InferFamilies(const std::vector<std::string>& families, ServiceSpec* spec, ErrorList* errors) {
  const Path path("spec");
  const Path addresses = path.Child("clusterIPs");
  for (size_t i = 0; i < spec->clusterIPs.size() && !api::IsHeadless(*spec); ++i) {
    if (i < spec->ipFamilies.size()) continue;
    const std::string family(FamilyOf(spec->clusterIPs[i]));
    if (Has(families, family)) {
      spec->ipFamilies.push_back(family);
    } else {
      errors->Add(api::field::Invalid(addresses.Index(i), spec->clusterIPs,
                                      family + " is not configured on this cluster"));
    }
  }
}

void CheckConfigured(const std::vector<std::string>& families, const ServiceSpec& spec,
                     const Path& policy, ErrorList* errors) {
  if (*spec.ipFamilyPolicy == kRequireDualStack && families.size() < 2) {
    errors->Add(api::field::Invalid(policy, api::NamedString(spec.ipFamilyPolicy),
                                    "this cluster is not configured for dual-stack services"));
  }
  const Path path("spec");
  const Path at = path.Child("ipFamilies");
  for (size_t i = 0; i < spec.ipFamilies.size(); ++i) {
    if (Has(families, spec.ipFamilies[i])) continue;
    errors->Add(api::field::Invalid(at.Index(i), api::NamedString(spec.ipFamilies[i]),
                                    "not configured on this cluster"));
  }
}

void AddSecondFamily(ServiceSpec* spec) {
  if (*spec->ipFamilyPolicy == kSingleStack || spec->ipFamilies.size() != 1) return;
  spec->ipFamilies.emplace_back(OtherFamily(spec->ipFamilies.front()));
}

}  // namespace

bool KeepsFamilies(const Service& old, const Service& service) {
  const ServiceSpec& spec = service.spec;
  return old.spec.type != "ExternalName" && spec.type != "ExternalName" &&
         old.spec.ipFamilyPolicy == kPreferDualStack && spec.ipFamilyPolicy == kPreferDualStack &&
         old.spec.clusterIPs == spec.clusterIPs && old.spec.ipFamilies == spec.ipFamilies;
}

Result<void> InitIpFamilies(const ServiceNetworks& networks, const Service* old, Service* service) {
  ServiceSpec& spec = service->spec;
  if (spec.type == "ExternalName") return {};
  if (old != nullptr && KeepsFamilies(*old, *service)) return {};
  if (!spec.ipFamilyPolicy) spec.ipFamilyPolicy = DefaultPolicy(old, spec);

  const std::vector<std::string> families = FamiliesOf(networks);
  const Path path("spec");
  const Path policy = path.Child("ipFamilyPolicy");
  ErrorList errors;
  if (old != nullptr) GiveUpSecond(old->spec, policy, &spec, &errors);
  CheckSingleStack(spec, policy, &errors);
  InferFamilies(families, &spec, &errors);
  const auto refused = [&] {
    return api::InvalidError("", "Service", service->metadata.name, errors);
  };
  if (!errors.empty()) return refused();

  // Nobody has to route to it, so that it may have families that the cluster has not.
  const bool free = api::IsHeadless(spec) && spec.selector.empty();
  if (!free) CheckConfigured(families, spec, policy, &errors);
  if (!errors.empty()) return refused();
  if (spec.ipFamilies.empty()) spec.ipFamilies.push_back(families.front());
  if (free || families.size() == 2) AddSecondFamily(&spec);
  return {};
}

}  // namespace podium::apiserver
