#include <utility>

#include "api/status.h"
#include "api/types/meta_v1.h"
#include "cli/get.h"
#include "cli/json_lines.h"
#include "cli/json_members.h"
#include "cli/server_errors.h"
#include "http/url.h"
#include "reflect/json.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

// An event of type ERROR: its object is a Status.
Error ErrorOfEvent(const JsonValue& object) {
  auto status = reflect::FromJson<api::meta::v1::Status>(ToText(object), {.strict = false});
  if (!status.ok()) return {Code::kInternal, "the watch broke off: " + ToText(object)};
  return api::StatusError(*std::move(status));
}

// Writes what is there and what changes in one form.
class WatchPrinter {
 public:
  WatchPrinter(const Streams& streams, TableOptions table, std::unique_ptr<ObjectPrinter> printer)
      : streams_(streams), table_(std::move(table)), printer_(std::move(printer)) {}

  bool as_table() const { return !printer_; }

  // False when nobody reads any more.
  Result<bool> Print(const JsonValue& object, std::string_view event) {
    std::string out;
    if (as_table()) {
      TRY(const JsonValue table, AsTable(object));
      rows_.Add(table, table_, event);
      rows_.Flush(&out);
    } else if (table_.with_event && printer_->takes_lists()) {
      JsonValue told = JsonValue::Of(JsonValue::Object());
      told.Set("type", JsonValue::String(std::string(event)));
      told.Set("object", object);
      TRY_VOID(printer_->Print(told, &out));
    } else {
      TRY_VOID(printer_->Print(object, &out));
    }
    return streams_.Out(out);
  }

  // What is there before the first change, each object by itself.
  Result<bool> PrintInitial(const JsonValue& answer) {
    const JsonValue* items = answer.Find("items");
    if (as_table() || !items || !items->is_array()) return Print(answer, "ADDED");
    std::string kind(TextOf(answer, "kind"));
    if (kind.ends_with("List")) kind.resize(kind.size() - 4);
    for (JsonValue item : items->array()) {
      if (!item.is_object()) continue;
      if (TextOf(item, "kind").empty()) item.Set("kind", JsonValue::String(kind));
      if (TextOf(item, "apiVersion").empty()) {
        item.Set("apiVersion", JsonValue::String(std::string(TextOf(answer, "apiVersion"))));
      }
      TRY(const bool read, Print(item, "ADDED"));
      if (!read) return false;
    }
    return true;
  }

 private:
  const Streams streams_;
  const TableOptions table_;
  const std::unique_ptr<ObjectPrinter> printer_;
  TablePrinter rows_;
};

// Of the objects in an answer, a Table among them: where to watch from.
std::string VersionOf(const JsonValue& answer) {
  if (IsTable(answer) && TextAt(answer, {"metadata", "resourceVersion"}).empty()) {
    const auto& rows = ElementsOf(answer, "rows");
    if (rows.size() != 1) return {};
    return std::string(TextAt(rows[0], {"object", "metadata", "resourceVersion"}));
  }
  return std::string(TextAt(answer, {"metadata", "resourceVersion"}));
}

Result<ServerRequest> WatchRequest(const Selected& item, const Invocation& invocation,
                                   const std::string& version, bool as_table) {
  Selected collection = item;
  collection.name.clear();
  TRY(ServerRequest request, RequestOf(collection, invocation, as_table));
  http::QueryParameters parameters;
  if (!item.name.empty()) {
    parameters.emplace_back("fieldSelector", "metadata.name=" + item.name);
  } else if (invocation.Has("field-selector")) {
    parameters.emplace_back("fieldSelector", invocation.Get("field-selector"));
  }
  if (invocation.Has("selector")) {
    parameters.emplace_back("labelSelector", invocation.Get("selector"));
  }
  parameters.emplace_back("resourceVersion", version);
  parameters.emplace_back("watch", "true");
  request.query = http::EncodeQuery(parameters);
  return request;
}

// One page of what is there; the others follow as they are asked for.
Result<std::string> PrintWhatIsThere(Server& server, const Selected& item,
                                     const Invocation& invocation, WatchPrinter* printer) {
  std::string version;
  std::string more;
  do {
    TRY(const ServerRequest request, RequestOf(item, invocation, printer->as_table(), more));
    TRY(const JsonValue answer, server.AskJson(request));
    version = VersionOf(answer);
    more = TextAt(answer, {"metadata", "continue"});
    if (invocation.Has("watch-only")) continue;
    TRY(const bool read, printer->PrintInitial(answer));
    if (!read) return Error(Code::kCancelled, "nobody reads");
  } while (item.name.empty() && !more.empty());
  return version;
}

Result<void> Follow(Server& server, const Selected& item, const Invocation& invocation,
                    WatchPrinter* printer) {
  TRY(const std::string version, PrintWhatIsThere(server, item, invocation, printer));
  TRY(const ServerRequest request, WatchRequest(item, invocation, version, printer->as_table()));
  TRY(auto response, server.Open(request));
  JsonLines lines(std::move(response));
  while (true) {
    TRY(const auto line, lines.Next());
    if (!line) return {};
    const std::string_view type = TextOf(*line, "type");
    const JsonValue* object = line->Find("object");
    if (!object || type == "BOOKMARK") continue;
    if (type == "ERROR") return ErrorOfEvent(*object);
    TRY(const bool read, printer->Print(*object, type));
    if (!read) return {};
  }
}

}  // namespace

Outcome WatchSelected(Server& server, const Invocation& invocation, const Selection& selection) {
  if (!selection.errors.empty()) return ServerFailure(selection.errors);
  if (selection.several_types) {
    return ServerFailure(
        Error(Code::kInvalidArgument, "you may only specify a single resource type"));
  }
  if (selection.items.size() != 1) {
    return ServerFailure(Error(Code::kInvalidArgument,
                               "watch is only supported on individual resources and resource "
                               "collections - " +
                                   std::to_string(selection.items.size()) +
                                   " resources were found"));
  }
  auto form = PrinterOf(invocation);
  if (!form.ok()) return ServerFailure(form.error());
  const Selected& item = selection.items[0];
  WatchPrinter printer(server.streams(), TableOptionsOf(item, invocation, false), *std::move(form));
  const auto done = Follow(server, item, invocation, &printer);
  if (done.ok() || done.error().code() == Code::kCancelled) return {};
  return ServerFailure(done.error());
}

}  // namespace podium::cli
