#include "apiserver/body.h"

#include <utility>

#include "api/go_json.h"
#include "api/scheme.h"
#include "api/status.h"
#include "apiserver/audit/audit.h"
#include "base/ascii.h"
#include "base/text.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/object.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using reflect::AnyObject;
using reflect::Problem;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// As Go reads null into a struct: nothing is said.
std::string_view NullAsObject(std::string_view json) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = json.find_first_not_of(kBlanks);
  const size_t end = json.find_last_not_of(kBlanks);
  return begin != json.npos && json.substr(begin, end - begin + 1) == "null" ? "{}" : json;
}

// The beginning of a body, as messages show it.
std::string Summary(std::string_view body) {
  constexpr size_t kShown = 30;
  if (body.empty()) return "<empty>";
  const std::string_view shown = body.substr(0, kShown);
  std::string text;
  if (body.front() == '{') {
    text = shown;
  } else {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : shown) {
      text += kDigits[static_cast<unsigned char>(c) >> 4];
      text += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return body.size() > kShown ? text + " ..." : text;
}

Error Unrecognized(const ExpectedBody& expected, std::string_view why, std::string_view body) {
  return api::BadRequestError("the object provided is unrecognized (must be of type " +
                              std::string(expected.kind) + "): " + std::string(why) + " (" +
                              Summary(body) + ")");
}

std::string ApiVersionOf(const ExpectedBody& expected) {
  std::string text(expected.group);
  if (!text.empty()) text += '/';
  return text.append(expected.version);
}

// Upstream's name of the package that all versions of a group are converted to.
std::string_view InternalPackage(std::string_view group) {
  return group.empty() ? "core" : group.substr(0, group.find('.'));
}

// That a body of this kind may stand where another one, or another version of it, is expected.
Result<void> CheckKind(const ExpectedBody& expected, std::string_view kind,
                       std::string_view api_version) {
  const std::string wanted = ApiVersionOf(expected);
  if (kind == expected.kind && api_version == wanted) return {};
  const auto parsed = api::ParseApiVersion(api_version);
  if (parsed && kind == expected.kind && parsed->group == expected.group) {
    return api::BadRequestError("the API version in the data (" + std::string(api_version) +
                                ") does not match the expected API version (" + wanted + ")");
  }
  const reflect::Type* known = api::FindType(api_version, kind);
  if (known == nullptr || !parsed) {
    return CannotBeHandled(kind, api_version, expected.kind,
                           "no kind " + reflect::GoQuoted(kind) + " is registered for version " +
                               reflect::GoQuoted(api_version) +
                               " in scheme \"pkg/api/legacyscheme/scheme.go:30\"");
  }
  return CannotBeHandled(kind, api_version, expected.kind,
                         "converting (" + std::string(parsed->version) + "." + std::string(kind) +
                             ") to (" + std::string(InternalPackage(expected.group)) + "." +
                             std::string(expected.kind) + "): unknown conversion");
}

bool IsStrictOnly(const Problem& problem) {
  return problem.kind == Problem::Kind::kUnknownField ||
         problem.kind == Problem::Kind::kDuplicateField;
}

void SetKind(const ExpectedBody& expected, AnyObject* object) {
  const reflect::Type& type = object->type();
  for (const auto& [name, value] : {std::pair("kind", std::string(expected.kind)),
                                    std::pair("apiVersion", ApiVersionOf(expected))}) {
    const reflect::Field* field = type.Find(name);
    if (field != nullptr && field->kind == reflect::Kind::kString &&
        field->shape == reflect::Shape::kScalar) {
      *static_cast<std::string*>(field->at(object->get())) = value;
    }
  }
}

Result<AnyObject> DecodeJsonBody(Call& call, const ExpectedBody& expected,
                                 FieldValidation validation, std::string_view json,
                                 std::vector<std::string> strict) {
  const auto header = reflect::ReadHeader(json);
  if (!header.ok()) {
    return Unrecognized(expected,
                        "couldn't get version/kind; json parse error: " +
                            api::GoJsonObjectProblem(json).value_or(header.error().message()),
                        call.body);
  }
  const std::string kind = header->kind.empty() ? std::string(expected.kind) : header->kind;
  const std::string api_version =
      header->api_version.empty() ? ApiVersionOf(expected) : header->api_version;
  TRY_VOID(CheckKind(expected, kind, api_version));
  AnyObject object(*expected.type);
  const bool is_strict = validation != FieldValidation::kIgnore;
  for (const Problem& problem :
       reflect::DecodeJson(json, *expected.type, object.get(), {.strict = is_strict})) {
    if (!IsStrictOnly(problem)) {
      return CannotBeHandled(kind, api_version, expected.kind, problem.Text());
    }
    strict.push_back(problem.Text());
  }
  TRY_VOID(TellStrict(call, expected, validation, kind, api_version, std::move(strict)));
  SetKind(expected, &object);
  return object;
}

Result<AnyObject> DecodeProtobufBody(const Call& call, const ExpectedBody& expected) {
  const auto envelope = reflect::ReadEnvelope(call.body);
  if (!envelope.ok()) return Unrecognized(expected, envelope.error().message(), call.body);
  const std::string kind = envelope->kind.empty() ? std::string(expected.kind) : envelope->kind;
  const std::string api_version =
      envelope->api_version.empty() ? ApiVersionOf(expected) : envelope->api_version;
  TRY_VOID(CheckKind(expected, kind, api_version));
  AnyObject object(*expected.type);
  const auto decoded = reflect::DecodeProtobuf(envelope->raw, *expected.type, object.get());
  if (!decoded.ok()) {
    return CannotBeHandled(kind, api_version, expected.kind, decoded.error().message());
  }
  SetKind(expected, &object);
  return object;
}

// What a body says it is, as far as that can be found out.
reflect::ObjectHeader HeaderOf(const Call& call) {
  const auto format = BodyFormatOf(call.Header("Content-Type"));
  if (!format.ok()) return {};
  if (*format == BodyFormat::kProtobuf) {
    const auto envelope = reflect::ReadEnvelope(call.body);
    if (!envelope.ok()) return {};
    reflect::ObjectHeader header;
    header.api_version = envelope->api_version;
    header.kind = envelope->kind;
    return header;
  }
  std::vector<std::string> duplicates;
  const auto json = JsonOfBody(call.body, *format, &duplicates);
  if (!json.ok()) return {};
  auto header = reflect::ReadHeader(*json);
  return header.ok() ? *std::move(header) : reflect::ObjectHeader();
}

}  // namespace

