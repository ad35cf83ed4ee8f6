// kubectl top (upstream's k8s.io/kubectl/pkg/cmd/top and pkg/metricsutil, release 1.32).
#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "api/fields.h"
#include "api/labels.h"
#include "api/quantity.h"
#include "api/time.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/option_values.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/table_text.h"
#include "http/url.h"

namespace podium::cli {
namespace {

using api::Quantity;
using reflect::JsonValue;

constexpr std::string_view kGroup = "metrics.k8s.io";
constexpr std::string_view kVersion = "v1beta1";
constexpr const char* kRoot = "/apis/metrics.k8s.io/v1beta1";
constexpr const char* kUnknown = "<unknown>";
// Younger pods may not have been measured yet.
constexpr int64_t kCreationDelay = 120;

Error Failure(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

struct Use {
  Quantity cpu;
  Quantity memory;

  void Add(const Use& other) {
    cpu.Add(other.cpu);
    memory.Add(other.memory);
  }
};

// {"cpu": "12m", "memory": "30Mi"}; what is not there, or is none, is 0.
Use UseOf(const JsonValue* amounts) {
  Use use;
  if (!amounts) return use;
  const auto read = [&](const char* name, Quantity* to) {
    const auto parsed = Quantity::Parse(TextOf(*amounts, name));
    if (parsed.ok()) *to = *parsed;
  };
  read("cpu", &use.cpu);
  read("memory", &use.memory);
  return use;
}

std::string CpuText(const Use& use) { return std::to_string(use.cpu.MilliValue()) + "m"; }
std::string MemoryText(const Use& use) {
  return std::to_string(use.memory.Value() / (int64_t{1} << 20)) + "Mi";
}

// kubectl ends each cell with a tab, so that the last one is as wide as its column, too.
void AddRow(std::vector<std::string> cells, TableText* table) {
  cells.emplace_back();
  table->AddRow(std::move(cells));
}

struct Asked {
  std::string name;  // "": those that the selectors say
  std::string labels;
  std::string fields;
  std::string sort_by;
  bool headers = true;
};

Result<Asked> AskedBy(const Invocation& invocation, const char* command, const char* usage,
                      const char* both) {
  if (invocation.arguments().size() > 1) return ArgumentsError(command, usage);
  Asked asked{.name = invocation.arguments().empty() ? "" : invocation.arguments()[0],
              .labels = std::string(invocation.Get("selector")),
              .fields = std::string(invocation.Get("field-selector")),
              .sort_by = std::string(invocation.Get("sort-by")),
              .headers = !invocation.Has("no-headers")};
  if (!asked.sort_by.empty() && asked.sort_by != "cpu" && asked.sort_by != "memory") {
    return Failure("--sort-by accepts only cpu or memory");
  }
  if (!asked.name.empty() && !(asked.labels.empty() && asked.fields.empty())) return Failure(both);
  TRY_VOID(api::labels::Selector::Parse(asked.labels));
  TRY_VOID(api::fields::Selector::Parse(asked.fields));
  return asked;
}

Result<void> CheckMetrics(Server& server) {
  TRY(const JsonValue groups, server.AskJson({.path = "/apis"}));
  for (const JsonValue& group : ElementsOf(groups, "groups")) {
    if (TextOf(group, "name") != kGroup) continue;
    for (const JsonValue& version : ElementsOf(group, "versions")) {
      if (TextOf(version, "version") == kVersion) return {};
    }
  }
  return Failure("Metrics API not available");
}

// The object of the name, or those that the selectors say, at a path without them.
Result<JsonValue::Array> ListAt(Server& server, const std::string& path, const Asked& asked) {
  if (!asked.name.empty()) {
    TRY(JsonValue one, server.AskJson({.path = path + "/" + http::PercentEncode(asked.name)}));
    JsonValue::Array all;
    all.push_back(std::move(one));
    return all;
  }
  http::QueryParameters parameters;
  if (!asked.labels.empty()) parameters.emplace_back("labelSelector", asked.labels);
  if (!asked.fields.empty()) parameters.emplace_back("fieldSelector", asked.fields);
  TRY(const JsonValue list, server.AskJson({.path = path, .query = http::EncodeQuery(parameters)}));
  return ElementsOf(list, "items");
}

std::string NameOf(const JsonValue& object) {
  return std::string(TextAt(object, {"metadata", "name"}));
}
std::string NamespaceOf(const JsonValue& object) {
  return std::string(TextAt(object, {"metadata", "namespace"}));
}

struct Row {
  std::string name_space = {};
  std::string pod = {};
  std::string name = {};
  Use use = {};
  size_t place = 0;
};

// By what uses most, or else by name; equal ones as they came.
template <class T>
void Sort(const std::string& by, bool with_namespace, std::vector<T>* rows) {
  for (size_t i = 0; i < rows->size(); ++i) (*rows)[i].place = i;
  std::ranges::sort(*rows, [&](const Row& a, const Row& b) {
    if (by == "cpu") {
      return std::pair(-a.use.cpu.MilliValue(), a.place) <
             std::pair(-b.use.cpu.MilliValue(), b.place);
    }
    if (by == "memory") {
      return std::pair(-a.use.memory.Value(), a.place) < std::pair(-b.use.memory.Value(), b.place);
    }
    if (with_namespace && a.name_space != b.name_space) return a.name_space < b.name_space;
    return std::tie(a.name, a.place) < std::tie(b.name, b.place);
  });
}

std::string PercentText(const Quantity& used, const Quantity& all) {
  if (all.Sign() == 0) return "0%";
  const double part =
      static_cast<double>(used.MilliValue()) / static_cast<double>(all.MilliValue()) * 100;
  return std::to_string(static_cast<int64_t>(part)) + "%";
}

Result<Outcome> TopNodes(const Invocation& invocation, const Streams& streams) {
  TRY(const Asked asked, AskedBy(invocation, "top node", "node [NAME | -l label]",
                                 "only one of NAME or --selector can be provided"));
  TRY(const auto server, Server::Of(invocation, streams));
  TRY_VOID(CheckMetrics(*server));
  TRY(const JsonValue::Array metrics, ListAt(*server, std::string(kRoot) + "/nodes", asked));
  if (metrics.empty()) return Failure("metrics not available yet");
  TRY(const JsonValue::Array nodes, ListAt(*server, "/api/v1/nodes", asked));
  std::map<std::string, Use> allocatable;
  for (const JsonValue& node : nodes) {
    allocatable[NameOf(node)] = UseOf(ValueAt(node, {"status", "allocatable"}));
  }
  std::vector<Row> rows;
  for (const JsonValue& each : metrics) {
    rows.push_back({.name = NameOf(each), .use = UseOf(each.Find("usage"))});
  }
  Sort(asked.sort_by, false, &rows);
  TableText table;
  if (asked.headers) {
    AddRow({"NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"}, &table);
  }
  for (const Row& row : rows) {
    const auto found = allocatable.find(row.name);
    if (found == allocatable.end()) {
      AddRow({EscapedText(row.name), CpuText(row.use), MemoryText(row.use)}, &table);
      continue;
    }
    AddRow({EscapedText(row.name), CpuText(row.use), PercentText(row.use.cpu, found->second.cpu),
            MemoryText(row.use), PercentText(row.use.memory, found->second.memory)},
           &table);
    allocatable.erase(found);
  }
  for (const auto& [name, all] : allocatable) {
    AddRow({EscapedText(name), kUnknown, kUnknown, kUnknown, kUnknown}, &table);
  }
  Outcome outcome;
  table.Flush(&outcome.out);
  return outcome;
}

// Why no pod was measured: an error, or nothing where there is none.
Result<void> ExplainEmpty(Server& server, const Asked& asked) {
  const std::string path =
      "/api/v1/namespaces/" + http::PercentEncode(server.namespace_()) + "/pods";
  TRY(const JsonValue::Array pods, ListAt(server, path, asked));
  if (pods.empty()) return {};
  for (const JsonValue& pod : pods) {
    TRY(const api::Time made, api::Time::Parse(TextAt(pod, {"metadata", "creationTimestamp"})));
    const int64_t age = Today().unix_seconds() - made.unix_seconds();
    if (age <= kCreationDelay) continue;
    return Failure("Metrics not available for pod " + NamespaceOf(pod) + "/" + NameOf(pod) +
                   ", age: " + api::Duration::FromSeconds(age).String());
  }
  return Failure("metrics not available yet");
}

struct Layout {
  bool namespaces = false;
  bool containers = false;
  bool sum = false;
};

// A row of a pod, or of each of its containers.
std::vector<Row> RowsOf(const JsonValue& metrics, const Layout& layout, const Asked& asked) {
  std::vector<Row> rows;
  for (const JsonValue& container : ElementsOf(metrics, "containers")) {
    rows.push_back({.name_space = NamespaceOf(metrics),
                    .pod = NameOf(metrics),
                    .name = std::string(TextOf(container, "name")),
                    .use = UseOf(container.Find("usage"))});
  }
  if (layout.containers) {
    Sort(asked.sort_by, false, &rows);
    return rows;
  }
  Row all{.name_space = NamespaceOf(metrics), .pod = {}, .name = NameOf(metrics), .use = {}};
  for (const Row& row : rows) all.use.Add(row.use);
  return {std::move(all)};
}

void AddSum(const Use& sum, size_t columns, TableText* table) {
  std::vector<std::string> line(columns - 2);
  line.insert(line.end(), {"________", "________"});
  AddRow(std::move(line), table);
  std::vector<std::string> cells(columns - 3 + 1);
  cells.insert(cells.end(), {CpuText(sum), MemoryText(sum)});
  AddRow(std::move(cells), table);
}

std::string PodTable(const JsonValue::Array& metrics, const Layout& layout, const Asked& asked) {
  if (metrics.empty()) return {};
  TableText table;
  size_t columns = 3;
  if (asked.headers) {
    std::vector<std::string> names;
    if (layout.namespaces) names.emplace_back("NAMESPACE");
    if (layout.containers) names.emplace_back("POD");
    columns += names.size();
    names.insert(names.end(), {"NAME", "CPU(cores)", "MEMORY(bytes)"});
    AddRow(std::move(names), &table);
  }
  // Pods in their order first, each with its containers then.
  struct Measured : Row {
    const JsonValue* metrics = nullptr;
  };
  std::vector<Measured> pods;
  for (const JsonValue& each : metrics) {
    pods.push_back({RowsOf(each, {}, asked).front(), &each});
  }
  Sort(asked.sort_by, layout.namespaces, &pods);
  Use sum;
  for (const Measured& pod : pods) {
    sum.Add(pod.use);
    for (const Row& row : RowsOf(*pod.metrics, layout, asked)) {
      std::vector<std::string> cells;
      if (layout.namespaces) cells.push_back(EscapedText(row.name_space));
      if (layout.containers) cells.push_back(EscapedText(row.pod));
      cells.insert(cells.end(), {EscapedText(row.name), CpuText(row.use), MemoryText(row.use)});
      AddRow(std::move(cells), &table);
    }
  }
  if (layout.sum) AddSum(sum, columns, &table);
  std::string out;
  table.Flush(&out);
  return out;
}

Result<Outcome> TopPods(const Invocation& invocation, const Streams& streams) {
  TRY(const Asked asked, AskedBy(invocation, "top pod", "pod [NAME | -l label]",
                                 "only one of NAME or selector can be provided"));
  const Layout layout{.namespaces = invocation.Has("all-namespaces"),
                      .containers = invocation.Has("containers"),
                      .sum = invocation.Has("sum")};
  TRY(const auto server, Server::Of(invocation, streams));
  TRY_VOID(CheckMetrics(*server));
  const std::string space = layout.namespaces
                                ? std::string()
                                : "/namespaces/" + http::PercentEncode(server->namespace_());
  TRY(const JsonValue::Array metrics, ListAt(*server, std::string(kRoot) + space + "/pods", asked));
  Outcome outcome;
  if (metrics.empty()) {
    TRY_VOID(ExplainEmpty(*server, asked));
    outcome.err = layout.namespaces
                      ? "No resources found\n"
                      : "No resources found in " + server->namespace_() + " namespace.\n";
  }
  outcome.out = PodTable(metrics, layout, asked);
  return outcome;
}

template <Result<Outcome> (*top)(const Invocation&, const Streams&)>
Outcome Run(const Invocation& invocation, const Streams& streams) {
  auto outcome = top(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kSortOption = {
    .name = "sort-by",
    .value = "RESOURCE",
    .help = "what uses most of it comes first: cpu or memory (by name)"};
constexpr Option kNoHeadersOption = {.name = "no-headers", .help = "rows alone"};

constexpr Option kNodeOptions[] = {kSelectorOption, kSortOption, kNoHeadersOption};
constexpr auto kAllNodeOptions = WithServerOptions(kNodeOptions);

constexpr Option kPodOptions[] = {
    kAllNamespacesOption,
    {.name = "containers", .help = "a row for each container"},
    kSelectorOption,
    kFieldSelectorOption,
    kSortOption,
    kNoHeadersOption,
    {.name = "sum", .help = "and what all use together"},
};
constexpr auto kAllPodOptions = WithServerOptions(kPodOptions);

}  // namespace

Command TopCommand() {
  static const Command kCommands[] = {
      {.name = "top node",
       .summary = "Processors and memory that nodes use",
       .aliases = "nodes no",
       .arguments = "[NAME]",
       .max_arguments = 100'000,
       .example = "  podium top node\n"
                  "  podium top node --sort-by=memory\n",
       .options = kAllNodeOptions,
       .live = Run<TopNodes>},
      {.name = "top pod",
       .summary = "Processors and memory that pods use",
       .aliases = "pods po",
       .arguments = "[NAME]",
       .max_arguments = 100'000,
       .example = "  podium top pod -A --sort-by=cpu\n"
                  "  podium top pod web --containers\n",
       .options = kAllPodOptions,
       .live = Run<TopPods>},
  };
  return {
      .name = "top",
      .summary = "What nodes and pods use, as the server knows it",
      .details =
          "As kubectl has it, by metrics.k8s.io. Of this machine alone, and without a server: "
          "podium stats.",
      .example = "  podium top pod -A --sort-by=memory\n",
      .subcommands = kCommands,
  };
}

}  // namespace podium::cli
