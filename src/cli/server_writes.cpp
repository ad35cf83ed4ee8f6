#include "cli/server_writes.h"

#include <utility>

#include "http/url.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr std::string_view kFieldValidation[][2] = {{"strict", "Strict"},
                                                    {"true", "Strict"},
                                                    {"warn", "Warn"},
                                                    {"ignore", "Ignore"},
                                                    {"false", "Ignore"}};

}  // namespace

Result<DryRun> DryRunOf(const Invocation& invocation) {
  const std::string_view where = invocation.Get("dry-run", "none");
  if (where == "none") return DryRun::kNone;
  // The bare option, as kubectl has it.
  if (where == "client" || where == kDryRunOption.implied) return DryRun::kClient;
  if (where == "server") return DryRun::kServer;
  return Error(Code::kInvalidArgument, "Invalid dry-run value (" + std::string(where) +
                                           R"(). Must be "none", "server", or "client".)");
}

const char* DryRunMark(DryRun dry_run) {
  switch (dry_run) {
    case DryRun::kNone:
      return "";
    case DryRun::kClient:
      return " (dry run)";
    case DryRun::kServer:
      return " (server dry run)";
  }
  return "";
}

std::string FieldValidationOf(const Invocation& invocation) {
  const std::string_view how = invocation.Get("validate", "strict");
  for (const auto& [word, name] : kFieldValidation) {
    if (word == how) return std::string(name);
  }
  return {};
}

Result<JsonValue> Writer::Get(const Selected& item, std::string_view subresource) {
  ServerRequest request;
  TRY(request.path, item.resource->Path(item.namespace_, item.name, subresource));
  return server_.AskJson(request);
}

Result<JsonValue> Writer::Create(const Selected& item, const JsonValue& object) {
  ServerRequest request;
  request.method = "POST";
  TRY(request.path, item.resource->Path(item.namespace_, ""));
  request.query = Query(field_manager_);
  request.body = reflect::ToText(object);
  return server_.AskJson(request);
}

Result<JsonValue> Writer::Update(const Selected& item, std::string_view subresource,
                                 const JsonValue& object) {
  ServerRequest request;
  request.method = "PUT";
  TRY(request.path, item.resource->Path(item.namespace_, item.name, subresource));
  request.query = Query(field_manager_);
  request.body = reflect::ToText(object);
  return server_.AskJson(request);
}

Result<JsonValue> Writer::Patch(const Selected& item, const PatchRequest& patch) {
  ServerRequest request;
  request.method = "PATCH";
  request.body = patch.body;
  request.content_type = patch.content_type;
  TRY(request.path, item.resource->Path(item.namespace_, item.name, patch.subresource));
  const std::string_view manager =
      patch.field_manager.empty() ? std::string_view(field_manager_) : patch.field_manager;
  request.query = Query(manager, patch.force);
  return server_.AskJson(request);
}

Result<JsonValue> Writer::Delete(const Selected& item, const Deletion& deletion) {
  ServerRequest request;
  request.method = "DELETE";
  TRY(request.path, item.resource->Path(item.namespace_, item.name));
  request.body = R"({"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":")" +
                 std::string(deletion.propagation) + '"';
  if (deletion.grace) {
    request.body += ",\"gracePeriodSeconds\":" + std::to_string(*deletion.grace);
  }
  if (dry_run_ == DryRun::kServer) request.body += ",\"dryRun\":[\"All\"]";
  request.body += '}';
  return server_.AskJson(request);
}

std::string Writer::Query(std::string_view field_manager, std::string_view force) const {
  http::QueryParameters query = {{"fieldManager", std::string(field_manager)}};
  if (dry_run_ == DryRun::kServer) query.emplace_back("dryRun", "All");
  if (!field_validation_.empty()) query.emplace_back("fieldValidation", field_validation_);
  if (!force.empty()) query.emplace_back("force", force);
  return http::EncodeQuery(query);
}

Result<ChangePrinter> ChangePrinter::Of(const Invocation& invocation, DryRun dry_run,
                                        MemberOrder order) {
  ChangePrinter made;
  made.dry_run_ = dry_run;
  TRY(made.printer_, PrinterOf(invocation, order));
  const std::string_view form = invocation.Get("output");
  if (form == "wide" || form.starts_with("custom-columns")) {
    return Error(Code::kInvalidArgument,
                 "unable to match a printer suitable for the output format " +
                     reflect::GoQuoted(form) +
                     ", allowed formats are: json,jsonpath,jsonpath-as-json,jsonpath-file,name,"
                     "yaml");
  }
  made.lines_ = !made.printer_;
  made.objects_ = made.printer_ && form != "name";
  if (made.lines_) {
    TRY(made.printer_, PrinterOf("name", {}));
  }
  return made;
}

Result<void> ChangePrinter::Print(const JsonValue& object, std::string_view what,
                                  std::string* out) {
  TRY_VOID(printer_->Print(object, out));
  if (!lines_) return {};
  out->pop_back();
  out->append(" ").append(what);
  out->append(DryRunMark(dry_run_)).append("\n");
  return {};
}

Result<void> ChangePrinter::PrintAll(std::vector<JsonValue> objects, std::string* out) {
  if (objects.empty()) return {};
  if (objects.size() == 1) return printer_->Print(objects[0], out);
  return printer_->Print(ListOf(std::move(objects)), out);
}

std::vector<Selected> FetchAll(Server& server, const Invocation& invocation,
                               const Selection& selection, std::string_view subresource,
                               std::vector<Error>* errors) {
  Writer writer(server, DryRun::kNone, "", "");
  std::vector<Selected> out;
  for (const Selected& item : selection.items) {
    auto listed = Listed(server, invocation, item);
    if (!listed.ok()) {
      errors->push_back(std::move(listed).error());
      continue;
    }
    const bool fresh = item.name.empty() && subresource.empty();
    for (Selected& each : *listed) {
      auto object =
          fresh ? Result<JsonValue>(std::move(each.object)) : writer.Get(each, subresource);
      if (!object.ok()) {
        errors->push_back(std::move(object).error());
        continue;
      }
      each.object = *std::move(object);
      out.push_back(std::move(each));
    }
  }
  return out;
}

JsonValue ListOf(std::vector<JsonValue> objects) {
  JsonValue list = JsonValue::Of(JsonValue::Object());
  list.Set("apiVersion", JsonValue::String("v1"));
  list.Set("items", JsonValue::Of(std::move(objects)));
  list.Set("kind", JsonValue::String("List"));
  list.Set("metadata", JsonValue::Of(JsonValue::Object()));
  return list;
}

}  // namespace podium::cli
