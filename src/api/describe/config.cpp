// What configures pods, and namespaces with the limits in them.
#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/describe/parts.h"
#include "api/printed_text.h"
#include "api/types/scheduling_v1.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: the kinds of this file, named once
using scheduling::v1::PriorityClass;

Result<void> DescribeSecret(const Secret& secret, const Scene&, DescribeWriter* out) {
  WriteMetadata(secret.metadata, out);
  out->Line(0, "\nType:\t", secret.type);
  out->Line(0, "\nData\n====");
  // A token is shown; whatever else is secret is not.
  const bool has_token = secret.type == "kubernetes.io/service-account-token";
  for (const auto& [key, value] : secret.data) {
    if (has_token && key == "token") {
      out->Line(0, key, ":\t", value.data);
    } else {
      out->Line(0, key, ":\t", value.data.size(), " bytes");
    }
  }
  return {};
}

Result<void> DescribeConfigMap(const ConfigMap& map, const Scene& scene, DescribeWriter* out) {
  WriteMetadata(map.metadata, out);
  out->Line(0, "\nData\n====");
  for (const auto& [key, value] : map.data) {
    out->Line(0, key, ":\n----");
    out->Line(0, value, "\n");
  }
  out->Line(0, "\nBinaryData\n====");
  for (const auto& [key, value] : map.binaryData) {
    out->Line(0, key, ": ", value.data.size(), " bytes");
  }
  out->Line(0);
  WriteEventsOf("ConfigMap", map.metadata, scene, out);
  return {};
}

Result<void> DescribeServiceAccount(const ServiceAccount& account, const Scene& scene,
                                    DescribeWriter* out) {
  constexpr std::string_view kTitle = "Image pull secrets:";
  WriteMetadata(account.metadata, out);
  if (account.imagePullSecrets.empty()) out->Line(0, kTitle, "\t", kNone);
  for (const LocalObjectReference& secret : account.imagePullSecrets) {
    const bool is_first = &secret == &account.imagePullSecrets.front();
    out->Line(0, is_first ? std::string(kTitle) : std::string(kTitle.size(), ' '), "\t",
              secret.name);
  }
  WriteEventsOf("ServiceAccount", account.metadata, scene, out);
  return {};
}

Result<void> DescribePriorityClass(const PriorityClass& priority, const Scene& scene,
                                   DescribeWriter* out) {
  out->Line(0, "Name:\t", priority.metadata.name);
  out->Line(0, "Value:\t", priority.value);
  out->Line(0, "GlobalDefault:\t", priority.globalDefault);
  out->Line(0, "PreemptionPolicy:\t", priority.preemptionPolicy.value_or(""));
  out->Line(0, "Description:\t", priority.description);
  out->Line(0, "Annotations:\t", LabelsText(priority.metadata.annotations));
  WriteEventsOf("PriorityClass", priority.metadata, scene, out);
  return {};
}

// --- Limits of namespaces ---

void WriteLimits(const LimitRangeSpec& spec, std::string_view indent, DescribeWriter* out) {
  for (const LimitRangeItem& item : spec.limits) {
    const reflect::Map<Quantity>* const columns[] = {&item.min, &item.max, &item.defaultRequest,
                                                     &item.default_, &item.maxLimitRequestRatio};
    std::set<std::string> names;
    for (const auto* column : columns) {
      for (const auto& [name, amount] : *column) names.insert(name);
    }
    for (const std::string& name : names) {
      out->Write(0, indent, item.type, "\t", name);
      for (const auto* column : columns) {
        const auto found = column->find(name);
        out->Write(0, "\t", found == column->end() ? "-" : found->second.String());
      }
      out->Line(0);
    }
  }
}

void WriteLimitsHead(std::string_view indent, DescribeWriter* out) {
  out->Line(0, indent,
            "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio");
  out->Line(0, indent,
            "----\t--------\t---\t---\t---------------\t-------------\t-----------------------");
}

Result<void> DescribeLimitRange(const LimitRange& range, const Scene&, DescribeWriter* out) {
  out->Line(0, "Name:\t", range.metadata.name);
  out->Line(0, "Namespace:\t", range.metadata.namespace_);
  WriteLimitsHead("", out);
  WriteLimits(range.spec, "", out);
  return {};
}

