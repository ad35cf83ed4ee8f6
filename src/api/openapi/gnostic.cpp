#include "api/openapi/gnostic.h"

#include <bit>
#include <cstdint>
#include <span>

#include "api/message_reader.h"
#include "reflect/number_text.h"

namespace podium::api::openapi {
namespace {

using reflect::JsonValue;

// How the value of a field is written.
enum class As : uint8_t {
  kString,
  kBool,
  kInteger,
  kDouble,
  kAny,            // Any: its YAML, of which JSON is a part
  kMessage,        // `message`
  kStrings,        // repeated
  kAnys,           // repeated
  kMessages,       // repeated
  kNamed,          // a message of named messages, in `entries`
  kTypeItem,       // a string or strings, in a message
  kItems,          // a schema in a message
  kAdditional,     // a schema or a boolean
  kOneOfSchema,    // a schema in the first field of a message
  kReferenceable,  // repeated: a parameter or a reference to one
  kSecurity,       // repeated: names with lists of strings
};

// Messages beyond those of the header.
enum class Part : uint8_t {
  kNone,
  kSchema,
  kOperation,
  kParameters,
  kInfo,
};

struct FieldRow {
  std::string_view name;
  uint32_t number;
  As as;
  Part part = Part::kNone;
  uint32_t entries = 1;
};

constexpr FieldRow kSchemaRows[] = {
    {"$ref", 1, As::kString},
    {"format", 2, As::kString},
    {"title", 3, As::kString},
    {"description", 4, As::kString},
    {"default", 5, As::kAny},
    {"multipleOf", 6, As::kDouble},
    {"maximum", 7, As::kDouble},
    {"exclusiveMaximum", 8, As::kBool},
    {"minimum", 9, As::kDouble},
    {"exclusiveMinimum", 10, As::kBool},
    {"maxLength", 11, As::kInteger},
    {"minLength", 12, As::kInteger},
    {"pattern", 13, As::kString},
    {"maxItems", 14, As::kInteger},
    {"minItems", 15, As::kInteger},
    {"uniqueItems", 16, As::kBool},
    {"maxProperties", 17, As::kInteger},
    {"minProperties", 18, As::kInteger},
    {"required", 19, As::kStrings},
    {"enum", 20, As::kAnys},
    {"additionalProperties", 21, As::kAdditional},
    {"type", 22, As::kTypeItem},
    {"items", 23, As::kItems},
    {"allOf", 24, As::kMessages, Part::kSchema},
    {"properties", 25, As::kNamed, Part::kSchema},
};
constexpr uint32_t kSchemaExtension = 31;

constexpr FieldRow kOperationRows[] = {
    {"tags", 1, As::kStrings},       {"description", 3, As::kString},
    {"operationId", 5, As::kString}, {"produces", 6, As::kStrings},
    {"consumes", 7, As::kStrings},   {"parameters", 8, As::kReferenceable},
    {"schemes", 10, As::kStrings},
};
constexpr uint32_t kOperationResponses = 9;
constexpr uint32_t kOperationExtension = 13;

constexpr FieldRow kPathItemRows[] = {
    {"get", 2, As::kMessage, Part::kOperation},     {"put", 3, As::kMessage, Part::kOperation},
    {"post", 4, As::kMessage, Part::kOperation},    {"delete", 5, As::kMessage, Part::kOperation},
    {"options", 6, As::kMessage, Part::kOperation}, {"head", 7, As::kMessage, Part::kOperation},
    {"patch", 8, As::kMessage, Part::kOperation},   {"parameters", 9, As::kReferenceable},
};
constexpr uint32_t kPathItemExtension = 10;

constexpr FieldRow kInfoRows[] = {
    {"title", 1, As::kString},
    {"version", 2, As::kString},
    {"description", 3, As::kString},
};
constexpr FieldRow kDocumentRows[] = {
    {"swagger", 1, As::kString},
    {"info", 2, As::kMessage, Part::kInfo},
    {"security", 12, As::kSecurity},
};
// ApiKeySecurity, in its place among the kinds of security.
constexpr FieldRow kApiKeyRows[] = {
    {"type", 1, As::kString},
    {"name", 2, As::kString},
    {"in", 3, As::kString},
    {"description", 4, As::kString},
};
constexpr uint32_t kApiKeySecurity = 2;

constexpr FieldRow kBodyRows[] = {
    {"description", 1, As::kString},
    {"name", 2, As::kString},
    {"in", 3, As::kString},
    {"required", 4, As::kBool},
    {"schema", 5, As::kMessage, Part::kSchema},
};
constexpr FieldRow kQueryRows[] = {
    {"required", 1, As::kBool}, {"in", 2, As::kString},   {"description", 3, As::kString},
    {"name", 4, As::kString},   {"type", 6, As::kString}, {"uniqueItems", 20, As::kBool},
};
constexpr FieldRow kPathRows[] = {
    {"required", 1, As::kBool}, {"in", 2, As::kString},   {"description", 3, As::kString},
    {"name", 4, As::kString},   {"type", 5, As::kString}, {"uniqueItems", 19, As::kBool},
};
// Parameter's two kinds, and NonBodyParameter's.
constexpr uint32_t kBodyParameter = 1;
constexpr uint32_t kNonBodyParameter = 2;
constexpr uint32_t kQueryParameter = 3;
constexpr uint32_t kPathParameter = 4;

constexpr FieldRow kResponseRows[] = {
    {"description", 1, As::kString},
    {"schema", 2, As::kOneOfSchema},
};

void AppendString(uint32_t number, std::string_view text, std::string* out) {
  AppendBytesField(number, text, out);
}

// NamedAny with an Any of its YAML.
std::string AnyBody(const JsonValue& value) {
  std::string any;
  AppendString(2, ToText(value) + '\n', &any);
  return any;
}

class Writer {
 public:
  // `extension`: the field of vendor extensions; 0: the message has none.
  static std::string Rows(std::span<const FieldRow> rows, uint32_t extension,
                          const JsonValue& value) {
    std::string out;
    if (!value.is_object()) return out;
    for (const auto& [name, member] : value.object()) {
      const FieldRow* row = Find(rows, name);
      if (row) {
        Append(*row, member, &out);
      } else if (extension > 0 && name.starts_with("x-")) {
        std::string named;
        AppendString(1, name, &named);
        AppendBytesField(2, AnyBody(member), &named);
        AppendBytesField(extension, named, &out);
      }
    }
    return out;
  }

