// The form of the output is that of kubectl explain, and the defaults and the rules of values in
// between.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "api/descriptions.h"
#include "cli/commands.h"
#include "cli/explain_server.h"
#include "cli/field_defaults.h"
#include "cli/field_names.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/text.h"

namespace podium::cli {
namespace {

using reflect::Field;
using reflect::Form;
using reflect::Kind;
using reflect::Shape;
using reflect::Type;

constexpr size_t kWidth = 80;

// Defaults that depend on another field, which a bare object does not show.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kConditionalDefaults = {{
    {"emptyDir", "{} when no other source is set"},
    {"imagePullPolicy", "Always when the image's tag is latest or missing, else IfNotPresent"},
    {"pullPolicy", "Always when the reference's tag is latest or missing, else IfNotPresent"},
}};

std::string TypeName(const Field& field);

std::string ElementName(const Field& field) {
  switch (field.kind) {
    case Kind::kBool:
      return "boolean";
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kUint32:
    case Kind::kUint64:
      return "integer";
    case Kind::kDouble:
      return "number";
    case Kind::kString:
    case Kind::kEnum:
    case Kind::kBytes:
      return "string";
    case Kind::kRaw:
      return "Object";
    case Kind::kLeaf: {
      const std::string_view name = field.type->name;
      return name == "Quantity" || name == "IntOrString" ? std::string(name) : "string";
    }
    case Kind::kStruct:
      return field.type->form == Form::kTransparent ? TypeName(field.type->fields[0])
                                                    : field.type->name;
  }
  return {};
}

std::string TypeName(const Field& field) {
  std::string element = ElementName(field);
  if (field.shape == Shape::kList) return "[]" + element;
  if (field.shape == Shape::kMap) return "map[string]" + element;
  return element;
}

// As upstream's OpenAPI documents have it: what is not marked is required unless JSON may leave it
// out. Of the two fields with both marks (PortStatus.error, IngressPortStatus.error) the required
// one is for another generator.
bool IsRequired(const Field& field) {
  if (field.has(reflect::kOptionalMark)) return false;
  return field.has(reflect::kRequired) ||
         (!field.has(reflect::kOmitEmpty) && !field.has(reflect::kOmitZero));
}

