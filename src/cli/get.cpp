#include "cli/get.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/chunks.h"
#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/raw_request.h"
#include "cli/server_errors.h"
#include "http/url.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr const char* kNothing =
    "You must specify the type of resource to get. Use \"podium api-resources\" for a complete "
    "list "
    "of supported resources.\n\n"
    "error: Required resource not specified.\n"
    "Use \"podium explain <resource>\" for a detailed description of that resource (e.g. podium "
    "explain pods).\n"
    "See 'podium get -h' for help and examples";

// All pages of one selection; `take` sees each.
template <class Take>
Result<void> ForEachPage(Server& server, const Selected& item, const Invocation& invocation,
                         bool as_table, Take take) {
  std::string more;
  do {
    TRY(const ServerRequest request, RequestOf(item, invocation, as_table, more));
    auto asked = server.AskJson(request);
    if (!asked.ok()) return ListError(item, invocation, asked.error());
    JsonValue answer = *std::move(asked);
    more = TextAt(answer, {"metadata", "continue"});
    TRY_VOID(take(std::move(answer)));
  } while (item.name.empty() && !more.empty());
  return {};
}

class Getter {
 public:
  Getter(Server& server, const Invocation& invocation, const Selection& selection)
      : server_(server),
        invocation_(invocation),
        selection_(selection),
        errors_(selection.errors) {}

  Outcome Tables() {
    for (const Selected& item : selection_.items) {
      if (item.resource != last_) StartTable(*item.resource);
      const TableOptions options = TableOptionsOf(item, invocation_, selection_.several_types);
      Note(ForEachPage(server_, item, invocation_, true, [&](JsonValue answer) -> Result<void> {
        TRY(JsonValue table, AsTable(std::move(answer)));
        if (invocation_.Has("sort-by")) {
          TRY_VOID(SortTable(&table, invocation_.Get("sort-by")));
        }
        printer_.Add(table, options);
        return {};
      }));
    }
    EndTable();
    if (out_.empty() && errors_.empty() && !invocation_.Has("ignore-not-found")) {
      return {kOk, {}, NothingFound()};
    }
    return Finish();
  }

  Outcome Objects(ObjectPrinter& printer) {
    JsonValue::Array all;
    for (const Selected& item : selection_.items) {
      Note(ForEachPage(server_, item, invocation_, false, [&](JsonValue answer) -> Result<void> {
        AddItems(std::move(answer), &all);
        return {};
      }));
    }
    const bool single = selection_.items.size() == 1 && !selection_.items[0].name.empty();
    if (single && all.empty()) return Finish();
    JsonValue printed = single ? std::move(all[0]) : ListOf(std::move(all));
    if (!single && invocation_.Has("sort-by") && !ElementsOf(printed, "items").empty()) {
      const auto sorted = SortItems(&printed, invocation_.Get("sort-by"));
      if (!sorted.ok()) return ServerFailure(sorted.error());
    }
    const auto done = printer.Print(printed, &out_);
    if (!done.ok()) errors_.push_back(done.error());
    return Finish();
  }

 private:
  void StartTable(const ServerResource& resource) {
    EndTable();
    printer_.Restart();
    last_ = &resource;
  }

  void EndTable() {
    std::string text;
    printer_.Flush(&text);
    if (text.empty()) return;
    if (!out_.empty() && !invocation_.Has("no-headers")) out_ += '\n';
    out_ += text;
  }

  void Note(Result<void> done) {
    if (done.ok()) return;
    if (invocation_.Has("ignore-not-found") && IsNotFound(done.error())) return;
    errors_.push_back(std::move(done).error());
  }

  static void AddItems(JsonValue answer, JsonValue::Array* all) {
    std::string kind(TextOf(answer, "kind"));
    JsonValue* items = answer.Find("items");
    if (!items || !items->is_array() || !kind.ends_with("List")) {
      all->push_back(std::move(answer));
      return;
    }
    kind.resize(kind.size() - 4);
    const std::string version(TextOf(answer, "apiVersion"));
    for (JsonValue& item : items->array()) {
      if (!item.is_object()) continue;
      if (TextOf(item, "kind").empty()) item.Set("kind", JsonValue::String(kind));
      if (TextOf(item, "apiVersion").empty()) item.Set("apiVersion", JsonValue::String(version));
      all->push_back(std::move(item));
    }
  }

  static JsonValue ListOf(JsonValue::Array items) {
    JsonValue metadata = JsonValue::Of(JsonValue::Object());
    metadata.Set("resourceVersion", JsonValue::String(""));
    JsonValue list = JsonValue::Of(JsonValue::Object());
    list.Set("apiVersion", JsonValue::String("v1"));
    list.Set("items", JsonValue::Of(std::move(items)));
    list.Set("kind", JsonValue::String("List"));
    list.Set("metadata", std::move(metadata));
    return list;
  }

  std::string NothingFound() const {
    for (const Selected& item : selection_.items) {
      if (!item.resource->namespaced || item.namespace_.empty()) return "No resources found\n";
    }
    return "No resources found in " + server_.namespace_() + " namespace.\n";
  }

  Outcome Finish() {
    if (errors_.empty()) return {kOk, std::move(out_), {}};
    return ServerFailure(errors_, std::move(out_));
  }