std::string_view HelpOf(std::string_view scope) {
  if (scope == "Terminating") {
    return "Matches all pods that have an active deadline. These pods have a limited lifespan on a "
           "node before being actively terminated by the system.";
  }
  if (scope == "NotTerminating") {
    return "Matches all pods that do not have an active deadline. These pods usually include long "
           "running pods whose container command is not expected to terminate.";
  }
  if (scope == "BestEffort") {
    return "Matches all pods that do not have resource requirements set. These pods have a best "
           "effort quality of service.";
  }
  if (scope == "NotBestEffort") {
    return "Matches all pods that have at least one resource requirement set. These pods have a "
           "burstable or guaranteed quality of service.";
  }
  return {};
}

void WriteScopes(const ResourceQuota& quota, int level, std::string_view bullet,
                 DescribeWriter* out) {
  if (quota.spec.scopes.empty()) return;
  std::vector<std::string> scopes(quota.spec.scopes.begin(), quota.spec.scopes.end());
  std::ranges::sort(scopes);
  out->Line(level, "Scopes:\t", Join(scopes, ", "));
  for (const std::string& scope : scopes) {
    const std::string_view help = HelpOf(scope);
    if (!help.empty()) out->Line(level, bullet, help);
  }
}

Result<void> DescribeQuota(const ResourceQuota& quota, const Scene&, DescribeWriter* out) {
  out->Line(0, "Name:\t", quota.metadata.name);
  out->Line(0, "Namespace:\t", quota.metadata.namespace_);
  WriteScopes(quota, 0, " * ", out);
  out->Line(0, "Resource\tUsed\tHard");
  out->Line(0, "--------\t----\t----");
  for (const auto& [name, hard] : quota.status.hard) {
    Quantity used = AmountOf(quota.status.used, name);
    if (used.format() != hard.format()) used = Quantity::FromInt(used.Value(), hard.format());
    out->Line(0, name, "\t", used.String(), "\t", hard.String());
  }
  return {};
}

void WriteQuotas(std::span<const ResourceQuota* const> quotas, DescribeWriter* out) {
  if (quotas.empty()) return out->Line(0, "No resource quota.");
  out->Line(0, "Resource Quotas");
  for (const ResourceQuota* quota : quotas) {
    out->Line(1, "Name:\t", quota->metadata.name);
    WriteScopes(*quota, 1, "* ", out);
    out->Line(1, "Resource\tUsed\tHard");
    out->Line(1, "--------\t---\t---");
    for (const auto& [name, hard] : quota->status.hard) {
      out->Line(1, name, "\t", AmountOf(quota->status.used, name).String(), "\t", hard.String());
    }
  }
}

void WriteLimitRanges(std::span<const LimitRange* const> ranges, DescribeWriter* out) {
  if (ranges.empty()) return out->Line(0, "No LimitRange resource.");
  out->Line(0, "Resource Limits");
  WriteLimitsHead(" ", out);
  for (const LimitRange* range : ranges) WriteLimits(range->spec, " ", out);
}

void WriteConditions(const reflect::List<NamespaceCondition>& conditions, const Scene& scene,
                     DescribeWriter* out) {
  if (conditions.empty()) return;
  out->Line(0, "Conditions:");
  out->Line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
  out->Line(1, "----\t------\t------------------\t------\t-------");
  for (const NamespaceCondition& each : conditions) {
    out->Line(1, each.type, "\t", each.status, "\t", scene.Date(each.lastTransitionTime), "\t",
              each.reason, "\t", each.message);
  }
}

Result<void> DescribeNamespace(const Namespace& space, const Scene& scene, DescribeWriter* out) {
  const std::string& name = space.metadata.name;
  out->Line(0, "Name:\t", name);
  WriteLabels("Labels", space.metadata.labels, out);
  WriteAnnotations("Annotations", space.metadata.annotations, out);
  out->Line(0, "Status:\t", space.status.phase);
  WriteConditions(space.status.conditions, scene, out);
  out->Line(0);
  WriteQuotas(scene.List<ResourceQuota>(name), out);
  out->Line(0);
  WriteLimitRanges(scene.List<LimitRange>(name), out);
  return {};
}

}  // namespace

std::span<const Describer> ConfigDescribers() {
  static const Describer kDescribers[] = {
      DescriberOf<ConfigMap, DescribeConfigMap>(),
      DescriberOf<LimitRange, DescribeLimitRange>(),
      DescriberOf<Namespace, DescribeNamespace>(),
      DescriberOf<PriorityClass, DescribePriorityClass>(),
      DescriberOf<ResourceQuota, DescribeQuota>(),
      DescriberOf<Secret, DescribeSecret>(),
      DescriberOf<ServiceAccount, DescribeServiceAccount>(),
  };
  return kDescribers;
}

}  // namespace podium::api
