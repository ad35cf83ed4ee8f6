// /metrics/resource: what metrics-server reads of a node (upstream's
// pkg/kubelet/metrics/collectors/resource_metrics.go, release 1.36).
#pragma once

#include <string>

#include "node/stats/usage_sampler.h"

namespace podium::node {

std::string ResourcePage(const NodeSample& sample);

}  // namespace podium::node
