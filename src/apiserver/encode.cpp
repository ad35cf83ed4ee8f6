#include "apiserver/encode.h"

#include <charconv>
#include <optional>
#include <utility>

#include "api/conversion/conversion.h"
#include "api/object_meta.h"
#include "api/scheme.h"
#include "api/status.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/json_indent.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::ObjectMeta;
using api::meta::v1::PartialObjectMetadata;
using reflect::AnyObject;
using reflect::Type;

std::string* StringField(const Type& type, void* object, std::string_view name) {
  const reflect::Field* field = type.Find(name);
  if (field == nullptr || field->kind != reflect::Kind::kString ||
      field->shape != reflect::Shape::kScalar) {
    return nullptr;
  }
  return static_cast<std::string*>(field->at(object));
}

// The object in the version that the resource shows.
struct Shown {
  DecodedPtr decoded;
  AnyObject converted;

  const Type& type() const { return converted ? converted.type() : decoded->type(); }
  const void* get() const { return converted ? converted.get() : decoded->get(); }
};

Result<Shown> DecodeShown(const ServedResource& resource, const StoredObject& stored) {
  Shown shown;
  TRY(shown.decoded, stored.Decode(*resource.stored_type, false));
  if (resource.stored_as_is()) return shown;
  TRY(shown.converted,
      api::ConvertObject(*resource.stored_type, shown.decoded->get(), *resource.type));
  return shown;
}

// The end of the object whose inside `at` is in, outside of strings; behind its bracket.
size_t EndOfObject(std::string_view json, size_t at) {
  size_t depth = 1;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\') ++at;
      }
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

PartialObjectMetadata PartialOf(std::string_view api_version) {
  PartialObjectMetadata partial;
  partial.kind = "PartialObjectMetadata";
  partial.apiVersion = api_version;
  return partial;
}

Result<PartialObjectMetadata> DecodePartial(const store::Entry& entry, std::string_view json,
                                            std::string_view api_version) {
  PartialObjectMetadata partial;
  const auto decoded = reflect::DecodeJsonInto(json, reflect::TypeOf<PartialObjectMetadata>(),
                                               &partial, {.strict = false});
  if (!decoded.ok()) {
    return Error(Code::kDataLoss, "the stored object " + std::string(entry.key()) +
                                      " cannot be read: " + decoded.error().message());
  }
  partial.kind = "PartialObjectMetadata";
  partial.apiVersion = api_version;
  partial.metadata.resourceVersion = std::to_string(entry.mod_revision());
  return partial;
}

// Appends {"kind":"PartialObjectMetadata",…}, of the stored text where metadata stands first in it.
Result<void> AppendPartialJson(const store::Entry& entry, std::string_view json,
                               const reflect::ObjectLayout& layout, std::string_view api_version,
                               std::string* out) {
  constexpr std::string_view kMetadata = "\"metadata\":{";
  const size_t end = json.substr(layout.members).starts_with(kMetadata)
                         ? EndOfObject(json, layout.version)
                         : std::string_view::npos;
  if (end == std::string_view::npos) {
    TRY(const PartialObjectMetadata partial, DecodePartial(entry, json, api_version));
    return reflect::EncodeJson(reflect::TypeOf<PartialObjectMetadata>(), &partial, out);
  }
  char digits[24];
  const auto digits_end = std::to_chars(digits, digits + sizeof digits, entry.mod_revision()).ptr;
  out->append(R"({"kind":"PartialObjectMetadata","apiVersion":")")
      .append(api_version)
      .append("\",");
  out->append(json.substr(layout.members, layout.version - layout.members));
  if (layout.comma_before) out->push_back(',');
  out->append("\"resourceVersion\":\"").append(digits, digits_end).push_back('"');
  if (layout.comma_after) out->push_back(',');
  out->append(json.substr(layout.version, end - layout.version)).push_back('}');
  return {};
}

Result<PartialObjectMetadata> PartialOfObject(const Type& type, const void* object,
                                              std::string_view api_version) {
  PartialObjectMetadata partial = PartialOf(api_version);
  const ObjectMeta* metadata = api::FindObjectMeta(type, object);
  if (metadata != nullptr) partial.metadata = reflect::Copy(*metadata);
  return partial;
}

// The cells and conditions, and the object as it is to be shown, which is "" for none.
Result<void> AppendRowJson(const Type& type, const void* object, const api::TableColumns& columns,
                           api::Time now, std::string shown, std::string* out) {
  TRY(api::meta::v1::TableRow row, api::TableRowOf(columns, type, object, now));
  row.object.text = std::move(shown);
  return reflect::EncodeJson(reflect::TypeOf<api::meta::v1::TableRow>(), &row, out);
}

