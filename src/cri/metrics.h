// The metrics of pods and containers in cadvisor's names, as CRI's calls carry them: whole numbers,
// with the labels' values in the order in which the descriptors have their keys. Private to this
// room.
#pragma once

#include <vector>

#include "runtime/usage.h"
#include "wire/types/cri.h"

namespace podium::cri {

std::vector<wire::cri::MetricDescriptor> MetricDescriptors();

// Of every pod whose sandbox is ready. Times are whole seconds, since a value is an integer.
std::vector<wire::cri::PodSandboxMetrics> MetricsOf(const std::vector<runtime::PodUsage>& pods);

}  // namespace podium::cri