  Server& server_;
  const Invocation& invocation_;
  const Selection& selection_;
  std::vector<Error> errors_;
  TablePrinter printer_;
  const ServerResource* last_ = nullptr;
  std::string out_;
};

Outcome GetRaw(Server& server, std::string_view path) {
  auto answer = server.Ask(RawRequest(path));
  if (!answer.ok()) return ServerFailure(answer.error());
  return {kOk, *std::move(answer), {}};
}

Outcome RunGet(const Invocation& invocation, const Streams& streams) {
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) return ServerFailure(server.error());
  if (invocation.Has("raw")) {
    if (!invocation.arguments().empty()) {
      return ServerFailure(
          Error(Code::kInvalidArgument, "arguments may not be passed when --raw is specified"));
    }
    return GetRaw(**server, invocation.Get("raw"));
  }
  if (const auto checked = CheckChunkSize(invocation); !checked.ok()) {
    return ServerFailure(checked.error());
  }
  auto printer = PrinterOf(invocation);
  if (!printer.ok()) return ServerFailure(printer.error());
  const auto selection =
      Select(**server, invocation, invocation.arguments(), {.nothing = kNothing});
  if (!selection.ok()) {
    if (selection.error().message() == kNothing) {
      return {kFailed, {}, std::string(kNothing) + '\n'};
    }
    return ServerFailure(selection.error());
  }
  if (invocation.Has("watch") || invocation.Has("watch-only")) {
    return WatchSelected(**server, invocation, *selection);
  }
  Getter getter(**server, invocation, *selection);
  return *printer ? getter.Objects(**printer) : getter.Tables();
}

constexpr Option kOwnOptions[] = {
    kOutputOption,
    kSelectorOption,
    kFieldSelectorOption,
    kAllNamespacesOption,
    {.name = "watch", .letter = 'w', .help = "then go on with each change"},
    {.name = "watch-only", .help = "each change, without what is there before"},
    {.name = "output-watch-events", .help = "with --watch, what kind of change it is"},
    {.name = "sort-by", .value = "PATH", .help = "rows by this field: .metadata.creationTimestamp"},
    {.name = "show-labels", .help = "labels as the last column"},
    {.name = "label-columns",
     .letter = 'L',
     .value = "LABEL,...",
     .help = "labels as columns of their own",
     .repeatable = true},
    {.name = "no-headers", .help = "no headings"},
    {.name = "show-kind", .help = "the kind before each name"},
    {.name = "ignore-not-found", .help = "what is not there is no error"},
    kChunkSizeOption,
    {.name = "subresource", .value = "NAME", .help = "status, scale, ... instead of the object"},
    {.name = "raw", .value = "PATH", .help = "what the server answers there, as it is"},
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    kShowManagedFieldsOption,
    kTemplateOption,
    kAllowMissingKeysOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Result<ServerRequest> RequestOf(const Selected& item, const Invocation& invocation, bool as_table,
                                std::string_view more) {
  ServerRequest request;
  TRY(request.path, item.resource->Path(item.namespace_, item.name, invocation.Get("subresource")));
  if (item.name.empty()) request.query = ListQuery(invocation, more);
  if (!as_table) return request;
  request.accept = kAcceptTable;
  if (invocation.Has("sort-by")) {
    request.query += (request.query.empty() ? "" : "&") + std::string("includeObject=Object");
  }
  return request;
}

TableOptions TableOptionsOf(const Selected& item, const Invocation& invocation,
                            bool several_types) {
  TableOptions options = {
      .wide = invocation.Get("output") == "wide",
      .headings = !invocation.Has("no-headers"),
      .with_namespace = invocation.Has("all-namespaces") && item.resource->namespaced,
      .show_labels = invocation.Has("show-labels"),
      .with_event = invocation.Has("output-watch-events")};
  for (const std::string& labels : invocation.All("label-columns")) {
    for (const std::string_view label : Words(labels, ",")) {
      options.label_columns.emplace_back(label);
    }
  }
  if (several_types || invocation.Has("show-kind")) {
    options.kind_prefix = item.resource->PrintedKind();
  }
  return options;
}

Result<JsonValue> AsTable(JsonValue answer) {
  if (IsTable(answer)) return answer;
  return TableOfObjects(answer);
}

Command GetCommand() {
  return {
      .name = "get",
      .summary = "Show objects of a server as a table, JSON, YAML or names",
      .arguments = "TYPE[,TYPE...] [NAME...] | TYPE/NAME... | -f FILE",
      .max_arguments = 100'000,
      .details =
          "Types are plural, singular or short names, or kinds, with a group or a version and a "
          "group behind them where several have the same; \"podium api-resources\" lists them. "
          "\"all\" stands for what people usually mean by it.",
      .example =
          "  podium get pods\n"
          "  podium get deploy,svc -n shop -l app=web -o wide\n"
          "  podium get pod/web -o yaml\n"
          "  podium get pods -A --sort-by=.metadata.creationTimestamp\n"
          "  podium get pods -o jsonpath='{.items[*].status.podIP}'\n"
          "  podium get events --watch\n",
      .options = kOptions,
      .live = RunGet,
  };
}

}  // namespace podium::cli
