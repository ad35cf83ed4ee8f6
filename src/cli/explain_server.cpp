#include "cli/explain_server.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/json_members.h"
#include "cli/text.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

constexpr size_t kWidth = 80;
// Of values in a list of fields; all are told of the field alone.
constexpr size_t kFewValues = 4;

Error Missing(std::string message) { return {Code::kNotFound, std::move(message)}; }

// The resource that the first words name, and the fields behind it.
struct Place {
  const ServerResource* resource = nullptr;
  std::vector<std::string> fields;
};

// "size" of "size[0]": paths of messages serve as well.
std::string FieldOf(std::string_view word) { return std::string(word.substr(0, word.find('['))); }

// Nothing where there is no such resource.
std::optional<Place> PlaceOf(const ServerResources& resources, std::string_view path,
                             std::string_view api_version) {
  const std::vector<std::string_view> words = Split(path, '.');
  Place place;
  size_t taken = 1;
  const auto resolved = resources.Resolve(words[0]);
  if (!resolved.ok()) return {};
  place.resource = *resolved;
  const std::string name = place.resource->plural;
  const std::string_view rest = path.substr(std::min(path.size(), words[0].size() + 1));
  for (const ServerResource& each : resources.all()) {
    // Groups have dots too: the resource is that of the group that stands there.
    const bool named = each.plural == name && !each.group.empty() &&
                       (rest == each.group || rest.starts_with(each.group + "."));
    if (!named) continue;
    place.resource = &each;
    taken = 1 + Split(each.group, '.').size();
    break;
  }
  if (!api_version.empty()) {
    const auto found = std::ranges::find_if(resources.all(), [&](const ServerResource& each) {
      return each.plural == name && each.ApiVersion() == api_version;
    });
    if (found == resources.all().end()) return {};
    place.resource = &*found;
  }
  for (size_t i = taken; i < words.size(); ++i) place.fields.push_back(FieldOf(words[i]));
  return place;
}

// One document.
class Schemas {
 public:
  explicit Schemas(const JsonValue& document) : document_(document) {}

  const JsonValue* OfKind(const ServerResource& resource) const {
    const JsonValue* schemas = ValueAt(document_, {"components", "schemas"});
    if (!schemas || !schemas->is_object()) return nullptr;
    for (const auto& [key, schema] : schemas->object()) {
      for (const JsonValue& kind : ElementsOf(schema, "x-kubernetes-group-version-kind")) {
        if (TextOf(kind, "group") == resource.group &&
            TextOf(kind, "version") == resource.version && TextOf(kind, "kind") == resource.kind) {
          return &schema;
        }
      }
    }
    return nullptr;
  }

  // Where a reference leads to, also one that stands alone in an allOf.
  const JsonValue& Resolved(const JsonValue& schema) const {
    const JsonValue* at = &schema;
    for (int depth = 0; depth < 16; ++depth) {
      const JsonValue* next = Target(*at);
      if (!next) break;
      at = next;
    }
    return *at;
  }

  // "string", "[]Object", "map[string]string", "ObjectMeta"
  std::string TypeOf(const JsonValue& schema) const {
    if (const JsonValue* items = schema.Find("items"); items && items->is_object()) {
      return "[]" + TypeOf(*items);
    }
    if (const JsonValue* values = Values(schema)) return "map[string]" + TypeOf(*values);
    const std::string reference = Reference(schema);
    if (!reference.empty()) {
      const std::string_view type = TextOf(Resolved(schema), "type");
      if (!type.empty() && type != "object") return std::string(type);
      return reference.substr(reference.find_last_of("./") + 1);
    }
    const std::string_view type = TextOf(schema, "type");
    return type.empty() || type == "object" ? "Object" : std::string(type);
  }

  // The members of the object that it is, or that its elements are; null where it has none.
  const JsonValue* FieldsOf(const JsonValue& schema, const JsonValue** owner) const {
    const JsonValue& resolved = Resolved(schema);
    if (const JsonValue* fields = resolved.Find("properties"); fields && fields->is_object()) {
      *owner = &resolved;
      return fields;
    }
    if (const JsonValue* items = resolved.Find("items"); items && items->is_object()) {
      return FieldsOf(*items, owner);
    }
    const JsonValue* values = Values(resolved);
    return values ? FieldsOf(*values, owner) : nullptr;
  }

