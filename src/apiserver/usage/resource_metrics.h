// metrics.k8s.io/v1beta1: what nodes and pods use, for `kubectl top` and autoscalers. Upstream has
// a server of its own for it behind the API server (sigs.k8s.io/metrics-server 0.8, pkg/api); here
// the API server answers itself, in the same words and tables.
//
// A node without two readings is not listed and 404 when it is asked for; so is a pod that does not
// run, or one of which a container has not been seen twice.
//
// Threads: any. Nothing here waits; UsageReader says when there is something to tell.
#pragma once

#include <string_view>
#include <vector>

#include "api/types/metrics_v1beta1.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/objects.h"
#include "apiserver/selection.h"
#include "apiserver/usage/usage_reader.h"
#include "base/clock.h"
#include "base/result.h"

namespace podium::apiserver {

inline constexpr std::string_view kMetricsGroup = "metrics.k8s.io";

class ResourceMetrics {
 public:
  // All outlive it.
  ResourceMetrics(const Objects& objects, UsageReader& reader, const Clock& clock)
      : objects_(objects), reader_(reader), clock_(clock) {}

  UsageReader& reader() const { return reader_; }

  // The answer to a GET of one or of all, of nodes or pods.
  Answer AnswerRead(const Call& call, const ServedResource& resource) const;

 private:
  using NodeMetrics = api::metrics::v1beta1::NodeMetrics;
  using PodMetrics = api::metrics::v1beta1::PodMetrics;

  template <class Metrics>
  Result<Answer> Get(const Call& call, const ServedResource& resource) const;
  template <class Metrics>
  Result<Answer> List(const Call& call, const ServedResource& resource) const;

  // Of the objects that are selected, those that something is known of; sorted.
  Result<void> Find(std::string_view name_space, const Selection& selection,
                    std::vector<NodeMetrics>* found) const;
  Result<void> Find(std::string_view name_space, const Selection& selection,
                    std::vector<PodMetrics>* found) const;
  // 404.
  Result<NodeMetrics> Find(const Call& call, const NodeMetrics* type) const;
  Result<PodMetrics> Find(const Call& call, const PodMetrics* type) const;

  std::optional<NodeMetrics> MetricsOf(const api::core::v1::Node& node) const;
  std::optional<PodMetrics> MetricsOf(const api::core::v1::Pod& pod) const;

  const Objects& objects_;
  UsageReader& reader_;
  const Clock& clock_;
};

}  // namespace podium::apiserver