std::string ColumnsText(const api::meta::v1::Table& table) {
  const reflect::Field* field = reflect::TypeOf<api::meta::v1::Table>().Find("columnDefinitions");
  std::string out = "\"columnDefinitions\":";
  // Constant tables always have a form.
  (void)reflect::EncodeJsonField(*field, field->at(&table), &out);
  return out;
}

std::string ColumnsText(const api::TableColumns& columns, const Type* type) {
  api::meta::v1::Table table;
  table.columnDefinitions = api::ColumnDefinitions(columns, type);
  return ColumnsText(table);
}

// {"kind":"Table",…} of one row.
std::string TableText(const OutputForm& form, std::string_view version, std::string_view columns,
                      std::string_view row) {
  std::string out = R"({"kind":"Table","apiVersion":")";
  out.append(ViewVersion(form)).append("\",\"metadata\":{");
  if (!version.empty()) out.append("\"resourceVersion\":\"").append(version).append("\"");
  out.append("},").append(columns).append(",\"rows\":[").append(row).append("]}");
  return out;
}

// The answer of a JSON text in the form's media type, which is not protobuf.
Answer AnswerWithText(const OutputForm& form, std::string json, int status) {
  Answer answer{.status = status};
  answer.headers.Add("Content-Type", MediaTypeOf(form.media));
  if (form.media == Media::kYaml) {
    const auto yaml = reflect::JsonToYaml(json, &answer.body);
    if (!yaml.ok()) answer.body = std::move(json);
  } else if (form.pretty) {
    answer.body = Indented(json);
  } else {
    json.push_back('\n');
    answer.body = std::move(json);
  }
  return answer;
}

Answer AnswerWithProtobuf(std::string bytes, int status) {
  Answer answer{.status = status, .body = std::move(bytes)};
  answer.headers.Add("Content-Type", MediaTypeOf(Media::kProtobuf));
  return answer;
}

// Cells are made of the stored version.
const api::TableColumns& StoredColumns(const ServedResource& resource) {
  const auto stored = api::ParseApiVersion(resource.stored_api_version);
  return stored ? api::ColumnsOf(stored->group, stored->version, resource.stored_type->name)
                : api::ColumnsOf(resource.group, resource.version, resource.kind);
}

std::string GoTypeOf(const ServedResource& resource, bool is_list) {
  if (resource.builtin == nullptr) {
    return is_list ? "*unstructured.UnstructuredList" : "*unstructured.Unstructured";
  }
  std::string_view package = resource.group.empty() ? "core" : std::string_view(resource.group);
  package = package.substr(0, package.find('.'));
  return "*" + std::string(package) + "." + (is_list ? resource.list_kind : resource.kind);
}

Result<Answer> EntryAnswer(const Call& call, const ServedResource& resource,
                           const store::Entry& entry, int status) {
  TRY(const OutputForm form, NegotiateOutput(call, RulesOf(resource)));
  TRY_VOID(CheckView(resource, form, false));
  TRY(const api::IncludeObject include, ReadTableOptions(call, form));
  const ObjectEncoder encoder(resource, form, include, TimeOf(call));
  std::string out;
  if (form.media == Media::kProtobuf) {
    TRY_VOID(encoder.AppendProtobuf(entry, ObjectEncoder::Place::kAlone, &out));
    return AnswerWithProtobuf(std::move(out), status);
  }
  out.reserve(entry.value().size() + 64);
  TRY_VOID(encoder.AppendJson(entry, ObjectEncoder::Place::kAlone, &out));
  if (form.view == View::kTable) {
    out = TableText(form, std::to_string(entry.mod_revision()), encoder.ColumnsJson(), out);
  }
  return AnswerWithText(form, std::move(out), status);
}

Result<Answer> ValueAnswer(const Call& call, const OutputRules& rules, const Type& type,
                           const void* object, int status) {
  TRY(OutputForm form, NegotiateOutput(call, rules));
  if (&type == &reflect::TypeOf<api::meta::v1::Status>()) form.view = View::kObject;
  if (form.view == View::kObject) return AnswerInForm(form, type, object, status);
  TRY(const PartialObjectMetadata partial, PartialOfObject(type, object, ViewVersion(form)));
  const Type& partial_type = reflect::TypeOf<PartialObjectMetadata>();
  if (form.media == Media::kProtobuf) return AnswerInForm(form, partial_type, &partial, status);
  std::string out;
  TRY(const api::IncludeObject include, ReadTableOptions(call, form));
  if (form.view != View::kTable || include == api::IncludeObject::kMetadata) {
    TRY_VOID(reflect::EncodeJson(partial_type, &partial, &out));
  } else if (include == api::IncludeObject::kObject) {
    TRY_VOID(reflect::EncodeJson(type, object, &out));
  }
  if (form.view == View::kTable) {
    const api::TableColumns& columns = api::ColumnsOf("", "", type.name);
    std::string row;
    TRY_VOID(AppendRowJson(type, object, columns, TimeOf(call), std::move(out), &row));
    out = TableText(form, partial.metadata.resourceVersion, ColumnsText(columns, &type), row);
  }
  return AnswerWithText(form, std::move(out), status);
}

}  // namespace