  // Its own, that of the type, and those of the elements.
  std::vector<std::string> Descriptions(const JsonValue& schema) const {
    std::vector<std::string> out;
    const auto add = [&](const JsonValue& of) {
      const std::string_view text = TextOf(of, "description");
      if (!text.empty() && std::ranges::find(out, text) == out.end()) out.emplace_back(text);
    };
    const JsonValue* at = &schema;
    for (int depth = 0; at && depth < 16; ++depth) {
      add(*at);
      const JsonValue& resolved = Resolved(*at);
      add(resolved);
      const JsonValue* items = resolved.Find("items");
      at = items && items->is_object() ? items : Values(resolved);
    }
    return out;
  }

  static const JsonValue* Values(const JsonValue& schema) {
    const JsonValue* values = schema.Find("additionalProperties");
    return values && values->is_object() ? values : nullptr;
  }

 private:
  static std::string Reference(const JsonValue& schema) {
    const std::string_view own = TextOf(schema, "$ref");
    if (!own.empty()) return std::string(own);
    const JsonValue::Array& all = ElementsOf(schema, "allOf");
    return all.size() == 1 && !schema.Find("properties") ? std::string(TextOf(all[0], "$ref"))
                                                         : std::string();
  }

  const JsonValue* Target(const JsonValue& schema) const {
    constexpr std::string_view kPrefix = "#/components/schemas/";
    const std::string reference = Reference(schema);
    if (!reference.starts_with(kPrefix)) return nullptr;
    return ValueAt(document_, {"components", "schemas", reference.substr(kPrefix.size())});
  }

  const JsonValue& document_;
};

bool IsRequired(const JsonValue& owner, std::string_view field) {
  const std::vector<std::string> required = TextsOf(owner, "required");
  return std::ranges::find(required, field) != required.end();
}

std::vector<std::string> ValuesOf(const JsonValue& schema) {
  std::vector<std::string> out;
  for (const JsonValue& value : ElementsOf(schema, "enum")) {
    const bool plain = value.is_string() && !value.string().empty();
    out.push_back(Printable(plain ? value.string() : reflect::ToText(value)));
  }
  return out;
}

std::string DefaultOf(const JsonValue& schema) {
  const JsonValue* value = schema.Find("default");
  if (!value) return {};
  const bool plain = value->is_string() && !value->string().empty();
  return Printable(plain ? value->string() : reflect::ToText(*value));
}

// One run of the command.
class Explainer {
 public:
  Explainer(const Schemas& schemas, bool recursive) : schemas_(schemas), recursive_(recursive) {}

  Result<std::string> Explain(const ServerResource& resource, const JsonValue& schema,
                              const std::vector<std::string>& fields) {
    if (!resource.group.empty()) out_ += "GROUP:      " + resource.group + '\n';
    out_ += "KIND:       " + resource.kind + "\nVERSION:    " + resource.version + "\n\n";
    const JsonValue* at = &schema;
    for (const std::string& field : fields) {
      const JsonValue* owner = nullptr;
      const JsonValue* members = schemas_.FieldsOf(*at, &owner);
      at = members ? members->Find(field) : nullptr;
      if (!at) return Missing("field " + reflect::GoQuoted(field) + " does not exist");
      if (&field == &fields.back()) AppendField(*owner, field, *at);
    }
    AppendDescription(*at);
    AppendDocuments(*at, 0);
    const JsonValue* owner = nullptr;
    if (schemas_.FieldsOf(*at, &owner)) {
      out_ += "\nFIELDS:\n";
      AppendFields(*at, 1);
    }
    return std::move(out_);
  }

 private:
  void AppendField(const JsonValue& owner, const std::string& name, const JsonValue& schema) {
    out_ += "FIELD: " + Printable(name) + " <" + Printable(schemas_.TypeOf(schema)) + ">";
    out_ += IsRequired(owner, name) ? " -required-\n" : "\n";
    const std::vector<std::string> values = ValuesOf(schema);
    if (!values.empty()) out_ += "ENUM:\n";
    for (const std::string& value : values) out_ += "    " + value + '\n';
    const std::string otherwise = DefaultOf(schema);
    if (!otherwise.empty()) out_ += "DEFAULT:\n    " + otherwise + '\n';
    out_ += '\n';
  }

