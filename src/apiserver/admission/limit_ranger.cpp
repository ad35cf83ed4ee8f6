// LimitRanger: fills in what pods do not ask for, and refuses what is beyond the bounds of their
// namespace (upstream's k8s.io/kubernetes/plugin/pkg/admission/limitranger, release 1.36).
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "api/pod_amounts.h"
#include "api/types/core_v1.h"
#include "apiserver/admission/plugins.h"
#include "base/text.h"

namespace podium::apiserver {
namespace {

using api::Quantity;
using api::core::v1::Container;
using api::core::v1::LimitRange;
using api::core::v1::LimitRangeItem;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using Amounts = reflect::Map<Quantity>;
using LimitRanges = std::vector<std::shared_ptr<const LimitRange>>;

constexpr std::string_view kAnnotation = "kubernetes.io/limit-ranger";

const Quantity* Find(const Amounts& amounts, std::string_view name) {
  const auto found = amounts.find(name);
  return found == amounts.end() ? nullptr : &found->second;
}

// The names of what was not there and is now: "cpu, memory".
std::string FillIn(const Amounts& defaults, Amounts* amounts) {
  std::vector<std::string_view> added;
  for (const auto& [name, amount] : defaults) {
    if (amounts->emplace(name, amount).second) added.push_back(name);
  }
  return Join(added, ", ");
}

void FillInContainer(const Amounts& requests, const Amounts& limits, std::string_view what,
                     Container* container, std::vector<std::string>* notes) {
  const std::string set_limits = FillIn(limits, &container->resources.limits);
  const std::string set_requests = FillIn(requests, &container->resources.requests);
  if (!set_requests.empty()) {
    notes->push_back(fmt::format("{} request for {} {}", set_requests, what, container->name));
  }
  if (!set_limits.empty()) {
    notes->push_back(fmt::format("{} limit for {} {}", set_limits, what, container->name));
  }
}

void FillInPod(const LimitRange& range, Pod* pod) {
  Amounts requests;
  Amounts limits;
  for (const LimitRangeItem& item : range.spec.limits) {
    if (item.type != "Container") continue;
    for (const auto& [name, amount] : item.defaultRequest) requests[name] = amount;
    for (const auto& [name, amount] : item.default_) limits[name] = amount;
  }
  std::vector<std::string> notes;
  for (Container& container : pod->spec.containers) {
    FillInContainer(requests, limits, "container", &container, &notes);
  }
  for (Container& container : pod->spec.initContainers) {
    FillInContainer(requests, limits, "init container", &container, &notes);
  }
  if (notes.empty()) return;
  pod->metadata.annotations[std::string(kAnnotation)] =
      "LimitRanger plugin set: " + Join(notes, "; ");
}

// What one part of a pod, or a claim, is checked against.
class Checks {
 public:
  void Min(const LimitRangeItem& item, const Amounts& requests, const Amounts& limits) {
    for (const auto& [name, least] : item.min) {
      const Quantity* request = Find(requests, name);
      const Quantity* limit = Find(limits, name);
      const std::string rule =
          fmt::format("minimum {} usage per {} is {}", name, item.type, least.String());
      if (request == nullptr) {
        problems_.push_back(rule + ".  No request is specified");
      } else if (*request < least) {
        problems_.push_back(rule + ", but request is " + request->String());
      } else if (limit != nullptr && *limit < least) {
        problems_.push_back(rule + ", but limit is " + limit->String());
      }
    }
  }

  void Max(const LimitRangeItem& item, const Amounts& requests, const Amounts& limits) {
    for (const auto& [name, most] : item.max) {
      const Quantity* request = Find(requests, name);
      const Quantity* limit = Find(limits, name);
      const std::string rule = MaxRule(item, name, most);
      if (limit == nullptr) {
        problems_.push_back(rule + ".  No limit is specified");
      } else if (*limit > most) {
        problems_.push_back(rule + ", but limit is " + limit->String());
      } else if (request != nullptr && *request > most) {
        problems_.push_back(rule + ", but request is " + request->String());
      }
    }
  }

  // Of claims, which have no limits.
  void MaxRequest(const LimitRangeItem& item, const Amounts& requests) {
    for (const auto& [name, most] : item.max) {
      const Quantity* request = Find(requests, name);
      const std::string rule = MaxRule(item, name, most);
      if (request == nullptr) {
        problems_.push_back(rule + ".  No request is specified");
      } else if (*request > most) {
        problems_.push_back(rule + ", but request is " + request->String());
      }
    }
  }

  void Ratio(const LimitRangeItem& item, const Amounts& requests, const Amounts& limits) {
    for (const auto& [name, most] : item.maxLimitRequestRatio) {
      const Quantity* request = Find(requests, name);
      const Quantity* limit = Find(limits, name);
      const std::string rule = fmt::format("{} max limit to request ratio per {} is {}, but ", name,
                                           item.type, most.String());
      if (request == nullptr || request->IsZero()) {
        problems_.push_back(rule + "no request is specified or request is 0");
      } else if (limit == nullptr || limit->IsZero()) {
        problems_.push_back(rule + "no limit is specified or limit is 0");
      } else if (const double ratio = RatioOf(*limit, *request); IsBeyond(ratio, most)) {
        problems_.push_back(fmt::format("{}provided ratio is {:f}", rule, ratio));
      }
    }
  }