Answer AnswerWithEntry(const Call& call, const ServedResource& resource, const store::Entry& entry,
                       int status) {
  auto answer = EntryAnswer(call, resource, entry, status);
  return answer.ok() ? std::move(*answer) : AnswerWithError(call, answer.error());
}

Answer AnswerWithValue(const Call& call, const OutputRules& rules, const Type& type,
                       const void* object, int status) {
  auto answer = ValueAnswer(call, rules, type, object, status);
  return answer.ok() ? std::move(*answer) : AnswerWithError(call, answer.error());
}

Result<Answer> AnswerInForm(const OutputForm& form, const Type& type, const void* object,
                            int status) {
  std::string out;
  if (form.media == Media::kProtobuf) {
    TRY_VOID(reflect::EncodeEnveloped(type, object, &out));
    return AnswerWithProtobuf(std::move(out), status);
  }
  TRY_VOID(reflect::EncodeJson(type, object, &out));
  return AnswerWithText(form, std::move(out), status);
}

Answer AnswerWithError(const Call& call, const Error& error) {
  const api::meta::v1::Status status = api::StatusOf(error);
  const int code = status.code != 0 ? status.code : 500;
  const Type& type = reflect::TypeOf<api::meta::v1::Status>();
  const auto form = NegotiateOutput(call, {});
  Answer answer;
  std::string bytes;
  if (form.ok() && form->media == Media::kProtobuf &&
      reflect::EncodeEnveloped(type, &status, &bytes).ok()) {
    answer = AnswerWithProtobuf(std::move(bytes), code);
  } else {
    // Of texts that are no UTF-8 the encoder makes some.
    (void)reflect::EncodeJson(type, &status, &bytes);
    answer = AnswerWithText(form.ok() ? *form : OutputForm{.pretty = true}, std::move(bytes), code);
  }
  if (status.details && status.details->retryAfterSeconds > 0) {
    answer.headers.Add("Retry-After", std::to_string(status.details->retryAfterSeconds));
  }
  if (code == 403) answer.headers.Add("X-Content-Type-Options", "nosniff");
  return answer;
}

Result<void> ObjectEncoder::AppendCustom(const store::Entry& entry, std::string* out) const {
  TRY(const CustomFormPtr form, FormOf(*resource_.custom, entry));
  const std::string_view text = form->text(entry);
  if (form_.view == View::kObject) {
    AppendWithVersion(text, form->layout, entry.mod_revision(), false, out);
    return {};
  }
  if (form_.view != View::kTable) {
    return AppendPartialJson(entry, text, form->layout, ViewVersion(form_), out);
  }
  TRY(const reflect::JsonValue tree, reflect::ParseJson(text));
  api::meta::v1::TableRow row;
  row.cells = resource_.custom->shown->columns.CellsOf(tree, now_);
  if (include_ == api::IncludeObject::kMetadata) {
    TRY_VOID(AppendPartialJson(entry, text, form->layout, ViewVersion(form_), &row.object.text));
  } else if (include_ == api::IncludeObject::kObject) {
    AppendWithVersion(text, form->layout, entry.mod_revision(), false, &row.object.text);
  }
  return reflect::EncodeJson(reflect::TypeOf<api::meta::v1::TableRow>(), &row, out);
}

Result<void> ObjectEncoder::AppendJson(const store::Entry& entry, Place place,
                                       std::string* out) const {
  if (resource_.custom != nullptr) return AppendCustom(entry, out);
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  if (form_.view == View::kTable) return AppendRow(entry, *stored, out);
  if (form_.view != View::kObject) {
    return AppendPartialJson(entry, entry.value(), stored->layout(), ViewVersion(form_), out);
  }
  const bool without_kind = place == Place::kElement && resource_.builtin != nullptr;
  if (resource_.stored_as_is()) {
    AppendWithVersion(entry.value(), stored->layout(), entry.mod_revision(), without_kind, out);
    return {};
  }
  TRY(Shown shown, DecodeShown(resource_, *stored));
  if (without_kind) {
    for (const std::string_view name : {"kind", "apiVersion"}) {
      std::string* field = StringField(shown.type(), shown.converted.get(), name);
      if (field != nullptr) field->clear();
    }
  }
  return reflect::EncodeJson(shown.type(), shown.get(), out);
}

