#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/flow_control.h"
#include "api/validation/flow_control_status.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "reflect/json.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using flowcontrol::v1::ExemptPriorityLevelConfiguration;
using flowcontrol::v1::LimitedPriorityLevelConfiguration;
using flowcontrol::v1::LimitResponse;
using flowcontrol::v1::PriorityLevelConfiguration;
using flowcontrol::v1::PriorityLevelConfigurationSpec;
using flowcontrol::v1::QueuingConfiguration;

namespace {

constexpr std::string_view kExempt = "exempt";

// How many bits of a request's hash choose its hand of queues: upstream's estimate, rounded up.
double RequiredEntropyBits(int32_t queues, int32_t hand_size) {
  return std::ceil(std::log2(double{1} * queues) * hand_size);
}

void CheckQueuing(const QueuingConfiguration& queuing, const Path& path, ErrorList* errors) {
  constexpr int32_t kMaxQueues = 10'000'000;
  constexpr int kMaxHashBits = 60;
  constexpr std::string_view kPositive = "must be positive";
  if (queuing.queueLengthLimit <= 0) {
    errors->Add(
        field::Invalid(path.Child("queueLengthLimit"), queuing.queueLengthLimit, kPositive));
  }
  const int32_t queues = queuing.queues;
  if (queues <= 0) {
    errors->Add(field::Invalid(path.Child("queues"), queues, kPositive));
  } else if (queues > kMaxQueues) {
    errors->Add(field::Invalid(path.Child("queues"), queues,
                               "must not be greater than " + std::to_string(kMaxQueues)));
  }
  const int32_t hand_size = queuing.handSize;
  const Path hand = path.Child("handSize");
  if (hand_size <= 0) {
    errors->Add(field::Invalid(hand, hand_size, kPositive));
  } else if (hand_size > queues) {
    errors->Add(field::Invalid(
        hand, hand_size, "should not be greater than queues (" + std::to_string(queues) + ")"));
  } else if (RequiredEntropyBits(queues, hand_size) > kMaxHashBits) {
    errors->Add(field::Invalid(hand, hand_size,
                               "required entropy bits of deckSize " + std::to_string(queues) +
                                   " and handSize " + std::to_string(hand_size) +
                                   " should not be greater than " + std::to_string(kMaxHashBits)));
  }
}

// Upstream's texts of the queue speak of another type than they mean.
void CheckLimitResponse(const LimitResponse& response, const Path& path, ErrorList* errors) {
  const Path queuing = path.Child("queuing");
  if (response.type == "Reject") {
    if (response.queuing) {
      errors->Add(
          field::Forbidden(queuing, "must be nil if limited.limitResponse.type is not Limited"));
    }
  } else if (response.type == "Queue") {
    if (response.queuing) {
      CheckQueuing(*response.queuing, queuing, errors);
    } else {
      errors->Add(
          field::Required(queuing, "must not be empty if limited.limitResponse.type is Limited"));
    }
  } else if (response.type.empty()) {
    errors->Add(field::Required(path.Child("type"), ""));
  } else {
    errors->Add(
        field::NotSupported(path.Child("type"), NamedString(response.type), {"Queue", "Reject"}));
  }
}

void CheckShares(const std::optional<int32_t>& shares, const Path& path, ErrorList* errors) {
  if (shares && *shares < 0) {
    errors->Add(field::Invalid(path.Child("nominalConcurrencyShares"), *shares,
                               "must be a non-negative integer"));
  }
}

void CheckLendable(const std::optional<int32_t>& percent, const Path& path, ErrorList* errors) {
  if (percent && (*percent < 0 || *percent > 100)) {
    errors->Add(field::Invalid(path.Child("lendablePercent"), *percent,
                               "must be between 0 and 100, inclusive"));
  }
}

void CheckLimited(const LimitedPriorityLevelConfiguration& limited, const Path& path,
                  ErrorList* errors) {
  CheckShares(limited.nominalConcurrencyShares, path, errors);
  CheckLimitResponse(limited.limitResponse, path.Child("limitResponse"), errors);
  CheckLendable(limited.lendablePercent, path, errors);
  if (limited.borrowingLimitPercent && *limited.borrowingLimitPercent < 0) {
    errors->Add(field::Invalid(path.Child("borrowingLimitPercent"), *limited.borrowingLimitPercent,
                               "if specified, must be a non-negative integer"));
  }
}

void CheckExempt(const ExemptPriorityLevelConfiguration& exempt, const Path& path,
                 ErrorList* errors) {
  CheckShares(exempt.nominalConcurrencyShares, path, errors);
  CheckLendable(exempt.lendablePercent, path, errors);
}

void CheckSpec(const PriorityLevelConfigurationSpec& spec, std::string_view name, const Path& path,
               ErrorList* errors) {
  const Path type = path.Child("type");
  const Path limited = path.Child("limited");
  if ((name == kExempt) != (spec.type == "Exempt")) {
    errors->Add(field::Invalid(type, NamedString(spec.type),
                               "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  if (spec.type == "Exempt") {
    if (spec.limited) {
      errors->Add(field::Forbidden(limited, "must be nil if the type is not Limited"));
    }
    if (spec.exempt) CheckExempt(*spec.exempt, path.Child("exempt"), errors);
  } else if (spec.type == "Limited") {
    if (spec.exempt) {
      errors->Add(field::Forbidden(path.Child("exempt"), "must be nil if the type is Limited"));
    }
    if (spec.limited) {
      CheckLimited(*spec.limited, limited, errors);
    } else {
      errors->Add(field::Required(limited, "must not be empty when type is Limited"));
    }
  } else if (spec.type.empty()) {
    errors->Add(field::Required(type, ""));
  } else {
    errors->Add(field::NotSupported(type, NamedString(spec.type), {"Exempt", "Limited"}));
  }
}

// What an exempt level lends is for the cluster's administrators to say.
void CheckMandatory(const PriorityLevelConfigurationSpec& spec, const std::string& name,
                    const Path& path, ErrorList* errors) {
  static const auto kCatchAllSpec = *reflect::FromJson<PriorityLevelConfigurationSpec>(
      R"({"type":"Limited","limited":{"nominalConcurrencyShares":5,"lendablePercent":0,
          "limitResponse":{"type":"Reject"}}})");
  if (name == kExempt && (spec.type != "Exempt" || spec.limited)) {
    errors->Add(field::Invalid(
        path, UnversionedValue(spec),
        "spec of '" + name + "' except the 'spec.exempt' field must equal the fixed value"));
  } else if (name == "catch-all" && !reflect::Equal(spec, kCatchAllSpec)) {
    errors->Add(field::Invalid(path, UnversionedValue(spec),
                               "spec of '" + name + "' must equal the fixed value"));
  }
}

}  // namespace

