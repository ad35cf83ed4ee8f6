#include "node/server/configz.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "api/time.h"
#include "base/clock.h"
#include "image/image_store.h"
#include "node/cluster/node_lease.h"
#include "node/cluster/node_registration.h"
#include "node/server/kubelet_auth.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/number_text.h"

namespace podium::node {
namespace {

using reflect::JsonValue;

JsonValue Number(int64_t number) { return JsonValue::Number(std::to_string(number)); }
JsonValue Duration(int64_t nanoseconds) {
  return JsonValue::String(api::Duration::FromNanos(nanoseconds).String());
}
JsonValue Duration(std::chrono::nanoseconds duration) { return Duration(duration.count()); }

JsonValue Strings(const std::vector<std::string>& texts) {
  JsonValue::Array all;
  for (const std::string& text : texts) all.push_back(JsonValue::String(text));
  return JsonValue::Of(std::move(all));
}

JsonValue Quantities(const ResourceList& list) {
  JsonValue::Object all;
  for (const auto& [name, quantity] : list) {
    all.push_back({name, JsonValue::String(quantity.String())});
  }
  return JsonValue::Of(std::move(all));
}

// As it would be said: "100Mi", "10%".
std::string AmountText(const EvictionAmount& amount) {
  if (amount.percentage == 0) return amount.quantity.String();
  std::string text;
  // A float has seven digits.
  reflect::AppendFloatGeneral(std::round(static_cast<double>(amount.percentage) * 1e6) / 1e4,
                              &text);
  return text + "%";
}

struct Evictions {
  JsonValue::Object hard;
  JsonValue::Object soft;
  JsonValue::Object grace;
  JsonValue::Object reclaim;
};
Evictions EvictionsOf(const std::vector<EvictionThreshold>& thresholds) {
  Evictions out;
  for (const EvictionThreshold& each : thresholds) {
    auto& kind = each.hard() ? out.hard : out.soft;
    kind.push_back({each.signal, JsonValue::String(AmountText(each.amount()))});
    if (!each.hard()) out.grace.push_back({each.signal, Duration(each.grace_period)});
    const bool first = JsonValue::Of(out.reclaim).Find(each.signal) == nullptr;
    if (each.min_reclaim && first) {
      out.reclaim.push_back({each.signal, JsonValue::String(AmountText(*each.min_reclaim))});
    }
  }
  return out;
}

JsonValue Authentication() {
  return JsonValue::Of(JsonValue::Object{
      {"webhook", JsonValue::Of(JsonValue::Object{{"enabled", JsonValue::Bool(true)},
                                                  {"cacheTTL", Duration(kTokenTime)}})},
      {"anonymous", JsonValue::Of(JsonValue::Object{{"enabled", JsonValue::Bool(false)}})}});
}

JsonValue Authorization() {
  return JsonValue::Of(JsonValue::Object{
      {"mode", JsonValue::String("Webhook")},
      {"webhook",
       JsonValue::Of(JsonValue::Object{{"cacheAuthorizedTTL", Duration(kAllowedTime)},
                                       {"cacheUnauthorizedTTL", Duration(kRefusedTime)}})}});
}

Result<JsonValue> Taints(const std::vector<v1::Taint>& taints) {
  JsonValue::Array all;
  for (const v1::Taint& taint : taints) {
    TRY(const std::string text, reflect::ToJson(taint));
    TRY(JsonValue value, reflect::ParseJson(text));
    all.push_back(std::move(value));
  }
  return JsonValue::Of(std::move(all));
}

void AddEviction(const EvictionSettings& settings, JsonValue* out) {
  Evictions said = EvictionsOf(settings.thresholds);
  out->Set("evictionHard", JsonValue::Of(std::move(said.hard)));
  if (!said.soft.empty()) {
    out->Set("evictionSoft", JsonValue::Of(std::move(said.soft)));
    out->Set("evictionSoftGracePeriod", JsonValue::Of(std::move(said.grace)));
  }
  out->Set("evictionPressureTransitionPeriod", Duration(settings.transition_period));
  if (settings.max_pod_grace_seconds != 0) {
    out->Set("evictionMaxPodGracePeriod", Number(settings.max_pod_grace_seconds));
  }
  if (!said.reclaim.empty()) {
    out->Set("evictionMinimumReclaim", JsonValue::Of(std::move(said.reclaim)));
  }
}

void AddServer(const ConfigzInput& in, JsonValue* out) {
  out->Set("enableServer", JsonValue::Bool(true));
  if (!in.static_pod_path.empty()) {
    out->Set("staticPodPath", JsonValue::String(in.static_pod_path));
  }
  out->Set("address", JsonValue::String("0.0.0.0"));
  out->Set("port", Number(in.port));
  out->Set("rotateCertificates", JsonValue::Bool(in.rotate_certificates));
  if (in.rotate_server_certificates) out->Set("serverTLSBootstrap", JsonValue::Bool(true));
  out->Set("authentication", Authentication());
  out->Set("authorization", Authorization());
  out->Set("enableDebuggingHandlers", JsonValue::Bool(true));
}

void AddNode(const ConfigzInput& in, JsonValue* out) {
  const NodeConfig& config = in.config;
  out->Set("clusterDomain", JsonValue::String(config.cluster_domain));
  if (!config.cluster_dns.empty()) out->Set("clusterDNS", Strings(config.cluster_dns));
  out->Set("nodeStatusUpdateFrequency", Duration(NodeRegistration::kUpdateFrequency));
  out->Set("nodeStatusReportFrequency", Duration(NodeRegistration::kReportFrequency));
  out->Set("nodeLeaseDurationSeconds", Number(NodeLease::kDuration.count()));
  const image::GcPolicy images;
  out->Set("imageMinimumGCAge", Duration(images.minimum_age));
  out->Set("imageMaximumGCAge", Duration(images.maximum_age));
  out->Set("imageGCHighThresholdPercent", Number(images.high_threshold_percent));
  out->Set("imageGCLowThresholdPercent", Number(images.low_threshold_percent));
  out->Set("cgroupsPerQOS", JsonValue::Bool(true));
  out->Set("cgroupDriver", JsonValue::String("cgroupfs"));
  out->Set("cpuManagerPolicy", JsonValue::String(config.static_cpus ? "static" : "none"));
  out->Set("maxPods", Number(in.node.settings.max_pods));
  out->Set("podPidsLimit", Number(config.pod_pids_limit));
  const char* const swap = config.limited_swap ? "LimitedSwap" : "NoSwap";
  out->Set("memorySwap",
           JsonValue::Of(JsonValue::Object{{"swapBehavior", JsonValue::String(swap)}}));
}

void AddShutdown(const ShutdownGraces& graces, JsonValue* out) {
  JsonValue::Array all;
  for (const ShutdownGrace& grace : graces) {
    all.push_back(
        JsonValue::Of(JsonValue::Object{{"priority", Number(grace.priority)},
                                        {"shutdownGracePeriodSeconds", Number(grace.seconds)}}));
  }
  if (!all.empty()) out->Set("shutdownGracePeriodByPodPriority", JsonValue::Of(std::move(all)));
}

}  // namespace

std::string ConfigzPage(const ConfigzInput& in) {
  JsonValue out = JsonValue::Of(JsonValue::Object());
  AddServer(in, &out);
  AddNode(in, &out);
  AddEviction(in.eviction, &out);
  AddShutdown(in.shutdown, &out);
  const NodeConfig& config = in.config;
  const NodeSettings& settings = in.node.settings;
  out.Set(
      "containerLogMaxSize",
      JsonValue::String(
          api::Quantity::FromInt(config.log_max_bytes, api::Quantity::Format::kBinarySI).String()));
  out.Set("containerLogMaxFiles", Number(config.log_max_files));
  if (!settings.system_reserved.empty()) {
    out.Set("systemReserved", Quantities(settings.system_reserved));
  }
  if (!settings.kube_reserved.empty()) {
    out.Set("kubeReserved", Quantities(settings.kube_reserved));
  }
  if (!config.reserved_cpus.empty()) {
    out.Set("reservedSystemCPUs", JsonValue::String(config.reserved_cpus));
  }
  out.Set("enforceNodeAllocatable", Strings({config.pods_memory_limit > 0 ? "pods" : "none"}));
  if (!config.allowed_unsafe_sysctls.empty()) {
    out.Set("allowedUnsafeSysctls", Strings(config.allowed_unsafe_sysctls));
  }
  out.Set("enableSystemLogHandler", JsonValue::Bool(false));
  out.Set("seccompDefault", JsonValue::Bool(config.seccomp_default));
  if (auto taints = Taints(settings.taints); taints.ok() && !taints->array().empty()) {
    out.Set("registerWithTaints", *std::move(taints));
  }
  out.Set("registerNode", JsonValue::Bool(true));
  const JsonValue page = JsonValue::Of(JsonValue::Object{{"kubeletconfig", std::move(out)}});
  return reflect::ToText(page);
}

}  // namespace podium::node