Error UnrecognizedBody(const Call& call, const ExpectedBody& expected, std::string_view why) {
  return Unrecognized(expected, why, call.body);
}

Result<void> TellStrict(Call& call, const ExpectedBody& expected, FieldValidation validation,
                        std::string_view kind, std::string_view api_version,
                        std::vector<std::string> texts) {
  if (texts.empty() || validation == FieldValidation::kIgnore) return {};
  if (validation == FieldValidation::kWarn) {
    for (std::string& text : texts) call.Warn(std::move(text));
    return {};
  }
  return CannotBeHandled(kind, api_version, expected.kind,
                         "strict decoding error: " + Join(texts, ", "));
}

Error CannotBeHandled(std::string_view kind, std::string_view api_version,
                      std::string_view expected_kind, std::string_view why) {
  const auto parsed = api::ParseApiVersion(api_version);
  return api::BadRequestError(std::string(kind) + " in version " +
                              reflect::GoQuoted(parsed ? parsed->version : api_version) +
                              " cannot be handled as a " + std::string(expected_kind) + ": " +
                              std::string(why));
}

Result<BodyFormat> BodyFormatOf(std::string_view content_type) {
  const std::string type = LowerCase(Trimmed(content_type.substr(0, content_type.find(';'))));
  if (type.empty() || type == "application/json") return BodyFormat::kJson;
  if (type == "application/yaml") return BodyFormat::kYaml;
  if (type == "application/vnd.kubernetes.protobuf") return BodyFormat::kProtobuf;
  return api::UnsupportedMediaTypeError(
      {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"});
}

Result<std::string> JsonOfBody(std::string_view body, BodyFormat format,
                               std::vector<std::string>* duplicates) {
  if (format == BodyFormat::kJson) return std::string(body);
  TRY(reflect::YamlDocument document, reflect::YamlToJson(body, {.positions = false}));
  if (!document.duplicates.empty()) duplicates->push_back(document.DuplicatesMessage());
  return std::move(document.json);
}

namespace {

Result<AnyObject> Decode(Call& call, const ExpectedBody& expected, FieldValidation validation) {
  if (call.decoded_body.object != nullptr) {
    const reflect::Type& type = *call.decoded_body.type;
    // What every group has (DeleteOptions) is of no group by itself.
    if (&type != expected.type) {
      TRY_VOID(CheckKind(expected, type.name, type.ApiVersion()));
      return CannotBeHandled(type.name, type.ApiVersion(), expected.kind, "it is of another type");
    }
    AnyObject object(*expected.type);
    reflect::CopyObject(*expected.type, call.decoded_body.object, object.get());
    SetKind(expected, &object);
    return object;
  }
  TRY(const BodyFormat format, BodyFormatOf(call.Header("Content-Type")));
  if (format == BodyFormat::kProtobuf) return DecodeProtobufBody(call, expected);
  if (format == BodyFormat::kJson) {
    return DecodeJsonBody(call, expected, validation, NullAsObject(call.body), {});
  }
  std::vector<std::string> strict;
  const auto json = JsonOfBody(call.body, format, &strict);
  if (!json.ok()) {
    return Unrecognized(expected,
                        "couldn't get version/kind; json parse error: " + json.error().message(),
                        call.body);
  }
  return DecodeJsonBody(call, expected, validation, NullAsObject(*json), std::move(strict));
}

}  // namespace

Result<AnyObject> DecodeBody(Call& call, const ExpectedBody& expected, FieldValidation validation) {
  auto object = Decode(call, expected, validation);
  if (object.ok() && call.audit != nullptr) call.audit->SetRequest(object->type(), object->get());
  return object;
}

Result<AnyObject> DecodeBodyOfAnyGroup(Call& call, const ExpectedBody& expected) {
  ExpectedBody said = expected;
  const reflect::ObjectHeader header = HeaderOf(call);
  const auto version = api::ParseApiVersion(header.api_version);
  if (version && header.kind == expected.kind &&
      api::FindType(header.api_version, header.kind) == expected.type) {
    said.group = version->group;
    said.version = version->version;
  }
  return DecodeBody(call, said, FieldValidation::kIgnore);
}

}  // namespace podium::apiserver