Result<void> ObjectEncoder::AppendJson(const Type& type, const void* object,
                                       std::string* out) const {
  if (form_.view == View::kObject) return reflect::EncodeJson(type, object, out);
  std::string shown;
  TRY(const PartialObjectMetadata partial, PartialOfObject(type, object, ViewVersion(form_)));
  if (form_.view != View::kTable) {
    return reflect::EncodeJson(reflect::TypeOf<PartialObjectMetadata>(), &partial, out);
  }
  if (include_ == api::IncludeObject::kMetadata) {
    TRY_VOID(reflect::EncodeJson(reflect::TypeOf<PartialObjectMetadata>(), &partial, &shown));
  } else if (include_ == api::IncludeObject::kObject) {
    TRY_VOID(reflect::EncodeJson(type, object, &shown));
  }
  return AppendRowJson(type, object, api::ColumnsOf("", "", ""), now_, std::move(shown), out);
}

Result<void> ObjectEncoder::AppendProtobuf(const store::Entry& entry, Place place,
                                           std::string* out) const {
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  if (form_.view != View::kObject) {
    CustomFormPtr form;
    if (resource_.custom != nullptr) {
      TRY(form, FormOf(*resource_.custom, entry));
    }
    const std::string_view text = form != nullptr ? form->text(entry) : entry.value();
    TRY(const PartialObjectMetadata partial, DecodePartial(entry, text, ViewVersion(form_)));
    const Type& type = reflect::TypeOf<PartialObjectMetadata>();
    return place == Place::kElement ? reflect::EncodeProtobuf(type, &partial, out)
                                    : reflect::EncodeEnveloped(type, &partial, out);
  }
  TRY(const Shown shown, DecodeShown(resource_, *stored));
  return place == Place::kElement ? reflect::EncodeProtobuf(shown.type(), shown.get(), out)
                                  : reflect::EncodeEnveloped(shown.type(), shown.get(), out);
}

Result<void> ObjectEncoder::AppendProtobuf(const Type& type, const void* object,
                                           std::string* out) const {
  if (form_.view == View::kObject) return reflect::EncodeEnveloped(type, object, out);
  TRY(const PartialObjectMetadata partial, PartialOfObject(type, object, ViewVersion(form_)));
  return reflect::EncodeEnveloped(reflect::TypeOf<PartialObjectMetadata>(), &partial, out);
}

std::string ObjectEncoder::ColumnsJson() const {
  if (resource_.custom != nullptr) {
    api::meta::v1::Table table;
    table.columnDefinitions = resource_.custom->shown->columns.definitions();
    return ColumnsText(table);
  }
  return ColumnsText(StoredColumns(resource_), resource_.stored_type);
}

Result<void> ObjectEncoder::AppendRow(const store::Entry& entry, const StoredObject& stored,
                                      std::string* out) const {
  TRY(const DecodedPtr decoded, stored.Decode(*resource_.stored_type, false));
  std::string shown;
  if (include_ == api::IncludeObject::kMetadata) {
    TRY_VOID(AppendPartialJson(entry, entry.value(), stored.layout(), ViewVersion(form_), &shown));
  } else if (include_ == api::IncludeObject::kObject) {
    const ObjectEncoder whole(resource_, {}, include_, now_);
    TRY_VOID(whole.AppendJson(entry, Place::kAlone, &shown));
  }
  return AppendRowJson(decoded->type(), decoded->get(), StoredColumns(resource_), now_,
                       std::move(shown), out);
}

Result<api::IncludeObject> ReadTableOptions(const Call& call, const OutputForm& form) {
  if (form.view != View::kTable) return api::IncludeObject::kMetadata;
  const std::string_view asked = QueryValue(call.query, "includeObject");
  const auto include = api::ParseIncludeObject(asked);
  if (include.ok()) return *include;
  api::field::ErrorList errors;
  errors.Add(api::field::Invalid(api::field::Path("includeObject"), asked,
                                 "must be 'Metadata', 'Object', 'None', or empty"));
  return api::BadRequestError("Unable to convert to Table as requested: " + errors.AggregateText());
}

api::Time TimeOf(const Call& call) { return api::Time::FromUnix(call.received / kNanosPerSecond); }

Result<void> CheckView(const ServedResource& resource, const OutputForm& form, bool is_list) {
  if (is_list && form.view == View::kPartialMetadata) {
    return api::NotAcceptableError(
        "you requested PartialObjectMetadata, but the requested object is a list (" +
        GoTypeOf(resource, true) + ")");
  }
  if (!is_list && form.view == View::kPartialMetadataList) {
    return api::NotAcceptableError(
        "you requested PartialObjectMetadataList, but the requested object is not a list (" +
        GoTypeOf(resource, false) + ")");
  }
  return {};
}

}  // namespace podium::apiserver
