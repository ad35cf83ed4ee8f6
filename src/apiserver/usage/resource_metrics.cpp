#include "apiserver/usage/resource_metrics.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "api/quantity.h"
#include "api/status.h"
#include "api/time.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "apiserver/encode.h"
#include "apiserver/negotiation.h"
#include "apiserver/read.h"
#include "apiserver/request_options.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

namespace core = api::core::v1;
using api::Quantity;
using api::meta::v1::PartialObjectMetadata;
using api::meta::v1::PartialObjectMetadataList;
using api::meta::v1::Table;
using api::meta::v1::TableColumnDefinition;
using api::meta::v1::TableRow;
using api::metrics::v1beta1::ContainerMetrics;
using api::metrics::v1beta1::NodeMetrics;
using api::metrics::v1beta1::NodeMetricsList;
using api::metrics::v1beta1::PodMetrics;
using api::metrics::v1beta1::PodMetricsList;
using reflect::AnyObject;

template <class Metrics>
using ListOf =
    std::conditional_t<std::is_same_v<Metrics, NodeMetrics>, NodeMetricsList, PodMetricsList>;

constexpr std::string_view kRunning = "Running";

template <class Resources>
void SetUsage(const Usage& usage, Resources* to) {
  const auto bytes = [](uint64_t value) {
    return Quantity::FromInt(static_cast<int64_t>(value), Quantity::Format::kBinarySI);
  };
  auto& resources = *to;
  resources.present = true;
  resources["cpu"] = Quantity::FromScaled(static_cast<int64_t>(usage.nano_cores), Quantity::kNano);
  resources["memory"] = bytes(usage.memory);
  resources["swap"] = bytes(usage.swap);
}

// What a table's row sums up.
std::map<std::string, Quantity> TotalOf(const NodeMetrics& node) {
  std::map<std::string, Quantity> total;
  for (const auto& [name, quantity] : node.usage) total[std::string(name)] = quantity;
  return total;
}
std::map<std::string, Quantity> TotalOf(const PodMetrics& pod) {
  std::map<std::string, Quantity> total;
  for (const ContainerMetrics& container : pod.containers) {
    for (const auto& [name, quantity] : container.usage) {
      auto [sum, first] = total.try_emplace(std::string(name), quantity);
      if (!first) sum->second.Add(quantity);
    }
  }
  return total;
}

template <class Metrics>
PartialObjectMetadata PartialOf(const OutputForm& form, const Metrics& metrics) {
  PartialObjectMetadata partial;
  partial.kind = "PartialObjectMetadata";
  partial.apiVersion = ViewVersion(form);
  partial.metadata = reflect::Copy(metrics.metadata);
  return partial;
}

TableColumnDefinition Column(std::string name, std::string format, std::string description = "") {
  TableColumnDefinition column;
  column.name = std::move(name);
  column.type = "string";
  column.format = std::move(format);
  column.description = std::move(description);
  return column;
}

// The columns are the resources of the first; without any there are no columns.
template <class Metrics>
Result<AnyObject> TableOf(const Call& call, const ServedResource& resource, const OutputForm& form,
                          std::span<Metrics> all) {
  TRY(const api::IncludeObject include, ReadTableOptions(call, form));
  AnyObject made(reflect::TypeOf<Table>());
  Table& table = *made.As<Table>();
  table.kind = "Table";
  table.apiVersion = ViewVersion(form);
  table.columnDefinitions.present = true;
  table.rows.present = true;
  std::vector<std::string> names;
  for (Metrics& metrics : all) {
    const auto total = TotalOf(metrics);
    if (names.empty()) {
      table.columnDefinitions.push_back(Column("Name", "name", "Name of the resource"));
      for (const auto& [name, quantity] : total) {
        names.push_back(name);
        table.columnDefinitions.push_back(Column(name, "quantity"));
      }
      table.columnDefinitions.push_back(Column("Window", "duration"));
    }
    TableRow row;
    const auto add = [&](const std::string& text) {
      reflect::RawJson cell;
      reflect::AppendJsonString(text, &cell.text);
      row.cells.push_back(std::move(cell));
    };
    add(metrics.metadata.name);
    for (const std::string& name : names) {
      const auto found = total.find(name);
      add(found == total.end() ? "0" : found->second.String());
    }
    add(metrics.window.String());
    if (include == api::IncludeObject::kObject) {
      metrics.kind = resource.kind;
      metrics.apiVersion = resource.api_version;
      TRY(row.object.text, reflect::ToJson(metrics));
    } else if (include == api::IncludeObject::kMetadata) {
      TRY(row.object.text, reflect::ToJson(PartialOf(form, metrics)));
    }
    table.rows.push_back(std::move(row));
  }
  return made;
}

template <class Metrics>
Result<AnyObject> ListInForm(const Call& call, const ServedResource& resource,
                             const OutputForm& form, std::span<Metrics> all) {
  if (form.view == View::kTable) return TableOf(call, resource, form, all);
  if (form.view == View::kPartialMetadataList) {
    AnyObject made(reflect::TypeOf<PartialObjectMetadataList>());
    auto& list = *made.As<PartialObjectMetadataList>();
    list.kind = "PartialObjectMetadataList";
    list.apiVersion = ViewVersion(form);
    list.items.present = true;
    for (const Metrics& metrics : all) list.items.push_back(PartialOf(form, metrics));
    return made;
  }
  AnyObject made(reflect::TypeOf<ListOf<Metrics>>());
  auto& list = *made.As<ListOf<Metrics>>();
  list.kind = resource.list_kind;
  list.apiVersion = resource.api_version;
  list.items.present = true;
  for (Metrics& metrics : all) list.items.push_back(std::move(metrics));
  return made;
}

}  // namespace

