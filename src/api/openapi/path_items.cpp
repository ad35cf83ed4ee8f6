#include "api/openapi/path_items.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "reflect/json.h"

namespace podium::api::openapi {
namespace {

JsonValue ParameterValue(const Parameter& parameter, Version version) {
  Members members;
  if (!parameter.description.empty()) {
    members.push_back({"description", Text(parameter.description)});
  }
  members.push_back({"in", Text(parameter.in)});
  members.push_back({"name", Text(parameter.name)});
  if (parameter.in == "path") members.push_back({"required", JsonValue::Bool(true)});
  const JsonValue type = Text(parameter.type);
  if (version == Version::kV2) {
    members.push_back({"type", type});
    members.push_back({"uniqueItems", JsonValue::Bool(true)});
  } else {
    members.push_back(
        {"schema", JsonValue::Of(Members{{"type", type}, {"uniqueItems", JsonValue::Bool(true)}})});
  }
  return JsonValue::Of(std::move(members));
}

// As Go's encoder writes a parameter of v2.
std::string GoJson(const Parameter& parameter) {
  std::string out = R"({"uniqueItems":true)";
  const auto add = [&](std::string_view key, std::string_view text) {
    out += ',';
    reflect::AppendJsonString(key, &out);
    out += ':';
    reflect::AppendJsonString(text, &out);
  };
  add("type", parameter.type);
  if (!parameter.description.empty()) add("description", parameter.description);
  add("name", parameter.name);
  add("in", parameter.in);
  if (parameter.in == "path") out += R"(,"required":true)";
  return out + '}';
}

JsonValue::Array ParameterValues(const std::vector<Parameter>& parameters, Version version,
                                 SharedParameters* shared) {
  JsonValue::Array out;
  for (const Parameter& parameter : parameters) {
    if (const std::string* name = shared ? shared->NameOf(parameter) : nullptr) {
      out.push_back(JsonValue::Of(Members{{"$ref", Text("#/parameters/" + *name)}}));
    } else {
      out.push_back(ParameterValue(parameter, version));
    }
  }
  return out;
}

JsonValue SchemaOf(const Payload& payload, Version version) {
  if (payload.plain) return JsonValue::Of(Members{{"type", Text("string")}});
  return Reference(payload.definition, version);
}

std::string_view StatusText(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    default:
      return "Unauthorized";
  }
}

// v3: the same schema for each media type.
JsonValue Content(const Payload& payload, const std::vector<std::string_view>& media_types) {
  Members content;
  for (const std::string_view media_type : media_types) {
    content.push_back({std::string(media_type),
                       JsonValue::Of(Members{{"schema", SchemaOf(payload, Version::kV3)}})});
  }
  return JsonValue::Of(std::move(content));
}

JsonValue Responses(const Operation& op, Version version) {
  Members out;
  for (const int status : op.statuses) {
    Members response;
    if (version == Version::kV3) {
      response.push_back({"content", Content(op.answer, op.produces)});
    }
    response.push_back({"description", Text(StatusText(status))});
    if (version == Version::kV2) response.push_back({"schema", SchemaOf(op.answer, version)});
    out.push_back({std::to_string(status), JsonValue::Of(std::move(response))});
  }
  out.push_back({"401", JsonValue::Of(Members{{"description", Text(StatusText(401))}})});
  return JsonValue::Of(std::move(out));
}

JsonValue TextList(const std::vector<std::string_view>& texts) {
  JsonValue::Array out;
  for (const std::string_view text : texts) out.push_back(Text(text));
  return JsonValue::Of(std::move(out));
}

void AddBody(const Operation& op, Version version, JsonValue::Array* parameters, Members* members) {
  if (op.body.definition.empty()) return;
  if (version == Version::kV2) {
    Members body{{"in", Text("body")}, {"name", Text("body")}};
    if (op.body_required) body.push_back({"required", JsonValue::Bool(true)});
    body.push_back({"schema", SchemaOf(op.body, version)});
    parameters->insert(parameters->begin(), JsonValue::Of(std::move(body)));
    return;
  }
  Members body{{"content", Content(op.body, op.consumes)}};
  if (op.body_required) body.push_back({"required", JsonValue::Bool(true)});
  members->push_back({"requestBody", JsonValue::Of(std::move(body))});
}

JsonValue OperationValue(const Operation& op, Version version, SharedParameters* shared) {
  Members out;
  const bool v2 = version == Version::kV2;
  if (v2) out.push_back({"consumes", TextList(op.consumes)});
  out.push_back({"description", Text(op.description)});
  out.push_back({"operationId", Text(op.id)});
  JsonValue::Array parameters = ParameterValues(op.parameters, version, shared);
  Members body;
  AddBody(op, version, &parameters, &body);
  if (!parameters.empty()) out.push_back({"parameters", JsonValue::Of(std::move(parameters))});
  if (v2) out.push_back({"produces", TextList(op.produces)});
  for (JsonValue::Member& member : body) out.push_back(std::move(member));
  out.push_back({"responses", Responses(op, version)});
  if (v2) out.push_back({"schemes", Texts({"https"})});
  out.push_back({"tags", Texts({op.tag})});
  if (!op.action.empty()) out.push_back({"x-kubernetes-action", Text(op.action)});
  if (!op.version.empty()) {
    out.push_back(
        {"x-kubernetes-group-version-kind", GroupVersionKind(op.group, op.version, op.kind)});
  }
  return JsonValue::Of(std::move(out));
}

}  // namespace

std::string ParameterHash(std::string_view json) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : json) hash = (hash * 0x100000001b3) ^ static_cast<uint8_t>(c);
  std::string out;
  for (int shift = 58; shift >= 16; shift -= 6) {
    out += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[hash >> shift & 63];
  }
  return out;
}

const std::string* SharedParameters::NameOf(const Parameter& parameter) {
  const bool alone = parameter.name == "name" ||
                     (parameter.in == "query" &&
                      (parameter.name == "dryRun" || parameter.name == "fieldValidation"));
  if (alone) return nullptr;
  const auto [known, is_new] =
      names_.try_emplace(Key(parameter.name, parameter.in, parameter.type, parameter.description));
  std::string& name = known->second;
  if (is_new) {
    name = parameter.name + '-' + ParameterHash(GoJson(parameter));
    for (int i = 1; !parameters_.try_emplace(name, parameter).second; ++i) {
      name = parameter.name + '-' + std::to_string(i);
    }
  }
  return &name;
}

JsonValue SharedParameters::Value() const {
  Members out;
  for (const auto& [name, parameter] : parameters_) {
    out.push_back({name, ParameterValue(parameter, Version::kV2)});
  }
  return JsonValue::Of(std::move(out));
}

JsonValue PathItem(const Path& path, Version version, SharedParameters* shared) {
  Members out;
  for (const Operation& op : path.operations) {
    out.push_back({std::string(op.method), OperationValue(op, version, shared)});
  }
  if (!path.parameters.empty()) {
    out.push_back({"parameters", JsonValue::Of(ParameterValues(path.parameters, version, shared))});
  }
  return JsonValue::Of(std::move(out));
}

}  // namespace podium::api::openapi