ErrorList ValidatePriorityLevelConfiguration(const PriorityLevelConfiguration& level) {
  // Of a version that is served no more: there it told a share of 0 from none.
  constexpr std::string_view kForbidden =
      "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";
  const Path metadata("metadata");
  const Path spec("spec");
  ErrorList errors =
      ValidateObjectMeta(level.metadata, Scope::kCluster, NameIsDNSSubdomain, metadata);
  if (level.metadata.annotations.contains(kForbidden)) {
    errors.Add(field::Forbidden(metadata.Child("annotations"),
                                "annotation '" + std::string(kForbidden) + "' is forbidden"));
  }
  CheckSpec(level.spec, level.metadata.name, spec, &errors);
  CheckMandatory(level.spec, level.metadata.name, spec, &errors);
  CheckFlowConditions(level.status.conditions, &errors);
  return errors;
}

ErrorList ValidatePriorityLevelConfigurationUpdate(
    const PriorityLevelConfiguration& level, const PriorityLevelConfiguration& /*old_level*/) {
  return ValidatePriorityLevelConfiguration(level);
}

ErrorList ValidatePriorityLevelConfigurationStatusUpdate(
    const PriorityLevelConfiguration& level, const PriorityLevelConfiguration& /*old_level*/) {
  ErrorList errors;
  CheckFlowConditions(level.status.conditions, &errors);
  return errors;
}

}  // namespace podium::api