  static std::string Body(Part part, const JsonValue& value) {
    switch (part) {
      case Part::kSchema:
        return Rows(kSchemaRows, kSchemaExtension, value);
      case Part::kOperation:
        return Operation(value);
      case Part::kInfo:
        return Rows(kInfoRows, 7, value);
      case Part::kParameters:
        return Parameter(value);
      case Part::kNone:
        break;
    }
    return {};
  }

  static std::string Parameter(const JsonValue& value) {
    const JsonValue* in = value.Find("in");
    std::string out;
    if (in && in->is_string() && in->string() == "body") {
      AppendBytesField(kBodyParameter, Rows(kBodyRows, 6, value), &out);
      return out;
    }
    const bool query = in && in->is_string() && in->string() == "query";
    std::string inner;
    if (query) {
      AppendBytesField(kQueryParameter, Rows(kQueryRows, 23, value), &inner);
    } else {
      AppendBytesField(kPathParameter, Rows(kPathRows, 22, value), &inner);
    }
    AppendBytesField(kNonBodyParameter, inner, &out);
    return out;
  }

 private:
  static const FieldRow* Find(std::span<const FieldRow> rows, std::string_view name) {
    for (const FieldRow& row : rows) {
      if (row.name == name) return &row;
    }
    return nullptr;
  }

  static std::string Operation(const JsonValue& value) {
    std::string out = Rows(kOperationRows, kOperationExtension, value);
    const JsonValue* responses = value.Find("responses");
    if (!responses || !responses->is_object()) return out;
    std::string all;
    for (const auto& [status, response] : responses->object()) {
      std::string either;
      AppendBytesField(1, Rows(kResponseRows, 5, response), &either);
      std::string named;
      AppendString(1, status, &named);
      AppendBytesField(2, either, &named);
      AppendBytesField(1, named, &all);
    }
    AppendBytesField(kOperationResponses, all, &out);
    return out;
  }

