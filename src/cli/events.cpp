// kubectl events (upstream's k8s.io/kubectl/pkg/cmd/events).
#include <algorithm>
#include <utility>
#include <vector>

#include "api/printed_text.h"
#include "api/types/core_v1.h"
#include "base/text.h"
#include "cli/agent_client.h"
#include "cli/chunks.h"
#include "cli/commands.h"
#include "cli/json_lines.h"
#include "cli/json_members.h"
#include "cli/object_printer.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/table_text.h"
#include "http/url.h"
#include "reflect/go_trim.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// An event, and the object as it came.
struct Told {
  v1::Event event;
  JsonValue json;
};

Result<Told> ToldBy(JsonValue json) {
  TRY(auto event, reflect::FromJson<v1::Event>(reflect::ToText(json), {.strict = false}));
  return Told{std::move(event), std::move(json)};
}

// When it was last seen.
int64_t LastMicros(const v1::Event& event) {
  if (event.series) return event.series->lastObservedTime.unix_micros();
  if (!event.lastTimestamp.IsZero()) return event.lastTimestamp.unix_seconds() * 1'000'000;
  return event.eventTime.unix_micros();
}

// "5s", "5s (x3 over 2m)"
std::string SeenText(const v1::Event& event) {
  const api::Time now = Today();
  std::string first = event.eventTime.IsZero() ? api::Ago(event.firstTimestamp, now)
                                               : api::Ago(event.eventTime, now);
  const auto several = [&](const std::string& last, int64_t count) {
    return last + " (x" + std::to_string(count) + " over " + first + ")";
  };
  if (event.series)
    return several(api::Ago(event.series->lastObservedTime, now), event.series->count);
  if (event.count > 1) return several(api::Ago(event.lastTimestamp, now), event.count);
  return first;
}

std::vector<std::string> RowOf(const v1::Event& event, bool with_namespace) {
  std::vector<std::string> row;
  if (with_namespace) row.push_back(EscapedText(event.metadata.namespace_));
  row.insert(row.end(), {SeenText(event), EscapedText(event.type), EscapedText(event.reason),
                         EscapedText(event.involvedObject.kind + "/" + event.involvedObject.name),
                         EscapedText(reflect::TrimGoSpace(event.message))});
  return row;
}

// --for: of this object alone.
Result<std::string> FieldSelector(Server& server, const Invocation& invocation) {
  if (!invocation.Has("for")) return std::string();
  const std::string text(invocation.Get("for"));
  const size_t slash = text.find('/');
  if (slash == text.npos || slash == 0 || slash + 1 == text.size() ||
      text.find('/', slash + 1) != text.npos) {
    return Error(Code::kInvalidArgument, "--for must be in resource/name form");
  }
  TRY(const ServerResources* resources, server.Resources());
  TRY(const ServerResource* resource, resources->Resolve(text.substr(0, slash)));
  return "involvedObject.kind=" + resource->kind + ",involvedObject.name=" + text.substr(slash + 1);
}

class Events {
 public:
  Events(Server& server, const Invocation& invocation, std::unique_ptr<ObjectPrinter> printer)
      : server_(server),
        invocation_(invocation),
        printer_(std::move(printer)),
        everywhere_(invocation.Has("all-namespaces")) {}

  Result<Outcome> Run() {
    TRY(fields_, FieldSelector(server_, invocation_));
    TRY(std::vector<Told> all, List());
    std::erase_if(all, [&](const Told& told) { return !IsWanted(told.event); });
    std::ranges::sort(all, {}, [](const Told& told) {
      return std::pair(LastMicros(told.event), told.event.metadata.name);
    });
    const bool watch = invocation_.Has("watch");
    if (all.empty() && !watch) {
      const std::string where = everywhere_ ? "." : " in " + server_.namespace_() + " namespace.";
      return Outcome{kOk, {}, "No events found" + where + "\n"};
    }
    TRY(const std::string text, Printed(std::move(all)));
    if (!watch) return Outcome{kOk, text, {}};
    if (!server_.streams().Out(text)) return Outcome{};
    return Follow();
  }

 private:
  Result<ServerRequest> RequestFor(http::QueryParameters parameters) const {
    ServerRequest request;
    const std::string space =
        everywhere_ ? std::string() : "/namespaces/" + http::PercentEncode(server_.namespace_());
    request.path = "/api/v1" + space + "/events";
    if (!fields_.empty()) parameters.emplace_back("fieldSelector", fields_);
    request.query = http::EncodeQuery(parameters);
    return request;
  }

