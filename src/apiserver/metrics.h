// Metrics: what the server counts of itself, under upstream's names, as Prometheus reads it
// (k8s.io/apiserver/pkg/endpoints/metrics, pkg/storage/etcd3/metrics, pkg/audit/metrics.go and the
// collectors of client_golang, release 1.36).
//
// Counting a request takes a look-up under a lock that is held for some tens of nanoseconds; series
// are made of words of the catalog alone, so that no client can make many. Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "apiserver/audit/audit.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "store/store.h"

namespace podium::apiserver {

// Of a request: what series it is counted in.
struct RequestLabels {
  std::string_view verb;  // as metrics say it: GET, LIST, WATCH, POST, PUT, PATCH, APPLY, …
  std::string_view group;
  std::string_view version;
  std::string_view resource;
  std::string_view subresource;
  std::string_view scope;  // "resource", "namespace", "cluster" or ""
  std::string_view dry_run;
};
// `resource`: what the call is about; null for a path that is about none, or one that is not
// served, whose words are left out.
RequestLabels LabelsOf(const Call& call, const ServedResource* resource);

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // A request that is answered, after so many nanoseconds. Watches are counted when they begin.
  void Count(const RequestLabels& labels, int status, int64_t nanoseconds);

  // A stream to a container, which goes to the kubelet as it is, or by way of a translation.
  // `subresource`: exec, attach or portforward.
  void CountStream(std::string_view subresource, bool proxied_to_kubelet);

  // While one lives, a request is in flight: a watch as a long-running one, others as one that
  // reads or changes.
  class InFlight {
   public:
    InFlight() = default;
    explicit InFlight(std::atomic<int64_t>* gauge) : gauge_(gauge) { gauge_->fetch_add(1); }
    InFlight(InFlight&& other) noexcept : gauge_(std::exchange(other.gauge_, nullptr)) {}
    InFlight& operator=(InFlight&& other) noexcept {
      std::swap(gauge_, other.gauge_);
      return *this;
    }
    ~InFlight() {
      if (gauge_ != nullptr) gauge_->fetch_sub(1);
    }

   private:
    std::atomic<int64_t>* gauge_ = nullptr;
  };
  // The metrics outlive it.
  InFlight Begin(const RequestLabels& labels);

  // All of them as text. Counts the store's objects, and reads what the kernel says of the process.
  // `audit` is null where nothing is audited.
  std::string Text(const Catalog& catalog, store::Store& store, const Audit* audit = nullptr) const;

 private:
  struct Series;
  struct Tables;

  static void AppendHistogram(std::string_view labels, const Series& series, std::string* out);

  const std::unique_ptr<Tables> tables_;
  // By subresource and, in each, translated and not.
  std::array<std::array<std::atomic<uint64_t>, 2>, 3> streams_{};
};

// The answer to GET /metrics.
Answer AnswerMetrics(const Metrics& metrics, const Catalog& catalog, store::Store& store,
                     const Audit* audit);

}  // namespace podium::apiserver