  void All(const LimitRangeItem& item, const Amounts& requests, const Amounts& limits) {
    Min(item, requests, limits);
    Max(item, requests, limits);
    Ratio(item, requests, limits);
  }

  // As upstream's aggregate of errors reads, each sentence once; nothing when all is well.
  std::optional<std::string> Text() const {
    std::vector<std::string> once;
    for (const std::string& problem : problems_) {
      if (std::ranges::find(once, problem) == once.end()) once.push_back(problem);
    }
    if (once.empty()) return std::nullopt;
    if (once.size() == 1) return once[0];
    return "[" + Join(once, ", ") + "]";
  }

 private:
  // Beyond it thousandths would not fit.
  static constexpr int64_t kMaxMilliValue = std::numeric_limits<int64_t>::max() / 1000;

  static std::string MaxRule(const LimitRangeItem& item, const std::string& name,
                             const Quantity& most) {
    return fmt::format("maximum {} usage per {} is {}", name, item.type, most.String());
  }
  static double RatioOf(const Quantity& limit, const Quantity& request) {
    if (limit.Value() <= kMaxMilliValue && request.Value() <= kMaxMilliValue) {
      return static_cast<double>(limit.MilliValue()) / static_cast<double>(request.MilliValue());
    }
    return static_cast<double>(limit.Value()) / static_cast<double>(request.Value());
  }
  static bool IsBeyond(double ratio, const Quantity& most) {
    if (most.Value() > kMaxMilliValue) return ratio > static_cast<double>(most.Value());
    return ratio * 1000 > static_cast<double>(most.MilliValue());
  }

  std::vector<std::string> problems_;
};

std::optional<std::string> ProblemOf(const LimitRange& range, const Pod& pod) {
  Checks checks;
  for (const LimitRangeItem& item : range.spec.limits) {
    if (item.type == "Container") {
      for (const Container& container : pod.spec.containers) {
        checks.All(item, container.resources.requests, container.resources.limits);
      }
      for (const Container& container : pod.spec.initContainers) {
        checks.All(item, container.resources.requests, container.resources.limits);
      }
    } else if (item.type == "Pod") {
      const api::PodAmounts amounts = api::AmountsOf(pod.spec, false);
      checks.All(item, amounts.requests, amounts.limits);
    }
  }
  return checks.Text();
}

std::optional<std::string> ProblemOf(const LimitRange& range, const PersistentVolumeClaim& claim) {
  Checks checks;
  for (const LimitRangeItem& item : range.spec.limits) {
    if (item.type != "PersistentVolumeClaim") continue;
    checks.Min(item, claim.spec.resources.requests, {});
    checks.MaxRequest(item, claim.spec.resources.requests);
  }
  return checks.Text();
}

class LimitRanger final : public AdmissionPlugin {
 public:
  explicit LimitRanger(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "LimitRanger"; }
  bool Handles(Operation operation) const override {
    return operation == Operation::kCreate || operation == Operation::kUpdate;
  }

  Result<void> Admit(AdmissionRequest& request) override {
    Pod* const pod = Concerns(request) ? request.As<Pod>() : nullptr;
    if (pod == nullptr) return {};
    TRY(const LimitRanges ranges, RangesOf(request));
    for (const auto& range : ranges) FillInPod(*range, pod);
    return {};
  }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!Concerns(request)) return {};
    TRY(const LimitRanges ranges, RangesOf(request));
    for (const auto& range : ranges) {
      std::optional<std::string> problem;
      if (const Pod* pod = request.As<Pod>()) problem = ProblemOf(*range, *pod);
      if (const auto* claim = request.As<PersistentVolumeClaim>()) {
        problem = ProblemOf(*range, *claim);
      }
      if (problem) return request.Forbid(*problem);
    }
    return {};
  }

 private:
  // A pod's amounts change by its subresource resize alone. What is being deleted goes in peace.
  static bool Concerns(const AdmissionRequest& request) {
    const auto* old = request.old_metadata();
    if (old != nullptr && old->deletionTimestamp) return false;
    if (request.operation == Operation::kUpdate && request.Is("", "pods", "resize")) return true;
    if (request.operation == Operation::kCreate && request.Is("", "pods")) return true;
    return request.Is("", "persistentvolumeclaims");
  }
  Result<LimitRanges> RangesOf(const AdmissionRequest& request) const {
    return objects_.List<LimitRange>(request.namespace_);
  }

  const Objects& objects_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewLimitRanger(const AdmissionDependencies& dependencies) {
  return std::make_unique<LimitRanger>(dependencies.objects);
}

}  // namespace podium::apiserver