  Result<std::vector<Told>> List() {
    std::vector<Told> out;
    std::string more;
    do {
      http::QueryParameters parameters;
      AddLimit(invocation_, &parameters);
      if (!more.empty()) parameters.emplace_back("continue", more);
      TRY(const ServerRequest request, RequestFor(std::move(parameters)));
      TRY(const JsonValue list, server_.AskJson(request));
      for (JsonValue item : ElementsOf(list, "items")) {
        item.Set("kind", JsonValue::String("Event"));
        item.Set("apiVersion", JsonValue::String("v1"));
        TRY(Told told, ToldBy(std::move(item)));
        out.push_back(std::move(told));
      }
      version_ = TextAt(list, {"metadata", "resourceVersion"});
      more = TextAt(list, {"metadata", "continue"});
    } while (!more.empty());
    return out;
  }

  bool IsWanted(const v1::Event& event) const {
    const std::vector<std::string_view> types = Words(invocation_.Get("types"), ",");
    return types.empty() || std::ranges::any_of(types, [&](std::string_view type) {
             return EqualsIgnoringCase(type, event.type);
           });
  }

  Result<std::string> Printed(std::vector<Told> all) {
    std::string out;
    if (printer_) {
      JsonValue list = JsonValue::Of(JsonValue::Object());
      list.Set("apiVersion", JsonValue::String("v1"));
      list.Set("kind", JsonValue::String("EventList"));
      list.Set("metadata", JsonValue::Of(JsonValue::Object()));
      JsonValue::Array items;
      for (Told& told : all) items.push_back(std::move(told.json));
      list.Set("items", JsonValue::Of(std::move(items)));
      TRY_VOID(printer_->Print(list, &out));
      return out;
    }
    if (!std::exchange(headed_, true) && !invocation_.Has("no-headers")) {
      std::vector<std::string> row = {"LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"};
      if (everywhere_) row.insert(row.begin(), "NAMESPACE");
      table_.AddRow(std::move(row));
    }
    for (const Told& told : all) table_.AddRow(RowOf(told.event, everywhere_));
    table_.Flush(&out);
    return out;
  }

  Result<Outcome> Follow() {
    TRY(const ServerRequest request,
        RequestFor({{"resourceVersion", version_}, {"watch", "true"}}));
    TRY(auto response, server_.Open(request));
    JsonLines lines(std::move(response));
    while (true) {
      TRY(auto line, lines.Next());
      if (!line) return Outcome{};
      const std::string_view type = TextOf(*line, "type");
      JsonValue* object = line->Find("object");
      if (!object || type == "BOOKMARK" || type == "DELETED") continue;
      if (type == "ERROR") {
        return Error(Code::kUnavailable,
                     "the watch broke off: " + std::string(TextOf(*object, "message")));
      }
      TRY(Told told, ToldBy(std::move(*object)));
      if (!IsWanted(told.event)) continue;
      std::vector<Told> one;
      one.push_back(std::move(told));
      TRY(const std::string text, Printed(std::move(one)));
      if (!server_.streams().Out(text)) return Outcome{};
    }
  }

  Server& server_;
  const Invocation& invocation_;
  const std::unique_ptr<ObjectPrinter> printer_;
  const bool everywhere_;
  std::string fields_;
  std::string version_;
  bool headed_ = false;
  TableText table_;
};

Result<Outcome> ShowEvents(const Invocation& invocation, const Streams& streams) {
  TRY_VOID(CheckChunkSize(invocation));
  TRY(auto printer, PrinterOf(invocation));
  TRY(const auto server, Server::Of(invocation, streams));
  return Events(*server, invocation, std::move(printer)).Run();
}

Outcome RunEvents(const Invocation& invocation, const Streams& streams) {
  auto outcome = ShowEvents(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    {.name = "for", .value = "TYPE/NAME", .help = "those of this object"},
    {.name = "types", .value = "TYPE,...", .help = "Normal, Warning: those of these types"},
    {.name = "watch", .letter = 'w', .help = "then go on with each that comes"},
    {.name = "no-headers", .help = "no headings"},
    kChunkSizeOption,
    kAllNamespacesOption,
    kOutputOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    kShowManagedFieldsOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command EventsCommand() {
  return {
      .name = "events",
      .summary = "Show what has happened, the latest last",
      .example =
          "  podium events\n"
          "  podium events --for pod/web --watch\n"
          "  podium events -A --types=Warning\n",
      .options = kOptions,
      .live = RunEvents,
  };
}

}  // namespace podium::cli
