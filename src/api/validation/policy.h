// Rules for PodDisruptionBudget (upstream's pkg/apis/policy/validation, release 1.36), and for the
// conditions that several kinds have in their status.
#pragma once

#include "api/field_errors.h"
#include "api/types/meta_v1.h"
#include "api/types/policy_v1.h"
#include "api/types/policy_v1beta1.h"

namespace podium::api {

field::ErrorList ValidatePodDisruptionBudget(const policy::v1::PodDisruptionBudget& budget);
field::ErrorList ValidatePodDisruptionBudgetUpdate(
    const policy::v1::PodDisruptionBudget& budget,
    const policy::v1::PodDisruptionBudget& old_budget);
field::ErrorList ValidatePodDisruptionBudgetStatusUpdate(
    const policy::v1::PodDisruptionBudget& budget,
    const policy::v1::PodDisruptionBudget& old_budget);
field::ErrorList ValidatePodDisruptionBudget(const policy::v1beta1::PodDisruptionBudget& budget);
field::ErrorList ValidatePodDisruptionBudgetUpdate(
    const policy::v1beta1::PodDisruptionBudget& budget,
    const policy::v1beta1::PodDisruptionBudget& old_budget);
field::ErrorList ValidatePodDisruptionBudgetStatusUpdate(
    const policy::v1beta1::PodDisruptionBudget& budget,
    const policy::v1beta1::PodDisruptionBudget& old_budget);

field::ErrorList ValidateConditions(const reflect::List<meta::v1::Condition>& conditions,
                                    const field::Path& path);

}  // namespace podium::api