std::optional<NodeMetrics> ResourceMetrics::MetricsOf(const core::Node& node) const {
  const auto usage = reader_.OfNode(node.metadata.name);
  if (!usage) return std::nullopt;
  NodeMetrics metrics;
  metrics.metadata.name = node.metadata.name;
  for (const auto& label : node.metadata.labels) metrics.metadata.labels.insert(label);
  metrics.metadata.creationTimestamp = api::Time::FromUnix(clock_.Now() / kNanosPerSecond);
  metrics.timestamp = api::Time::FromUnix(usage->time / kNanosPerSecond);
  metrics.window = api::Duration::FromNanos(usage->window);
  SetUsage(*usage, &metrics.usage);
  return metrics;
}

std::optional<PodMetrics> ResourceMetrics::MetricsOf(const core::Pod& pod) const {
  if (pod.status.phase != kRunning) return std::nullopt;
  const auto usage = reader_.OfPod(pod.spec.nodeName, {pod.metadata.namespace_, pod.metadata.name});
  if (!usage) return std::nullopt;
  PodMetrics metrics;
  metrics.metadata.name = pod.metadata.name;
  metrics.metadata.namespace_ = pod.metadata.namespace_;
  for (const auto& label : pod.metadata.labels) metrics.metadata.labels.insert(label);
  metrics.metadata.creationTimestamp = api::Time::FromUnix(clock_.Now() / kNanosPerSecond);
  metrics.timestamp = api::Time::FromUnix(usage->time / kNanosPerSecond);
  metrics.window = api::Duration::FromNanos(usage->window);
  metrics.containers.present = true;
  for (const auto& [name, used] : usage->containers) {
    ContainerMetrics container;
    container.name = name;
    SetUsage(used, &container.usage);
    metrics.containers.push_back(std::move(container));
  }
  return metrics;
}

Result<void> ResourceMetrics::Find(std::string_view, const Selection& selection,
                                   std::vector<NodeMetrics>* found) const {
  TRY(const auto nodes, objects_.List<core::Node>(""));
  for (const auto& node : nodes) {
    if (!selection.MatchesObject("", node->metadata.name, node->metadata.labels)) continue;
    if (auto metrics = MetricsOf(*node)) found->push_back(*std::move(metrics));
  }
  return {};
}

Result<void> ResourceMetrics::Find(std::string_view name_space, const Selection& selection,
                                   std::vector<PodMetrics>* found) const {
  TRY(const auto pods, objects_.List<core::Pod>(name_space));
  for (const auto& pod : pods) {
    const auto& metadata = pod->metadata;
    if (!selection.MatchesObject(metadata.namespace_, metadata.name, metadata.labels)) continue;
    if (auto metrics = MetricsOf(*pod)) found->push_back(*std::move(metrics));
  }
  return {};
}

Result<NodeMetrics> ResourceMetrics::Find(const Call& call, const NodeMetrics*) const {
  TRY(const auto node, objects_.Get<core::Node>("", call.info.name));
  if (node == nullptr) return api::NotFoundError({"", "nodes"}, call.info.name);
  if (auto metrics = MetricsOf(*node)) return *std::move(metrics);
  return api::NotFoundError({kMetricsGroup, "nodemetrics"}, call.info.name);
}

Result<PodMetrics> ResourceMetrics::Find(const Call& call, const PodMetrics*) const {
  const RequestInfo& info = call.info;
  TRY(const auto pod, objects_.Get<core::Pod>(info.namespace_, info.name));
  if (pod == nullptr) return api::NotFoundError({"", "pods"}, info.name);
  if (auto metrics = MetricsOf(*pod)) return *std::move(metrics);
  return api::NotFoundError({kMetricsGroup, "podmetrics"},
                            std::string(info.namespace_) + "/" + std::string(info.name));
}

template <class Metrics>
Result<Answer> ResourceMetrics::Get(const Call& call, const ServedResource& resource) const {
  TRY(const OutputForm form, NegotiateOutput(call, RulesOf(resource)));
  TRY_VOID(CheckView(resource, form, false));
  TRY(Metrics metrics, Find(call, static_cast<const Metrics*>(nullptr)));
  if (form.view == View::kTable) {
    TRY(const AnyObject table, TableOf<Metrics>(call, resource, form, {&metrics, 1}));
    return AnswerInForm(form, table.type(), table.get());
  }
  metrics.kind = resource.kind;
  metrics.apiVersion = resource.api_version;
  return AnswerWithValue(call, RulesOf(resource), metrics);
}

template <class Metrics>
Result<Answer> ResourceMetrics::List(const Call& call, const ServedResource& resource) const {
  TRY(const OutputForm form, NegotiateOutput(call, RulesOf(resource)));
  TRY(const auto options, OptionsOfQuery<api::meta::v1::ListOptions>(call.query));
  TRY_VOID(CheckListOptions(options));
  TRY(const Selection selection,
      Selection::Create(resource, options.labelSelector, options.fieldSelector));
  TRY_VOID(CheckView(resource, form, true));
  std::vector<Metrics> all;
  TRY_VOID(Find(call.info.namespace_, selection, &all));
  TRY(const AnyObject list, ListInForm<Metrics>(call, resource, form, all));
  return AnswerInForm(form, list.type(), list.get());
}

Answer ResourceMetrics::AnswerRead(const Call& call, const ServedResource& resource) const {
  const bool one = call.info.verb == "get";
  auto answer = resource.plural == "nodes"
                    ? (one ? Get<NodeMetrics>(call, resource) : List<NodeMetrics>(call, resource))
                    : (one ? Get<PodMetrics>(call, resource) : List<PodMetrics>(call, resource));
  return answer.ok() ? std::move(*answer) : AnswerWithError(call, answer.error());
}

}  // namespace podium::apiserver