  static void Append(const FieldRow& row, const JsonValue& value, std::string* out) {
    switch (row.as) {
      case As::kString:
        if (value.is_string()) AppendString(row.number, value.string(), out);
        return;
      case As::kBool:
        if (value.is_bool() && value.boolean()) {
          AppendVarintField(row.number, 1, out);
        }
        return;
      case As::kInteger:
      case As::kDouble:
        return AppendNumber(row, value, out);
      case As::kAny:
        return AppendBytesField(row.number, AnyBody(value), out);
      case As::kMessage:
        return AppendBytesField(row.number, Body(row.part, value), out);
      case As::kNamed:
        return AppendEntries(row, value, out);
      case As::kTypeItem: {
        std::string item;
        if (value.is_string()) AppendString(1, value.string(), &item);
        return AppendBytesField(row.number, item, out);
      }
      case As::kItems:
      case As::kOneOfSchema: {
        std::string item;
        AppendBytesField(1, Body(Part::kSchema, value), &item);
        return AppendBytesField(row.number, item, out);
      }
      case As::kAdditional:
        return AppendAdditional(row, value, out);
      case As::kStrings:
      case As::kAnys:
      case As::kMessages:
      case As::kReferenceable:
      case As::kSecurity:
        break;
    }
    if (!value.is_array()) return;
    for (const JsonValue& element : value.array()) AppendElement(row, element, out);
  }

  static void AppendElement(const FieldRow& row, const JsonValue& value, std::string* out) {
    if (row.as == As::kStrings) {
      if (value.is_string()) AppendString(row.number, value.string(), out);
    } else if (row.as == As::kAnys) {
      AppendBytesField(row.number, AnyBody(value), out);
    } else if (row.as == As::kMessages) {
      AppendBytesField(row.number, Body(row.part, value), out);
    } else if (row.as == As::kReferenceable) {
      std::string item;
      if (const JsonValue* reference = value.Find("$ref")) {
        std::string body;
        AppendString(1, reference->string(), &body);
        AppendBytesField(2, body, &item);
      } else {
        AppendBytesField(1, Parameter(value), &item);
      }
      AppendBytesField(row.number, item, out);
    } else {
      // A requirement names the scopes of each scheme; of API keys there are none.
      std::string requirement;
      if (value.is_object()) {
        for (const JsonValue::Member& member : value.object()) {
          std::string named;
          AppendString(1, member.key, &named);
          AppendBytesField(2, "", &named);
          AppendBytesField(1, named, &requirement);
        }
      }
      AppendBytesField(row.number, requirement, out);
    }
  }

  static void AppendNumber(const FieldRow& row, const JsonValue& value, std::string* out) {
    if (!value.is_number()) return;
    const reflect::Number number = reflect::ReadJsonNumber(value.number());
    if (row.as == As::kInteger) {
      return AppendVarintField(row.number, static_cast<uint64_t>(number.integer), out);
    }
    AppendFixed64Field(row.number, std::bit_cast<uint64_t>(number.AsDouble()), out);
  }

  static void AppendEntries(const FieldRow& row, const JsonValue& value, std::string* out) {
    if (!value.is_object()) return;
    std::string all;
    for (const auto& [name, member] : value.object()) {
      std::string named;
      AppendString(1, name, &named);
      AppendBytesField(2, Body(row.part, member), &named);
      AppendBytesField(row.entries, named, &all);
    }
    AppendBytesField(row.number, all, out);
  }

  static void AppendAdditional(const FieldRow& row, const JsonValue& value, std::string* out) {
    std::string item;
    if (value.is_bool()) {
      AppendVarintField(2, value.boolean() ? 1 : 0, &item);
    } else {
      AppendBytesField(1, Body(Part::kSchema, value), &item);
    }
    AppendBytesField(row.number, item, out);
  }
};

}  // namespace

void AppendMessage(Message message, const JsonValue& value, std::string* out) {
  switch (message) {
    case Message::kDocument:
      out->append(Writer::Rows(kDocumentRows, 0, value));
      return;
    case Message::kInfo:
      out->append(Writer::Body(Part::kInfo, value));
      return;
    case Message::kSchema:
      out->append(Writer::Body(Part::kSchema, value));
      return;
    case Message::kPathItem:
      out->append(Writer::Rows(kPathItemRows, kPathItemExtension, value));
      return;
    case Message::kParameter:
      out->append(Writer::Parameter(value));
      return;
    case Message::kSecurityDefinition:
      AppendBytesField(kApiKeySecurity, Writer::Rows(kApiKeyRows, 5, value), out);
      return;
  }
}

void AppendNamed(uint32_t number, std::string_view name, Message message, const JsonValue& value,
                 std::string* out) {
  std::string body;
  AppendMessage(message, value, &body);
  std::string named;
  AppendString(1, name, &named);
  AppendBytesField(2, body, &named);
  AppendBytesField(number, named, out);
}

}  // namespace podium::api::openapi