  void AppendDescription(const JsonValue& schema) {
    out_ += "DESCRIPTION:\n";
    const std::vector<std::string> texts = schemas_.Descriptions(schema);
    if (texts.empty()) out_ += "    <empty>\n";
    for (const std::string& text : texts) AppendWrapped(Printable(text, true), 4, kWidth, &out_);
  }

  void AppendDocuments(const JsonValue& schema, size_t indent) {
    const JsonValue* documents = schema.Find("externalDocs");
    if (!documents || !documents->is_object()) return;
    const std::string space(indent, ' ');
    out_ += '\n' + space + "EXTERNAL DOCS:\n";
    const std::string_view text = TextOf(*documents, "description");
    if (!text.empty()) AppendWrapped(Printable(text, true), indent + 4, kWidth, &out_);
    const std::string_view url = TextOf(*documents, "url");
    if (!url.empty()) out_ += space + "    URL: " + Printable(url) + '\n';
  }

  // A type within itself is not told again.
  void AppendFields(const JsonValue& schema, size_t level) {
    const JsonValue* owner = nullptr;
    const JsonValue* fields = schemas_.FieldsOf(schema, &owner);
    if (!fields || !way_.insert(owner).second) return;
    std::vector<const JsonValue::Member*> sorted;
    sorted.reserve(fields->object().size());
    for (const auto& field : fields->object()) sorted.push_back(&field);
    std::ranges::sort(sorted, {}, [](const auto* field) { return field->key; });
    for (const auto* field : sorted) {
      AppendFieldDetail(*owner, field->key, field->value, level);
      if (recursive_) AppendFields(field->value, level + 1);
    }
    way_.erase(owner);
  }

  void AppendFieldDetail(const JsonValue& owner, const std::string& name, const JsonValue& schema,
                         size_t level) {
    const std::string indent(2 * level, ' ');
    out_ += indent + Printable(name) + "\t<" + Printable(schemas_.TypeOf(schema)) + ">";
    out_ += IsRequired(owner, name) ? " -required-\n" : "\n";
    std::vector<std::string> values = ValuesOf(schema);
    if (values.size() > kFewValues) {
      values.resize(kFewValues);
      values.emplace_back("....");
    }
    if (!values.empty()) out_ += indent + "enum: " + Join(values, ", ") + '\n';
    const std::string otherwise = DefaultOf(schema);
    if (!otherwise.empty()) out_ += indent + "default: " + otherwise + '\n';
    if (recursive_) return;
    std::string_view text = TextOf(schema, "description");
    if (text.empty()) text = "<no description>";
    AppendWrapped(Printable(text, true), 2 * level + 2, kWidth, &out_);
    AppendDocuments(schema, 2 * level + 2);
    out_ += '\n';
  }

  const Schemas& schemas_;
  const bool recursive_;
  std::set<const JsonValue*> way_;
  std::string out_;
};

}  // namespace

Result<std::optional<std::string>> ExplainByServer(Server& server, std::string_view path,
                                                   std::string_view api_version, bool recursive) {
  TRY(const ServerResources* resources, server.Resources());
  const auto place = PlaceOf(*resources, path, api_version);
  if (!place) return std::optional<std::string>();
  const ServerResource& resource = *place->resource;
  const std::string prefix = resource.group.empty() ? "/openapi/v3/api/" : "/openapi/v3/apis/";
  TRY(const JsonValue document, server.AskJson({.path = prefix + resource.ApiVersion()}));
  const Schemas schemas(document);
  const JsonValue* schema = schemas.OfKind(resource);
  if (!schema) {
    return Missing("the server does not describe " + resource.kind + " in " +
                   resource.ApiVersion());
  }
  TRY(std::string text, Explainer(schemas, recursive).Explain(resource, *schema, place->fields));
  return std::optional(std::move(text));
}

}  // namespace podium::cli
