// Rules for HorizontalPodAutoscaler and Scale (upstream's pkg/apis/autoscaling/validation, release
// 1.36). The objects have their defaults. The older version is checked as what it means in v2: with
// what it keeps in annotations, which are not looked at as such.
#pragma once

#include "api/field_errors.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/autoscaling_v2.h"

namespace podium::api {

field::ErrorList ValidateHorizontalPodAutoscaler(
    const autoscaling::v2::HorizontalPodAutoscaler& autoscaler);
field::ErrorList ValidateHorizontalPodAutoscalerUpdate(
    const autoscaling::v2::HorizontalPodAutoscaler& autoscaler,
    const autoscaling::v2::HorizontalPodAutoscaler& old_autoscaler);
field::ErrorList ValidateHorizontalPodAutoscalerStatusUpdate(
    const autoscaling::v2::HorizontalPodAutoscaler& autoscaler,
    const autoscaling::v2::HorizontalPodAutoscaler& old_autoscaler);
field::ErrorList ValidateHorizontalPodAutoscaler(
    const autoscaling::v1::HorizontalPodAutoscaler& autoscaler);
field::ErrorList ValidateHorizontalPodAutoscalerUpdate(
    const autoscaling::v1::HorizontalPodAutoscaler& autoscaler,
    const autoscaling::v1::HorizontalPodAutoscaler& old_autoscaler);
field::ErrorList ValidateHorizontalPodAutoscalerStatusUpdate(
    const autoscaling::v1::HorizontalPodAutoscaler& autoscaler,
    const autoscaling::v1::HorizontalPodAutoscaler& old_autoscaler);
field::ErrorList ValidateScale(const autoscaling::v1::Scale& scale);
field::ErrorList ValidateScaleUpdate(const autoscaling::v1::Scale& scale,
                                     const autoscaling::v1::Scale& old_scale);

}  // namespace podium::api