// The named values of the field's type, sorted; an empty one as "".
std::vector<std::string> ValuesOf(const Field& field) {
  std::vector<std::string> values;
  std::string_view rest = field.facts->enum_values;
  if (rest.empty() || field.kind != Kind::kString) return values;
  while (true) {
    const size_t end = std::min(rest.find('|'), rest.size());
    values.emplace_back(end == 0 ? std::string_view("\"\"") : rest.substr(0, end));
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  std::ranges::sort(values);
  return values;
}

// Strings without their quotes.
std::string DefaultText(const Field& field, const std::string& json) {
  for (const auto& [name, text] : kConditionalDefaults) {
    if (field.name() == name && !json.empty()) return std::string(text);
  }
  const bool plain = json.size() > 2 && json.starts_with('"') && json.find('\\') == json.npos;
  return plain ? json.substr(1, json.size() - 2) : json;
}

// One run of the command.
class Explainer {
 public:
  Explainer(const FieldPlace& place, bool recursive) : place_(place), recursive_(recursive) {}

  std::string Text() {
    const api::Resource& resource = *place_.resource;
    if (!resource.group.empty()) AppendHeader("GROUP:", resource.group);
    AppendHeader("KIND:", resource.kind);
    AppendHeader("VERSION:", resource.version);
    out_ += '\n';
    if (!place_.fields.empty()) AppendField();
    AppendDescription();
    if (const Type* type = place_.type()) {
      out_ += "\nFIELDS:\n";
      std::vector<const Field*> way = place_.fields;
      AppendFields(*type, &way, 1);
    }
    return std::move(out_);
  }

 private:
  void AppendHeader(std::string_view name, std::string_view value) {
    std::string label(name);
    label.resize(12, ' ');
    out_.append(label).append(value) += '\n';
  }

  void AppendField() {
    const Field& field = *place_.fields.back();
    out_.append("FIELD: ").append(field.name()) += " <" + TypeName(field) + ">";
    out_ += IsRequired(field) ? " -required-\n" : "\n";
    const std::vector<std::string> values = ValuesOf(field);
    if (!values.empty()) out_ += field.facts->closed_enum ? "ENUM:\n" : "VALUES:\n";
    for (const std::string& value : values) out_ += "    " + value + '\n';

    std::vector<const Field*> owner_way = place_.fields;
    owner_way.pop_back();
    const Type& owner = owner_way.empty() ? *place_.resource->type : *owner_way.back()->type;
    const auto index = static_cast<size_t>(&field - owner.fields.data());
    const std::string text =
        DefaultText(field, DefaultsAt(*place_.resource->type, owner_way)[index]);
    if (!text.empty()) out_ += "DEFAULT:\n    " + text + '\n';
    out_ += '\n';
  }

  // Of the field, and of its type.
  void AppendDescription() {
    std::string_view description;
    std::string_view of_type;
    if (place_.fields.empty()) {
      description = api::DescriptionOf(*place_.resource->type);
    } else {
      const Field& field = *place_.fields.back();
      const Type& owner = place_.fields.size() == 1
                              ? *place_.resource->type
                              : *place_.fields[place_.fields.size() - 2]->type;
      description = api::DescriptionOf(owner, field);
      if (const Type* type = place_.type()) of_type = api::DescriptionOf(*type);
    }
    if (description.empty()) std::swap(description, of_type);
    out_ += "DESCRIPTION:\n";
    AppendWrapped(description.empty() ? "<empty>" : description, 4, kWidth, &out_);
    if (!of_type.empty() && of_type != description) AppendWrapped(of_type, 4, kWidth, &out_);
  }

  // In the order of names, as upstream.
  void AppendFields(const Type& type, std::vector<const Field*>* way, size_t level) {
    const std::vector<std::string> defaults = DefaultsAt(*place_.resource->type, *way);
    std::vector<const Field*> sorted;
    for (const Field& field : type.fields) sorted.push_back(&field);
    std::ranges::sort(sorted, {}, [](const Field* field) { return field->name(); });
    for (const Field* field : sorted) {
      const auto index = static_cast<size_t>(field - type.fields.data());
      AppendFieldDetail(type, *field, defaults[index], level);
      if (!recursive_ || !HasFields(*field) || IsOnWay(type, *way, *field->type)) continue;
      way->push_back(field);
      AppendFields(*field->type, way, level + 1);
      way->pop_back();
    }
  }

  // A type within itself is not told again.
  bool IsOnWay(const Type& owner, const std::vector<const Field*>& way, const Type& type) const {
    return &owner == &type ||
           std::ranges::any_of(way, [&](const Field* field) { return field->type == &type; });
  }

  void AppendFieldDetail(const Type& owner, const Field& field, const std::string& default_json,
                         size_t level) {
    const std::string indent(2 * level, ' ');
    out_.append(indent).append(field.name()) += "\t<" + TypeName(field) + ">";
    out_ += IsRequired(field) ? " -required-\n" : "\n";
    const std::vector<std::string> values = ValuesOf(field);
    if (!values.empty()) {
      out_ += indent + (field.facts->closed_enum ? "enum: " : "values: ");
      for (const std::string& value : values) out_ += (&value == &values[0] ? "" : ", ") + value;
      out_ += '\n';
    }
    const std::string text = DefaultText(field, default_json);
    if (!text.empty()) out_ += indent + "default: " + text + '\n';
    if (recursive_) return;
    const std::string_view description = api::DescriptionOf(owner, field);
    AppendWrapped(description.empty() ? "<no description>" : description, 2 * level + 2, kWidth,
                  &out_);
    out_ += '\n';
  }

  const FieldPlace& place_;
  const bool recursive_;
  std::string out_;
};

// What this program does not know may be a custom resource. Nothing where nobody knows it.
Result<std::optional<std::string>> AskServer(const Invocation& invocation, const Streams& streams) {
  const auto server = Server::Of(invocation, streams);
  if (!server.ok() && server.error().code() == Code::kNotFound) {
    return std::optional<std::string>();
  }
  if (!server.ok()) return server.error();
  if ((*server)->is_agent()) return std::optional<std::string>();
  return ExplainByServer(**server, invocation.arguments()[0], invocation.Get("api-version"),
                         invocation.Has("recursive"));
}

Outcome RunExplain(const Invocation& invocation, const Streams& streams) {
  if (invocation.arguments().empty()) {
    return UsageError("explain", "which resource or field? for instance pod.spec.containers");
  }
  const std::string& path = invocation.arguments()[0];
  const std::string_view version = invocation.Get("api-version");
  const Result<FieldPlace> place = FindFieldPlace(path, version);
  if (place.ok()) return {kOk, Explainer(*place, invocation.Has("recursive")).Text(), {}};
  auto text = AskServer(invocation, streams);
  if (text.ok() && *text) return {kOk, **std::move(text), {}};
  // Of a kind that is known what is said here is better, whatever the server says.
  const bool known = FindFieldPlace(path.substr(0, path.find('.')), version).ok();
  if (!text.ok() && !known) return ServerFailure(text.error());
  return {kFailed, {}, "podium explain: " + place.error().message() + '\n'};
}

constexpr Option kOwnOptions[] = {
    {.name = "recursive", .help = "the names of all fields below, without their descriptions"},
    {.name = "api-version",
     .value = "GROUP/VERSION",
     .help = "of the resource, where it is in several: autoscaling/v1"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command ExplainCommand() {
  return {
      .name = "explain",
      .summary = "Explain a resource or a field: type, default, allowed values",
      .arguments = "RESOURCE[.FIELD...]",
      .max_arguments = 1,
      .values = Values::kFieldPaths,
      .details =
          "The resource is a plural, a singular or a short name, or a kind; fields are named as in "
          "a manifest. Paths out of messages, with [0] in them, are understood.\n"
          "Kinds of the release are known without a server; of others, custom resources, the "
          "server is asked.",
      .example =
          "  podium explain pod\n"
          "  podium explain pod.spec.containers\n"
          "  podium explain deployment.spec.strategy --recursive\n"
          "  podium explain hpa --api-version autoscaling/v1\n"
          "  podium explain certificates.cert-manager.io.spec\n",
      .options = kOptions,
      .live = RunExplain,
  };
}

}  // namespace podium::cli
